//! A question to the assistant over a socket: its answer comes to that socket alone, piece by piece.

use confab_core::bus::Answers;
use confab_core::{Fault, Result};
use confab_protocol::gateway::{Ask, FrameError, ServerFrame};
use confab_worker::services;
use serde::Serialize;
use serde_json::{Value, json};

use crate::state::App;

/// The one answer that a socket waits for. Dropping it stops the work on it.
pub struct Asking {
    nonce: String,
    answers: Answers,
    url: String,
}

/// `{"op": "assistant", "d": {nonce, type, …}}`.
#[derive(Serialize)]
pub struct News {
    op: &'static str,
    d: Value,
}

impl Asking {
    /// Asks, by the same limiter as REST.
    ///
    /// # Errors
    /// [`Fault::RateLimited`], and those of the bus.
    pub async fn begin(app: &App, caller: &crate::caller::Caller, ask: Ask) -> Result<Self> {
        app.limits.ask(caller.user_id)?;
        let question = json!({
            "user_id": caller.user_id,
            "content": ask.content,
            "conversation_id": ask.conversation_id,
            "channel_id": ask.channel_id,
            "session_id": caller.session_id,
        });
        let answers = app.bus.ask_for_pieces(services::ANSWER_IN_PIECES, &question).await?;
        Ok(Self { nonce: ask.nonce, answers, url: app.public_url().to_owned() })
    }

    /// Whether it is the answer to that question.
    pub fn is_for(&self, nonce: &str) -> bool {
        self.nonce == nonce
    }

    /// What comes next, and whether it is the last; a fault is an `error` like others.
    pub async fn next(&mut self) -> (std::result::Result<News, ServerFrame>, bool) {
        let piece = self.answers.next().await.unwrap_or(Err(Fault::Unavailable("the worker")));
        match piece {
            Ok(mut piece) => {
                let is_last = piece["type"] == "done";
                services::complete(&mut piece, &self.url);
                piece["nonce"] = Value::from(self.nonce.as_str());
                (Ok(News { op: "assistant", d: piece }), is_last)
            }
            Err(fault) => (Err(refusal(&self.nonce, &fault)), true),
        }
    }
}

/// A question that is not answered.
pub fn refusal(nonce: &str, fault: &Fault) -> ServerFrame {
    if let Fault::Internal(source) = fault {
        tracing::error!(source, "an answer failed");
    }
    let message = match fault {
        Fault::Internal(_) => "something went wrong on the server".into(),
        fault => fault.to_string(),
    };
    ServerFrame::Error(FrameError { nonce: Some(nonce.to_owned()), code: fault.code().into(), message })
}
