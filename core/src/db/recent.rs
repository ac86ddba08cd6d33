//! What this process committed a moment ago, in memory: whoever follows the log in the same process need not read it back
//! from SQLite. Nothing depends on it; what is not here is read.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use confab_protocol::{Event, Message, MessageId};

/// Events kept: what a commit brings, many times over. Who is further behind reads the log.
const EVENTS: usize = 4_096;
/// Messages kept, and the bytes of their texts.
const MESSAGES: usize = 1_024;
const BYTES: usize = 4 << 20;

/// The newest events, dense, and messages that nobody changed since they were posted.
#[derive(Default)]
pub(crate) struct Recent(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    events: VecDeque<Event>,
    messages: HashMap<MessageId, Arc<Message>>,
    /// In the order in which they came, with their lengths.
    order: VecDeque<(MessageId, usize)>,
    bytes: usize,
}

impl Recent {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was committed, in order of `pos`.
    pub fn add(&self, events: Vec<Event>, messages: Vec<Arc<Message>>) {
        let mut inner = self.lock();
        let reached = inner.events.back().map(|event| event.pos);
        if events.first().is_some_and(|event| reached.is_some_and(|reached| event.pos != reached + 1)) {
            inner.events.clear();
        }
        inner.events.extend(events);
        let surplus = inner.events.len().saturating_sub(EVENTS);
        inner.events.drain(..surplus);
        for message in messages {
            let bytes = message.content.len() + message.html.as_ref().map_or(0, String::len);
            inner.order.push_back((message.id, bytes));
            inner.bytes += bytes;
            inner.messages.insert(message.id, message);
        }
        while inner.order.len() > MESSAGES || inner.bytes > BYTES {
            let Some((oldest, bytes)) = inner.order.pop_front() else { break };
            inner.bytes -= bytes;
            inner.messages.remove(&oldest);
        }
    }

    /// At most `limit` events after `pos`. `None`: they are not all here.
    pub fn after(&self, pos: i64, limit: i64) -> Option<Vec<Event>> {
        let inner = self.lock();
        let (first, last) = (inner.events.front()?.pos, inner.events.back()?.pos);
        if pos < first - 1 || pos > last {
            return None;
        }
        let skipped = usize::try_from(pos + 1 - first).ok()?;
        Some(inner.events.iter().skip(skipped).take(usize::try_from(limit).ok()?).cloned().collect())
    }

    /// Those of the messages that are here.
    pub fn messages(&self, ids: &[MessageId]) -> HashMap<MessageId, Arc<Message>> {
        let inner = self.lock();
        ids.iter().filter_map(|id| Some((*id, inner.messages.get(id)?.clone()))).collect()
    }

    /// Some of them may look different from now on.
    pub fn forget_messages(&self) {
        let mut inner = self.lock();
        inner.messages.clear();
        inner.order.clear();
        inner.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use confab_protocol::{EventId, EventKind, Timestamp};
    use uuid::Uuid;

    use super::*;

    fn event(pos: i64) -> Event {
        Event {
            id: EventId::new(),
            pos,
            kind: EventKind::NewMessage,
            channel_id: None,
            seq: None,
            user_id: None,
            ref_id: Uuid::nil(),
            actor_id: None,
            detail: None,
            created_at: Timestamp(0),
        }
    }

    #[test]
    fn what_is_not_all_here_is_read_from_the_log() {
        let recent = Recent::default();
        assert!(recent.after(0, 10).is_none(), "nothing is known yet");
        recent.add((5..8).map(event).collect(), Vec::new());
        let after = |pos: i64| recent.after(pos, 2).map(|it| it.iter().map(|it| it.pos).collect::<Vec<_>>());
        assert_eq!(after(3), None, "4 is missing");
        assert_eq!(after(4), Some(vec![5, 6]));
        assert_eq!(after(7), Some(Vec::new()), "nothing came since");
        assert_eq!(after(8), None, "further than this");
        recent.add((8..8 + EVENTS as i64).map(event).collect(), Vec::new());
        assert_eq!(after(6), None, "the oldest went");
        assert_eq!(after(7), Some(vec![8, 9]));
        recent.add(vec![event(9_999)], Vec::new());
        assert_eq!(after(8_000), None, "behind a hole only what follows it");
    }
}
