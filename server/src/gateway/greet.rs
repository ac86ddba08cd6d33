//! The beginning of a socket: who it is, and what it must know before events follow.

use std::net::IpAddr;

use confab_core::channels::Scope;
use confab_core::sessions::Device;
use confab_core::tickets::{self, Purpose};
use confab_core::{Fault, FutureExt, Result, channels, log, members, presences, sessions, users};
use confab_protocol::gateway::{Identify, Invalid, Ready, Resume, Resumed, ServerFrame};
use confab_protocol::{PAGE_LIMIT, Timestamp};
use futures_util::SinkExt;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::Message as WsMessage;

use super::outbox::{BAD_POSITION, INTERNAL, Outbox, SESSION_ENDED};
use super::resume::{Missed, missed};
use super::wire::{Ended, Stream, timed, write};
use crate::caller::Caller;
use crate::state::App;

/// Channels in a `ready` frame; an account with more reads the rest by REST.
const READY_CHANNELS: usize = 2_000;
/// Dots in a `ready` frame; the first screen shows fewer.
const READY_PRESENCES: u32 = 500;

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
        return listener(Caller::of(
            live,
            Timestamp::now().plus(crate::tokens::LASTS),
            Some(address.to_string()),
        ));
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

/// What is known of a socket's client before it says anything.
pub fn device(address: IpAddr) -> Device {
    Device { info: None, ip_address: Some(address.to_string()) }
}

/// Sends `ready`, or what was missed and `resumed`. Answers the last position sent; `None` after `invalid`.
pub async fn greet<S: AsyncRead + AsyncWrite + Unpin>(
    app: &App,
    stream: &mut Stream<S>,
    outbox: &Outbox,
    caller: &Caller,
    resume: Option<Resume>,
) -> std::result::Result<Option<i64>, Ended> {
    let internal = |fault: Fault| {
        tracing::warn!(%fault, "a socket could not be greeted");
        Some(INTERNAL)
    };
    // From here on the hub closes this socket when its session ends; that it did not end just before is asked now.
    if sessions::live(&mut app.db.read(), caller.session_id).await.is_err() {
        return Err(Some(SESSION_ENDED));
    }
    let memberships = members::of_user(&mut app.db.read(), caller.user_id).await.map_err(internal)?;
    let pos = app.hub.listen(outbox.id, caller.user_id, memberships).await.ok_or(Some(INTERNAL))?;
    let Some(resume) = resume else {
        // State is read after the position: what lies between arrives as events too, and applying it twice is harmless.
        let ready = ready(app, caller, pos).await.map_err(internal)?;
        write(stream, &ServerFrame::Ready(Box::new(ready))).await?;
        return Ok(Some(pos));
    };
    if resume.pos < 0 {
        return Err(Some(BAD_POSITION));
    }
    let head = log::head(&mut app.db.read()).await.map_err(internal)?;
    let reason = if resume.epoch != app.db.epoch().to_string() {
        Some("epoch")
    } else if resume.pos > head {
        Some("ahead")
    } else {
        None
    };
    if let Some(reason) = reason {
        write(stream, &ServerFrame::Invalid(Invalid { reason: reason.into() })).await?;
        return Ok(None);
    }
    // This server may be behind the one that the client was at: then nothing was missed here yet.
    let frames = match missed(&app.db, caller.user_id, resume.pos, pos).await.map_err(internal)? {
        Missed::Frames(frames) => frames,
        Missed::TooFar => {
            write(stream, &ServerFrame::Invalid(Invalid { reason: "too_far".into() })).await?;
            return Ok(None);
        }
    };
    let replayed = frames.len() as u64;
    for (_, frame) in frames {
        timed(stream.feed(WsMessage::Text(frame))).await?;
    }
    let last = resume.pos.max(pos);
    write(stream, &ServerFrame::Resumed(Resumed { replayed, pos: last })).await?;
    Ok(Some(last))
}

async fn ready(app: &App, caller: &Caller, pos: i64) -> Result<Ready> {
    let (user, session_id) = (caller.user_id, caller.session_id);
    let mut mine = Vec::new();
    let mut after = None;
    while mine.len() < READY_CHANNELS {
        let page = channels::list(&mut app.db.read(), user, Scope::Mine, after, PAGE_LIMIT).await?;
        let is_last = page.len() < PAGE_LIMIT as usize;
        after = page.last().map(|channel| (channel.name.clone(), channel.id));
        mine.extend(page);
        if is_last {
            break;
        }
    }
    Ok(Ready {
        session_id,
        epoch: app.db.epoch().to_string(),
        pos,
        user: users::own(&mut app.db.read(), caller.user_id, caller.live.method).await?,
        channels: mine,
        presences: presences::around(&mut app.db.read(), user, READY_PRESENCES).await?,
    })
}
