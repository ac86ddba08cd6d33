//! The instance of one call.

use super::Plugin;
use crate::call::Call;
use crate::host::Host;
use crate::kept::Kept;
use crate::outcome::CallError;
use crate::runtime::Runtime;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::SemaphorePermit;
use wasmtime::Store;
use wasmtime::component::Instance;

/// The instance of one call. When the call is over it is kept if it may be, and gone with its store if not.
pub(super) struct Held<'p> {
    plugin: &'p Plugin,
    store: Option<Store<Call>>,
    instance: Option<Instance>,
    calls: u32,
    since: Instant,
    /// Whether the call came to its end: after a trap or a deadline nobody knows what state an instance is in.
    pub(super) is_sound: bool,
    _place: Option<SemaphorePermit<'p>>,
}

impl Plugin {
    /// An instance that was kept, or none yet, as soon as there is a place for its call.
    pub(super) async fn hold(&self) -> Held<'_> {
        let idle = self.runtime.idle();
        let (place, kept) = if self.is_kept() {
            let place = idle.place().await;
            (place, idle.take(self.number))
        } else {
            (self.runtime.place().await, None)
        };
        let mut held = Held {
            plugin: self,
            store: None,
            instance: None,
            calls: 0,
            since: Instant::now(),
            is_sound: false,
            _place: place,
        };
        if let Some(Kept { store, instance, calls, since }) = kept {
            (held.store, held.instance) = (Some(store), Some(instance));
            (held.calls, held.since) = (calls, since);
        }
        held
    }
}

impl Held<'_> {
    /// Makes the instance ready, a new one if none was kept.
    pub(super) async fn begin(
        &mut self,
        host: Arc<dyn Host>,
        cpu: Duration,
    ) -> wasmtime::Result<(&mut Store<Call>, Instance)> {
        let plugin = self.plugin;
        let store =
            self.store.get_or_insert_with(|| Runtime::store(plugin.component.engine(), &plugin.limits));
        Runtime::begin(store, host, &plugin.limits, cpu)?;
        let instance = match self.instance {
            Some(instance) => instance,
            None => *self.instance.insert(plugin.component.instantiate_async(&mut *store).await?),
        };
        self.calls += 1;
        Ok((store, instance))
    }

    /// Takes bytes of an answer off the budget.
    pub(super) fn take_in(&mut self, bytes: usize) -> Result<(), CallError> {
        let taken = self.store.as_mut().map_or(Ok(()), |store| store.data_mut().take_in(bytes));
        Ok(taken?)
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        let (Some(mut store), Some(instance)) = (self.store.take(), self.instance) else { return };
        if self.is_sound && self.plugin.is_kept() {
            store.data_mut().end();
            let kept = Kept { store, instance, calls: self.calls, since: self.since };
            self.plugin.runtime.idle().put(self.plugin.number, kept);
        }
    }
}
