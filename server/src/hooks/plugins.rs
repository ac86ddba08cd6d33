//! `POST /hooks/plugins/{plugin}/{name}`: where other programs call a plugin. The worker checks that they may.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use confab_core::{Fault, Result};
use confab_worker::plugins::{self, Received};
use poem::web::{Data, Path};
use poem::{Request, Response, handler};
use serde_json::Value;

use crate::http::context::Context;
use crate::http::problem;
use crate::state::App;

/// Headers that are handed on, and their bytes.
const HEADERS: usize = 64;
const HEADER_BYTES: usize = 1_024;
/// Longer than any plugin's id.
const ID_BYTES: usize = 100;

/// Takes one delivery. It is answered when the plugin is done with it, so that a sender can try again.
#[handler]
pub async fn receive(
    request: &Request,
    Path((plugin, name)): Path<(String, String)>,
    body: Vec<u8>,
    app: Data<&App>,
) -> Response {
    match take(&app, request, plugin, name, &body).await {
        Ok(()) => Response::builder().content_type("text/plain; charset=utf-8").body("ok"),
        Err(fault) => problem::response(fault),
    }
}

async fn take(app: &App, request: &Request, plugin_id: String, name: String, body: &[u8]) -> Result<()> {
    if plugin_id.len() > ID_BYTES || name.len() > ID_BYTES {
        return Err(Fault::NotFound("webhook"));
    }
    // By address, and before anything is looked at: a stranger must not use up what the real sender may.
    app.limits.deliver(Context::current().address)?;
    let mut headers = BTreeMap::new();
    for (name, value) in request.headers().iter().take(HEADERS) {
        if let Ok(value) = value.to_str()
            && value.len() <= HEADER_BYTES
        {
            headers.insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    let received = Received { plugin_id, name, headers, body: STANDARD.encode(body) };
    let _: Value = app.bus.order(plugins::WEBHOOK, &received).await?;
    Ok(())
}
