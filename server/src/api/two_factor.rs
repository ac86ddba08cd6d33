//! The second factor of one's own account.

use confab_core::{Fault, FutureExt, Result, sign_in, two_factor};
use poem_openapi::payload::Json;
use poem_openapi::{Object, OpenApi};
use qrcode::QrCode;
use qrcode::render::svg;

use super::auth::{Done, Entrant};
use super::strict::Text;
use super::{Answer, Area, app};
use crate::state::App;

/// Pixels of the picture to scan, at least.
const PICTURE_SIDE: u32 = 220;

#[derive(Object)]
#[oai(rename = "TwoFactorState")]
struct State {
    /// Codes are asked for at sign-in.
    enabled: bool,
    /// This server asks this session's user for a second factor.
    required: bool,
    recovery_codes_left: i64,
}

#[derive(Debug, Object)]
struct TwoFactorStart {
    password: Text,
}

/// What to put into the device.
#[derive(Object)]
struct TwoFactorBegun {
    /// In base 32, to type.
    secret: String,
    /// The same as a link.
    otpauth_url: String,
    /// The same as a picture to scan: an SVG document.
    qr_svg: String,
}

#[derive(Debug, Object)]
struct TwoFactorConfirmation {
    /// What the device shows now.
    code: Text,
}

#[derive(Debug, Object)]
struct TwoFactorProof {
    password: Text,
    /// What the device shows now, or a recovery code.
    code: Text,
}

/// Shown this once.
#[derive(Object)]
struct RecoveryCodes {
    recovery_codes: Vec<String>,
}

pub struct TwoFactor(pub Option<App>);

#[OpenApi(tag = "Area::Auth")]
impl TwoFactor {
    /// What is set up.
    #[oai(path = "/auth/two-factor", method = "get")]
    async fn state(&self, caller: Entrant) -> Answer<Json<State>> {
        let state =
            two_factor::state(&mut app(&self.0)?.db.read(), caller.0.user_id, caller.0.live.method).await?;
        let two_factor::State { enabled, required, recovery_codes_left } = state;
        Ok(Json(State { enabled, required, recovery_codes_left }))
    }

    /// Begins to set it up. It counts once a first code was confirmed.
    #[oai(path = "/auth/two-factor/start", method = "post")]
    async fn start(&self, caller: Entrant, body: Json<TwoFactorStart>) -> Answer<Json<TwoFactorBegun>> {
        let app = app(&self.0)?;
        prove_password(app, &caller, body.0.password).await?;
        let user = caller.0.user_id;
        let begun = app.db.write(move |tx| async move { two_factor::start(tx, user).await }.boxed()).await?;
        let qr_svg = picture(&begun.otpauth_url)?;
        Ok(Json(TwoFactorBegun { secret: begun.secret, otpauth_url: begun.otpauth_url, qr_svg }))
    }

    /// Finishes setting it up with a first code, and answers the recovery codes.
    #[oai(path = "/auth/two-factor/confirm", method = "post")]
    async fn confirm(
        &self,
        caller: Entrant,
        body: Json<TwoFactorConfirmation>,
    ) -> Answer<Json<RecoveryCodes>> {
        let app = app(&self.0)?;
        caller.0.in_person()?;
        let (by, user, code) = (caller.0.actor(), caller.0.user_id, body.0.code.0);
        let recovery_codes = app
            .db
            .write(move |tx| async move { two_factor::confirm(tx, &by, user, &code).await }.boxed())
            .await?;
        app.tokens.forget_all();
        Ok(Json(RecoveryCodes { recovery_codes }))
    }

    /// Fresh recovery codes; the old ones are void.
    #[oai(path = "/auth/two-factor/recovery-codes", method = "post")]
    async fn renew(&self, caller: Entrant, body: Json<TwoFactorProof>) -> Answer<Json<RecoveryCodes>> {
        let app = app(&self.0)?;
        prove(app, &caller, body.0).await?;
        let (by, user) = (caller.0.actor(), caller.0.user_id);
        let recovery_codes = app
            .db
            .write(move |tx| async move { two_factor::renew_recovery_codes(tx, &by, user).await }.boxed())
            .await?;
        Ok(Json(RecoveryCodes { recovery_codes }))
    }

    /// Gives it up.
    #[oai(path = "/auth/two-factor/disable", method = "post")]
    async fn disable(&self, caller: Entrant, body: Json<TwoFactorProof>) -> Answer<Done> {
        let app = app(&self.0)?;
        prove(app, &caller, body.0).await?;
        let (by, user) = (caller.0.actor(), caller.0.user_id);
        app.db.write(move |tx| async move { two_factor::disable(tx, &by, user).await }.boxed()).await?;
        app.tokens.forget_all();
        Ok(Done::NoContent)
    }
}

/// A stolen session must not be a way to try passwords, nor to take an account over by adding a device.
async fn prove_password(app: &App, caller: &Entrant, password: Text) -> Result<()> {
    caller.0.in_person()?;
    sign_in::prove_password(&app.db, caller.0.user_id, password.0, "password", app.limits.is_on()).await
}

async fn prove(app: &App, caller: &Entrant, proof: TwoFactorProof) -> Result<()> {
    prove_password(app, caller, proof.password).await?;
    let (by, user) = (caller.0.actor(), caller.0.user_id);
    sign_in::prove_second_factor(&app.db, by, user, proof.code.0, app.limits.is_on()).await
}

fn picture(url: &str) -> Result<String> {
    let code = QrCode::new(url.as_bytes()).map_err(Fault::internal)?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(PICTURE_SIDE, PICTURE_SIDE).build())
}
