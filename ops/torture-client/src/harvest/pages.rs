//! A room's history by every other way that leads through it: from its end back, from its middle, and thread by thread. Each must
//! show what the walk from its beginning showed, and say rightly whether more lies on either side.
//!
//! A page that leaves out what is next to where it was asked from, shows a message twice, or says too early that there is no more
//! loses messages for every client, since clients read from the end back.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde_json::Value;
use uuid::Uuid;

use crate::Result;
use crate::board::Board;
use crate::evidence::Kept;
use crate::findings::Kind;
use crate::person::Person;
use crate::rooms::Room;

/// All of a room is read by pages of this size, which is the largest that there is.
const LARGE: usize = 100;
/// Of small ones, whose ends are many, so many are read of each room; more would take long and show no more.
const SMALL: usize = 7;
const SMALL_PAGES: usize = 20;
/// Messages, spread evenly, before, behind and around which a page is asked for.
const PLACES: usize = 6;
/// Threads that are read, the longest ones, and the answers of a page.
const THREADS: usize = 12;
const ANSWERS: usize = 1;

/// Compares all of that with `messages`: nothing is written any more, so not even what changes with time may differ.
pub async fn agree(reader: &Person, room: &Room, messages: &[Kept], board: &Board) -> Result<()> {
    let walk = Walk { reader, room, messages, board };
    walk.back(LARGE, usize::MAX).await?;
    walk.back(SMALL, SMALL_PAGES).await?;
    let apart = messages.len().div_ceil(PLACES).max(1);
    for at in (0..messages.len()).step_by(apart).chain(messages.len().checked_sub(1)) {
        walk.beside(at).await?;
        walk.around(at).await?;
    }
    walk.threads().await
}

/// What a page says of what lies beyond it, by the names of its fields.
type Flags<'f> = &'f [(&'static str, bool)];

struct Walk<'w> {
    reader: &'w Person,
    room: &'w Room,
    messages: &'w [Kept],
    board: &'w Board,
}

impl Walk<'_> {
    /// From the newest page on, each before the first message of the last, to the beginning and once beyond it.
    async fn back(&self, limit: usize, pages: usize) -> Result<()> {
        let (mut rest, mut place) = (self.messages, String::new());
        for _ in 0..pages {
            let begin = rest.len().saturating_sub(limit);
            let has_after = rest.len() < self.messages.len();
            let flags = [("has_before", begin > 0), ("has_after", has_after), ("has_more", begin > 0)];
            let is_so = self.shows(&self.path(limit, &place), &rest[begin..], &flags).await?;
            let Some(first) = rest.get(begin).filter(|_| is_so) else { break };
            place = format!("&before_seq={}", first.seq);
            rest = &rest[..begin];
        }
        Ok(())
    }

    /// What stands right before and right behind a message.
    async fn beside(&self, at: usize) -> Result<()> {
        let (all, seq) = (self.messages, self.messages[at].seq);
        let begin = at.saturating_sub(SMALL);
        let before = [("has_before", begin > 0), ("has_after", true), ("has_more", begin > 0)];
        self.shows(&self.path(SMALL, &format!("&before_seq={seq}")), &all[begin..at], &before).await?;
        let end = (at + 1 + SMALL).min(all.len());
        let has_after = end < all.len();
        let behind = [("has_before", true), ("has_after", has_after), ("has_more", has_after)];
        self.shows(&self.path(SMALL, &format!("&after_seq={seq}")), &all[at + 1..end], &behind).await?;
        Ok(())
    }

    /// A message in the middle of a page. Where the page begins is the server's choice, as long as the message is in it with those
    /// next to it.
    async fn around(&self, at: usize) -> Result<()> {
        let all = self.messages;
        let path = self.path(SMALL, &format!("&around_seq={}", all[at].seq));
        let page = self.reader.get(&path).await?;
        let shown = messages_of(&page);
        let first = shown.first().and_then(|first| all.iter().position(|it| it.id == first.id));
        let begin = first.unwrap_or(at);
        let end = (begin + shown.len()).min(all.len());
        if begin > at.saturating_sub(1) || end < (at + 2).min(all.len()) {
            self.note(Kind::Lost, &format!("{path} leaves out the message or one that is next to it"));
        } else if self.compare(&path, &shown, &all[begin..end]) {
            self.tells(&path, &page, &[("has_before", begin > 0), ("has_after", end < all.len())]);
        }
        Ok(())
    }

    /// Threads whose root is not deleted, the longest ones.
    async fn threads(&self) -> Result<()> {
        let mut answers: HashMap<Uuid, Vec<&Kept>> = HashMap::new();
        for message in self.messages {
            if let Some(root) = message.parent {
                answers.entry(root).or_default().push(message);
            }
        }
        let roots = self.messages.iter().filter(|it| !it.is_deleted);
        let mut threads: Vec<(&Kept, Vec<&Kept>)> =
            roots.filter_map(|root| Some((root, answers.remove(&root.id)?))).collect();
        threads.sort_by_key(|(_, answers)| Reverse(answers.len()));
        for (root, answers) in threads.iter().take(THREADS) {
            self.thread(root, answers).await?;
        }
        Ok(())
    }

    /// A thread page by page: each has the root, and the next answers behind it.
    async fn thread(&self, root: &Kept, answers: &[&Kept]) -> Result<()> {
        let (mut rest, mut after) = (answers, 0);
        while !rest.is_empty() {
            let (now, later) = rest.split_at(ANSWERS.min(rest.len()));
            let due: Vec<Kept> = std::iter::once(root).chain(now.iter().copied()).cloned().collect();
            let path = format!("messages/{}/thread?limit={ANSWERS}&after_seq={after}", root.id);
            if !self.shows(&path, &due, &[("has_more", !later.is_empty())]).await? {
                break;
            }
            after = now.last().map_or(after, |last| last.seq);
            rest = later;
        }
        Ok(())
    }

    fn path(&self, limit: usize, place: &str) -> String {
        format!("channels/{}/messages?limit={limit}{place}", self.room.id)
    }

    /// Asks for a page. Answers whether it is `due`.
    async fn shows(&self, path: &str, due: &[Kept], flags: Flags<'_>) -> Result<bool> {
        let page = self.reader.get(path).await?;
        Ok(self.compare(path, &messages_of(&page), due) && self.tells(path, &page, flags))
    }

    fn compare(&self, path: &str, shown: &[Kept], due: &[Kept]) -> bool {
        let Some(kind) = difference(shown, due) else { return true };
        let numbers = |of: &[Kept]| of.iter().map(|it| it.seq).collect::<Vec<i64>>();
        self.note(kind, &format!("{path} shows {:?}, not {:?}", numbers(shown), numbers(due)));
        false
    }

    fn tells(&self, path: &str, page: &Value, flags: Flags<'_>) -> bool {
        let wrong = flags.iter().find(|(name, due)| page[*name] != *due);
        if let Some((name, due)) = wrong {
            self.note(Kind::Miscounted, &format!("{path} says {name}: {}, not {due}", page[*name]));
        }
        wrong.is_none()
    }

    fn note(&self, kind: Kind, text: &str) {
        self.board.note(kind, format!("{}: {text}", self.room.name));
    }
}

fn messages_of(page: &Value) -> Vec<Kept> {
    page["items"].as_array().into_iter().flatten().filter_map(Kept::of_view).collect()
}

/// As what a wrong page counts; `None`: it is right.
fn difference(shown: &[Kept], due: &[Kept]) -> Option<Kind> {
    if shown == due {
        return None;
    }
    let is_there = |message: &Kept, page: &[Kept]| page.iter().any(|it| it.id == message.id);
    let is_same_list = shown.len() == due.len() && shown.iter().zip(due).all(|(it, due)| it.id == due.id);
    Some(if is_same_list {
        Kind::Altered
    } else if due.iter().any(|message| !is_there(message, shown)) {
        Kind::Lost
    } else if shown.len() > due.len() {
        Kind::Duplicated
    } else {
        Kind::Reordered
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(numbers: &[u128]) -> Vec<Kept> {
        let kept =
            |number: &u128| Kept { id: Uuid::from_u128(*number), seq: *number as i64, ..Kept::default() };
        numbers.iter().map(kept).collect()
    }

    #[test]
    fn a_wrong_page_is_seen_as_what_it_is() {
        let due = page(&[1, 2, 3]);
        assert_eq!(difference(&due, &due), None);
        assert_eq!(difference(&page(&[1, 3]), &due), Some(Kind::Lost));
        assert_eq!(difference(&page(&[1, 2, 2, 3]), &due), Some(Kind::Duplicated));
        assert_eq!(difference(&page(&[1, 3, 2]), &due), Some(Kind::Reordered));
        let mut other = due.clone();
        other[1].text.push('x');
        assert_eq!(difference(&other, &due), Some(Kind::Altered));
    }
}
