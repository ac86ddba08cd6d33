//! A message that is sent over a socket.

use confab_core::Fault;
use confab_core::messages::{self, Draft};
use confab_protocol::UserId;
use confab_protocol::gateway::{Ack, FrameError, Send, ServerFrame};

use crate::state::App;

/// The same path as REST: one limiter, one core function.
pub async fn post(app: App, user: UserId, send: Send) -> ServerFrame {
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
