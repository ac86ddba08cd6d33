//! Vectors in a Qdrant server, which all workers of a system share: a collection for each model.
//!
//! What the asker may see is part of the query, over indexed fields, and a write is answered when searches see it. Qdrant knows no
//! transactions: a batch's place is written after its points, so a kill in between makes them once more, which changes
//! nothing. Among equally near points those that come are any; within an answer the newest stand first.

mod collection;
mod points;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use confab_core::{Fault, Result};
use confab_protocol::ChannelId;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use qdrant_client::Qdrant as Client;
use qdrant_client::qdrant::{
    Condition, CountPointsBuilder, DeletePointsBuilder, Filter, GetPointsBuilder, PayloadIncludeSelector,
    PointStruct, QueryPointsBuilder, Range, UpsertPointsBuilder,
};

use super::{Change, Near, Nearest, VectorStore, check};
use crate::embedding::ModelId;
use points::{CHANNEL, CREATED_AT, FLAGS, KIND, MESSAGE, SENDER, point_of};

/// A search that takes longer is answered without vectors.
const TIMEOUT: Duration = Duration::from_secs(5);
const CONNECT: Duration = Duration::from_secs(3);
/// Points of one call: with 1,536 numbers each about three megabytes, below what gRPC takes.
const PART: usize = 500;
/// How the names of Confab's collections begin.
const OURS: &str = "confab-";
/// Ids named in one condition.
const NAMED: usize = 1_000;

/// See the module.
pub struct Qdrant {
    client: Client,
    collection: String,
    dimensions: usize,
    /// The collection is there, with its indexes.
    is_prepared: AtomicBool,
}

impl Qdrant {
    /// Prepares the way to the server; it is called when something is asked of it, so a server that is away delays no start.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `qdrant_url` when it is no address.
    pub fn new(url: &str, key: Option<&str>, model: &ModelId) -> Result<Self> {
        let mut config = Client::from_url(url).timeout(TIMEOUT).connect_timeout(CONNECT);
        // It would ask at once, wait for the answer, and print to standard output.
        config.check_compatibility = false;
        config.api_key = key.map(str::to_owned);
        let client = config.build().map_err(|error| Fault::invalid("qdrant_url", error.to_string()))?;
        Ok(Self {
            client,
            collection: format!("{OURS}{model}"),
            dimensions: model.dimensions(),
            is_prepared: AtomicBool::new(false),
        })
    }

    async fn write_all(&self, changes: Vec<Change>, place: String) -> Result<()> {
        self.prepare().await?;
        // In their order, those of a kind together: a point that follows its own removal stays.
        let (mut put, mut gone, mut gone_channels) = (Vec::new(), Vec::new(), Vec::new());
        for change in changes {
            match change {
                Change::Put(point) => {
                    self.remove(MESSAGE, &mut gone).await?;
                    self.remove(CHANNEL, &mut gone_channels).await?;
                    put.push(points::stored(point));
                }
                Change::Remove(id) => {
                    self.put(&mut put).await?;
                    gone.push(id.0.to_string());
                }
                Change::RemoveChannel(id) => {
                    self.put(&mut put).await?;
                    gone_channels.push(id.0.to_string());
                }
            }
        }
        self.put(&mut put).await?;
        self.remove(MESSAGE, &mut gone).await?;
        self.remove(CHANNEL, &mut gone_channels).await?;
        self.put(&mut vec![points::place(self.dimensions, place)]).await
    }

    async fn put(&self, points: &mut Vec<PointStruct>) -> Result<()> {
        while !points.is_empty() {
            let part: Vec<PointStruct> = points.drain(..points.len().min(PART)).collect();
            let call = UpsertPointsBuilder::new(self.collection.as_str(), part).wait(true);
            self.client.upsert_points(call).await.map_err(|error| {
                if is_missing(&error) {
                    // Deleted under the running worker: the next try makes it again.
                    self.is_prepared.store(false, Ordering::Relaxed);
                }
                failed(&error)
            })?;
        }
        Ok(())
    }

    async fn remove(&self, field: &str, values: &mut Vec<String>) -> Result<()> {
        while !values.is_empty() {
            let part: Vec<String> = values.drain(..values.len().min(NAMED)).collect();
            let filter = Filter::must([Condition::matches(field, part)]);
            let call = DeletePointsBuilder::new(self.collection.as_str()).points(filter).wait(true);
            self.client.delete_points(call).await.map_err(|error| failed(&error))?;
        }
        Ok(())
    }

    /// What is noted in a collection; `None` also where there is no such collection.
    async fn noted_in(&self, collection: &str) -> Result<Option<String>> {
        let call = GetPointsBuilder::new(collection, vec![points::place_id()]).with_payload(true);
        match self.client.get_points(call).await {
            Ok(answer) => Ok(answer.result.first().and_then(points::noted)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(failed(&error)),
        }
    }

    async fn nearest(&self, wanted: Nearest) -> Result<Vec<Near>> {
        let is_silent = wanted.vector.iter().all(|number| *number == 0.0);
        let is_of_none = wanted.only.as_ref().is_some_and(Vec::is_empty);
        if wanted.channels.is_empty() || wanted.limit == 0 || is_silent || is_of_none {
            return Ok(Vec::new());
        }
        let call = QueryPointsBuilder::new(self.collection.as_str())
            .filter(filter(&wanted))
            .limit(wanted.limit as u64)
            .query(wanted.vector)
            .with_payload(PayloadIncludeSelector { fields: vec![MESSAGE.into(), CREATED_AT.into()] });
        let found = match self.client.query(call).await {
            Ok(answer) => answer.result,
            Err(error) if is_missing(&error) => Vec::new(),
            Err(error) => return Err(failed(&error)),
        };
        let mut near: Vec<(Near, i64)> = found.iter().filter_map(points::found).collect();
        near.sort_by(|(one, at), (other, then)| other.score.total_cmp(&one.score).then(then.cmp(at)));
        Ok(near.into_iter().map(|(near, _)| near).collect())
    }
}

/// What a search may find, inside the query.
fn filter(wanted: &Nearest) -> Filter {
    let text = |id: &uuid::Uuid| id.to_string();
    let channels: Vec<String> = wanted.channels.iter().map(|id| text(&id.0)).collect();
    let mut must =
        vec![Condition::matches(KIND, points::FOUND.to_owned()), Condition::matches(CHANNEL, channels)];
    if !wanted.senders.is_empty() {
        let senders: Vec<String> = wanted.senders.iter().map(|id| text(&id.0)).collect();
        must.push(Condition::matches(SENDER, senders));
    }
    if wanted.since.is_some() || wanted.until.is_some() {
        let (gte, lt) = (wanted.since.map(|at| at as f64), wanted.until.map(|at| at as f64));
        must.push(Condition::range(CREATED_AT, Range { gte, lt, ..Range::default() }));
    }
    if let Some(only) = &wanted.only {
        let only: Vec<String> = only.iter().map(|id| point_of(*id)).collect();
        must.push(Condition::matches(MESSAGE, only));
    }
    must.extend(points::bits(wanted.flags).map(|bit| Condition::matches(FLAGS, bit)));
    Filter::must(must)
}

impl VectorStore for Qdrant {
    fn write(&self, changes: Vec<Change>, place: String) -> BoxFuture<'_, Result<()>> {
        async move {
            check(&changes, &place, self.dimensions)?;
            self.write_all(changes, place).await
        }
        .boxed()
    }

    fn place(&self) -> BoxFuture<'_, Result<Option<String>>> {
        async move {
            let noted = self.noted_in(&self.collection).await?;
            if noted.is_none() {
                // Perhaps deleted under the running worker: whoever empties it or writes to it makes it first.
                self.is_prepared.store(false, Ordering::Relaxed);
            }
            Ok(noted)
        }
        .boxed()
    }

    fn search(&self, wanted: Nearest) -> BoxFuture<'_, Result<Vec<Near>>> {
        async move {
            wanted.check(self.dimensions)?;
            self.nearest(wanted).await
        }
        .boxed()
    }

    fn count(&self, channels: Vec<ChannelId>) -> BoxFuture<'_, Result<u64>> {
        async move {
            if channels.is_empty() {
                return Ok(0);
            }
            let channels: Vec<String> = channels.iter().map(|id| id.0.to_string()).collect();
            let filter = Filter::must([Condition::matches(CHANNEL, channels)]);
            let call = CountPointsBuilder::new(self.collection.as_str()).filter(filter).exact(true);
            match self.client.count(call).await {
                Ok(answer) => Ok(answer.result.map_or(0, |result| result.count)),
                Err(error) if is_missing(&error) => Ok(0),
                Err(error) => Err(failed(&error)),
            }
        }
        .boxed()
    }

    fn clear(&self) -> BoxFuture<'_, Result<()>> {
        self.empty().boxed()
    }

    fn drop_others<'s>(
        &'s self,
        is_ours: &'s (dyn Fn(&str) -> bool + Sync),
    ) -> BoxFuture<'s, Result<Vec<String>>> {
        self.drop_collections(is_ours).boxed()
    }
}

/// A collection that nobody made yet.
fn is_missing(error: &qdrant_client::QdrantError) -> bool {
    matches!(error, qdrant_client::QdrantError::ResponseError { status }
        if status.code() == tonic::Code::NotFound || status.message().contains("doesn't exist"))
}

fn failed(error: &qdrant_client::QdrantError) -> Fault {
    // Without the headers, which the error's own words hold.
    let reason = match error {
        qdrant_client::QdrantError::ResponseError { status }
        | qdrant_client::QdrantError::ResourceExhaustedError { status, .. } => {
            format!("{}: {}", status.code(), status.message())
        }
        other => other.to_string(),
    };
    tracing::warn!(%reason, "the vector store did not do what it was asked");
    Fault::Unavailable("the vector store")
}
