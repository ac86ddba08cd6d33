//! People who are brought into private channels and removed again while others write there, and who try every door of
//! the API while they are outside.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::Rng;
use rand::rngs::StdRng;
use reqwest::Method;
use serde_json::json;

use crate::Result;
use crate::board::Board;
use crate::findings::Kind;
use crate::person::{Answer, Person};
use crate::question::{self, Question};
use crate::rooms::{Room, Rooms};
use crate::turnstile::Turnstile;

/// How long people stay inside and outside at most, in milliseconds.
const INSIDE_MS: u64 = 60;
const OUTSIDE_MS: u64 = 60;
const PROBE_EVERY: Duration = Duration::from_millis(80);
/// So many questions one after the other have no answer at all: one may meet a connection that just ends.
const UNANSWERED: u32 = 3;

/// Somebody who comes and goes, with a turnstile for each private room.
pub struct Victim {
    pub person: Arc<Person>,
    pub turnstiles: Vec<(Room, Turnstile)>,
}

impl Victim {
    /// Somebody who is outside of all private rooms.
    pub fn new(person: Arc<Person>, rooms: &Rooms) -> Self {
        let private = rooms.iter().filter(|room| room.secret.is_some());
        Self { person, turnstiles: private.map(|room| (room.clone(), Turnstile::outside())).collect() }
    }

    /// Kept out of the private room with this number by their turnstile and by its wall; `None`: not for certain.
    fn outside_since(&self, room: usize) -> Option<(u64, u64)> {
        let (room, turnstile) = &self.turnstiles[room];
        turnstile.outside_since().zip(room.wall.outside_since())
    }
}

/// Lets `victims` in and out of the private room with this number until the run stops; all are outside then.
pub async fn race(
    owner: Arc<Person>,
    victims: Arc<[Victim]>,
    room: usize,
    mut rng: StdRng,
    board: Arc<Board>,
) -> Result<()> {
    while !board.stop.is_cancelled() {
        let victim = &victims[rng.random_range(0..victims.len())];
        let (room, turnstile) = &victim.turnstiles[room];
        turnstile.turn();
        let path = format!("channels/{}/members", room.id);
        let form = json!({ "user_id": victim.person.id });
        owner.expect(Method::POST, &path, Some(&form), &[200, 201]).await?;
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..INSIDE_MS))).await;
        // 404 and 409: an earlier try had been done and its answer lost.
        if rng.random_bool(0.5) {
            let path = format!("{path}/{}", victim.person.id);
            owner.expect(Method::DELETE, &path, None, &[204, 404]).await?;
        } else {
            let path = format!("channels/{}/leave", room.id);
            victim.person.expect(Method::POST, &path, None, &[200, 204, 404, 409]).await?;
        }
        turnstile.turn();
        board.races.add();
        tokio::time::sleep(Duration::from_millis(rng.random_range(0..OUTSIDE_MS))).await;
    }
    Ok(())
}

/// Asks for what one may not have, over and over, whenever `victims[at]` is outside.
pub async fn probe(victims: Arc<[Victim]>, at: usize, mut rng: StdRng, board: Arc<Board>) -> Result<()> {
    let (victim, mut unanswered) = (&victims[at], 0);
    while !board.stop.is_cancelled() {
        board.pause(PROBE_EVERY).await;
        let number = rng.random_range(0..victim.turnstiles.len());
        let (room, _) = &victim.turnstiles[number];
        let (Some(before), Some(secret)) = (victim.outside_since(number), &room.secret) else { continue };
        let at = rng.random_range(0..1_000);
        let (file, message) = (board.a_file_of(room.id, at), board.a_message_of(room.id, at));
        let sort = rng.random_range(0..question::ALL.len());
        let path = question::ALL[sort].about(room, secret, (file, message));
        let began = Instant::now();
        // No answer is no leak.
        let Ok(answer) = victim.person.call(Method::GET, &path, None).await else {
            unanswered += 1;
            if unanswered == UNANSWERED && board.was_long_calm(began) {
                let text = format!("{} asked {UNANSWERED} times and had no answer", victim.person.name);
                board.note(Kind::Stuck, text);
            }
            victim.person.next_door();
            continue;
        };
        unanswered = 0;
        if answer.status == 401 {
            victim.person.renew(&answer.shown, &answer.text).await?;
            continue;
        }
        let asked = Asked { who: &victim.person.name, path: &path, began };
        if victim.outside_since(number) != Some(before) {
            continue;
        }
        if gives_away(&answer, room, secret) {
            board.note(Kind::Leaked, asked.told(&answer));
        } else if asked.is_refused(question::ALL[sort], &answer, &board) {
            board.probes.add();
            board.refusals[sort].add();
        }
    }
    Ok(())
}

/// A question that somebody asked from outside.
struct Asked<'a> {
    who: &'a str,
    path: &'a str,
    began: Instant,
}

impl Asked<'_> {
    /// Whether the answer keeps them out, rather than saying nothing of it. One that no sound server gives is noted: a server that
    /// takes every question for a wrong one would else pass for a tight one.
    fn is_refused(&self, question: Question, answer: &Answer, board: &Board) -> bool {
        let is_right = question.is_answered_by(answer.status);
        let is_excused = match answer.status {
            // Noted by whoever took the answer.
            429 => true,
            // "Not now": of a search until its worker and its bus are back, and those come back slowly.
            500.. => !board.was_long_calm(self.began),
            _ => false,
        };
        if !is_right && !is_excused {
            board.note(Kind::Refused, self.told(answer));
        }
        is_right
    }

    fn told(&self, answer: &Answer) -> String {
        let Self { who, path, .. } = self;
        format!("{who} asked for {path} from outside and was answered {}: {}", answer.status, answer.text)
    }
}

/// A refusal names the path that was asked for, and so what the asker named themselves; anything else must not.
fn gives_away(answer: &Answer, room: &Room, secret: &str) -> bool {
    answer.status < 300 && (answer.text.contains(&room.id.to_string()) || answer.text.contains(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_a_secret_away() {
        let wall = Arc::new(Turnstile::outside());
        let room = Room { id: uuid::Uuid::from_u128(5), name: "vault".into(), secret: None, wall };
        let answer = |status, text: &str| Answer { status, text: text.to_owned(), ..Answer::default() };
        assert!(gives_away(&answer(200, "so xxbcd"), &room, "xxbcd"));
        assert!(gives_away(&answer(200, &room.id.to_string()), &room, "xxbcd"));
        assert!(!gives_away(&answer(404, &room.id.to_string()), &room, "xxbcd"));
        assert!(!gives_away(&answer(200, "{\"items\":[]}"), &room, "xxbcd"));
    }
}
