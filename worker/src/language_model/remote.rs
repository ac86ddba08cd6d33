//! A model behind an endpoint that speaks the OpenAI API: `/chat/completions`, streamed.

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use confab_core::Result;
use confab_core::config::LanguageModel as Endpoint;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::time::{Duration, Instant, timeout};

use super::{Call, LanguageModel, ModelError, Piece, Pieces, Prompt, Said};
use crate::endpoint::{self, Breaker, Trouble};

/// Answers at once; who comes then waits a moment and is answered by quotations.
const CALLS: usize = 16;
const FOR_A_PLACE: Duration = Duration::from_secs(1);
/// Tools that one answer may ask for.
const TOOLS: usize = 8;
/// Longest arguments of a tool, in bytes.
const ARGUMENTS: usize = 8 * 1_024;

/// See the module.
pub struct Remote {
    model: String,
    client: Client<OpenAIConfig>,
    places: std::sync::Arc<Semaphore>,
    breaker: Breaker,
}

impl Remote {
    /// Prepares to ask; nothing is sent yet.
    ///
    /// # Errors
    /// [`confab_core::Fault::Invalid`] in `llm_base_url` when no client can be made.
    pub fn new(endpoint: &Endpoint) -> Result<Self> {
        Ok(Self {
            model: endpoint.model.clone(),
            client: endpoint::client("llm_base_url", &endpoint.url, &endpoint.key)?,
            places: std::sync::Arc::new(Semaphore::new(CALLS)),
            breaker: Breaker::default(),
        })
    }

    async fn begin(&self, prompt: Prompt) -> Result<Pieces, ModelError> {
        let wrong = |trouble: Trouble| ModelError(trouble.to_string());
        self.breaker.check(Instant::now()).map_err(wrong)?;
        let Ok(Ok(place)) = timeout(FOR_A_PLACE, self.places.clone().acquire_owned()).await else {
            return Err(ModelError("all calls are busy".into()));
        };
        // As bare values: what cannot be read into a type the library writes into the log, whole.
        let chunks = self.client.chat().create_stream_byot::<_, Value>(request(&self.model, prompt)).await;
        let chunks = chunks.map_err(|error| wrong(Trouble::of(error)))?;
        let reading = Reading { chunks, calls: Vec::new(), is_over: false };
        let pieces = stream::unfold((reading, place), |(mut reading, place)| async move {
            reading.next().await.map(|pieces| (pieces, (reading, place)))
        });
        Ok(pieces.flat_map(stream::iter).boxed())
    }
}

impl LanguageModel for Remote {
    fn name(&self) -> &str {
        &self.model
    }

    fn answer(&self, prompt: Prompt) -> BoxFuture<'_, Result<Pieces, ModelError>> {
        self.begin(prompt).boxed()
    }

    fn note(&self, has_failed: bool) {
        self.breaker.note(has_failed, Instant::now());
    }
}

fn request(model: &str, prompt: Prompt) -> Value {
    let messages: Vec<Value> = prompt.said.into_iter().map(message).collect();
    let mut request = json!({
        "model": model,
        "messages": messages,
        "stream": true,
        "stream_options": { "include_usage": true },
        "max_tokens": prompt.most_tokens,
        "temperature": 0,
    });
    if !prompt.tools.is_empty() {
        let tools = prompt.tools.into_iter().map(|tool| {
            let function =
                json!({ "name": tool.name, "description": tool.description, "parameters": tool.parameters });
            json!({ "type": "function", "function": function })
        });
        request["tools"] = tools.collect();
    }
    request
}

fn message(said: Said) -> Value {
    match said {
        Said::Rules(content) => json!({ "role": "system", "content": content }),
        Said::Person(content) => json!({ "role": "user", "content": content }),
        Said::Model(content) => json!({ "role": "assistant", "content": content }),
        Said::Calls(calls) => {
            let calls: Vec<Value> = calls
                .into_iter()
                .map(|call| {
                    let function = json!({ "name": call.name, "arguments": call.arguments });
                    json!({ "id": call.id, "type": "function", "function": function })
                })
                .collect();
            json!({ "role": "assistant", "content": null, "tool_calls": calls })
        }
        Said::Tool { id, content } => json!({ "role": "tool", "tool_call_id": id, "content": content }),
    }
}

struct Reading {
    chunks: async_openai::types::stream::StreamResponse<Value>,
    calls: Vec<Call>,
    is_over: bool,
}

impl Reading {
    async fn next(&mut self) -> Option<Vec<Result<Piece, ModelError>>> {
        if self.is_over {
            return None;
        }
        match self.chunks.next().await {
            // Some say only here that they are overloaded. What they say may repeat the prompt.
            Some(Ok(chunk)) if chunk.get("error").is_some_and(|error| !error.is_null()) => {
                self.is_over = true;
                Some(vec![Err(ModelError("the endpoint streams an error".into()))])
            }
            Some(Ok(chunk)) => Some(self.read(&chunk).into_iter().map(Ok).collect()),
            Some(Err(error)) => {
                self.is_over = true;
                Some(vec![Err(ModelError(Trouble::of(error).to_string()))])
            }
            None => {
                self.is_over = true;
                let calls = std::mem::take(&mut self.calls);
                Some(if calls.is_empty() { Vec::new() } else { vec![Ok(Piece::Calls(calls))] })
            }
        }
    }

    fn read(&mut self, chunk: &Value) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let delta = chunk.pointer("/choices/0/delta");
        let text = delta.and_then(|it| it.get("content")).and_then(Value::as_str);
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            pieces.push(Piece::Text(text.to_owned()));
        }
        let calls = delta.and_then(|it| it.get("tool_calls")).and_then(Value::as_array);
        for part in calls.into_iter().flatten() {
            self.gather(part);
        }
        if let Some(usage) = chunk.get("usage").filter(|usage| usage.is_object()) {
            let count = |name: &str| usage.get(name).and_then(Value::as_u64).unwrap_or(0);
            pieces.push(Piece::Used(count("prompt_tokens"), count("completion_tokens")));
        }
        pieces
    }

    /// A call comes in parts: its id and name first, then its arguments bit by bit.
    fn gather(&mut self, part: &Value) {
        let text = |pointer: &str| part.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let at = part.get("index").and_then(Value::as_u64).map_or(self.calls.len(), |at| at as usize);
        if at >= TOOLS {
            return;
        }
        while self.calls.len() <= at {
            self.calls.push(Call::default());
        }
        let call = &mut self.calls[at];
        if call.id.is_empty() {
            text("/id").clone_into(&mut call.id);
        }
        if call.name.is_empty() {
            text("/function/name").clone_into(&mut call.name);
        }
        let arguments = text("/function/arguments");
        if call.arguments.len() + arguments.len() <= ARGUMENTS {
            call.arguments.push_str(arguments);
        }
    }
}
