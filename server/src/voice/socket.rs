//! One socket of a voice channel, from its first frame to its last.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use confab_core::bus::VoiceWord;
use confab_core::{Fault, sessions};
use confab_protocol::gateway::FrameError;
use confab_protocol::voice::{
    Described, Join, Joined, Nothing, Reachable, VoiceClientFrame, VoiceHello, VoiceReady, VoiceServerFrame,
};
use confab_protocol::{ChannelId, ParticipantId, Timestamp, VoiceParticipant};
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message as WsMessage, Utf8Bytes};

use super::flood::Flood;
use super::keeper::{say, say_room};
use super::knock::{knock, read};
use super::rooms::Target;
use super::{admit, ice};
use crate::caller::Caller;
use crate::gateway::greet;
use crate::gateway::outbox::{
    BAD_FRAME, IDENTIFIED_TWICE, INTERNAL, Item, NO_ROOM, NOT_AUTHENTICATED, Outbox, ROOM_FULL,
    SESSION_ENDED, TOKEN_EXPIRED, TOO_MANY, Waiting,
};
use crate::gateway::strangers::Counted;
use crate::gateway::wire::{Ended, Stream, WRITE_WITHIN, timed, write};
use crate::state::App;

const HEARTBEAT_MS: u64 = 30_000;
/// No frame for so long: the client is gone. These are the gateway's (docs/limits.md).
const DEAD_AFTER: Duration = Duration::from_secs(75);
const REAUTH_GRACE: Duration = Duration::from_mins(1);
/// What a client sends after it was closed is read this far, so that it reads why.
const REST_BYTES: usize = 4 << 20;

/// Serves a socket until it ends. A `token` from its address stands for its first frame.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin + Send>(
    app: App,
    mut stream: Stream<S>,
    channel: ChannelId,
    address: IpAddr,
    token: Option<String>,
) {
    let ended = run(&app, &mut stream, channel, address, token).await;
    if let Some(reason) = ended {
        metrics::counter!("confab_ws_closed_total", "code" => reason.code.to_string()).increment(1);
        let frame = CloseFrame { code: reason.code.into(), reason: Utf8Bytes::from_static(reason.text) };
        let _ = tokio::time::timeout(WRITE_WITHIN, stream.close(Some(frame))).await;
    }
    let is_unread = ended == Some(BAD_FRAME);
    let _ = tokio::time::timeout(Duration::from_secs(2), async {
        // Read on until the peer has closed too, or half of all closes are unclean.
        while let Some(Ok(_)) = stream.next().await {}
        // Of a frame that was too large some is still to come. An end with bytes unread is a reset, which takes back
        // what was written: the reason too.
        let (mut rest, mut bytes) = (0, [0; 1_024]);
        while is_unread && rest <= REST_BYTES {
            match stream.get_mut().read(&mut bytes).await {
                Ok(count @ 1..) => rest += count,
                _ => break,
            }
        }
    })
    .await;
}

async fn run<S: AsyncRead + AsyncWrite + Unpin + Send>(
    app: &App,
    stream: &mut Stream<S>,
    channel: ChannelId,
    address: IpAddr,
    token: Option<String>,
) -> Ended {
    static OPEN: AtomicU64 = AtomicU64::new(0);
    let _count = Counted::one_more(&OPEN);
    if OPEN.load(Ordering::Relaxed) > app.settings.sockets_total as u64 {
        return Some(TOO_MANY);
    }
    let hello = VoiceServerFrame::Hello(VoiceHello { heartbeat_ms: HEARTBEAT_MS });
    if let Err(ended) = write(stream, &hello).await {
        return ended;
    }
    let caller = match knock(app, stream, address, token).await {
        Ok(caller) => caller,
        Err(ended) => return ended,
    };
    let (id, user_id) = (app.hub.next_id(), caller.user_id);
    let (outbox, waiting) = Outbox::new(id, user_id, caller.session_id);
    // It hears no events, so it never listens; but the hub closes it as it closes the others of its session.
    if !app.hub.begin(outbox.clone()).await {
        return Some(TOO_MANY);
    }
    app.voice.attach(channel, outbox);
    let (heard, flood) = (Instant::now(), Flood::new(app.limits.is_on()));
    let mut live = Live { app, id, channel, address, waiting, caller, heard, flood };
    let ended = live.serve(stream).await;
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
    heard: Instant,
    flood: Flood,
}

type Done = std::result::Result<(), Ended>;

impl Live<'_> {
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut Stream<S>) -> Done {
        // From here on this socket hears when it may not be here; that it may is asked now.
        self.recheck(stream).await?;
        let ready = VoiceReady { session_id: self.caller.session_id, channel_id: self.channel };
        write(stream, &VoiceServerFrame::Ready(ready)).await?;
        loop {
            let dead = self.heard + DEAD_AFTER;
            let left = self.caller.expires_at.0 - Timestamp::now().0;
            let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
            let expired = Instant::now() + left + REAUTH_GRACE;
            tokio::select! {
                item = self.waiting.next() => self.send_all(stream, item).await?,
                frame = read(stream) => self.heed(stream, frame?).await?,
                () = tokio::time::sleep_until(dead.min(expired).into()) => {
                    return Err(if expired < dead { Some(TOKEN_EXPIRED) } else { None });
                }
            }
        }
    }

    async fn send_all<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut Stream<S>,
        first: Item,
    ) -> Done {
        let mut next = Some(first);
        while let Some(item) = next {
            match item {
                Item::Frame(text) => timed(stream.feed(WsMessage::Text(text))).await?,
                // It listens to no channel's events.
                Item::Event(..) => {}
                Item::Recheck => self.recheck(stream).await?,
                Item::Close(reason) => {
                    let _ = timed(stream.flush()).await;
                    return Err(Some(reason));
                }
            }
            next = self.waiting.try_next();
        }
        timed(stream.flush()).await
    }

    /// Whether its person may be here. Where that cannot be learned they go, and may come back.
    async fn recheck<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut Stream<S>) -> Done {
        match sessions::live(&mut self.app.db.read(), self.caller.session_id).await {
            Ok(live) => self.caller.live = live,
            Err(Fault::Unauthenticated { .. }) => return Err(Some(SESSION_ENDED)),
            Err(_) => return Err(Some(INTERNAL)),
        }
        self.caller.has_second_factor().map_err(|_| Some(SESSION_ENDED))?;
        match admit(self.app, self.caller.user_id, self.channel).await {
            Ok(()) => Ok(()),
            Err(fault @ (Fault::NotFound(_) | Fault::Forbidden { .. } | Fault::Conflict { .. })) => {
                refuse(stream, fault.code(), fault.to_string()).await?;
                Err(Some(NO_ROOM))
            }
            Err(_) => Err(Some(INTERNAL)),
        }
    }

    async fn heed<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut Stream<S>,
        frame: VoiceClientFrame,
    ) -> Done {
        self.heard = Instant::now();
        self.flood.admit(&frame)?;
        match frame {
            VoiceClientFrame::Identify(_) => return Err(Some(IDENTIFIED_TWICE)),
            VoiceClientFrame::Heartbeat(_) => return write(stream, &VoiceServerFrame::HeartbeatAck).await,
            VoiceClientFrame::Reauth(reauth) => {
                let device = greet::device(self.address);
                let checked = self.app.tokens.check(&self.app.db, &reauth.token, device).await;
                return match checked.and_then(greet::listener) {
                    Ok(caller) if caller.user_id == self.caller.user_id => {
                        self.caller = caller;
                        Ok(())
                    }
                    _ => Err(Some(NOT_AUTHENTICATED)),
                };
            }
            VoiceClientFrame::Leave(_) => {
                self.app.voice.leave(self.channel, self.id);
                return write(stream, &VoiceServerFrame::Left(Nothing {})).await;
            }
            _ => {}
        }
        if let Err(fault) = self.caller.has_scope("write", |scopes| scopes.write) {
            return refuse(stream, fault.code(), fault.to_string()).await;
        }
        match frame {
            VoiceClientFrame::Join(join) => self.join(stream, join.unwrap_or_default()).await,
            VoiceClientFrame::Offer(offer) => {
                let frame = |from| VoiceServerFrame::Offer(Described { from, sdp: offer.sdp });
                self.pass(stream, offer.to, frame).await
            }
            VoiceClientFrame::Answer(answer) => {
                let frame = |from| VoiceServerFrame::Answer(Described { from, sdp: answer.sdp });
                self.pass(stream, answer.to, frame).await
            }
            VoiceClientFrame::Candidate(found) => {
                let candidates = found.candidates;
                let frame = |from| VoiceServerFrame::Candidate(Reachable { from, candidates });
                self.pass(stream, found.to, frame).await
            }
            VoiceClientFrame::Mute(it) => self.change(stream, |me| me.muted = it.muted).await,
            VoiceClientFrame::Deafen(it) => self.change(stream, |me| me.deafened = it.deafened).await,
            VoiceClientFrame::Speaking(it) => self.change(stream, |me| me.speaking = it.speaking).await,
            VoiceClientFrame::Share(it) => self.change(stream, |me| me.sharing = it.sharing).await,
            // Heeded above.
            VoiceClientFrame::Identify(_)
            | VoiceClientFrame::Heartbeat(_)
            | VoiceClientFrame::Reauth(_)
            | VoiceClientFrame::Leave(_) => Ok(()),
        }
    }

    async fn join<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut Stream<S>, join: Join) -> Done {
        let Some((participant_id, participants)) = self.app.voice.join(self.channel, self.id, join) else {
            refuse(stream, "voice_full", "this voice channel is full".into()).await?;
            return Err(Some(ROOM_FULL));
        };
        say_room(self.app, self.channel).await;
        let ice_servers = ice::servers(&self.app.settings.voice, self.caller.user_id);
        let joined = Joined { participant_id, participants, ice_servers };
        write(stream, &VoiceServerFrame::Joined(joined)).await
    }

    /// Hands a frame to one of the others, in the name of who sent it.
    async fn pass<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut Stream<S>,
        to: ParticipantId,
        frame: impl FnOnce(ParticipantId) -> VoiceServerFrame,
    ) -> Done {
        let Some((from, target)) = self.app.voice.target(self.channel, self.id, to) else {
            return not_joined(stream).await;
        };
        let frame = serde_json::to_string(&frame(from)).map_err(|_| Some(INTERNAL))?;
        match target {
            Target::Here(outbox) => outbox.push(Item::Frame(frame.into())),
            Target::Elsewhere => {
                say(self.app, VoiceWord::Relay { channel_id: self.channel, to, frame }).await;
            }
            Target::Nobody => {
                let fault = Fault::NotFound("participant");
                return refuse(stream, fault.code(), fault.to_string()).await;
            }
        }
        Ok(())
    }

    async fn change<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut Stream<S>,
        change: impl FnOnce(&mut VoiceParticipant),
    ) -> Done {
        if self.app.voice.change(self.channel, self.id, change) { Ok(()) } else { not_joined(stream).await }
    }
}

async fn not_joined<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut Stream<S>) -> Done {
    refuse(stream, "not_joined", "join the voice channel first".into()).await
}

async fn refuse<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut Stream<S>,
    code: &str,
    message: String,
) -> Done {
    write(stream, &VoiceServerFrame::Error(FrameError { nonce: None, code: code.into(), message })).await
}
