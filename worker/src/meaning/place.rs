//! How far the vectors are, written with each batch of them.

use std::ops::RangeInclusive;

use confab_protocol::MessageId;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Raised whenever the same message would get another vector from the same model: all are then made anew.
const FORMAT: u32 = 1;

/// Which part of the work is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Progress {
    /// Reading all messages; `head` is the log's position when this began.
    Building { after: MessageId, head: i64 },
    /// Following the log, which is contained up to here.
    Following { applied: i64 },
}

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    format: u32,
    epoch: Uuid,
    /// The log's position when the reading of all messages began: requests up to there are met by it.
    pub origin: i64,
    pub progress: Progress,
}

impl Place {
    pub fn new(epoch: Uuid, origin: i64, progress: Progress) -> Self {
        Self { format: FORMAT, epoch, origin, progress }
    }

    /// Reads what a store noted.
    ///
    /// # Errors
    /// Why nobody can go on from there, for the log.
    pub fn read(text: &str, epoch: Uuid, log: &RangeInclusive<i64>) -> Result<Self, &'static str> {
        let place: Self = serde_json::from_str(text).map_err(|_| "they were made by another version")?;
        let applied = match place.progress {
            // While all are read, the log is followed from `head` on afterwards.
            Progress::Building { head, .. } => head,
            Progress::Following { applied } => applied,
        };
        match () {
            () if place.format != FORMAT => Err("they were made by another version"),
            () if place.epoch != epoch => Err("they belong to another record"),
            () if applied > *log.end() => Err("they are ahead of the log"),
            () if applied < *log.start() => Err("what they are missing is not in the log any more"),
            () => Ok(place),
        }
    }

    /// Whether vectors in which `text` is noted were made of this record, by whatever version.
    pub fn is_of(text: &str, epoch: Uuid) -> bool {
        #[derive(Deserialize)]
        struct Owner {
            epoch: Uuid,
        }
        serde_json::from_str(text).is_ok_and(|owner: Owner| owner.epoch == epoch)
    }

    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_place_in_this_log_is_gone_on_from() {
        let epoch = Uuid::from_u128(1);
        let of = |progress| Place::new(epoch, 3, progress);
        let following = of(Progress::Following { applied: 10 });
        let building = of(Progress::Building { after: MessageId(Uuid::from_u128(9)), head: 10 });
        for place in [following, building] {
            assert_eq!(Place::read(&place.write(), epoch, &(10..=10)), Ok(place));
            assert!(Place::read(&place.write(), epoch, &(0..=9)).is_err());
            assert!(Place::read(&place.write(), epoch, &(11..=20)).is_err());
            assert!(Place::read(&place.write(), Uuid::from_u128(2), &(0..=20)).is_err());
        }
        assert!(
            Place::is_of(&following.write(), epoch) && !Place::is_of(&following.write(), Uuid::from_u128(2))
        );
        assert!(Place::is_of(&following.write().replace("\"format\":1", "\"format\":9"), epoch));
        assert!(!Place::is_of("part 3", epoch), "another program's");
        assert!(Place::read("", epoch, &(0..=20)).is_err());
        let other = following.write().replace("\"format\":1", "\"format\":0");
        assert!(Place::read(&other, epoch, &(0..=20)).is_err());
    }
}
