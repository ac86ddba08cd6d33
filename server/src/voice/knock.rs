//! The beginning of a socket: who it is.

use std::net::IpAddr;
use std::time::Duration;

use confab_core::Fault;
use confab_protocol::gateway::Identify;
use confab_protocol::voice::VoiceClientFrame;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::caller::Caller;
use crate::gateway::greet;
use crate::gateway::outbox::{BAD_FRAME, IDENTIFY_TIMEOUT, INTERNAL, NOT_AUTHENTICATED, TOO_LARGE, TOO_MANY};
use crate::gateway::strangers::Stranger;
use crate::gateway::wire::{self, Ended, Stream};
use crate::state::App;

/// As on the gateway (docs/limits.md).
const IDENTIFY_WITHIN: Duration = Duration::from_secs(10);

/// Waits until the client has said who it is. A `token` from its address stands for its first frame.
///
/// # Errors
/// Why the socket is closed.
pub async fn knock<S: AsyncRead + AsyncWrite + Unpin>(
    app: &App,
    stream: &mut Stream<S>,
    address: IpAddr,
    token: Option<String>,
) -> Result<Caller, Ended> {
    let _stranger = Stranger::admit(address, app.limits.is_on()).ok_or(Some(TOO_MANY))?;
    let who = match token {
        Some(token) => Identify { token: Some(token), ticket: None },
        None => match tokio::time::timeout(IDENTIFY_WITHIN, first(stream)).await {
            Err(_) => return Err(Some(IDENTIFY_TIMEOUT)),
            Ok(who) => who?,
        },
    };
    greet::identify(app, who, address).await.map_err(|fault| match fault {
        Fault::Unauthenticated { .. } | Fault::NotFound(_) => Some(NOT_AUTHENTICATED),
        _ => Some(INTERNAL),
    })
}

/// Who says `identify`.
async fn first<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut Stream<S>) -> Result<Identify, Ended> {
    loop {
        match read(stream).await? {
            VoiceClientFrame::Identify(who) => return Ok(who),
            VoiceClientFrame::Heartbeat(_) => {}
            _ => return Err(Some(NOT_AUTHENTICATED)),
        }
    }
}

/// The next frame. One of unusual size is a description that no browser made.
pub async fn read<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
) -> Result<VoiceClientFrame, Ended> {
    match wire::read(stream).await {
        Err(Some(TOO_LARGE)) => Err(Some(BAD_FRAME)),
        read => read,
    }
}
