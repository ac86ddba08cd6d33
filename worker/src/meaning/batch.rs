//! A batch for a store that another worker may have written to meanwhile.

use confab_core::Result;

use crate::vectors::{Change, VectorStore};

/// Writes a batch that goes on from the place `noted`. `false`: the store notes another one by now, and nothing is written. Whoever
/// stood still, or waited for a model, while another worker took over would put the vector of what a message once said over that
/// of what it says, and nobody reads the message again.
///
/// # Errors
/// Those of the store. A batch of which nobody knows whether it was written can be written again.
pub(super) async fn write(
    store: &dyn VectorStore,
    noted: Option<&str>,
    changes: Vec<Change>,
    place: &str,
) -> Result<bool> {
    let found = store.place().await?;
    // This very place: an earlier try was done, though its answer was lost.
    if found.as_deref() != noted && found.as_deref() != Some(place) {
        return Ok(false);
    }
    store.write(changes, place.to_owned()).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use confab_protocol::{ChannelId, MessageId, UserId};

    use super::*;
    use crate::embedding::ModelId;
    use crate::vectors::{Embedded, Nearest, Point};

    fn put(id: MessageId, channel_id: ChannelId, vector: [f32; 2]) -> Vec<Change> {
        let sender_id = UserId::new();
        let vector = vector.to_vec();
        vec![Change::Put(Point { id, channel_id, sender_id, created_at: 1, flags: 0, vector })]
    }

    #[tokio::test]
    async fn who_was_overtaken_writes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let store = Embedded::open(folder.path(), &ModelId::new("of tests", 2, "1")).await.unwrap();
        let (id, channel) = (MessageId::new(), ChannelId::new());
        let (old, new) = ([1.0, 0.0], [0.0, 1.0]);
        assert!(write(&store, None, Vec::new(), "1").await.unwrap(), "a new store");
        // Another one has taken over, from the same place on.
        assert!(write(&store, Some("1"), put(id, channel, new), "2").await.unwrap());
        assert!(!write(&store, Some("1"), put(id, channel, old), "1 and a half").await.unwrap());
        assert!(write(&store, Some("1"), put(id, channel, new), "2").await.unwrap(), "its answer was lost");
        assert_eq!(store.place().await.unwrap().as_deref(), Some("2"));
        let wanted = Nearest {
            vector: new.to_vec(),
            channels: vec![channel],
            senders: Vec::new(),
            since: None,
            until: None,
            flags: 0,
            only: None,
            limit: 1,
        };
        let near = store.search(wanted).await.unwrap();
        assert!(near.len() == 1 && near[0].id == id && near[0].score > 0.9, "{near:?}");
        // Emptied under it.
        store.clear().await.unwrap();
        assert!(!write(&store, Some("2"), Vec::new(), "3").await.unwrap());
    }
}
