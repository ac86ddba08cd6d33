//! One socket of a voice channel, from its first frame to its last.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use confab_core::bus::VoiceWord;
use confab_core::{Fault, sessions};
use confab_protocol::gateway::FrameError;
use confab_protocol::voice::{
    Described, Join, Joined, Nothing, Reachable, VoiceClientFrame, VoiceHello, VoiceReady, VoiceServerFrame,
};
use confab_protocol::{ChannelId, ParticipantId, VoiceParticipant};
use tokio::sync::SemaphorePermit;

use super::flood::Flood;
use super::keeper::{say, say_room};
use super::knock::{hear, knock};
use super::rooms::Target;
use super::{admit, ice};
use crate::caller::Caller;
use crate::gateway::greet;
use crate::gateway::hub::Begun;
use crate::gateway::lifetime::Lifetime;
use crate::gateway::outbox::{
    IDENTIFIED_TWICE, INTERNAL, Item, NO_ROOM, NOT_AUTHENTICATED, Outbox, ROOM_FULL, SESSION_ENDED, Waiting,
};
use crate::gateway::wire::{Ended, Heard, Wire, frame};
use crate::state::App;

const HEARTBEAT_MS: u64 = 30_000;
/// Whoever takes longer for what waits is cut off (docs/limits.md): that they may not be here any more stands behind it, and the
/// others' sound goes to them until then.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

/// Serves a socket until it ends. A `token` from its address stands for its first frame.
pub async fn serve(
    app: App,
    mut wire: Wire,
    channel: ChannelId,
    address: IpAddr,
    token: Option<String>,
) -> (Wire, Ended) {
    let ended = run(&app, &mut wire, channel, address, token).await;
    (wire, ended)
}

async fn run(
    app: &App,
    wire: &mut Wire,
    channel: ChannelId,
    address: IpAddr,
    token: Option<String>,
) -> Ended {
    wire.hurry(WRITTEN_WITHIN);
    let hello = VoiceServerFrame::Hello(VoiceHello { heartbeat_ms: HEARTBEAT_MS });
    if let Err(ended) = wire.say(&hello).await {
        return ended;
    }
    let (caller, place) = match knock(app, wire, address, token).await {
        Ok(known) => known,
        Err(ended) => return ended,
    };
    let (id, user_id) = (app.hub.next_id(), caller.user_id);
    // It hears no events, but the hub closes it as it closes the others of its session.
    let (outbox, waiting) = Outbox::deaf(id, user_id, caller.session_id);
    if matches!(app.hub.begin(outbox.clone()).await, Begun::Refused) {
        return greet::refuse(wire, &waiting).await;
    }
    app.voice.attach(channel, outbox);
    let (life, flood) = (Lifetime::new(caller.expires_at), Flood::new(app.limits.is_on()));
    let ended = Live { app, id, channel, address, waiting, caller, life, flood }.serve(wire, place).await;
    app.voice.detach(channel, id);
    app.hub.end(id, user_id).await;
    ended.err().unwrap_or_default()
}

struct Live<'a> {
    app: &'a App,
    id: u64,
    channel: ChannelId,
    address: IpAddr,
    waiting: Waiting,
    caller: Caller,
    life: Lifetime,
    flood: Flood,
}

type Done = std::result::Result<(), Ended>;

impl Live<'_> {
    async fn serve(&mut self, wire: &mut Wire, place: SemaphorePermit<'static>) -> Done {
        // From here on this socket hears when it may not be here; that it may is asked now.
        self.recheck(wire).await?;
        // Who reads slowly holds up nobody else's greeting.
        drop(place);
        let ready = VoiceReady { session_id: self.caller.session_id, channel_id: self.channel };
        wire.say(&VoiceServerFrame::Ready(ready)).await?;
        loop {
            let due = self.life.due();
            let waiting = &self.waiting;
            tokio::select! {
                () = std::future::poll_fn(|context| waiting.poll(context)) => self.send_all(wire).await?,
                heard = hear(wire) => match heard? {
                    Heard::Frame(frame) => self.heed(wire, frame).await?,
                    Heard::Ping(payload) => wire.pong(&payload).await?,
                },
                () = tokio::time::sleep_until(due.into()) => {
                    if let Some(ended) = self.life.over(Instant::now()) {
                        return Err(ended);
                    }
                }
            }
        }
    }

    /// Everything that waits leaves in one write.
    async fn send_all(&mut self, wire: &mut Wire) -> Done {
        let mut items = VecDeque::new();
        self.waiting.take(&mut items).map_err(Some)?;
        let mut parts = Vec::with_capacity(items.len());
        for item in items.drain(..) {
            match item {
                Item::Frame(frame) => parts.push(frame),
                // It listens to no channel's events.
                Item::Event(..) | Item::OfPerson(..) => {}
                Item::Recheck => {
                    wire.write(&mut parts).await?;
                    parts.clear();
                    self.recheck(wire).await?;
                }
                Item::Close(reason) => {
                    let _ = wire.write(&mut parts).await;
                    return Err(Some(reason));
                }
            }
        }
        wire.write(&mut parts).await?;
        self.waiting.wrote(&mut items);
        Ok(())
    }

    /// Whether its person may be here. Where that cannot be learned they go, and may come back.
    async fn recheck(&mut self, wire: &mut Wire) -> Done {
        match sessions::live(&mut self.app.db.read(), self.caller.session_id).await {
            Ok(live) => self.caller.live = live,
            Err(Fault::Unauthenticated { .. }) => return Err(Some(SESSION_ENDED)),
            Err(_) => return Err(Some(INTERNAL)),
        }
        self.caller.has_second_factor().map_err(|_| Some(SESSION_ENDED))?;
        match admit(self.app, self.caller.user_id, self.channel).await {
            Ok(()) => Ok(()),
            Err(fault @ (Fault::NotFound(_) | Fault::Forbidden { .. } | Fault::Conflict { .. })) => {
                // First: they may read that slowly.
                self.app.voice.leave(self.channel, self.id);
                refuse(wire, fault.code(), fault.to_string()).await?;
                Err(Some(NO_ROOM))
            }
            Err(_) => Err(Some(INTERNAL)),
        }
    }

    async fn heed(&mut self, wire: &mut Wire, frame: VoiceClientFrame) -> Done {
        self.life.hear();
        self.flood.admit(&frame)?;
        match frame {
            VoiceClientFrame::Identify(_) => return Err(Some(IDENTIFIED_TWICE)),
            VoiceClientFrame::Heartbeat(_) => return wire.say(&VoiceServerFrame::HeartbeatAck).await,
            VoiceClientFrame::Reauth(reauth) => {
                return match greet::checked(self.app, self.address, &reauth.token).await {
                    Ok(caller) if caller.user_id == self.caller.user_id => {
                        self.life.renew(caller.expires_at);
                        self.waiting.outbox().go_on_with(caller.session_id);
                        self.caller = caller;
                        self.recheck(wire).await
                    }
                    Ok(_) | Err(Fault::Unauthenticated { .. } | Fault::NotFound(_)) => {
                        Err(Some(NOT_AUTHENTICATED))
                    }
                    // The record does not answer, which says nothing of the token.
                    Err(_) => Err(Some(INTERNAL)),
                };
            }
            VoiceClientFrame::Leave(_) => {
                self.app.voice.leave(self.channel, self.id);
                return wire.say(&VoiceServerFrame::Left(Nothing {})).await;
            }
            _ => {}
        }
        if let Err(fault) = self.caller.has_scope("write", |scopes| scopes.write) {
            return refuse(wire, fault.code(), fault.to_string()).await;
        }
        match frame {
            VoiceClientFrame::Join(join) => self.join(wire, join.unwrap_or_default()).await,
            VoiceClientFrame::Offer(offer) => {
                let frame = |from| VoiceServerFrame::Offer(Described { from, sdp: offer.sdp });
                self.pass(wire, offer.to, frame).await
            }
            VoiceClientFrame::Answer(answer) => {
                let frame = |from| VoiceServerFrame::Answer(Described { from, sdp: answer.sdp });
                self.pass(wire, answer.to, frame).await
            }
            VoiceClientFrame::Candidate(found) => {
                let candidates = found.candidates;
                let frame = |from| VoiceServerFrame::Candidate(Reachable { from, candidates });
                self.pass(wire, found.to, frame).await
            }
            VoiceClientFrame::Mute(it) => self.change(wire, |me| me.muted = it.muted).await,
            VoiceClientFrame::Deafen(it) => self.change(wire, |me| me.deafened = it.deafened).await,
            VoiceClientFrame::Speaking(it) => self.change(wire, |me| me.speaking = it.speaking).await,
            VoiceClientFrame::Share(it) => self.change(wire, |me| me.sharing = it.sharing).await,
            // Heeded above.
            VoiceClientFrame::Identify(_)
            | VoiceClientFrame::Heartbeat(_)
            | VoiceClientFrame::Reauth(_)
            | VoiceClientFrame::Leave(_) => Ok(()),
        }
    }

    async fn join(&mut self, wire: &mut Wire, join: Join) -> Done {
        let Some((participant_id, participants)) = self.app.voice.join(self.channel, self.id, join) else {
            refuse(wire, "voice_full", "this voice channel is full".into()).await?;
            return Err(Some(ROOM_FULL));
        };
        say_room(self.app, self.channel).await;
        let ice_servers = ice::servers(&self.app.settings.voice, self.caller.user_id);
        let joined = Joined { participant_id, participants, ice_servers };
        wire.say(&VoiceServerFrame::Joined(joined)).await
    }

    /// Hands a frame to one of the others, in the name of who sent it.
    async fn pass(
        &mut self,
        wire: &mut Wire,
        to: ParticipantId,
        frame: impl FnOnce(ParticipantId) -> VoiceServerFrame,
    ) -> Done {
        let Some((from, target)) = self.app.voice.target(self.channel, self.id, to) else {
            return not_joined(wire).await;
        };
        let frame = serde_json::to_string(&frame(from)).map_err(|_| Some(INTERNAL))?;
        match target {
            Target::Here(outbox) => outbox.push(Item::Frame(frame::text(frame.as_bytes()))),
            Target::Elsewhere => {
                say(self.app, VoiceWord::Relay { channel_id: self.channel, to, frame }).await;
            }
            Target::Nobody => {
                let fault = Fault::NotFound("participant");
                return refuse(wire, fault.code(), fault.to_string()).await;
            }
        }
        Ok(())
    }

    async fn change(&mut self, wire: &mut Wire, change: impl FnOnce(&mut VoiceParticipant)) -> Done {
        if self.app.voice.change(self.channel, self.id, change) { Ok(()) } else { not_joined(wire).await }
    }
}

async fn not_joined(wire: &mut Wire) -> Done {
    refuse(wire, "not_joined", "join the voice channel first".into()).await
}

async fn refuse(wire: &mut Wire, code: &str, message: String) -> Done {
    wire.say(&VoiceServerFrame::Error(FrameError { nonce: None, code: code.into(), message })).await
}
