//! The numbers of a model, as `safetensors` keeps them: the length of a heading, the heading in JSON, then all numbers.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::Value;

/// A heading names some hundred tables.
const LONGEST_HEADING: usize = 16 << 20;

#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (usize, usize),
}

/// See the module.
pub(super) struct Weights {
    entries: HashMap<String, Entry>,
    /// Where the numbers begin.
    from: usize,
    content: Vec<u8>,
}

impl Weights {
    pub fn read(content: Vec<u8>) -> Result<Self, String> {
        let wrong = |what: &str| format!("model.safetensors: {what}");
        let (length, rest) = content.split_first_chunk::<8>().ok_or_else(|| wrong("is empty"))?;
        let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
        let heading = rest.get(..length).filter(|_| length <= LONGEST_HEADING);
        let heading = heading.ok_or_else(|| wrong("its heading is cut off"))?;
        let named: HashMap<String, Value> =
            serde_json::from_slice(heading).map_err(|error| wrong(&error.to_string()))?;
        let mut entries = HashMap::with_capacity(named.len());
        for (name, entry) in named {
            if name != "__metadata__" {
                let entry = Entry::deserialize(entry).map_err(|error| wrong(&format!("{name}: {error}")))?;
                entries.insert(name, entry);
            }
        }
        Ok(Self { entries, from: 8 + length, content })
    }

    /// A table of this shape, row after row.
    pub fn table(&self, name: &str, shape: &[usize]) -> Result<Vec<f32>, String> {
        // Some models are kept within a larger one.
        let entry = self.entries.get(name).or_else(|| self.entries.get(&format!("bert.{name}")));
        let wrong = |what: &str| format!("model.safetensors: {name} {what}");
        let entry = entry.ok_or_else(|| wrong("is missing"))?;
        if entry.dtype != "F32" {
            return Err(wrong(&format!("has numbers of the type {}, not F32", entry.dtype)));
        }
        if entry.shape != shape {
            return Err(wrong(&format!("is {:?}, not {shape:?}", entry.shape)));
        }
        let (begin, end) = entry.data_offsets;
        let place = self.from.checked_add(begin).zip(self.from.checked_add(end));
        let bytes =
            place.and_then(|(begin, end)| self.content.get(begin..end)).ok_or_else(|| wrong("is cut off"))?;
        let (numbers, rest) = bytes.as_chunks::<4>();
        let count = shape.iter().try_fold(1_usize, |count, length| count.checked_mul(*length));
        if !rest.is_empty() || Some(numbers.len()) != count {
            return Err(wrong("has another length than its shape"));
        }
        Ok(numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
    }
}
