//! What every handler shares.

use std::ops::Deref;
use std::sync::Arc;

use confab_core::{Bus, Db, Settings};
use metrics_exporter_prometheus::PrometheusHandle;

use crate::activity::Activity;
use crate::due::Due;
use crate::egress::Egress;
use crate::file_care::FileCare;
use crate::gateway::Hub;
use crate::intake::Receiving;
use crate::limits::Limits;
use crate::mail::Mailer;
use crate::oidc::Issuer;
use crate::picture_places::PicturePlaces;
use crate::presence::Keeper;
use crate::push::Pusher;
use crate::storage::Storage;
use crate::tokens::Tokens;
use crate::transfers::Transfers;
use crate::voice::Rooms;

/// The server's parts. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// See [`App`].
pub struct Parts {
    /// The record.
    pub db: Db,
    /// How the parts hear of each other.
    pub bus: Bus,
    /// What the operator chose.
    pub settings: Settings,
    /// Who is calling.
    pub tokens: Arc<Tokens>,
    /// The sockets.
    pub hub: Hub,
    /// Wakes what waits for its time.
    pub due: Due,
    /// How often callers may call.
    pub limits: Limits,
    /// The bytes of uploads and of people's pictures.
    pub storage: Storage,
    /// What files need after they came.
    pub file_care: FileCare,
    /// How many pictures may be decoded at once, and of one person.
    pub picture_places: PicturePlaces,
    /// What is being received, and of whom.
    pub receiving: Receiving,
    /// The outside issuer.
    pub outside: Option<Arc<Issuer>>,
    /// The way out to addresses that people write.
    pub egress: Egress,
    /// How mail leaves.
    pub mail: Option<Mailer>,
    /// How browsers are pushed to.
    pub push: Pusher,
    /// Whose devices are here.
    pub presences: Keeper,
    /// Imports and exports, one at a time.
    pub transfers: Transfers,
    /// Who talks where.
    pub voice: Arc<Rooms>,
    /// How much is written.
    pub activity: Activity,
    /// Renders the figures.
    pub metrics: PrometheusHandle,
    /// The address that is listened on, for links when no public address is set.
    pub local_url: String,
}

impl App {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Where somebody chooses a new password. The secret stands in the fragment, which no log keeps.
    #[must_use]
    pub fn reset_url(&self, secret: &str) -> String {
        format!("{}/reset#{secret}", self.public_url())
    }

    /// The address that people use, without a slash at its end.
    #[must_use]
    pub fn public_url(&self) -> &str {
        self.settings.public_url.as_deref().unwrap_or(&self.local_url)
    }
}

impl Deref for App {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.0
    }
}
