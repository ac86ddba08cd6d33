//! The beginning of a socket: who it is.

use std::net::IpAddr;
use std::time::Duration;

use confab_core::Fault;
use confab_protocol::gateway::{Identify, Reconnect};
use confab_protocol::voice::{VoiceClientFrame, VoiceServerFrame};
use tokio::sync::SemaphorePermit;

use crate::caller::Caller;
use crate::gateway::outbox::{
    BAD_FRAME, CROWDED, IDENTIFY_TIMEOUT, INTERNAL, NOT_AUTHENTICATED, TOO_LARGE, TOO_MANY,
};
use crate::gateway::strangers::Stranger;
use crate::gateway::wire::{Ended, Heard, Wire};
use crate::gateway::{door, greet};
use crate::state::App;

/// As on the gateway (docs/limits.md).
const IDENTIFY_WITHIN: Duration = Duration::from_secs(10);

/// Waits until the client has said who it is, and for a place among those who are greeted: after a restart calls come back as
/// everybody else does. A `token` from its address stands for its first frame.
///
/// # Errors
/// Why the socket is closed.
pub async fn knock(
    app: &App,
    wire: &mut Wire,
    address: IpAddr,
    token: Option<String>,
) -> Result<(Caller, SemaphorePermit<'static>), Ended> {
    let _stranger = Stranger::admit(address, app.limits.is_on()).ok_or(Some(TOO_MANY))?;
    let who = match token {
        Some(token) => Identify { token: Some(token), ticket: None },
        None => match tokio::time::timeout(IDENTIFY_WITHIN, first(wire)).await {
            Err(_) => return Err(Some(IDENTIFY_TIMEOUT)),
            Ok(who) => who?,
        },
    };
    let Some(place) = door::enter().await else {
        wire.say(&VoiceServerFrame::Reconnect(Reconnect { after_ms: door::return_ms() })).await?;
        return Err(Some(CROWDED));
    };
    let caller = greet::identify(app, who, address).await.map_err(|fault| match fault {
        Fault::Unauthenticated { .. } | Fault::NotFound(_) => Some(NOT_AUTHENTICATED),
        _ => Some(INTERNAL),
    })?;
    Ok((caller, place))
}

/// Who says `identify`.
async fn first(wire: &mut Wire) -> Result<Identify, Ended> {
    loop {
        match hear(wire).await? {
            Heard::Frame(VoiceClientFrame::Identify(who)) => return Ok(who),
            Heard::Frame(VoiceClientFrame::Heartbeat(_)) => {}
            Heard::Frame(_) => return Err(Some(NOT_AUTHENTICATED)),
            Heard::Ping(payload) => wire.pong(&payload).await?,
        }
    }
}

/// The next frame. One of unusual size is a description that no browser made.
pub async fn hear(wire: &mut Wire) -> Result<Heard<VoiceClientFrame>, Ended> {
    match wire.hear().await {
        Err(Some(TOO_LARGE)) => Err(Some(BAD_FRAME)),
        heard => heard,
    }
}
