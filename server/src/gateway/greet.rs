//! The beginning of a socket: who it is, and what it must know before events follow.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use confab_core::sessions::Device;
use confab_core::tickets::{self, Purpose};
use confab_core::{Fault, FutureExt, Result, log, members, sessions, users};
use confab_protocol::Timestamp;
use confab_protocol::gateway::{Identify, Invalid, Resume, ServerFrame};
use tokio::sync::SemaphorePermit;

use super::hub::{Begun, Hearing, Kept};
use super::outbox::{BAD_POSITION, INTERNAL, Outbox, SESSION_ENDED, TOO_SLOW};
use super::ready;
use super::resume::{Missed, missed};
use super::wire::{Ended, Wire};
use crate::caller::Caller;
use crate::state::App;

/// Frames of one write of what was missed.
const TOGETHER: usize = 64;
/// Who is here was known before what was missed is written; if that takes longer, it is asked again.
const KNOWN_FOR: Duration = Duration::from_millis(500);
/// All that was missed is written within this time (docs/limits.md).
const REPLAYED_WITHIN: Duration = Duration::from_secs(30);

/// Who says `identify`: the holder of a token or of a ticket.
pub async fn identify(app: &App, identify: Identify, address: IpAddr) -> Result<Caller> {
    if let Some(ticket) = identify.ticket {
        let holder = app
            .db
            .write(move |tx| async move { tickets::redeem(tx, Purpose::Gateway, &ticket).await }.boxed())
            .await?;
        let (Some(user_id), Some(session_id)) = (holder.user_id, holder.session_id) else {
            return Err(Fault::NotFound("ticket"));
        };
        let live = sessions::live(&mut app.db.read(), session_id).await?;
        if live.user_id != user_id {
            return Err(Fault::NotFound("ticket"));
        }
        // As long as a token would last, and no longer than the session.
        let until = Timestamp::now().plus(crate::tokens::LASTS).min(live.expires_at);
        return listener(Caller::of(live, until, Some(address.to_string())));
    }
    let token = identify.token.unwrap_or_default();
    listener(app.tokens.check(&app.db, &token, device(address)).await?)
}

/// Lets a caller listen: a token that may read, and nobody who has to set up a second factor first.
pub fn listener(caller: Caller) -> Result<Caller> {
    let refused = |_| Fault::Unauthenticated { code: "invalid_token", message: "this token opens no socket" };
    caller.has_scope("read", |scopes| scopes.read).map_err(refused)?;
    caller.has_second_factor().map_err(refused)?;
    Ok(caller)
}

/// Who holds a token that a socket sends again.
pub async fn checked(app: &App, address: IpAddr, token: &str) -> Result<Caller> {
    listener(app.tokens.check(&app.db, token, device(address)).await?)
}

/// What is known of a socket's client before it says anything.
pub fn device(address: IpAddr) -> Device {
    Device { info: None, ip_address: Some(address.to_string()) }
}

/// Somebody who is known and waits for their first state.
pub struct Guest<'a> {
    pub app: &'a App,
    pub outbox: &'a Outbox,
    pub caller: &'a Caller,
    /// [`crate::tokens::Tokens::changes`] from before it was asked who they are.
    pub changes: u64,
    /// Of those who are greeted now.
    pub place: SemaphorePermit<'static>,
}

#[allow(clippy::needless_pass_by_value, clippy::unnecessary_wraps)] // as `map_err` hands it over and needs it
fn internal(fault: Fault) -> Ended {
    tracing::warn!(%fault, "a socket could not be greeted");
    Some(INTERNAL)
}

impl Guest<'_> {
    /// Sends `ready`, or what was missed and `resumed`. Answers the last position sent; `None` after `invalid`.
    pub async fn greet(
        self,
        wire: &mut Wire,
        begun: Begun,
        resume: Option<Resume>,
    ) -> std::result::Result<Option<i64>, Ended> {
        let app = self.app;
        // From `begin` on the hub closes this socket when its session ends. If none ended while it was asked who this is,
        // then neither did this one.
        let is_as_known = app.tokens.changes() == self.changes;
        if !is_as_known && sessions::live(&mut app.db.read(), self.caller.session_id).await.is_err() {
            return Err(Some(SESSION_ENDED));
        }
        let (hearing, kept) = match begun {
            Begun::Hears(hearing, kept) => (hearing, kept),
            Begun::New | Begun::Refused => {
                let user = self.caller.user_id;
                let read = app.db.look(move |on| {
                    async move { Ok((users::is_guest(on, user).await?, members::heard_by(on, user).await?)) }
                        .boxed()
                });
                let (is_guest, heard) = read.await.map_err(internal)?;
                self.outbox.set_guest(is_guest);
                let hearing = app.hub.listen(self.outbox.id, user, heard).await;
                (hearing.ok_or(Some(INTERNAL))?, None)
            }
        };
        match resume {
            Some(resume) => self.resume(wire, hearing, resume).await,
            None => self.ready(wire, hearing, kept.as_deref()).await.map(Some),
        }
    }

    async fn ready(
        self,
        wire: &mut Wire,
        hearing: Hearing,
        kept: Option<&Kept>,
    ) -> std::result::Result<i64, Ended> {
        let Self { app, outbox, caller, place, .. } = self;
        let method = caller.live.method;
        // State is read after the position: what lies between arrives as events too, and applying it twice is harmless.
        let state = if let Some(kept) = kept.filter(|kept| kept.method == method) {
            kept.state.clone()
        } else {
            let state = ready::state(&app.db, caller.user_id, method).await.map_err(internal)?;
            let kept = Kept { pos: hearing.pos, method, state: state.clone(), at: Instant::now() };
            app.hub.keep(outbox.id, caller.user_id, kept).await;
            state
        };
        let presences = around(app, caller, hearing.presences).await?;
        let epoch = app.db.epoch().to_string();
        let mut frame = ready::frame(wire, caller.session_id, &epoch, hearing.pos, &state, &presences);
        // What the place is for is done: whoever reads slowly holds up nobody else. What a resume replays is held by nobody else, so
        // its place is kept.
        drop(place);
        wire.write(&mut frame).await?;
        Ok(hearing.pos)
    }

    async fn resume(
        self,
        wire: &mut Wire,
        Hearing { pos, presences }: Hearing,
        resume: Resume,
    ) -> std::result::Result<Option<i64>, Ended> {
        let app = self.app;
        if resume.pos < 0 {
            return Err(Some(BAD_POSITION));
        }
        let reason = if resume.epoch != app.db.epoch().to_string() {
            Some("epoch")
        } else if resume.pos > pos && resume.pos > log::head(&mut app.db.read()).await.map_err(internal)? {
            Some("ahead")
        } else {
            None
        };
        if let Some(reason) = reason {
            wire.say(&ServerFrame::Invalid(Invalid { reason: reason.into() })).await?;
            return Ok(None);
        }
        // This server may be behind the one that the client was at: then nothing was missed here yet.
        let user = self.caller.user_id;
        let frames = match missed(&app.db, user, resume.pos, pos).await.map_err(internal)? {
            Missed::Frames(frames) => frames,
            Missed::TooFar => {
                wire.say(&ServerFrame::Invalid(Invalid { reason: "too_far".into() })).await?;
                return Ok(None);
            }
        };
        let (replayed, began) = (frames.len() as u64, Instant::now());
        let replay = async {
            for together in frames.chunks(TOGETHER) {
                let mut parts: Vec<_> = together.iter().map(|it| wire.packed(it.1.as_bytes())).collect();
                wire.write(&mut parts).await?;
            }
            Ok(())
        };
        // All of it within one time: who takes a little every few seconds would keep their place, and others from being greeted.
        // They come back, and go on behind what they got.
        tokio::time::timeout(REPLAYED_WITHIN, replay).await.unwrap_or(Err(Some(TOO_SLOW)))?;
        // Of who came and went meanwhile only so much is kept for a socket that is not greeted yet.
        let known = presences.filter(|_| began.elapsed() < KNOWN_FOR);
        let presences = around(app, self.caller, known).await?;
        drop(self.place);
        let last = resume.pos.max(pos);
        wire.write(&mut ready::resumed(wire, replayed, last, &presences)).await?;
        Ok(Some(last))
    }
}

/// Who shows around somebody: known here, or asked of the record.
async fn around(app: &App, caller: &Caller, known: Option<Bytes>) -> std::result::Result<Bytes, Ended> {
    match known {
        Some(presences) => Ok(presences),
        None => ready::around(&app.db, caller.user_id).await.map_err(internal),
    }
}

/// Sends what the hub said to a socket that it refused, and answers why.
pub async fn refuse(wire: &mut Wire, waiting: &super::outbox::Waiting) -> Ended {
    use super::outbox::Item;
    let mut items = std::collections::VecDeque::new();
    if waiting.take(&mut items).is_err() {
        return Some(INTERNAL);
    }
    for item in items {
        match item {
            Item::Frame(bytes) => {
                if let Err(ended) = wire.write(&mut [bytes]).await {
                    return ended;
                }
            }
            Item::Close(reason) => return Some(reason),
            Item::Event(..) | Item::OfPerson(..) | Item::Recheck => {}
        }
    }
    Some(INTERNAL)
}
