//! Coming back: what was missed, all of it or none.

use std::collections::{HashMap, HashSet};

use confab_core::{Db, Result, log, members, users};
use confab_protocol::event::Audience;
use confab_protocol::{ChannelId, Event, EventKind, UserId};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::frames;

/// Most events and bytes that are replayed (docs/limits.md); beyond, reading again is cheaper.
const EVENTS: usize = 2_000;
const BYTES: usize = 2 << 20;
/// Most of the log that is looked through for them.
const LOOKED_THROUGH: i64 = 50_000;

/// What a client missed.
pub enum Missed {
    /// In order, with positions.
    Frames(Vec<(i64, Utf8Bytes)>),
    /// Too much: the client should identify and read again.
    TooFar,
}

/// The events after `from` up to `to` that `user` may have: by the memberships of now, so that a removed user gets
/// the removal and nothing else of that channel.
pub async fn missed(db: &Db, user: UserId, from: i64, to: i64) -> Result<Missed> {
    if to - from > LOOKED_THROUGH || from < log::trimmed(&mut db.read()).await? {
        return Ok(Missed::TooFar);
    }
    let mine: HashMap<ChannelId, i64> = members::of_user(&mut db.read(), user).await?.into_iter().collect();
    let (mut pos, mut bytes) = (from, 0);
    let mut missed = Vec::new();
    while pos < to {
        let page = log::after(&mut db.read(), pos, log::BATCH.min(to - pos)).await?;
        if page.reached == pos {
            // It was dropped from the log a moment ago: a part of it would be worse than nothing.
            return Ok(Missed::TooFar);
        }
        pos = page.reached;
        let mut events: Vec<Event> =
            page.events.into_iter().filter(|event| may_have(event, user, &mine)).collect();
        leave_out_strangers(db, user, &mut events).await?;
        let encoded = frames::encode(db, &events).await?;
        for (event, frame) in events.iter().zip(encoded) {
            if let Some(frame) = frame {
                let text = frame.for_user(user).clone();
                bytes += text.len();
                missed.push((event.pos, text));
            }
        }
        if missed.len() > EVENTS || bytes > BYTES {
            return Ok(Missed::TooFar);
        }
    }
    Ok(Missed::Frames(missed))
}

/// Guests hear of nobody whom they may not look up.
async fn leave_out_strangers(db: &Db, user: UserId, events: &mut Vec<Event>) -> Result<()> {
    let of_person = |event: &Event| (event.kind == EventKind::UserUpdated).then_some(UserId(event.ref_id));
    let mut people: Vec<UserId> = events.iter().filter_map(of_person).collect();
    people.sort_unstable();
    people.dedup();
    if people.is_empty() || !users::is_guest(&mut db.read(), user).await? {
        return Ok(());
    }
    let mut known = HashSet::new();
    for person in people {
        if users::may_look_up(&mut db.read(), user, person).await? {
            known.insert(person);
        }
    }
    events.retain(|event| of_person(event).is_none_or(|person| known.contains(&person)));
    Ok(())
}

fn may_have(event: &Event, user: UserId, mine: &HashMap<ChannelId, i64>) -> bool {
    match event.audience() {
        Audience::Channel(channel) => {
            let is_own_removal = event.kind == EventKind::MemberLeft && event.ref_id == user.0;
            is_own_removal || mine.get(&channel).is_some_and(|from| event.seq.is_some_and(|seq| *from <= seq))
        }
        Audience::User(of) => of == user,
        Audience::Everyone => true,
        Audience::Servers => false,
    }
}
