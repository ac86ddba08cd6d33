//! The bus inside one process: services called directly, signals by broadcast; events are read from the log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::broadcast;

use super::streams;
use super::wire::Wire;
use super::{Answers, SIGNALS, Service, Signal, StreamService};
use crate::fault::{Fault, Result};

/// See the module.
#[derive(Clone)]
pub struct Memory {
    signals: broadcast::Sender<Signal>,
    services: Arc<Mutex<HashMap<&'static str, Service>>>,
    in_pieces: Arc<Mutex<HashMap<&'static str, StreamService>>>,
}

impl Memory {
    pub(super) fn new() -> Self {
        Self { signals: broadcast::channel(SIGNALS).0, services: Arc::default(), in_pieces: Arc::default() }
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

    pub(super) fn ask_for_pieces(&self, service: &'static str, question: Bytes) -> Result<Answers> {
        let answer = self.in_pieces.lock().unwrap_or_else(PoisonError::into_inner).get(service).cloned();
        let answer = answer.ok_or(Fault::Unavailable("the worker"))?;
        let (listener, answers) = streams::pair();
        tokio::spawn(answer(question, listener));
        Ok(answers)
    }

    pub(super) fn serve_pieces(&self, service: &'static str, answer: StreamService) {
        self.in_pieces.lock().unwrap_or_else(PoisonError::into_inner).insert(service, answer);
    }
}
