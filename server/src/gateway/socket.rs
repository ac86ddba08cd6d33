//! One socket, from its first frame to its last.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use confab_core::{Fault, FutureExt};
use confab_protocol::gateway::{ClientFrame, Hello, Identify, Reconnect, ServerFrame};

use super::device::Device;
use super::door;
use super::greet::{self, Guest};
use super::hub::Begun;
use super::live::Live;
use super::outbox::{CROWDED, IDENTIFY_TIMEOUT, INTERNAL, NOT_AUTHENTICATED, Outbox, RATE_LIMITED, TOO_MANY};
use super::strangers::Stranger;
use super::wire::{Ended, Wire};
use crate::state::App;

const HEARTBEAT_MS: u64 = 30_000;
const IDENTIFY_WITHIN: Duration = Duration::from_secs(10);
/// Positions of one socket that may be refused: each has the log looked through.
const BEGINS_ANEW: u32 = 3;

/// Serves a socket until it ends. A `token` from its address stands for its first frame.
pub async fn serve(app: App, mut wire: Wire, address: IpAddr, token: Option<String>) -> (Wire, Ended) {
    let ended = run(&app, &mut wire, address, token).await;
    (wire, ended)
}

async fn run(app: &App, wire: &mut Wire, address: IpAddr, token: Option<String>) -> Ended {
    let Some(stranger) = Stranger::admit(address, app.limits.is_on()) else { return Some(TOO_MANY) };
    let epoch = app.db.epoch().to_string();
    let hello = Hello { heartbeat_ms: HEARTBEAT_MS, epoch, head: app.hub.head() };
    if let Err(ended) = wire.say(&ServerFrame::Hello(hello)).await {
        return ended;
    }
    let (mut deadline, mut refused) = (Instant::now() + IDENTIFY_WITHIN, 0);
    let mut given = token.map(|token| ClientFrame::Identify(Identify { token: Some(token), ticket: None }));
    loop {
        let frame = match given.take() {
            Some(frame) => frame,
            None => match tokio::time::timeout_at(deadline.into(), wire.hear_frame()).await {
                Err(_) => return Some(IDENTIFY_TIMEOUT),
                Ok(Err(ended)) => return ended,
                Ok(Ok(frame)) => frame,
            },
        };
        // On the heap: what a greeting needs is given back when it is over, and the socket stays.
        let greeted = match frame {
            ClientFrame::Heartbeat(_) => continue,
            ClientFrame::Identify(_) | ClientFrame::Resume(_) => {
                greeted(app, wire, frame, address, &stranger).boxed().await
            }
            _ => return Some(NOT_AUTHENTICATED),
        };
        match greeted {
            Ok(Some(mut live)) => {
                let ended = live.serve(wire).await;
                live.leave().await;
                return ended;
            }
            // The position could not be served; the client begins anew on the same socket, and has as long for it: in a crowd
            // the answer may have taken all of the first time.
            Ok(None) => {
                refused += 1;
                if refused > BEGINS_ANEW {
                    return Some(RATE_LIMITED);
                }
                deadline = Instant::now() + IDENTIFY_WITHIN;
            }
            Err(ended) => return ended,
        }
    }
}

/// Finds out who it is and tells them what they need. `None`: they were told to begin anew.
async fn greeted<'a>(
    app: &'a App,
    wire: &mut Wire,
    frame: ClientFrame,
    address: IpAddr,
    stranger: &Stranger,
) -> std::result::Result<Option<Live<'a>>, Ended> {
    let Some(place) = door::enter().await else {
        wire.say(&ServerFrame::Reconnect(Reconnect { after_ms: door::return_ms() })).await?;
        return Err(Some(CROWDED));
    };
    let changes = app.tokens.changes();
    let known = match frame {
        ClientFrame::Resume(resume) => {
            let checked = app.tokens.check(&app.db, &resume.token, greet::device(address)).await;
            checked.and_then(greet::listener).map(|caller| (caller, Some(resume)))
        }
        ClientFrame::Identify(who) => greet::identify(app, who, address).await.map(|caller| (caller, None)),
        _ => return Err(Some(NOT_AUTHENTICATED)),
    };
    let (caller, resume) = match known {
        Ok(known) => known,
        Err(Fault::Unauthenticated { .. } | Fault::NotFound(_)) => {
            tracing::debug!(%address, "a socket did not authenticate");
            return Err(Some(NOT_AUTHENTICATED));
        }
        Err(_) => return Err(Some(INTERNAL)),
    };
    stranger.settle();
    if let Err(Fault::RateLimited { retry_after_seconds }) = app.limits.greet(caller.user_id) {
        let after_ms = retry_after_seconds * 1_000 + door::return_ms();
        wire.say(&ServerFrame::Reconnect(Reconnect { after_ms })).await?;
        return Err(Some(CROWDED));
    }
    let (id, user_id) = (app.hub.next_id(), caller.user_id);
    let (outbox, waiting) = Outbox::new(id, user_id, caller.session_id, wire.is_deflated);
    let begun = app.hub.begin(outbox.clone()).await;
    if matches!(begun, Begun::Refused) {
        return Err(greet::refuse(wire, &waiting).await);
    }
    let guest = Guest { app, outbox: &outbox, caller: &caller, changes, place };
    match guest.greet(wire, begun, resume).await {
        Ok(Some(last)) => {
            let device = Device::arrive(app, id, user_id, caller.session_id);
            Ok(Some(Live::new(app, address, waiting, caller, device, last)))
        }
        Ok(None) => {
            app.hub.end(id, user_id).await;
            Ok(None)
        }
        Err(ended) => {
            app.hub.end(id, user_id).await;
            Err(ended)
        }
    }
}
