//! Something fetched that is used for a while: one fetch at a time, not too often, and the old while there is no new.

use std::fmt::Display;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedMutexGuard;

/// How long a value serves.
#[derive(Clone, Copy)]
pub struct Terms {
    /// Without being fetched again.
    pub fresh: Duration,
    /// While it cannot be fetched again.
    pub stale: Duration,
    /// Between two fetches while there is a value.
    pub apart: Duration,
    /// Between two fetches while there is none.
    pub apart_without: Duration,
}

/// A value of another place.
pub struct Cached<T>(Arc<Inner<T>>);

struct Inner<T> {
    what: &'static str,
    terms: Terms,
    state: Mutex<State<T>>,
    /// Held through a fetch, and only then.
    turn: Arc<tokio::sync::Mutex<()>>,
}

struct State<T> {
    held: Option<(Arc<T>, Instant)>,
    /// When it was last fetched for its age.
    asked: Option<Instant>,
    /// When it was last fetched because it lacked something. Apart from the other: what changed a moment after a fetch
    /// is found at once, and who asks for what there is not makes one fetch a minute.
    sought: Option<Instant>,
}

/// Why it is fetched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Cause {
    Age,
    Lack,
}

impl<T> Clone for Cached<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Send + Sync + 'static> Cached<T> {
    /// Nothing yet. `what` is for the log.
    pub fn new(what: &'static str, terms: Terms) -> Self {
        let state = Mutex::new(State { held: None, asked: None, sought: None });
        Self(Arc::new(Inner { what, terms, state, turn: Arc::default() }))
    }

    /// The value, fetched by `load` where it is time to. `None` when there is none that may be used.
    pub async fn get<E, F>(&self, load: F) -> Option<Arc<T>>
    where
        E: Display + Send,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let turn = Arc::clone(&self.0.turn);
        let Some((value, since)) = self.held() else {
            let turn = turn.lock_owned().await;
            // Whoever had the turn before may have fetched it.
            if self.held().is_none() {
                self.load(turn, Cause::Age, load).await;
            }
            return self.held().map(|(value, _)| value);
        };
        if since.elapsed() < self.0.terms.fresh {
            return Some(value);
        }
        // While somebody fetches it, the old serves: a slow issuer must not stop everybody.
        let Ok(turn) = turn.try_lock_owned() else { return Some(value) };
        self.load(turn, Cause::Age, load).await;
        self.held().map(|(value, _)| value)
    }

    /// The value that came after `seen`, which lacked something; `seen` again where it is too early to fetch.
    pub async fn after<E, F>(&self, seen: Arc<T>, load: F) -> Arc<T>
    where
        E: Display + Send,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        let turn = Arc::clone(&self.0.turn).lock_owned().await;
        if self.held().is_some_and(|(value, _)| Arc::ptr_eq(&value, &seen)) {
            self.load(turn, Cause::Lack, load).await;
        }
        self.held().map_or(seen, |(value, _)| value)
    }

    fn held(&self) -> Option<(Arc<T>, Instant)> {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.held.clone().filter(|(_, since)| since.elapsed() < self.0.terms.stale)
    }

    /// Fetches, when the last fetch was long enough ago.
    ///
    /// In a task of its own: whoever asks for a value and hangs up would otherwise end the fetch, and by doing so again
    /// and again keep the value from ever being renewed.
    async fn load<E, F>(&self, turn: OwnedMutexGuard<()>, cause: Cause, load: F)
    where
        E: Display + Send,
        F: Future<Output = Result<T, E>> + Send + 'static,
    {
        if !self.is_time(cause) {
            return;
        }
        let this = self.clone();
        let task = tokio::spawn(async move {
            let loaded = load.await;
            let mut state = this.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            // The pause begins at the end: those who waited through a slow failure must not each wait for another.
            state.asked = Some(Instant::now());
            match loaded {
                Ok(value) => state.held = Some((Arc::new(value), Instant::now())),
                Err(error) => tracing::warn!(%error, "{} could not be fetched", this.0.what),
            }
            drop(state);
            drop(turn);
        });
        if let Err(error) = task.await {
            tracing::error!(%error, "fetching {} ended early", self.0.what);
        }
    }

    fn is_time(&self, cause: Cause) -> bool {
        let terms = self.0.terms;
        let apart = if self.held().is_some() { terms.apart } else { terms.apart_without };
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        let last = if cause == Cause::Lack { &mut state.sought } else { &mut state.asked };
        if last.is_some_and(|at| at.elapsed() < apart) {
            return false;
        }
        *last = Some(Instant::now());
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const LONG: Duration = Duration::from_secs(1_000);
    const NONE: Duration = Duration::ZERO;

    struct Source {
        calls: Arc<AtomicU32>,
        cached: Cached<u32>,
    }

    impl Source {
        fn new(fresh: Duration, stale: Duration, apart: Duration) -> Self {
            let terms = Terms { fresh, stale, apart, apart_without: apart };
            Self { calls: Arc::default(), cached: Cached::new("a number", terms) }
        }

        fn load(&self, fails: bool) -> impl Future<Output = Result<u32, String>> + Send + 'static {
            let calls = Arc::clone(&self.calls);
            async move {
                let call = calls.fetch_add(1, Ordering::SeqCst) + 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
                if fails { Err("down".into()) } else { Ok(call) }
            }
        }

        async fn get(&self, fails: bool) -> Option<u32> {
            self.cached.get(self.load(fails)).await.map(|it| *it)
        }

        fn calls(&self) -> u32 {
            self.calls.load(Ordering::SeqCst)
        }
    }

    #[tokio::test]
    async fn many_who_ask_make_one_fetch() {
        let source = Source::new(LONG, LONG, LONG);
        let (one, two, three) = tokio::join!(source.get(false), source.get(false), source.get(false));
        assert_eq!((one, two, three), (Some(1), Some(1), Some(1)));
        assert_eq!(source.get(false).await, Some(1), "fresh");
        let seen = source.cached.get(source.load(false)).await.expect("a value");
        assert_eq!(source.calls(), 1);
        let renewed = source.cached.after(seen, source.load(false)).await;
        assert_eq!(*renewed, 2, "what it lacks may have come since");
        assert_eq!(*source.cached.after(renewed, source.load(false)).await, 2, "too early");
        assert_eq!(source.calls(), 2);
    }

    #[tokio::test]
    async fn the_old_serves_while_there_is_no_new() {
        let source = Source::new(NONE, LONG, NONE);
        assert_eq!(source.get(false).await, Some(1));
        assert_eq!(source.get(true).await, Some(1), "stale");
        assert_eq!(source.get(false).await, Some(3), "renewed");
        let old = Source::new(NONE, NONE, NONE);
        assert_eq!(old.get(false).await, None, "too old at once");
    }

    #[tokio::test]
    async fn failures_are_not_repeated_by_everybody_who_waited() {
        let source = Source::new(LONG, LONG, LONG);
        let (one, two) = tokio::join!(source.get(true), source.get(true));
        assert_eq!((one, two), (None, None));
        assert_eq!(source.calls(), 1);
    }

    #[tokio::test]
    async fn a_value_that_lacks_something_is_renewed_once() {
        let source = Source::new(LONG, LONG, NONE);
        let seen = source.cached.get(source.load(false)).await.expect("a value");
        let after = || source.cached.after(Arc::clone(&seen), source.load(false));
        let (one, two) = tokio::join!(after(), after());
        assert_eq!((*one, *two), (2, 2));
        assert_eq!(source.calls(), 2);
    }

    #[tokio::test]
    async fn hanging_up_does_not_end_a_fetch() {
        let source = Source::new(LONG, LONG, LONG);
        let hurried = tokio::time::timeout(Duration::from_millis(2), source.get(false)).await;
        assert!(hurried.is_err(), "hung up");
        assert_eq!(source.get(false).await, Some(1));
        assert_eq!(source.calls(), 1);
    }
}
