//! Writing: one transaction at a time on SQLite, committed for all who wait at once ([`super::writer`]); one each on
//! PostgreSQL.

use std::sync::Arc;

use confab_protocol::{ChannelId, Event, EventId, EventKind, Message, Timestamp, UserId};
use futures_util::future::BoxFuture;
use sqlx::{PgPool, Postgres};
use uuid::Uuid;

use super::leased::Leased;
use super::memory::Memory;
use super::readers::Reading;
use super::sqlite::{Connection, Sqlite};
use super::stored::ended;
use super::{Db, Engine, Lease, Read, insert_rows};
use crate::audit::{self, Note};
use crate::fault::{Fault, Result};
use crate::messages::{Plain, Posted};

const STORE: &str =
    "insert into events (id, pos, kind, channel_id, seq, user_id, ref_id, actor_id, detail, created_at) ";
/// With the moment at which PostgreSQL took them, in microseconds of its clock; the rows stand between this and [`IN_TURN`].
const STORE_IN_TURN: &str = "insert into events (id, pos, kind, channel_id, seq, user_id, ref_id, actor_id, detail, created_at, stored_at)
    select stored.*, cast(extract(epoch from clock_timestamp()) * 1000000 as bigint) from (";
const IN_TURN: &str = ") as stored";

/// A running transaction. Only this can emit an event.
pub struct Tx {
    pub(super) on: Engine<Connection, Leased>,
    pub(super) emitted: Vec<Event>,
    noted: Vec<Note>,
    /// SQLite only: the newest position. One writer, so order of writing is order of commit.
    pub(super) pos: i64,
    /// SQLite only: what is known without asking.
    pub(super) memory: Option<Memory>,
}

impl Read for Tx {
    async fn lease(&mut self) -> Result<Engine<Lease<'_, Sqlite, Reading>, Lease<'_, Postgres, Leased>>> {
        Ok(match &mut self.on {
            Engine::Sqlite(it) => Engine::Sqlite(Lease::Lent(it)),
            Engine::Postgres(it) => Engine::Postgres(Lease::Lent(&mut **it)),
        })
    }
}

/// What [`Tx::emit`] is told. Everything but kind and subject is optional.
pub(crate) struct Emission {
    pub kind: EventKind,
    pub ref_id: Uuid,
    pub place: Option<(ChannelId, i64)>,
    pub user_id: Option<UserId>,
    pub actor_id: Option<UserId>,
    pub detail: Option<String>,
    /// Where a row that clients see has the same time, it is set to exactly that one.
    pub created_at: Timestamp,
}

impl Emission {
    pub fn new(kind: EventKind, ref_id: impl Into<Uuid>) -> Self {
        Self {
            kind,
            ref_id: ref_id.into(),
            place: None,
            user_id: None,
            actor_id: None,
            detail: None,
            created_at: Timestamp::now(),
        }
    }
    pub fn at(mut self, channel: ChannelId, seq: i64) -> Self {
        self.place = Some((channel, seq));
        self
    }
    /// For this user alone: takes no seq, or the others would see a hole.
    pub fn only_for(mut self, user: UserId) -> Self {
        self.user_id = Some(user);
        self
    }
    pub fn by(mut self, actor: UserId) -> Self {
        self.actor_id = Some(actor);
        self
    }
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl Tx {
    pub(super) async fn on_postgres(pool: &PgPool) -> Result<Self> {
        let on = Engine::Postgres(Leased::begin(pool, "begin").await?);
        Ok(Self { on, emitted: Vec::new(), noted: Vec::new(), pos: 0, memory: None })
    }

    pub(super) fn on_sqlite(connection: Connection, pos: i64, memory: Memory) -> Self {
        let on = Engine::Sqlite(connection);
        Self { on, emitted: Vec::new(), noted: Vec::new(), pos, memory: Some(memory) }
    }

    /// What the only writer keeps in memory; `None` where there are others.
    pub(crate) fn memory(&mut self) -> Option<&mut Memory> {
        self.memory.as_mut()
    }

    /// Keeps a message that this transaction stores, as everyone sees it, for those who are told of it.
    pub(crate) fn keep(&mut self, message: impl FnOnce() -> Message) {
        if let Some(memory) = &mut self.memory {
            memory.messages.push(Arc::new(message()));
        }
    }

    /// Forgets what was emitted and noted behind a mark: what caused it is taken back.
    pub(super) fn take_back(&mut self, mark: usize) {
        self.emitted.truncate(mark);
        self.noted.clear();
        if let Some(memory) = &mut self.memory {
            memory.forget();
        }
    }

    /// Records that something happened; stored with the transaction that caused it, or not at all.
    pub(crate) fn emit(&mut self, emission: Emission) {
        self.emitted.push(Event {
            id: EventId::new(),
            pos: 0,
            kind: emission.kind,
            channel_id: emission.place.map(|(channel, _)| channel),
            seq: emission.place.map(|(_, seq)| seq).filter(|seq| *seq > 0),
            user_id: emission.user_id,
            ref_id: emission.ref_id,
            actor_id: emission.actor_id,
            detail: emission.detail,
            created_at: emission.created_at,
        });
    }

    /// Keeps what the audit log is to say of this transaction.
    pub(crate) fn note(&mut self, note: Note) {
        self.noted.push(note);
    }

    /// Stores what was noted, under the names that people have now.
    pub(super) async fn store_notes(&mut self) -> Result<()> {
        let notes = std::mem::take(&mut self.noted);
        audit::store(self, notes).await
    }

    /// Stores what was emitted, and answers it. On SQLite the position is given here; on PostgreSQL the relay gives it after
    /// commit.
    pub(super) async fn store_events(&mut self) -> Result<Vec<Event>> {
        let mut events = std::mem::take(&mut self.emitted);
        let stamped = matches!(self.on, Engine::Sqlite(_));
        if stamped {
            for event in &mut events {
                self.pos += 1;
                event.pos = self.pos;
            }
        }
        // Here all locks are held: whoever depends on what another wrote stores its events behind the other's.
        let (head, tail) = if stamped { (STORE, "") } else { (STORE_IN_TURN, IN_TURN) };
        insert_rows!(
            self,
            head,
            events,
            |place, event| place
                .push_bind(event.id.0)
                .push_bind(stamped.then_some(event.pos))
                .push_bind(event.kind.as_str())
                .push_bind(event.channel_id.map(|id| id.0))
                .push_bind(event.seq)
                .push_bind(event.user_id.map(|id| id.0))
                .push_bind(event.ref_id)
                .push_bind(event.actor_id.map(|id| id.0))
                .push_bind(event.detail.clone())
                .push_bind(event.created_at.0),
            tail
        );
        Ok(events)
    }
}

impl Db {
    /// Runs `work` in a transaction and answers after the commit: what is answered `Ok` survives a kill.
    ///
    /// The work goes on to its end even when the caller goes away, so a disconnecting client cannot leave half of it.
    ///
    /// # Errors
    /// What `work` answers; [`Fault::Busy`], [`Fault::Unavailable`] or [`Fault::Full`] when the record cannot take it;
    /// [`Fault::Unconfirmed`] when nobody knows whether it did.
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T>> + Send + 'static,
    {
        self.count_write();
        let outcome = match (&self.pools, &self.writer) {
            (Engine::Sqlite(_), Some(writer)) => writer.write(work).await,
            (Engine::Sqlite(_), None) => {
                Err(Fault::Internal("the record was opened for reading only".into()))
            }
            (Engine::Postgres(pool), _) => {
                let pool = pool.clone();
                let head = self.head.clone();
                tokio::spawn(async move {
                    let mut tx = Tx::on_postgres(&pool).await?;
                    let value = work(&mut tx).await?;
                    if tx.commit_postgres().await? {
                        head.send_modify(|count| *count += 1);
                    }
                    Ok(value)
                })
                .await
                .unwrap_or_else(|error| Err(Fault::internal(error)))
            }
        };
        ended(outcome, self.writer.is_some())
    }

    /// Posts a plain message, together with others that wait at the same moment.
    pub(crate) async fn post(&self, plain: Plain) -> Result<Posted> {
        self.count_write();
        let outcome = match (&self.pools, &self.writer) {
            (Engine::Sqlite(_), Some(writer)) => writer.post(plain).await,
            (Engine::Sqlite(_), None) => {
                Err(Fault::Internal("the record was opened for reading only".into()))
            }
            (Engine::Postgres(_), _) => self.lines.post(self, plain).await,
        };
        ended(outcome, self.writer.is_some())
    }
}

impl Tx {
    /// Stores what is left to store and commits; answers whether there are events that the relay should look for.
    pub(super) async fn commit_postgres(mut self) -> Result<bool> {
        let has_events = !self.store_events().await?.is_empty();
        self.store_notes().await?;
        if let Engine::Postgres(transaction) = self.on {
            transaction.commit().await.map_err(Fault::of_commit)?;
        }
        Ok(has_events)
    }
}
