//! Randomness from the host, fetched in batches because the host counts its calls.

use crate::bindings::host::confab::plugin::runtime;

const BATCH_BYTES: u32 = 256;

/// Unpredictable, unbiased numbers.
#[derive(Debug, Default)]
pub struct Random {
    bytes: Vec<u8>,
}

impl Random {
    /// A number from 1 to `highest`, each as likely as any other; 1 if `highest` is 0.
    pub fn one_to(&mut self, highest: u32) -> u32 {
        let highest = highest.max(1);
        // Numbers above the largest multiple of `highest` are drawn again: the remainder would favour small ones.
        let fair_below = u32::MAX - u32::MAX % highest;
        loop {
            let drawn = self.next();
            if drawn < fair_below {
                return drawn % highest + 1;
            }
        }
    }

    fn next(&mut self) -> u32 {
        if self.bytes.len() < 4 {
            self.bytes = runtime::random_bytes(BATCH_BYTES);
        }
        let rest = self.bytes.split_off(self.bytes.len().saturating_sub(4));
        rest.iter().fold(0, |number, byte| number << 8 | u32::from(*byte))
    }
}
