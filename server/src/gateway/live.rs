//! The signed-in part of a socket: what its user hears and says.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::time::{Duration, Instant};

use bytes::Bytes;
use confab_core::{Fault, FutureExt, sessions, users};
use confab_protocol::UserId;
use confab_protocol::gateway::{ClientFrame, FrameError, ServerFrame};
use futures_util::future::BoxFuture;
use tokio::time::{Sleep, sleep_until};

use super::asking::{self, Asking};
use super::device::Device;
use super::greet;
use super::lifetime::Lifetime;
use super::outbox::{
    IDENTIFIED_TWICE, INTERNAL, Item, NOT_AUTHENTICATED, RATE_LIMITED, SESSION_ENDED, Waiting,
};
use super::sending::post;
use super::wire::{Ended, Heard, Wire};
use crate::caller::Caller;
use crate::state::App;

/// Client frames in a minute.
const FRAMES_A_MINUTE: u32 = 120;

type Pending = BoxFuture<'static, ServerFrame>;
type Done = std::result::Result<(), Ended>;

/// See the module.
pub struct Live<'a> {
    app: &'a App,
    address: IpAddr,
    waiting: Waiting,
    caller: Caller,
    life: Lifetime,
    device: Device,
    /// The last position sent: whatever comes again is dropped.
    last: i64,
    /// The send being written; the next frame is read when it is answered, so order is kept and nothing piles up.
    pending: Option<Pending>,
    /// The assistant's answer that is being made; on the heap, since almost nobody waits for one.
    asking: Option<Box<Asking>>,
    window: (Instant, u32),
    items: VecDeque<Item>,
}

impl<'a> Live<'a> {
    /// A socket that was greeted up to position `last`.
    pub fn new(
        app: &'a App,
        address: IpAddr,
        waiting: Waiting,
        caller: Caller,
        device: Device,
        last: i64,
    ) -> Self {
        Self {
            app,
            address,
            waiting,
            life: Lifetime::new(caller.expires_at),
            caller,
            device,
            last,
            pending: None,
            asking: None,
            window: (Instant::now(), 0),
            items: VecDeque::new(),
        }
    }

    /// Serves it until it ends.
    pub async fn serve(&mut self, wire: &mut Wire) -> Ended {
        // One for all that has its time, set anew when it has run out or comes earlier: most wakes change nothing of it.
        let mut due = self.next_due();
        let timer = sleep_until(due.into());
        tokio::pin!(timer);
        loop {
            match self.step(wire, timer.as_mut()).await {
                Err(ended) => return ended,
                Ok(false) => {}
                Ok(true) => {
                    let next = self.next_due();
                    if next < due || timer.is_elapsed() {
                        due = next;
                        timer.as_mut().reset(due.into());
                    }
                }
            }
        }
    }

    /// Does the next thing. Answers whether something may have its time earlier now.
    async fn step(&mut self, wire: &mut Wire, timer: Pin<&mut Sleep>) -> std::result::Result<bool, Ended> {
        let Self { waiting, pending, asking, .. } = self;
        let is_busy = pending.is_some();
        let answered = async {
            match pending {
                Some(it) => it.await,
                None => std::future::pending().await,
            }
        };
        let told = async {
            match asking {
                Some(it) => it.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            () = poll_fn(|context| waiting.poll(context)) => {
                self.send_all(wire).await?;
                Ok(false)
            }
            answer = answered => {
                self.waiting.away();
                self.pending = None;
                wire.say(&answer).await?;
                Ok(false)
            }
            (news, is_last) = told => {
                self.waiting.away();
                if is_last {
                    self.asking = None;
                }
                match news {
                    Ok(news) => wire.say(&news).await?,
                    Err(refusal) => wire.say(&refusal).await?,
                }
                Ok(false)
            }
            heard = wire.hear::<ClientFrame>(), if !is_busy => {
                self.waiting.away();
                match heard? {
                    // On the heap: what it may come to is large, and almost always nothing is said.
                    Heard::Frame(frame) => self.heed(wire, frame).boxed().await?,
                    Heard::Ping(payload) => wire.pong(&payload).await?,
                }
                Ok(true)
            }
            () = timer => {
                self.waiting.away();
                self.look().boxed().await?;
                Ok(true)
            }
        }
    }

    /// When something may have to be done though nothing is heard.
    fn next_due(&self) -> Instant {
        let due = self.life.due();
        self.device.idle_at(self.app).map_or(due, |idle| idle.min(due))
    }

    async fn look(&mut self) -> Done {
        let now = Instant::now();
        if let Some(ended) = self.life.over(now) {
            return Err(ended);
        }
        if self.device.idle_at(self.app).is_some_and(|idle| idle <= now) {
            self.device.grow_idle(self.app).await;
        }
        Ok(())
    }

    /// Everything that waits leaves in one write.
    async fn send_all(&mut self, wire: &mut Wire) -> Done {
        self.waiting.take(&mut self.items).map_err(Some)?;
        let mut parts: Vec<Bytes> = Vec::with_capacity(self.items.len());
        while let Some(item) = self.items.pop_front() {
            match item {
                Item::Event(pos, frame) => {
                    if pos > self.last {
                        self.last = pos;
                        parts.push(frame);
                    }
                }
                Item::OfPerson(user, pos, frame) => {
                    self.waiting.away();
                    let is_new = pos.is_none_or(|pos| pos > self.last);
                    if is_new && may_hear_of(self.app, self.caller.user_id, user, pos).boxed().await? {
                        self.last = pos.unwrap_or(self.last);
                        parts.push(frame);
                    }
                }
                Item::Frame(frames) => parts.push(frames),
                Item::Recheck => {
                    write(wire, &mut parts, &self.waiting).await?;
                    parts.clear();
                    self.waiting.left(&self.items);
                    self.waiting.away();
                    self.recheck().boxed().await?;
                }
                Item::Close(reason) => {
                    self.waiting.away();
                    let _ = wire.write(&mut parts).await;
                    return Err(Some(reason));
                }
            }
        }
        write(wire, &mut parts, &self.waiting).await?;
        self.waiting.wrote(&mut self.items);
        Ok(())
    }

    /// A policy may ask for a second factor now, or a token's user may be another.
    async fn recheck(&mut self) -> Done {
        if let Ok(is_guest) = users::is_guest(&mut self.app.db.read(), self.caller.user_id).await {
            self.waiting.outbox().set_guest(is_guest);
        }
        match sessions::live(&mut self.app.db.read(), self.caller.session_id).await {
            Ok(live) => {
                self.caller.live = live;
                self.caller.has_second_factor().map_err(|_| Some(SESSION_ENDED))
            }
            Err(Fault::Unauthenticated { .. }) => Err(Some(SESSION_ENDED)),
            // Nobody knows whether it may go on: it comes back, and is asked then.
            Err(_) => Err(Some(INTERNAL)),
        }
    }

    async fn heed(&mut self, wire: &mut Wire, frame: ClientFrame) -> Done {
        self.life.hear();
        self.limit()?;
        // A question is kept with its answer, and costs.
        let changes = matches!(
            frame,
            ClientFrame::Send(_) | ClientFrame::Typing(_) | ClientFrame::Presence(_) | ClientFrame::Ask(_)
        );
        if let (true, Err(fault)) = (changes, self.caller.has_scope("write", |scopes| scopes.write)) {
            let nonce = match frame {
                ClientFrame::Send(send) => Some(send.nonce),
                ClientFrame::Ask(ask) => Some(ask.nonce),
                _ => None,
            };
            let refusal = FrameError { nonce, code: fault.code().into(), message: fault.to_string() };
            return wire.say(&ServerFrame::Error(refusal)).await;
        }
        if matches!(frame, ClientFrame::Send(_) | ClientFrame::Typing(_)) {
            self.device.act(self.app);
        }
        match frame {
            ClientFrame::Identify(_) | ClientFrame::Resume(_) => Err(Some(IDENTIFIED_TWICE)),
            ClientFrame::Heartbeat(_) => {
                self.device.beat(self.app).await;
                wire.say(&ServerFrame::HeartbeatAck).await
            }
            ClientFrame::Reauth(reauth) => {
                match greet::checked(self.app, self.address, &reauth.token).await {
                    Ok(caller) if caller.user_id == self.caller.user_id => {
                        self.life.renew(caller.expires_at);
                        self.waiting.outbox().go_on_with(caller.session_id);
                        self.caller = caller;
                        // It may have ended between the check and the line above, when nobody told this socket.
                        self.recheck().await
                    }
                    Ok(_) | Err(Fault::Unauthenticated { .. } | Fault::NotFound(_)) => {
                        Err(Some(NOT_AUTHENTICATED))
                    }
                    // The record does not answer, which says nothing of the token.
                    Err(_) => Err(Some(INTERNAL)),
                }
            }
            ClientFrame::Send(send) => {
                self.pending = Some(post(self.app.clone(), self.caller.user_id, send).boxed());
                Ok(())
            }
            ClientFrame::Typing(typing) => {
                self.device.typing(self.app, typing).await;
                Ok(())
            }
            ClientFrame::Presence(change) => {
                self.device.say(self.app, change.status);
                Ok(())
            }
            ClientFrame::Ask(ask) => {
                let nonce = ask.nonce.clone();
                self.asking = None;
                match Asking::begin(self.app, &self.caller, ask).await {
                    Ok(asking) => self.asking = Some(Box::new(asking)),
                    Err(fault) => wire.say(&asking::refusal(&nonce, &fault)).await?,
                }
                Ok(())
            }
            ClientFrame::AskStop(stop) => {
                self.asking.take_if(|asking| asking.is_for(&stop.nonce));
                Ok(())
            }
            // Signals go to all channels of a socket until clients have so many that they wish for fewer.
            ClientFrame::Subscribe(_) => Ok(()),
        }
    }

    fn limit(&mut self) -> Done {
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

    /// Has the others know that it is gone.
    pub async fn leave(self) {
        self.device.leave(self.app);
        self.app.hub.end(self.waiting.id(), self.caller.user_id).await;
    }
}

/// Writes, and lets the queue know when the peer is waited for.
async fn write(wire: &mut Wire, parts: &mut [Bytes], waiting: &Waiting) -> Done {
    let mut written = pin!(wire.write(parts));
    poll_fn(|context| {
        let polled = written.as_mut().poll(context);
        if polled.is_pending() {
            waiting.stalled();
        }
        polled
    })
    .await
}

/// Where the record does not answer, a signal is not told; without an event the socket goes, and comes back to it: the next one's
/// position would pass over it for ever.
async fn may_hear_of(
    app: &App,
    user: UserId,
    other: UserId,
    pos: Option<i64>,
) -> std::result::Result<bool, Ended> {
    match users::may_look_up(&mut app.db.read(), user, other).await {
        Ok(may) => Ok(may),
        Err(_) if pos.is_none() => Ok(false),
        Err(_) => Err(Some(INTERNAL)),
    }
}
