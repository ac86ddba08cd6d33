//! How a point looks in Qdrant, and what is read of it.

use confab_protocol::MessageId;
use qdrant_client::Payload;
use qdrant_client::qdrant::{PointId, PointStruct, RetrievedPoint, ScoredPoint, Value, value::Kind};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::super::{Near, Point};

pub(super) const KIND: &str = "kind";
pub(super) const MESSAGE: &str = "message_id";
pub(super) const CHANNEL: &str = "channel_id";
pub(super) const SENDER: &str = "sender_id";
pub(super) const CREATED_AT: &str = "created_at";
/// Numbers of the bits that are set.
pub(super) const FLAGS: &str = "flags";
const PLACE: &str = "place";
/// The kind of points that searches find.
pub(super) const FOUND: &str = "message";

/// The bits that are set.
pub(super) fn bits(flags: u32) -> impl Iterator<Item = i64> {
    (0..32).filter(move |bit| flags & (1 << bit) != 0).map(i64::from)
}

/// A point as it is kept.
pub(super) fn stored(point: Point) -> PointStruct {
    let mut payload = Payload::with_capacity(6);
    // Zeros are nearest to nothing; to Qdrant they are as near as whatever stands at a right angle.
    let is_silent = point.vector.iter().all(|number| *number == 0.0);
    payload.insert(KIND, if is_silent { "silent" } else { FOUND });
    payload.insert(MESSAGE, point_of(point.id));
    payload.insert(CHANNEL, point.channel_id.0.to_string());
    payload.insert(SENDER, point.sender_id.0.to_string());
    payload.insert(CREATED_AT, point.created_at);
    payload.insert(FLAGS, bits(point.flags).map(Value::from).collect::<Vec<Value>>());
    PointStruct::new(point_of(point.id), point.vector, payload)
}

/// The id under which a message's point is kept.
pub(super) fn point_of(id: MessageId) -> String {
    id.0.to_string()
}

fn derived(text: &str) -> Uuid {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&Sha256::digest(text)[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}

/// Where the place is noted: a point among the others, which no search finds.
pub(super) fn place_id() -> PointId {
    derived("place").to_string().into()
}

/// The point that notes a place.
pub(super) fn place(dimensions: usize, place: String) -> PointStruct {
    let mut payload = Payload::with_capacity(2);
    payload.insert(KIND, PLACE);
    payload.insert(PLACE, place);
    PointStruct::new(place_id(), vec![0.0; dimensions], payload)
}

/// What the place's point notes.
pub(super) fn noted(point: &RetrievedPoint) -> Option<String> {
    text(point.payload.get(PLACE)?)
}

/// A hit, and when it was posted.
pub(super) fn found(point: &ScoredPoint) -> Option<(Near, i64)> {
    let id = text(point.payload.get(MESSAGE)?)?.parse().ok()?;
    let Some(Kind::IntegerValue(created_at)) = point.payload.get(CREATED_AT)?.kind else { return None };
    Some((Near { id: MessageId(id), score: point.score }, created_at))
}

fn text(value: &Value) -> Option<String> {
    match &value.kind {
        Some(Kind::StringValue(text)) => Some(text.clone()),
        _ => None,
    }
}
