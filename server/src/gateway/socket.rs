//! One socket, from its first frame to its last.

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use confab_core::messages::{self, Draft};
use confab_core::{Fault, FutureExt, log, sessions};
use confab_protocol::gateway::{Ack, ClientFrame, FrameError, Hello, Identify, Resume, Send, ServerFrame};
use confab_protocol::{Timestamp, UserId};
use futures_util::future::BoxFuture;
use futures_util::{SinkExt, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Message as WsMessage, Utf8Bytes};

use super::device::Device;
use super::greet;
use super::outbox::{
    IDENTIFIED_TWICE, IDENTIFY_TIMEOUT, INTERNAL, Item, NOT_AUTHENTICATED, Outbox, RATE_LIMITED,
    SESSION_ENDED, TOKEN_EXPIRED, TOO_MANY, Waiting,
};
use super::strangers::{Counted, Stranger};
use super::wire::{Ended, Stream, WRITE_WITHIN, read, timed, write};
use crate::caller::Caller;
use crate::state::App;

const HEARTBEAT_MS: u64 = 30_000;
/// No frame for so long: the client is gone (docs/limits.md).
const DEAD_AFTER: Duration = Duration::from_secs(75);
const IDENTIFY_WITHIN: Duration = Duration::from_secs(10);
/// After its token's end a client may still send `reauth`.
const REAUTH_GRACE: Duration = Duration::from_mins(1);
/// Frames of one write: fewer and larger writes are what makes fan-out cheap.
const TOGETHER: usize = 64;
/// Client frames in a minute.
const FRAMES_A_MINUTE: u32 = 120;

type Pending = BoxFuture<'static, ServerFrame>;

/// Serves a socket until it ends. A `token` from its address stands for its first frame.
pub async fn serve<S: AsyncRead + AsyncWrite + Unpin + std::marker::Send>(
    app: App,
    mut stream: Stream<S>,
    address: IpAddr,
    token: Option<String>,
) {
    let ended = run(&app, &mut stream, address, token).await;
    if let Some(reason) = ended {
        metrics::counter!("confab_ws_closed_total", "code" => reason.code.to_string()).increment(1);
        let frame = CloseFrame { code: reason.code.into(), reason: Utf8Bytes::from_static(reason.text) };
        let _ = tokio::time::timeout(WRITE_WITHIN, stream.close(Some(frame))).await;
    }
    // Read on until the peer has closed too, or half of all closes are unclean.
    let _ = tokio::time::timeout(Duration::from_secs(2), async {
        while let Some(Ok(_)) = stream.next().await {}
    })
    .await;
}

async fn run<S: AsyncRead + AsyncWrite + Unpin + std::marker::Send>(
    app: &App,
    stream: &mut Stream<S>,
    address: IpAddr,
    token: Option<String>,
) -> Ended {
    static OPEN: AtomicU64 = AtomicU64::new(0);
    let _count = Counted::one_more(&OPEN);
    if OPEN.load(Ordering::Relaxed) > app.settings.sockets_total as u64 {
        return Some(TOO_MANY);
    }
    let Ok(head) = log::head(&mut app.db.read()).await else { return Some(INTERNAL) };
    let hello = Hello { heartbeat_ms: HEARTBEAT_MS, epoch: app.db.epoch().to_string(), head };
    if let Err(ended) = write(stream, &ServerFrame::Hello(hello)).await {
        return ended;
    }
    let Some(stranger) = Stranger::admit(address, app.limits.is_on()) else { return Some(TOO_MANY) };
    let deadline = Instant::now() + IDENTIFY_WITHIN;
    let mut given = token.map(|token| ClientFrame::Identify(Identify { token: Some(token), ticket: None }));
    loop {
        let frame = match given.take() {
            Some(frame) => frame,
            None => match tokio::time::timeout_at(deadline.into(), read(stream)).await {
                Err(_) => return Some(IDENTIFY_TIMEOUT),
                Ok(Err(ended)) => return ended,
                Ok(Ok(frame)) => frame,
            },
        };
        let began = match frame {
            ClientFrame::Identify(who) => {
                greet::identify(app, who, address).await.map(|caller| (caller, None))
            }
            ClientFrame::Resume(resume) => {
                let device = greet::device(address);
                let checked = app.tokens.check(&app.db, &resume.token, device).await;
                checked.and_then(greet::listener).map(|caller| (caller, Some(resume)))
            }
            ClientFrame::Heartbeat(_) => continue,
            _ => return Some(NOT_AUTHENTICATED),
        };
        let (caller, resume) = match began {
            Ok(began) => began,
            Err(Fault::Unauthenticated { .. } | Fault::NotFound(_)) => {
                tracing::debug!(%address, "a socket did not authenticate");
                return Some(NOT_AUTHENTICATED);
            }
            Err(_) => return Some(INTERNAL),
        };
        stranger.settle();
        match session(app, stream, caller, resume, address).await {
            Next::Ended(ended) => return ended,
            Next::IdentifyAgain => {}
        }
    }
}

enum Next {
    Ended(Ended),
    /// The position could not be served; the client begins anew on the same socket.
    IdentifyAgain,
}

/// The signed-in part. The hub forgets the socket however this ends.
async fn session<S: AsyncRead + AsyncWrite + Unpin + std::marker::Send>(
    app: &App,
    stream: &mut Stream<S>,
    caller: Caller,
    resume: Option<Resume>,
    address: IpAddr,
) -> Next {
    let (id, user_id) = (app.hub.next_id(), caller.user_id);
    let (outbox, waiting) = Outbox::new(id, user_id, caller.session_id);
    if !app.hub.begin(outbox.clone()).await {
        return Next::Ended(Some(TOO_MANY));
    }
    let next = match greet::greet(app, stream, &outbox, &caller, resume).await {
        Ok(Some(last)) => {
            let device = Device::arrive(app, user_id, caller.session_id).await;
            let mut live = Live {
                app,
                address,
                waiting,
                caller,
                device,
                last,
                pending: None,
                heard: Instant::now(),
                window: (Instant::now(), 0),
            };
            let ended = live.serve(stream).await;
            live.device.leave(app).await;
            Next::Ended(ended)
        }
        Ok(None) => Next::IdentifyAgain,
        Err(ended) => Next::Ended(ended),
    };
    app.hub.end(id, user_id).await;
    next
}

struct Live<'a> {
    app: &'a App,
    address: IpAddr,
    waiting: Waiting,
    caller: Caller,
    device: Device,
    /// The last position sent: whatever comes again is dropped.
    last: i64,
    /// The send being written; the next frame is read when it is answered, so order is kept and nothing piles up.
    pending: Option<Pending>,
    heard: Instant,
    window: (Instant, u32),
}

impl Live<'_> {
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(&mut self, stream: &mut Stream<S>) -> Ended {
        loop {
            let dead = self.heard + DEAD_AFTER;
            let left = Duration::from_millis(
                u64::try_from(self.caller.expires_at.0 - Timestamp::now().0).unwrap_or(0),
            );
            let expired = Instant::now() + left + REAUTH_GRACE;
            let is_busy = self.pending.is_some();
            let idle = self.device.idle_at(self.app);
            let done = tokio::select! {
                item = self.waiting.next() => self.send_all(stream, item).await,
                answer = async { match &mut self.pending { Some(it) => it.await, None => std::future::pending().await } } => {
                    self.pending = None;
                    write(stream, &answer).await
                }
                frame = read(stream), if !is_busy => match frame {
                    Ok(frame) => self.heed(stream, frame).await,
                    Err(ended) => Err(ended),
                },
                () = wait_until(idle) => {
                    self.device.grow_idle(self.app).await;
                    Ok(())
                }
                () = tokio::time::sleep_until(dead.min(expired).into()) => {
                    Err(if expired < dead { Some(TOKEN_EXPIRED) } else { None })
                }
            };
            if let Err(ended) = done {
                return ended;
            }
        }
    }

    /// Everything that waits leaves in one write.
    async fn send_all<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut Stream<S>,
        first: Item,
    ) -> std::result::Result<(), Ended> {
        let mut next = Some(first);
        let mut count = 0;
        while let Some(item) = next.take() {
            match item {
                Item::Event(pos, text) if pos > self.last => {
                    self.last = pos;
                    timed(stream.feed(WsMessage::Text(text))).await?;
                }
                Item::Event(..) => {}
                Item::Frame(text) => timed(stream.feed(WsMessage::Text(text))).await?,
                Item::Recheck => self.recheck().await?,
                Item::Close(reason) => {
                    let _ = timed(stream.flush()).await;
                    return Err(Some(reason));
                }
            }
            count += 1;
            if count < TOGETHER {
                next = self.waiting.try_next();
            }
        }
        timed(stream.flush()).await
    }

    /// A policy may ask for a second factor now, or a token's user may be another.
    async fn recheck(&mut self) -> std::result::Result<(), Ended> {
        match sessions::live(&mut self.app.db.read(), self.caller.session_id).await {
            Ok(live) => {
                self.caller.live = live;
                self.caller.has_second_factor().map_err(|_| Some(SESSION_ENDED))
            }
            Err(Fault::Unauthenticated { .. }) => Err(Some(SESSION_ENDED)),
            // The record is away for now; calls that need it will say so.
            Err(_) => Ok(()),
        }
    }

    async fn heed<S: AsyncRead + AsyncWrite + Unpin>(
        &mut self,
        stream: &mut Stream<S>,
        frame: ClientFrame,
    ) -> std::result::Result<(), Ended> {
        self.heard = Instant::now();
        self.limit()?;
        let changes =
            matches!(frame, ClientFrame::Send(_) | ClientFrame::Typing(_) | ClientFrame::Presence(_));
        if let (true, Err(fault)) = (changes, self.caller.has_scope("write", |scopes| scopes.write)) {
            let nonce = if let ClientFrame::Send(send) = frame { Some(send.nonce) } else { None };
            let refusal = FrameError { nonce, code: fault.code().into(), message: fault.to_string() };
            return write(stream, &ServerFrame::Error(refusal)).await;
        }
        if matches!(frame, ClientFrame::Send(_) | ClientFrame::Typing(_)) {
            self.device.act(self.app).await;
        }
        match frame {
            ClientFrame::Identify(_) | ClientFrame::Resume(_) => Err(Some(IDENTIFIED_TWICE)),
            ClientFrame::Heartbeat(_) => {
                self.device.beat(self.app).await;
                write(stream, &ServerFrame::HeartbeatAck).await
            }
            ClientFrame::Reauth(reauth) => match checked(self.app, self.address, &reauth.token).await {
                Ok(caller) if caller.user_id == self.caller.user_id => {
                    self.caller = caller;
                    Ok(())
                }
                _ => Err(Some(NOT_AUTHENTICATED)),
            },
            ClientFrame::Send(send) => {
                self.pending = Some(post(self.app.clone(), self.caller.user_id, send).boxed());
                Ok(())
            }
            ClientFrame::Typing(typing) => {
                self.device.typing(self.app, typing).await;
                Ok(())
            }
            ClientFrame::Presence(change) => {
                self.device.say(self.app, change.status).await;
                Ok(())
            }
            // Signals go to all channels of a socket until clients have so many that they wish for fewer.
            ClientFrame::Subscribe(_) => Ok(()),
        }
    }

    fn limit(&mut self) -> std::result::Result<(), Ended> {
        if self.window.0.elapsed() > Duration::from_mins(1) {
            self.window = (Instant::now(), 0);
        }
        self.window.1 += 1;
        if self.app.limits.is_on() && self.window.1 > FRAMES_A_MINUTE {
            Err(Some(RATE_LIMITED))
        } else {
            Ok(())
        }
    }
}

async fn wait_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}

/// Who holds a token that a socket sends again.
async fn checked(app: &App, address: IpAddr, token: &str) -> confab_core::Result<Caller> {
    greet::listener(app.tokens.check(&app.db, token, greet::device(address)).await?)
}

/// The same path as REST: one limiter, one core function.
async fn post(app: App, user: UserId, send: Send) -> ServerFrame {
    let nonce = send.nonce.clone();
    let draft = Draft {
        content: send.content,
        nonce: Some(send.nonce),
        parent_id: send.parent_id,
        file_ids: send.file_ids,
        quoted_id: send.quoted_id,
        forwarded_id: None,
    };
    let posted = match app.limits.send(user) {
        Ok(()) => messages::send(&app.db, user, send.channel_id, draft).await,
        Err(fault) => Err(fault),
    };
    match posted {
        Ok(posted) => {
            metrics::counter!("confab_messages_posted_total").increment(u64::from(posted.is_new));
            ServerFrame::Ack(Box::new(Ack { nonce, message: posted.message }))
        }
        Err(fault) => {
            if let Fault::Internal(source) = &fault {
                tracing::error!(source, "a send failed");
            }
            let message = if matches!(fault, Fault::Internal(_)) {
                "something went wrong on the server".into()
            } else {
                fault.to_string()
            };
            ServerFrame::Error(FrameError { nonce: Some(nonce), code: fault.code().into(), message })
        }
    }
}
