//! Voice channels: `GET /ws/voice/{channel_id}` lets browsers find each other (WebRTC); sound never passes here.
//!
//! [`room`] is who is in a room, by the words of all servers; [`rooms`] holds the rooms of this server and its sockets;
//! [`keeper`] tells the other servers and those who look at the channel; [`socket`] serves one person within [`flood`]'s bounds; [`ice`] is what
//! helps browsers to reach each other. That somebody may not be there any more is learned from the hub, as the gateway
//! learns it.

mod flood;
mod ice;
pub mod keeper;
mod knock;
mod room;
pub mod rooms;
mod socket;

use confab_core::{Fault, Result, access};
use confab_protocol::{ChannelId, ChannelKind, UserId};
use poem::http::StatusCode;
use poem::web::{Data, Path};
use poem::{Request, Response, handler};

pub use rooms::Rooms;

use crate::gateway;
use crate::state::App;

/// Largest frame of a client (docs/limits.md): a session description with room to spare.
const FRAME_BYTES: usize = 48 * 1_024;

/// Opens a socket to a voice channel. Whether there is one is said after it is known who asks.
#[handler]
pub async fn open(request: &Request, channel: Path<String>, app: Data<&App>) -> poem::Result<Response> {
    let Ok(channel) = channel.parse::<ChannelId>() else {
        return Err(poem::Error::from_status(StatusCode::NOT_FOUND));
    };
    gateway::accept(request, &app, FRAME_BYTES, move |app, stream, address, token| {
        socket::serve(app, stream, channel, address, token)
    })
}

/// Whether somebody may see who is in a voice channel.
///
/// # Errors
/// [`Fault::NotFound`] alike for a channel that they may not know, one that is not there, and one that is not for
/// talking.
pub async fn see(app: &App, user: UserId, channel: ChannelId) -> Result<access::Admitted> {
    let admitted = access::admit(&mut app.db.read(), user, channel).await;
    match admitted {
        Ok(admitted) if admitted.kind() == ChannelKind::Voice => Ok(admitted),
        Ok(_) | Err(Fault::NotFound(_)) => Err(Fault::NotFound("voice channel")),
        Err(fault) => Err(fault),
    }
}

/// Whether somebody may talk in a voice channel.
///
/// # Errors
/// Those of [`see`], [`Fault::Forbidden`] for who is no member, [`Fault::Conflict`] with code `channel_archived`.
async fn admit(app: &App, user: UserId, channel: ChannelId) -> Result<()> {
    let admitted = see(app, user, channel).await?;
    admitted.member()?;
    if admitted.is_archived() {
        return Err(Fault::conflict("channel_archived", "this channel is archived"));
    }
    Ok(())
}
