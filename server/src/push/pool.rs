//! Keeps a bounded number of pushes under way: as soon as one has ended, another begins. Browsers whose person or host has
//! no place left are passed by; what waits for them waits in the record.

use std::collections::{HashMap, HashSet};
use std::pin::pin;
use std::time::Duration;

use confab_core::push::{self, Browser, Full, LOOKED_AT};
use confab_core::{FutureExt, Result};
use futures_util::StreamExt;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;
use uuid::Uuid;

use super::places::Places;
use super::{host, sender};
use crate::errands::Rounds;
use crate::state::App;

/// What a look that passed somebody by has seen holds for so long: it reads all that waits for a slow host, and is not made
/// again with each push that ends.
const APART: Duration = Duration::from_millis(500);

/// Sends what is due until `stop`.
pub async fn send_all(app: App, stop: CancellationToken) {
    let rounds = futures_util::stream::unfold(Rounds::new(&app.db), |mut rounds| async move {
        rounds.next().await;
        Some(((), rounds))
    });
    let mut rounds = pin!(rounds);
    let mut pool = Pool {
        app,
        places: Places::default(),
        seen: Vec::new(),
        look: Look::default(),
        under_way: JoinSet::new(),
        whose: HashMap::new(),
    };
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = rounds.next() => pool.look.forget(),
            Some(ended) = pool.under_way.join_next_with_id() => pool.ended(&ended),
        }
        if let Err(fault) = pool.fill().await {
            tracing::debug!(%fault, "what is to be pushed waits a moment");
        }
    }
    // What was given to a service is noted as such, or it would come twice.
    while pool.under_way.join_next().await.is_some() {}
}

/// A browser that waits for its turn, and whose it is.
struct Waiting {
    id: Uuid,
    user: Uuid,
    host: String,
}

struct Pool {
    app: App,
    places: Places,
    /// Who waits, as the last look saw it.
    seen: Vec<Waiting>,
    look: Look,
    under_way: JoinSet<bool>,
    whose: HashMap<Id, Waiting>,
}

/// What the last look that came to the end has seen.
#[derive(Default)]
struct Look {
    /// Besides these nobody waited then.
    nothing_beside: Option<(Instant, Full)>,
}

impl Look {
    /// Somebody may have come since.
    fn forget(&mut self) {
        self.nothing_beside.take_if(|(_, passed_by)| passed_by.is_empty());
    }

    /// Whether somebody may be found who is none of `full`.
    fn is_worth_it(&self, full: &Full) -> bool {
        self.nothing_beside.as_ref().is_none_or(|(at, passed_by)| {
            !passed_by.is_within(full) || (!passed_by.is_empty() && at.elapsed() >= APART)
        })
    }
}

impl Pool {
    fn ended(&mut self, ended: &Result<(Id, bool), JoinError>) {
        let id = match ended {
            Ok((id, has_more)) => {
                if *has_more {
                    self.look.forget();
                }
                *id
            }
            Err(error) => {
                tracing::warn!(%error, "a push ended badly and is sent again when its time is over");
                error.id()
            }
        };
        if let Some(waiting) = self.whose.remove(&id) {
            self.places.give_back(waiting.user, &waiting.host);
        }
    }

    /// Begins as many as there are places for.
    async fn fill(&mut self) -> Result<()> {
        loop {
            let mut chosen = self.choose();
            if chosen.is_empty() {
                let full = self.places.full();
                if !self.places.are_all_taken() && self.look.is_worth_it(&full) {
                    self.look(full).await?;
                    chosen = self.choose();
                }
            }
            if chosen.is_empty() {
                return Ok(());
            }
            self.begin(chosen).await?;
        }
    }

    /// Takes places for those who have waited longest, of whom there are places for.
    fn choose(&mut self) -> Vec<Waiting> {
        let places = &mut self.places;
        self.seen.extract_if(.., |it| places.take(it.user, &it.host)).collect()
    }

    /// Sees who waits, besides those of `full`. Nobody comes twice.
    async fn look(&mut self, full: Full) -> Result<()> {
        let db = &self.app.db;
        let found = loop {
            let found = push::look(&mut db.read(), &full).await?;
            let unnamed: Vec<(Uuid, String)> =
                found.iter().filter(|it| it.host.is_none()).map(|it| (it.id, host_of(it))).collect();
            if !unnamed.is_empty() {
                db.write(move |tx| async move { push::name_hosts(tx, &unnamed).await }.boxed()).await?;
            }
            let held: Vec<Uuid> = found.iter().filter(|it| it.is_held()).map(|it| it.id).collect();
            let hides_others = !held.is_empty() && found.len() as i64 >= LOOKED_AT;
            if !held.is_empty() {
                db.write(move |tx| async move { push::put_off(tx, &held).await }.boxed()).await?;
            }
            if !hides_others {
                break found;
            }
        };
        if (found.len() as i64) < LOOKED_AT {
            self.look.nothing_beside = Some((Instant::now(), full));
        }
        let mut known = HashSet::new();
        self.seen = found
            .into_iter()
            .filter(|it| !it.is_held() && known.insert(it.id))
            .map(|it| Waiting { id: it.id, user: it.user_id, host: host_of(&it) })
            .collect();
        Ok(())
    }

    /// Claims for those who have places, and sends. Whoever another server was faster with gives the place back.
    async fn begin(&mut self, chosen: Vec<Waiting>) -> Result<()> {
        let ids: Vec<Uuid> = chosen.iter().map(|it| it.id).collect();
        let claimed = self.app.db.write(move |tx| async move { push::claim(tx, &ids).await }.boxed()).await;
        let (mut claimed, fault) = match claimed {
            Ok(claimed) => (claimed, Ok(())),
            Err(fault) => (Vec::new(), Err(fault)),
        };
        for waiting in chosen {
            match claimed.iter().position(|due| due.subscription_id == waiting.id) {
                Some(at) => {
                    let task = self.under_way.spawn(sender::send(self.app.clone(), claimed.swap_remove(at)));
                    self.whose.insert(task.id(), waiting);
                }
                None => self.places.give_back(waiting.user, &waiting.host),
            }
        }
        fault
    }
}

fn host_of(browser: &Browser) -> String {
    browser
        .host
        .clone()
        .unwrap_or_else(|| Url::parse(&browser.endpoint).map_or_else(|_| "nowhere".into(), |it| host(&it)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_look_that_would_see_nothing_new_is_not_made() {
        let full =
            |hosts: &[&str]| Full { users: vec![], hosts: hosts.iter().map(|it| (*it).into()).collect() };
        let mut look = Look::default();
        assert!(look.is_worth_it(&full(&[])), "nobody has looked");
        look.nothing_beside = Some((Instant::now(), full(&[])));
        assert!(!look.is_worth_it(&full(&[])) && !look.is_worth_it(&full(&["slow"])));
        look.forget();
        assert!(look.is_worth_it(&full(&[])), "somebody may have come");
        look.nothing_beside = Some((Instant::now(), full(&["slow"])));
        look.forget();
        assert!(!look.is_worth_it(&full(&["slow"])) && !look.is_worth_it(&full(&["slow", "other"])));
        assert!(look.is_worth_it(&full(&["other"])), "slow has a place again");
        look.nothing_beside = Instant::now().checked_sub(APART).map(|at| (at, full(&["slow"])));
        assert!(look.is_worth_it(&full(&["slow"])), "that was long ago");
    }
}
