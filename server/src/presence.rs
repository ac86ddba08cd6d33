//! Keeps this server's devices in the record, and tells everybody when somebody's dot or words change.
//!
//! The record is what other servers see. What it could not take is tried again; what it lost because this server seemed
//! gone is announced anew.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use confab_core::bus::Signal;
use confab_core::{Bus, Db, FutureExt, Result, presences};
use confab_protocol::UserId;
use confab_protocol::gateway::{Presence, PresenceStatus};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::state::App;

/// Between two looks: four times within the lease, so that one slow write loses nobody.
const TICK: Duration = Duration::from_millis(2_500);
/// Hours of quiet begin and end by the minute; they are looked at every so many ticks.
const QUIET_TICKS: u32 = 6;

struct Device {
    user: UserId,
    status: PresenceStatus,
    /// The record has it as it stands here.
    is_noted: bool,
    is_gone: bool,
}

/// The devices of this server.
pub struct Keeper {
    node: Uuid,
    devices: Mutex<HashMap<Uuid, Device>>,
}

impl Default for Keeper {
    fn default() -> Self {
        Self { node: Uuid::now_v7(), devices: Mutex::default() }
    }
}

impl Keeper {
    /// A device came, or says something else of itself.
    pub async fn arrive(&self, db: &Db, bus: &Bus, device: Uuid, user: UserId, status: PresenceStatus) {
        self.with(|devices| {
            devices.insert(device, Device { user, status, is_noted: false, is_gone: false });
        });
        self.note(db, bus, device).await;
    }

    /// A device went.
    pub async fn leave(&self, db: &Db, bus: &Bus, device: Uuid) {
        self.with(|devices| {
            if let Some(device) = devices.get_mut(&device) {
                (device.is_gone, device.is_noted) = (true, false);
            }
        });
        self.note(db, bus, device).await;
    }

    fn with<T>(&self, work: impl FnOnce(&mut HashMap<Uuid, Device>) -> T) -> T {
        work(&mut self.devices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Brings one device's row to what stands here. A failure is left for the next tick.
    async fn note(&self, db: &Db, bus: &Bus, device: Uuid) {
        let known = self.with(|devices| devices.get(&device).map(|it| (it.user, it.status, it.is_gone)));
        let Some((user, status, is_gone)) = known else { return };
        let node = self.node;
        let noted = if is_gone {
            db.write(move |tx| async move { presences::leave(tx, device, user).await }.boxed()).await
        } else {
            db.write(move |tx| async move { presences::arrive(tx, node, device, user, status).await }.boxed())
                .await
        };
        match noted {
            Ok(news) => {
                let is_known = self.with(|devices| {
                    if is_gone {
                        devices.remove(&device);
                    } else if let Some(it) = devices.get_mut(&device).filter(|it| it.status == status) {
                        it.is_noted = !it.is_gone;
                    }
                    is_gone || devices.contains_key(&device)
                });
                tell(bus, news).await;
                if !is_known {
                    // It went while it was announced once more: nobody else would ever take it away.
                    self.with(|devices| {
                        devices.insert(device, Device { user, status, is_noted: false, is_gone: true });
                    });
                }
            }
            Err(fault) => tracing::debug!(%fault, "a presence was not noted yet"),
        }
    }

    fn forget_notes(&self) {
        self.with(|devices| devices.values_mut().for_each(|it| it.is_noted = false));
    }

    fn not_noted(&self) -> Vec<Uuid> {
        self.with(|devices| devices.iter().filter(|it| !it.1.is_noted).map(|it| *it.0).collect())
    }
}

/// Tells every server what shows now.
pub async fn tell(bus: &Bus, news: impl IntoIterator<Item = Presence>) {
    for presence in news {
        bus.signal(Signal::Presence(presence)).await;
    }
}

/// Keeps presences until `stop`.
pub async fn keep(app: App, stop: CancellationToken) {
    let mut ticks = 0_u32;
    while stop.run_until_cancelled(tokio::time::sleep(TICK)).await.is_some() {
        ticks = ticks.wrapping_add(1);
        if let Err(fault) = tick(&app, ticks).await {
            tracing::debug!(%fault, "presences are kept a moment later");
        }
    }
    let node = app.presences.node;
    // Its sockets have gone one by one; what is left others take at once.
    let retired = app.db.write(move |tx| async move { presences::retire(tx, node).await }.boxed()).await;
    if let Err(fault) = retired {
        tracing::debug!(%fault, "others will notice that this server is gone");
    }
}

async fn tick(app: &App, ticks: u32) -> Result<()> {
    let node = app.presences.node;
    if !app.db.is_embedded() {
        let is_known =
            app.db.write(move |tx| async move { presences::renew(tx, node).await }.boxed()).await?;
        if !is_known {
            app.presences.forget_notes();
        }
        while presences::has_dead(&mut app.db.read()).await? {
            let taken = app.db.write(|tx| presences::take_over(tx).boxed()).await?;
            let Some(changed) = taken else { break };
            tell(&app.bus, changed).await;
        }
    }
    for device in app.presences.not_noted() {
        app.presences.note(&app.db, &app.bus, device).await;
    }
    if presences::has_expired(&mut app.db.read()).await? {
        let expired = app.db.write(|tx| presences::expire(tx).boxed()).await?;
        tell(&app.bus, expired).await;
    }
    if ticks.is_multiple_of(QUIET_TICKS) {
        for user in presences::stale(&mut app.db.read(), node).await? {
            let news =
                app.db.write(move |tx| async move { presences::refresh(tx, user).await }.boxed()).await?;
            tell(&app.bus, news).await;
        }
    }
    Ok(())
}
