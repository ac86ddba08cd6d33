//! A second look at the best hits: a model in a folder reads them and the question, and says how near they are. It knows that
//! better than what found them, and is too slow to read everything.
//!
//! Somebody waits for it, so it reads so many hits, for so many questions at once, for so long. What has no turn or no time
//! stays in the order in which it was found.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use confab_core::Result;
use sha2::{Digest, Sha256};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::embedding::Local;

/// Hits that are read again.
pub(crate) const MOST_READ: usize = 50;
/// All of it together, waiting for a turn too.
const PATIENCE: Duration = Duration::from_millis(800);
/// Of a text: what a message is about, it says soon.
const LONGEST_BYTES: usize = 600;
/// Texts between two looks at the clock.
const AT_ONCE: usize = 4;
/// Vectors in each of two halves; each takes some 1.5 KB. Who searches again, or for something like it, meets the same hits.
const MOST_KNOWN: usize = 8_192;

/// See the module. Cheap to clone.
#[derive(Clone)]
pub(crate) struct SecondLook(Arc<Reader>);

struct Reader {
    model: Local,
    turns: Arc<Semaphore>,
    known: Mutex<Known>,
}

/// Leave to look, for one question.
pub(crate) struct Turn {
    reader: Arc<Reader>,
    until: Instant,
    _place: OwnedSemaphorePermit,
}

impl SecondLook {
    /// Reads the model.
    ///
    /// # Errors
    /// [`confab_core::Fault::Invalid`] in `rerank_dir`.
    pub fn open(folder: &Path) -> Result<Self> {
        let model = Local::open_for("rerank_dir", folder)?;
        // A core stays for everything else.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let turns = Arc::new(Semaphore::new((cores / 2).max(1)));
        Ok(Self(Arc::new(Reader { model, turns, known: Mutex::default() })))
    }

    /// Waits for a turn; `None`: others took all the time.
    pub async fn turn(&self) -> Option<Turn> {
        let until = Instant::now() + PATIENCE;
        let place = tokio::time::timeout(PATIENCE, self.0.turns.clone().acquire_owned()).await;
        Some(Turn { reader: self.0.clone(), until, _place: place.ok()?.ok()? })
    }
}

impl Turn {
    /// How near each text is to the question, from -1 to 1; `None`: there was no time for all of them. Keeps a processor busy,
    /// until a few texts after its time at most.
    pub fn cosines(self, question: &str, texts: &[&str]) -> Option<Vec<f32>> {
        let Reader { model, known, .. } = &*self.reader;
        let known = || known.lock().unwrap_or_else(PoisonError::into_inner);
        let texts: Vec<&str> = texts.iter().map(|text| cut(text)).collect();
        let keys: Vec<Key> = texts.iter().map(|text| key(text)).collect();
        let mut vectors: Vec<Option<Vector>> = {
            let mut known = known();
            keys.iter().map(|key| known.get(key)).collect()
        };
        let asked = model.vectors(&[question]).pop()?;
        let missing: Vec<usize> = (0..texts.len()).filter(|at| vectors[*at].is_none()).collect();
        for part in missing.chunks(AT_ONCE) {
            if Instant::now() >= self.until {
                return None;
            }
            let read: Vec<&str> = part.iter().map(|at| texts[*at]).collect();
            for (at, vector) in part.iter().zip(model.vectors(&read)) {
                let vector = Vector::from(vector);
                known().put(keys[*at], vector.clone());
                vectors[*at] = Some(vector);
            }
        }
        let product =
            |vector: &Vector| asked.iter().zip(vector.iter()).map(|(one, other)| one * other).sum::<f32>();
        vectors.iter().map(|vector| vector.as_ref().map(product)).collect()
    }
}

fn cut(text: &str) -> &str {
    &text[..text.floor_char_boundary(LONGEST_BYTES)]
}

type Key = [u8; 16];
type Vector = Arc<[f32]>;

/// A text's: nobody can write one that is taken for another's.
fn key(text: &str) -> Key {
    let mut key = Key::default();
    key.copy_from_slice(&Sha256::digest(text)[..size_of::<Key>()]);
    key
}

/// Vectors of texts that were read lately: when one half is full, the other is forgotten.
#[derive(Default)]
struct Known {
    young: HashMap<Key, Vector>,
    old: HashMap<Key, Vector>,
}

impl Known {
    fn get(&mut self, key: &Key) -> Option<Vector> {
        if let Some(vector) = self.young.get(key) {
            return Some(vector.clone());
        }
        let vector = self.old.remove(key)?;
        self.put(*key, vector.clone());
        Some(vector)
    }

    fn put(&mut self, key: Key, vector: Vector) {
        if self.young.len() >= MOST_KNOWN {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(key, vector);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_stays_known_and_the_rest_is_forgotten() {
        let mut known = Known::default();
        let vector = || Vector::from(vec![0.5_f32]);
        let number = |number: usize| key(&number.to_string());
        for at in 0..3 * MOST_KNOWN {
            known.put(number(at), vector());
            assert!(known.get(&number(0)).is_some(), "{at}");
        }
        assert!(known.young.len() + known.old.len() <= 2 * MOST_KNOWN);
        assert!(known.get(&number(1)).is_none());
    }
}
