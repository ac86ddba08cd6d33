//! What a plugin imports, answered by the host that it was given.

mod v0_1;
mod v0_2;

const RANDOM_BYTES: u32 = 4096;

/// What is alike in all versions of the contract; `more` are further functions of `chat`.
macro_rules! common {
    ($bindings:path, { $($more:tt)* }) => {
        use $bindings as bindings;

        use crate::call::{Call, limit};
        use crate::words::Draft;
        use bindings::confab::plugin::{chat, events, kv, runtime, settings, types};
        use rand::RngCore as _;

        type Answered<T> = wasmtime::Result<Result<T, types::Failure>>;

        /// Puts an answer into the bindings' words.
        fn told<T, U: From<T>>(answer: wasmtime::Result<Result<T, crate::words::Failure>>) -> Answered<U> {
            answer.map(|answer| answer.map(U::from).map_err(Into::into))
        }

        impl types::Host for Call {}
        impl events::Host for Call {}

        impl chat::Host for Call {
            async fn post_message(&mut self, place: types::Place, body: types::Draft) -> Answered<String> {
                let draft = Draft::from(body);
                told(self.ask(draft.bytes(), |host| host.post_message(place.into(), draft)).await)
            }

            async fn edit_message(&mut self, message: String, body: types::Draft) -> Answered<()> {
                let draft = Draft::from(body);
                told(self.ask(draft.bytes(), |host| host.edit_message(message, draft)).await)
            }

            async fn delete_message(&mut self, message: String) -> Answered<()> {
                told(self.ask(message.len(), |host| host.delete_message(message)).await)
            }

            async fn add_reaction(&mut self, message: String, reaction: String) -> Answered<()> {
                told(self.ask(message.len() + reaction.len(), |host| host.add_reaction(message, reaction)).await)
            }

            async fn remove_reaction(&mut self, message: String, reaction: String) -> Answered<()> {
                told(self.ask(message.len() + reaction.len(), |host| host.remove_reaction(message, reaction)).await)
            }

            async fn get_message(&mut self, message: String) -> Answered<types::Message> {
                told(self.ask(message.len(), |host| host.get_message(message)).await)
            }

            async fn get_user(&mut self, user: String) -> Answered<types::User> {
                told(self.ask(user.len(), |host| host.get_user(user)).await)
            }

            async fn recent_messages(&mut self, place: types::Place, limit: u32) -> Answered<Vec<types::Message>> {
                let answer = self.ask(place.channel.len(), |host| host.recent_messages(place.into(), limit)).await?;
                Ok(answer.map(|messages| messages.into_iter().map(Into::into).collect()).map_err(Into::into))
            }

            $($more)*
        }

        impl kv::Host for Call {
            async fn get(&mut self, key: String) -> Answered<Option<kv::Entry>> {
                let answer = self.ask(key.len(), |host| host.kv_get(key)).await?;
                Ok(answer.map(|entry| entry.map(Into::into)).map_err(Into::into))
            }

            async fn set(&mut self, key: String, value: Vec<u8>, ttl_seconds: Option<u32>) -> Answered<u64> {
                told(self.ask(key.len() + value.len(), |host| host.kv_set(key, value, ttl_seconds)).await)
            }

            async fn swap(&mut self, key: String, expected: u64, value: Vec<u8>) -> Answered<u64> {
                told(self.ask(key.len() + value.len(), |host| host.kv_swap(key, expected, value)).await)
            }

            async fn add(&mut self, key: String, delta: i64) -> Answered<i64> {
                told(self.ask(key.len(), |host| host.kv_add(key, delta)).await)
            }

            async fn delete(&mut self, key: String) -> Answered<bool> {
                told(self.ask(key.len(), |host| host.kv_delete(key)).await)
            }

            async fn list_keys(
                &mut self,
                prefix: String,
                after: Option<String>,
                limit: u32,
            ) -> Answered<Vec<String>> {
                told(self.ask(prefix.len(), |host| host.kv_list(prefix, after, limit)).await)
            }
        }

        impl settings::Host for Call {
            async fn get(&mut self, key: String) -> wasmtime::Result<Option<settings::Value>> {
                self.cheap()?;
                self.take_in(key.len())?;
                let host = self.host()?;
                let value = self.wait(host.setting(key)).await.unwrap_or_else(|failure| {
                    tracing::warn!(%failure, "A plugin's setting could not be read; the plugin sees it as unset");
                    None
                });
                Ok(value.map(Into::into))
            }
        }

        impl runtime::Host for Call {
            async fn log(&mut self, level: runtime::Level, text: String) -> wasmtime::Result<()> {
                self.cheap()?;
                self.take_in(text.len())?;
                self.host()?.log(level.into(), &text);
                Ok(())
            }

            async fn now(&mut self) -> wasmtime::Result<u64> {
                self.cheap()?;
                Ok(self.host()?.now_ms())
            }

            async fn random_bytes(&mut self, count: u32) -> wasmtime::Result<Vec<u8>> {
                self.cheap()?;
                if count > super::RANDOM_BYTES {
                    return Err(limit(format!("{} random bytes in one call", super::RANDOM_BYTES)));
                }
                let mut bytes = vec![0; count as usize];
                rand::rng().fill_bytes(&mut bytes);
                Ok(bytes)
            }
        }
    };
}
use common;
