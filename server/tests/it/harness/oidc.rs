//! A real OpenID Connect provider, the npm package `oidc-provider`, and a browser for the people who sign in there.

use std::collections::BTreeMap;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::RequestBuilder;
use reqwest::header::{COOKIE, HeaderMap, LOCATION, SET_COOKIE};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use url::Url;

use super::installed::installed;
use super::process::{Ending, Process};
use super::wait::DEADLINE;

/// Who our servers are to the provider.
pub const CLIENT_ID: &str = "confab";
/// Their secret, sent as HTTP Basic.
pub const CLIENT_SECRET: &str = "a-secret-that-only-tests-know";
/// What an access token for our API says in `aud`.
pub const AUDIENCE: &str = "confab-api";

/// What is asked for to get such a token (RFC 8707).
const RESOURCE: &str = "urn:confab:api";
/// A provider sends a browser round four times; more is a circle.
const MOST_REDIRECTS: usize = 10;

/// One provider with keys of its own, gone with this value. Any name can sign in: `ada` is `sub-ada` with the verified
/// address ada@example.org; the address of a name that begins with `unverified` is not verified, and one that begins
/// with `refuses` declines to sign in.
pub struct Provider {
    _process: Process,
    client: reqwest::Client,
    issuer: String,
}

impl Provider {
    /// Starts a provider that knows our client.
    pub async fn start() -> Self {
        let lock = installed("oidc/installed-lock.json", "npm package oidc-provider");
        let path = std::env::var_os("PATH").unwrap_or_default();
        assert!(
            std::env::split_paths(&path).any(|folder| folder.join("node").is_file()),
            "node is missing: run ops/install (package nodejs)"
        );
        let mut command = Command::new("node");
        command
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oidc/provider.mjs"))
            .current_dir(lock.parent().expect("a file stands in a folder"))
            .env_remove("NODE_OPTIONS");
        let mut process = Process::start("oidc provider", command, Ending::Kill);
        let line = process.line_with("oidc provider listening on ").await;
        let issuer = line.rsplit(' ').next().expect("a line has a last word").to_owned();
        let client = reqwest::Client::builder()
            .timeout(DEADLINE)
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .expect("a client without TLS always builds");
        Self { _process: process, client, issuer }
    }

    /// What `iss` says, and where discovery starts.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Adds an address that people may be sent back to with a code.
    pub async fn allow_redirect(&self, uri: &str) {
        self.steer("redirect-uris", &json!({ "uris": [uri] })).await;
    }

    /// Plays the browser of `name` from the authorization address that our server made until the provider sends it
    /// back, and returns that last address: the callback with its code and state, or with its error.
    pub async fn follow(&self, url: &str, name: &str) -> String {
        let mut next = Url::parse(url).unwrap_or_else(|error| panic!("{error}: {url}"));
        let back = next
            .query_pairs()
            .find(|(parameter, _)| parameter == "redirect_uri")
            .map_or_else(|| panic!("no redirect_uri in {url}"), |(_, value)| value.into_owned());
        next.query_pairs_mut().append_pair("login_hint", name);
        let mut cookies = BTreeMap::new();
        for _ in 0..MOST_REDIRECTS {
            let request = self.client.get(next.clone()).header(COOKIE, cookie_header(&cookies));
            let answer = request.send().await.expect("the provider answers");
            keep_cookies(&mut cookies, answer.headers());
            let place =
                answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
            let Some(place) = place else {
                let (status, text) = (answer.status(), answer.text().await.unwrap_or_default());
                panic!("{name} was not sent on from {next}: {status} {text}");
            };
            next = next.join(&place).unwrap_or_else(|error| panic!("{error}: {place}"));
            if next.as_str().starts_with(&back) {
                return next.into();
            }
        }
        panic!("{name} was sent in circles, last to {next}");
    }

    /// What the token endpoint gives `name` for our API: `access_token` (a JWT), `id_token` and what goes with them.
    /// No server of ours takes part, and nothing but the token endpoint is counted.
    pub async fn tokens(&self, name: &str) -> Value {
        let redirect_uri = format!("{}/callback", self.issuer);
        let verifier = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(&verifier));
        let mut start = Url::parse(&format!("{}/auth", self.issuer)).expect("the issuer is an address");
        start.query_pairs_mut().extend_pairs([
            ("client_id", CLIENT_ID),
            ("response_type", "code"),
            ("scope", "openid profile email"),
            ("resource", RESOURCE),
            ("redirect_uri", redirect_uri.as_str()),
            ("code_challenge", challenge.as_str()),
            ("code_challenge_method", "S256"),
        ]);
        let callback = self.follow(start.as_str(), name).await;
        let callback = Url::parse(&callback).expect("an address");
        let code = callback
            .query_pairs()
            .find(|(parameter, _)| parameter == "code")
            .map_or_else(|| panic!("{name} got no code: {callback}"), |(_, value)| value.into_owned());
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", redirect_uri.as_str()),
            ("code_verifier", verifier.as_str()),
            ("resource", RESOURCE),
        ];
        let request = self.client.post(format!("{}/token", self.issuer));
        answer(request.basic_auth(CLIENT_ID, Some(CLIENT_SECRET)).form(&form)).await
    }

    /// A genuine access token of `name` for our API.
    pub async fn access_token(&self, name: &str) -> String {
        self.tokens(name).await["access_token"].as_str().expect("an access token is text").to_owned()
    }

    /// The header and the claims of such a token, for a test to spoil one thing in and have signed again.
    pub async fn token_parts(&self, name: &str) -> (Value, Value) {
        let token = self.access_token(name).await;
        let mut parts = token.split('.').map(|part| {
            let text = URL_SAFE_NO_PAD.decode(part).expect("base64");
            serde_json::from_slice(&text).expect("JSON")
        });
        (parts.next().expect("a header"), parts.next().expect("claims"))
    }

    /// A token of exactly this header and these claims. RS256 and PS256 are signed with the key in use; HS256 takes the
    /// public key for a shared secret, and `none` has no signature.
    pub async fn sign(&self, header: &Value, claims: &Value) -> String {
        let signed = self.steer("sign", &json!({ "header": header, "claims": claims })).await;
        signed["token"].as_str().expect("a token is text").to_owned()
    }

    /// Says who `name` in `account` is from now on: `{"name": "ada", "email": …}`. `name` is who signs in, `full_name`
    /// the claim called name, and the rest are claims such as `sub` and `email_verified`; null leaves one out.
    pub async fn account(&self, account: &Value) {
        self.steer("accounts", account).await;
    }

    /// Signs with a new key from now on. The old one stays published where `keep` says so.
    pub async fn rotate(&self, keep: bool) {
        self.steer("rotate", &json!({ "keep": keep })).await;
    }

    /// Makes the keys' address answer 503, or lets it answer again.
    pub async fn jwks_down(&self, down: bool) {
        self.steer("jwks-down", &json!({ "down": down })).await;
    }

    /// How often `discovery`, `jwks`, `token` and `userinfo` were asked for, answered or not.
    pub async fn counts(&self) -> Value {
        answer(self.client.get(format!("{}/control/counts", self.issuer))).await
    }

    async fn steer(&self, action: &str, body: &Value) -> Value {
        answer(self.client.post(format!("{}/control/{action}", self.issuer)).json(body)).await
    }
}

async fn answer(request: RequestBuilder) -> Value {
    let answer = request.send().await.expect("the provider answers");
    let (url, status) = (answer.url().clone(), answer.status());
    let text = answer.text().await.expect("the provider's answer ends");
    assert!(status.is_success(), "{url} answered {status}: {text}");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{url}: not JSON ({error}): {text}"))
}

/// Paths are left aside: the provider gives each cookie a name of its own, and this browser lives for one sign-in.
fn cookie_header(cookies: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("; ")
}

/// A cookie without a value is one that the provider takes back.
fn keep_cookies(cookies: &mut BTreeMap<String, String>, headers: &HeaderMap) {
    for header in headers.get_all(SET_COOKIE) {
        let text = header.to_str().expect("a cookie is text");
        let pair = text.split(';').next().unwrap_or_default();
        let (name, value) = pair.split_once('=').unwrap_or_else(|| panic!("not a cookie: {text}"));
        if value.is_empty() {
            cookies.remove(name);
        } else {
            cookies.insert(name.to_owned(), value.to_owned());
        }
    }
}
