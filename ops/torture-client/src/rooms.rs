//! The channels of a run, and texts that can be told apart for ever.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

use crate::Result;
use crate::evidence::id;
use crate::person::Person;
use crate::turnstile::Turnstile;

/// Open channels, and private ones that people are brought into and removed from.
const OPEN: [&str; 3] = ["harbour", "market", "square"];
const PRIVATE: [&str; 2] = ["vault", "cellar"];
/// No vowels and none of the endings that a stemmer would take off: a word stays one word, and no other.
const LETTERS: &[u8; 16] = b"bcdfghjkmnpqrtvw";
const FILLER: [&str; 12] = [
    "tides", "lanterns", "about", "the", "ropes", "and", "sails", "before", "morning", "under", "heavy",
    "rain",
];
/// People who are brought in by one call (docs/limits.md).
const AT_ONCE: usize = 100;

/// A channel of the run.
#[derive(Clone, Debug)]
pub struct Room {
    pub id: Uuid,
    pub name: String,
    /// A word that stands in every text of a private one, and nowhere else in the world.
    pub secret: Option<String>,
    /// What keeps everybody out of a private one who is no member.
    pub wall: Arc<Turnstile>,
}

/// All of them.
pub type Rooms = Arc<[Room]>;

/// Makes the channels and brings `members` into all of them, `visitors` into the open ones.
pub async fn make(owner: &Person, members: &[Uuid], visitors: &[Uuid]) -> Result<Rooms> {
    let mut rooms = Vec::new();
    for (name, kind) in OPEN.map(|it| (it, "public")).into_iter().chain(PRIVATE.map(|it| (it, "private"))) {
        let form = json!({ "name": name, "kind": kind });
        let made = owner.expect(Method::POST, "channels", Some(&form), &[201]).await?;
        let room = id(&made["id"]).ok_or("a channel without an id")?;
        let is_private = kind == "private";
        let people = members.iter().chain(visitors.iter().filter(|_| !is_private));
        let people: Vec<Uuid> = people.copied().collect();
        for people in people.chunks(AT_ONCE) {
            let form = json!({ "user_ids": people });
            owner.expect(Method::POST, &format!("channels/{room}/members"), Some(&form), &[200, 201]).await?;
        }
        let secret = is_private.then(|| format!("xx{}", letters(u64::from_be_bytes(first_half(room)))));
        let wall = Arc::new(Turnstile::outside());
        rooms.push(Room { id: room, name: name.to_owned(), secret, wall });
    }
    Ok(rooms.into())
}

fn first_half(room: Uuid) -> [u8; 8] {
    // The second half of an id that begins with the time is the random one.
    let (_, half) = room.as_u64_pair();
    half.to_be_bytes()
}

/// A text for a room that begins with a word no other text has.
pub fn text(room: &Room, rng: &mut StdRng) -> String {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut text = format!("x{}", letters(NEXT.fetch_add(1, Ordering::Relaxed)));
    if let Some(secret) = &room.secret {
        text.push(' ');
        text.push_str(secret);
    }
    for _ in 0..rng.random_range(2..24) {
        text.push(' ');
        text.push_str(FILLER.choose(rng).copied().unwrap_or_default());
    }
    text
}

/// The word of a text that no other has.
pub fn own_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

fn letters(mut number: u64) -> String {
    let mut letters = String::new();
    loop {
        letters.push(char::from(LETTERS[(number % 16) as usize]));
        number /= 16;
        // Short words are what other texts have too.
        if number == 0 && letters.len() >= 4 {
            return letters;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::letters;

    #[test]
    fn numbers_have_words_of_their_own() {
        let words: HashSet<String> = (0..10_000).map(letters).collect();
        assert_eq!(words.len(), 10_000);
        assert!(words.iter().all(|word| word.len() >= 4));
    }
}
