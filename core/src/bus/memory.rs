//! The bus inside one process: services called directly, signals by broadcast; events are read from the log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::broadcast;

use super::wire::Wire;
use super::{SIGNALS, Service, Signal};
use crate::fault::{Fault, Result};

/// See the module.
#[derive(Clone)]
pub struct Memory {
    signals: broadcast::Sender<Signal>,
    services: Arc<Mutex<HashMap<&'static str, Service>>>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self { signals: broadcast::channel(SIGNALS).0, services: Arc::default() }
    }

    pub(super) fn signal(&self, signal: Signal) {
        // An error only means that nobody listens.
        let _ = self.signals.send(signal);
    }

    pub(super) fn signals(&self) -> broadcast::Receiver<Signal> {
        self.signals.subscribe()
    }

    pub(super) async fn ask(&self, service: &'static str, question: Bytes) -> Result<serde_json::Value> {
        let answer = self.services.lock().unwrap_or_else(PoisonError::into_inner).get(service).cloned();
        match answer {
            Some(answer) => Wire::from(answer(question).await).into_result(),
            None => Err(Fault::Unavailable("the worker")),
        }
    }

    pub(super) fn serve(&self, service: &'static str, answer: Service) {
        self.services.lock().unwrap_or_else(PoisonError::into_inner).insert(service, answer);
    }
}
