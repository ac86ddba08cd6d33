//! The export's people and bots as accounts.

use std::collections::{HashMap, HashSet};

use confab_core::users::NewUser;
use confab_core::{Db, FutureExt as _, Result, imports, text, users};
use confab_protocol::{Timestamp, UserId};
use uuid::Uuid;

use super::report::{Renamed, Report};
use super::shapes::SlackUser;
use super::survey::Stranger;
use super::{BATCH, SOURCE};
use crate::import::names::{self, Usernames};
use crate::progress::Progress;

/// What an account is called in the table of imported things.
const KIND: &str = "user";

/// Who is who.
pub(super) struct People(HashMap<String, Person>);

/// An account that stands for a Slack id.
pub(super) struct Person {
    pub id: UserId,
    pub name: String,
}

impl People {
    /// The account of a Slack id.
    pub fn get(&self, slack_id: &str) -> Option<&Person> {
        self.0.get(slack_id)
    }
}

/// Somebody of the export, before it is known whether they are here.
struct Candidate {
    slack_id: String,
    name: String,
    full_name: Option<String>,
    email: Option<String>,
    is_bot: bool,
    is_deactivated: bool,
}

/// Makes an account for everyone who has none, and answers who is who.
pub(super) async fn bring(
    db: &Db,
    found: Vec<SlackUser>,
    strangers: impl IntoIterator<Item = (String, Stranger)>,
    report: &mut Report,
    progress: &Progress,
) -> Result<People> {
    let known = imports::known(&mut db.read(), SOURCE, KIND).await?;
    let (candidates, posts_as) = candidates(found, strangers);
    progress.begin("People", candidates.len() as u64);
    let mut people = of_known(db, &candidates, &known).await?;
    report.people.known = people.len() as u64;
    let mut new: Vec<Candidate> =
        candidates.into_iter().filter(|it| !known.contains_key(&it.slack_id)).collect();
    // Whoever may keep their name keeps it, before others come near to it.
    new.sort_by_key(|it| names::username(&it.name) != it.name);
    progress.add(people.len() as u64);
    let mut accounts = Accounts::beside(db, &new).await?;
    for part in new.chunks(BATCH) {
        let mut users = Vec::new();
        let mut made: Vec<(String, Uuid)> = Vec::new();
        for candidate in part {
            let person = accounts.of(db, candidate, &mut users, report).await?;
            made.push((candidate.slack_id.clone(), person.id.0));
            people.insert(candidate.slack_id.clone(), person);
        }
        if !report.dry_run {
            store(db, users, made).await?;
        }
        progress.add(part.len() as u64);
    }
    // A bot's posts may name it by a second id.
    for (bot_id, slack_id) in posts_as {
        if let Some(person) = people.get(&slack_id) {
            let same = Person { id: person.id, name: person.name.clone() };
            people.entry(bot_id).or_insert(same);
        }
    }
    Ok(People(people))
}

async fn store(db: &Db, users: Vec<NewUser>, made: Vec<(String, Uuid)>) -> Result<()> {
    db.write(move |tx| {
        async move {
            users::insert(tx, &users).await?;
            imports::remember(tx, SOURCE, KIND, &made).await
        }
        .boxed()
    })
    .await
}

/// Everyone once, and which bot posts under which second id.
fn candidates(
    found: Vec<SlackUser>,
    strangers: impl IntoIterator<Item = (String, Stranger)>,
) -> (Vec<Candidate>, Vec<(String, String)>) {
    let mut seen = HashSet::new();
    let mut posts_as = Vec::new();
    let mut all = Vec::new();
    for user in found {
        let Some(slack_id) = user.id.filter(|id| !id.is_empty() && seen.insert(id.clone())) else { continue };
        let profile = user.profile.unwrap_or_default();
        if let Some(bot_id) = profile.bot_id.filter(|id| !id.is_empty()) {
            posts_as.push((bot_id, slack_id.clone()));
        }
        let full_name = profile.real_name.or(user.real_name).as_deref().and_then(names::full_name);
        all.push(Candidate {
            name: user.name.filter(|name| !name.trim().is_empty()).unwrap_or_else(|| slack_id.clone()),
            full_name,
            email: profile.email.filter(|email| !email.trim().is_empty()),
            is_bot: user.is_bot.unwrap_or_default() || slack_id == "USLACKBOT",
            is_deactivated: user.deleted.unwrap_or_default(),
            slack_id,
        });
    }
    for (slack_id, stranger) in strangers {
        if seen.insert(slack_id.clone()) {
            let Stranger { name, is_bot } = stranger;
            all.push(Candidate {
                slack_id,
                name,
                full_name: None,
                email: None,
                is_bot,
                is_deactivated: false,
            });
        }
    }
    (all, posts_as)
}

/// Those whom an earlier run brought, under the names that they have by now.
async fn of_known(
    db: &Db,
    candidates: &[Candidate],
    known: &HashMap<String, Uuid>,
) -> Result<HashMap<String, Person>> {
    let pairs: Vec<(&str, UserId)> = candidates
        .iter()
        .filter_map(|it| known.get(&it.slack_id).map(|id| (it.slack_id.as_str(), UserId(*id))))
        .collect();
    let ids: Vec<UserId> = pairs.iter().map(|pair| pair.1).collect();
    let names: HashMap<UserId, String> =
        users::refs(&mut db.read(), &ids).await?.into_iter().map(|user| (user.id, user.username)).collect();
    Ok(pairs
        .into_iter()
        .filter_map(|(slack_id, id)| {
            let name = names.get(&id)?.clone();
            Some((slack_id.to_owned(), Person { id, name }))
        })
        .collect())
}

/// What is taken here, and by whom.
struct Accounts {
    names: Usernames,
    emails: HashMap<String, UserId>,
    /// Addresses of this import.
    given: HashSet<String>,
}

impl Accounts {
    async fn beside(db: &Db, new: &[Candidate]) -> Result<Self> {
        let wanted: Vec<String> = new.iter().map(|it| names::username(&it.name)).collect();
        let emails: Vec<String> = new.iter().filter_map(|it| it.email.clone()).collect();
        let names = Usernames::beside(&mut db.read(), &wanted).await?;
        let emails = imports::people_by_emails(&mut db.read(), &emails).await?;
        Ok(Self { names, emails, given: HashSet::new() })
    }

    /// The account of somebody new: one that is here by the same address, or one to be made.
    async fn of(
        &mut self,
        db: &Db,
        candidate: &Candidate,
        users: &mut Vec<NewUser>,
        report: &mut Report,
    ) -> Result<Person> {
        if let Some(id) = candidate.email.as_deref().and_then(|email| self.emails.remove(&text::key(email))) {
            report.people.matched += 1;
            self.given.extend(candidate.email.as_deref().map(text::key));
            return Ok(Person { id, name: users::find(&mut db.read(), id).await?.username });
        }
        let wanted = names::username(&candidate.name);
        let name = self.names.give(&mut db.read(), &wanted).await?;
        if name != candidate.name {
            let reason = if name == wanted { "not allowed in a user name" } else { "taken" };
            report.renamed.push(Renamed {
                kind: "person",
                slack_id: candidate.slack_id.clone(),
                from: candidate.name.clone(),
                to: name.clone(),
                reason,
            });
        }
        let email = candidate.email.as_deref().filter(|email| {
            NewUser::check("name", Some(email), None).is_ok() && self.given.insert(text::key(email))
        });
        report.people.emails_dropped += u64::from(email.is_none() && candidate.email.is_some());
        let mut user = NewUser::check(&name, email, candidate.full_name.as_deref())?;
        user.is_bot = candidate.is_bot;
        // Nobody can sign in without an address to prove who they are: such an account only keeps its messages.
        user.is_active = !candidate.is_deactivated && (candidate.is_bot || user.email.is_some());
        user.created_at = Timestamp::now();
        report.people.new += 1;
        report.people.bots += u64::from(user.is_bot);
        report.people.placeholders += u64::from(!user.is_bot && user.email.is_none());
        report.people.deactivated += u64::from(candidate.is_deactivated);
        let person = Person { id: user.id, name };
        users.push(user);
        Ok(person)
    }
}
