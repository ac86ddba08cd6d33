//! A message's reactions, as far as this server has them.

use std::collections::{HashMap, HashSet};

use confab_core::imports::NewReaction;
use confab_core::{Fault, Result, reactions};
use confab_protocol::{MessageId, Timestamp, UserId};

use super::Shared;
use super::report::Report;
use super::shapes::SlackMessage;

/// Different reactions under one message, as in core.
const PER_MESSAGE: usize = 50;

/// Remembers what each of Slack's names is here.
#[derive(Default)]
pub(super) struct Reactions(HashMap<String, Option<String>>);

impl Reactions {
    /// The reactions under a message that is `id` here and was written `at`. Slack does not say when they were put.
    pub async fn of(
        &mut self,
        shared: &Shared,
        message: &SlackMessage,
        (id, at): (MessageId, Timestamp),
        tally: &mut Report,
    ) -> Result<Vec<NewReaction>> {
        let mut put: HashSet<(String, UserId)> = HashSet::new();
        let mut codes: HashSet<String> = HashSet::new();
        let mut all = Vec::new();
        for reaction in message.reactions.iter().flatten() {
            let Some(name) = reaction.name.as_deref() else { continue };
            let users = reaction.users.as_deref().unwrap_or_default();
            let Some(code) = self.code(shared, name).await? else {
                tally.unknown_reaction(name, users.len() as u64);
                continue;
            };
            if codes.len() >= PER_MESSAGE && !codes.contains(&code) {
                tally.leave_out("reactions above the most that a message may have", || name.to_owned());
                continue;
            }
            codes.insert(code.clone());
            for user in users {
                let Some(person) = shared.people.get(user) else {
                    tally.leave_out("reactions of someone unknown", || user.clone());
                    continue;
                };
                // Two skin tones of one person are one reaction here.
                if put.insert((code.clone(), person.id)) {
                    let code = code.clone();
                    all.push(NewReaction { message_id: id, code, user_id: person.id, created_at: at });
                }
            }
        }
        tally.reactions.imported += all.len() as u64;
        Ok(all)
    }

    /// What a reaction is here. Skin tones are not kept.
    async fn code(&mut self, shared: &Shared, name: &str) -> Result<Option<String>> {
        let plain = name.split("::").next().unwrap_or_default();
        if let Some(code) = self.0.get(plain) {
            return Ok(code.clone());
        }
        let code = match reactions::resolve(&mut shared.db.read(), plain).await {
            Ok(code) => Some(code),
            Err(Fault::Invalid { .. }) => None,
            Err(fault) => return Err(fault),
        };
        self.0.insert(plain.to_owned(), code.clone());
        Ok(code)
    }
}
