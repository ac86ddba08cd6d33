//! A model behind an endpoint that speaks the OpenAI API: a paid service, or a program on a machine of one's own.
//!
//! Nothing of it is believed: its answer's length is bounded, and must hold as many vectors as texts were sent, each as
//! long as the settings say. A failing endpoint is asked less and less, and everything has an end: a question waits a few
//! seconds at most and is then answered by words alone.

mod allowance;

use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use confab_core::Result;
use confab_core::config::EmbeddingsEndpoint;
use futures_util::future::{BoxFuture, FutureExt};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};

use super::{EmbedError, Embedder, ModelId, Purpose, at_length_one, cut};
use crate::endpoint::{self, Breaker, Trouble};
use allowance::Allowance;

/// Texts of one call.
const MOST_TEXTS: usize = 64;
/// Calls at once.
const CALLS: usize = 4;
/// Tries of one call.
const TRIES: u32 = 4;
/// Before the second try; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(250);
/// All tries together, and the waiting for a place: somebody waits for a question's vector.
const QUERY_TIME: Duration = Duration::from_secs(3);
/// The same for what is to be found.
const PASSAGE_TIME: Duration = Duration::from_mins(1);

/// See the module.
pub struct Remote {
    id: ModelId,
    model: String,
    client: Client<OpenAIConfig>,
    places: Semaphore,
    allowance: Allowance,
    breaker: Breaker,
}

#[derive(Serialize)]
struct Request<'a> {
    model: &'a str,
    input: Vec<&'a str>,
    encoding_format: &'static str,
}

/// Only what is needed of an answer: other servers than OpenAI's leave the rest out.
#[derive(Deserialize)]
struct Answer {
    data: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    index: Option<usize>,
    embedding: Vec<f32>,
}

impl Remote {
    /// Prepares to ask; nothing is sent yet.
    ///
    /// # Errors
    /// [`Fault::Invalid`] in `embeddings_url` when no client can be made.
    pub fn new(endpoint: &EmbeddingsEndpoint) -> Result<Self> {
        Ok(Self {
            id: ModelId::new(&endpoint.model, endpoint.dimensions, &endpoint.url),
            model: endpoint.model.clone(),
            client: endpoint::client("embeddings_url", &endpoint.url, &endpoint.key)?,
            places: Semaphore::new(CALLS),
            allowance: Allowance::new(endpoint.daily_characters),
            breaker: Breaker::default(),
        })
    }

    async fn embed_until(
        &self,
        texts: &[String],
        purpose: Purpose,
        end: Instant,
    ) -> Result<Vec<Vec<f32>>, EmbedError> {
        if texts.is_empty() {
            return Ok(Vec::new());
        }
        if texts.len() > MOST_TEXTS {
            return Err(EmbedError::Permanent(format!("more than {MOST_TEXTS} texts in one call")));
        }
        self.breaker.check(Instant::now())?;
        let Ok(Ok(_place)) = timeout_at(end, self.places.acquire()).await else {
            return Err(later("all calls are busy"));
        };
        let input: Vec<&str> = texts.iter().map(|text| cut(text)).collect();
        let characters = input.iter().map(|text| text.chars().count() as u64).sum();
        let mut pause = PAUSE;
        let mut tries = 0;
        loop {
            tries += 1;
            // Each try is paid for.
            self.allowance.take(characters, purpose)?;
            let went = match timeout_at(end, self.call(&input)).await {
                Ok(went) => went,
                Err(_) => Err(later("the endpoint does not answer in time")),
            };
            self.breaker.note(matches!(went, Err(EmbedError::Retryable { .. })), Instant::now());
            let Err(EmbedError::Retryable { after, reason }) = went else { return went };
            let wait = after.max(pause);
            if tries == TRIES || Instant::now() + wait >= end {
                return Err(EmbedError::Retryable { after: wait, reason });
            }
            tracing::debug!(%reason, ?wait, tries, "asking the embeddings endpoint again");
            sleep(wait).await;
            pause *= 2;
        }
    }

    async fn call(&self, input: &[&str]) -> Result<Vec<Vec<f32>>, EmbedError> {
        let request = Request { model: &self.model, input: input.to_vec(), encoding_format: "float" };
        // As a bare value: what cannot be read into a type the library writes into the log, whole.
        let answer: Value = self.client.embeddings().create_byot(request).await.map_err(Trouble::of)?;
        let answer = Answer::deserialize(answer)
            // What it says instead may be anything, the texts too.
            .map_err(|_| {
                EmbedError::Misconfigured("the endpoint answers something else than vectors".into())
            })?;
        vectors(answer.data, input.len(), self.id.dimensions())
    }
}

impl Embedder for Remote {
    fn id(&self) -> &ModelId {
        &self.id
    }

    fn most_texts(&self) -> usize {
        MOST_TEXTS
    }

    fn embed(
        &self,
        texts: Vec<String>,
        purpose: Purpose,
    ) -> BoxFuture<'_, Result<Vec<Vec<f32>>, EmbedError>> {
        let time = match purpose {
            Purpose::Query => QUERY_TIME,
            Purpose::Passage => PASSAGE_TIME,
        };
        let end = Instant::now() + time;
        async move { self.embed_until(&texts, purpose, end).await }.boxed()
    }
}

fn later(reason: &str) -> EmbedError {
    EmbedError::Retryable { after: Duration::ZERO, reason: reason.to_owned() }
}

/// In the order of the texts. A server that answers one vector for many texts, or others than were agreed on, would fill
/// the index with what no question can find.
fn vectors(mut items: Vec<Item>, count: usize, dimensions: usize) -> Result<Vec<Vec<f32>>, EmbedError> {
    let wrong = |what: String| Err(EmbedError::Misconfigured(what));
    if items.len() != count {
        return wrong(format!("{} vectors for {count} texts", items.len()));
    }
    if items.iter().any(|item| item.index.is_some()) {
        items.sort_by_key(|item| item.index);
        if items.iter().enumerate().any(|(at, item)| item.index != Some(at)) {
            return wrong("vectors that are not numbered from 0 on".into());
        }
    }
    if let Some(item) = items.iter().find(|item| item.embedding.len() != dimensions) {
        let length = item.embedding.len();
        return wrong(format!("vectors of {length} numbers, embeddings_dimensions says {dimensions}"));
    }
    if items.iter().flat_map(|item| &item.embedding).any(|part| !part.is_finite()) {
        return wrong("vectors with what is no number".into());
    }
    Ok(items.into_iter().map(|item| at_length_one(item.embedding)).collect())
}

impl From<Trouble> for EmbedError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Retryable { after, reason } => Self::Retryable { after, reason },
            Trouble::Permanent(reason) => Self::Permanent(reason),
            Trouble::Misconfigured(reason) => Self::Misconfigured(reason),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_put_in_order_and_checked() {
        let item = |index, embedding: &[f32]| Item { index, embedding: embedding.to_vec() };
        let two = || vec![item(Some(1), &[0.0, 2.0]), item(Some(0), &[3.0, 0.0])];
        assert_eq!(vectors(two(), 2, 2), Ok(vec![vec![1.0, 0.0], vec![0.0, 1.0]]));
        assert_eq!(vectors(vec![item(None, &[0.0, 0.0])], 1, 2), Ok(vec![vec![0.0, 0.0]]));
        let wrong = [
            (two(), 3, 2),
            (two(), 2, 3),
            (vec![item(Some(0), &[1.0]), item(Some(0), &[1.0])], 2, 1),
            (vec![item(Some(0), &[1.0]), item(None, &[1.0])], 2, 1),
            (vec![item(None, &[f32::NAN])], 1, 1),
        ];
        for (items, count, dimensions) in wrong {
            assert!(matches!(vectors(items, count, dimensions), Err(EmbedError::Misconfigured(_))));
        }
    }
}
