//! Keeps the rooms in agreement: says to other servers who is in them here, hears them, and tells those who look at
//! the channels.

use std::time::{Duration, Instant};

use confab_core::bus::{Signal, VoiceWord};
use confab_protocol::ChannelId;
use serde_json::json;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::gateway::wire::frame;
use crate::state::App;

/// Between two times that all is said again: four times within the lease, so that one lost word loses nobody.
const TICK: Duration = Duration::from_millis(2_500);

/// Keeps them until `stop`.
pub async fn keep(app: App, mut signals: broadcast::Receiver<Signal>, stop: CancellationToken) {
    let node = app.voice.node();
    say(&app, VoiceWord::Ask { node }).await;
    let mut tick = Instant::now() + TICK;
    loop {
        let wake = app.voice.tell_at().map_or(tick, |at| at.min(tick));
        tokio::select! {
            signal = signals.recv() => match signal {
                Ok(Signal::Voice(word)) => hear(&app, word).await,
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => say(&app, VoiceWord::Ask { node }).await,
                Err(RecvError::Closed) => return,
            },
            () = app.voice.news() => {}
            () = tokio::time::sleep_until(wake.into()) => {}
            () = stop.cancelled() => return say(&app, VoiceWord::Gone { node }).await,
        }
        let is_tick = Instant::now() >= tick;
        if is_tick {
            tick = Instant::now() + TICK;
            app.voice.expire();
        }
        for word in app.voice.words(is_tick && !app.db.is_embedded()) {
            say(&app, word).await;
        }
        for (channel, participants) in app.voice.due() {
            let d = json!({ "participants": participants });
            let text = json!({ "op": "signal", "t": "voice", "channel_id": channel, "d": d }).to_string();
            app.hub.whisper(channel, frame::text(text.as_bytes())).await;
        }
    }
}

/// Says how a room is here before anything else is said of it: what is passed on afterwards must not overtake it.
pub async fn say_room(app: &App, channel: ChannelId) {
    say(app, app.voice.word(channel)).await;
}

/// To all servers; one that is alone has nobody to say it to.
pub async fn say(app: &App, word: VoiceWord) {
    if !app.db.is_embedded() {
        app.bus.signal(Signal::Voice(word)).await;
    }
}

async fn hear(app: &App, word: VoiceWord) {
    match word {
        VoiceWord::Room { node, number, channel_id, places } => {
            app.voice.hear(node, number, channel_id, places);
        }
        VoiceWord::Ask { node } if node != app.voice.node() => {
            for word in app.voice.words(true) {
                say(app, word).await;
            }
        }
        VoiceWord::Ask { .. } => {}
        VoiceWord::Gone { node } => app.voice.forget(node),
        VoiceWord::Relay { channel_id, to, frame } => app.voice.deliver(channel_id, to, &frame),
    }
}
