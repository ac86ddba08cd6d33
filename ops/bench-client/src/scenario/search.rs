//! Search and the assistant over a million messages: how fast they are indexed, how soon they are found, how long a search
//! and an answer take for somebody who may read 200 channels of 400, and what the index holds.

mod asking;
mod fresh;
mod rebuilding;

use std::time::Duration;

use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::Result;
use crate::corpus::Corpus;
use crate::http::{Connection, request};
use crate::person::{self, Person};
use crate::report::{Goal, Row};
use crate::server::{Server, Stopped, WARDEN};
use crate::stage::Stage;

/// Channels that the asker may read, and as many that nobody but their owner may.
const CHANNELS: usize = 200;
/// Connections that fill them.
const FILLERS: usize = 128;
/// How often it is looked how far the index is.
const LOOK: Duration = Duration::from_millis(100);
const MIB: f64 = 1_048_576.0;

/// The server with its messages. The first of `people` asks.
struct Place {
    server: Server,
    people: Vec<Person>,
    warden: Person,
    /// The asker's, then the other's.
    channels: Vec<String>,
    corpus: Corpus,
    messages: u64,
}

pub async fn measure(stage: &mut Stage) -> Result<()> {
    let messages = stage.either(1_000_000, 5_000);
    let server = Server::embedded(&stage.confab).await?;
    tokio::time::sleep(stage.either(Duration::from_secs(5), Duration::from_secs(1))).await;
    let idle_mib = server.process.resident_kib()? / 1_024.0;
    let people = person::register(&server.host, 2).await?;
    let warden = person::log_in(&server.host, WARDEN.0, WARDEN.1).await?;
    let mut place = Place { server, people, warden, channels: Vec::new(), corpus: Corpus::open()?, messages };
    for number in 0..2 * CHANNELS {
        let owner = &place.people[number / CHANNELS];
        let made = person::private_channel(&place.server.host, &format!("room-{number}"), owner).await?;
        place.channels.push(made);
    }
    eprintln!("posting {messages} messages");
    place.fill().await?;

    // Without vectors first: words alone, and what posting costs without them.
    let place = place.restart("off").await?;
    place.settled().await?;
    let alone = place.rebuild(stage, "words alone", 10_000.0).await?;
    let bare = place.freshness(stage, None).await?;
    let place = place.restart("").await?;
    place.settled().await?;
    let both = place.rebuild(stage, "words, conversations and vectors", 5_000.0).await?;
    stage.report.add(Row {
        scenario: "search",
        what: format!("everything built anew, {messages} messages"),
        unit: "s",
        confab: both.as_secs_f64(),
        floor: None,
        goal: Goal::AtMost(300.0),
        more: json!({ "words_alone_s": alone.as_secs_f64() }),
    });
    place.ask(stage).await?;
    place.freshness(stage, Some(bare)).await?;
    place.holds(stage, idle_mib)?;
    place.server.process.end().await
}

impl Place {
    /// Posts all messages, those of a channel one after the other.
    async fn fill(&self) -> Result<()> {
        let posted = (0..FILLERS as u64).map(async |filler| {
            let mut connection = Connection::open(&self.server.host).await?;
            let mut number = filler;
            while number < self.messages {
                self.post(&mut connection, number, &self.corpus.message(number)).await?;
                number += FILLERS as u64;
            }
            Result::Ok(())
        });
        try_join_all(posted).await?;
        Ok(())
    }

    async fn post(&self, connection: &mut Connection, number: u64, content: &str) -> Result<Value> {
        let at = number as usize % self.channels.len();
        connection.call(&person::post(&self.people[at / CHANNELS], &self.channels[at], content)).await
    }

    /// The same data under other embeddings, and everybody signed in anew.
    async fn restart(self, embeddings: &'static str) -> Result<Self> {
        let Self { server, mut people, channels, corpus, messages, .. } = self;
        let stopped: Stopped = server.stop().await?.with("CONFAB_EMBEDDINGS_URL", embeddings.to_owned());
        let server = stopped.launch().await?;
        person::sign_in(&server.host, &mut people).await?;
        let warden = person::log_in(&server.host, WARDEN.0, WARDEN.1).await?;
        Ok(Self { server, people, warden, channels, corpus, messages })
    }

    /// How far the index and the vectors are.
    async fn index(&self, connection: &mut Connection) -> Result<Value> {
        let stats = connection.call(&request("GET", "/api/v1/admin/stats", &self.warden.token, "")).await?;
        Ok(stats["index"].clone())
    }

    /// Waits until all is in both.
    async fn settled(&self) -> Result<()> {
        let mut connection = Connection::open(&self.server.host).await?;
        loop {
            let index = self.index(&mut connection).await?;
            if is_settled(&index) {
                return Ok(());
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    fn holds(&self, stage: &mut Stage, idle_mib: f64) -> Result<()> {
        let resident = self.server.process.resident_kib()? / 1_024.0;
        let [index, vectors] = ["index", "vectors"].map(|name| self.server.folder().join("data").join(name));
        let (index, vectors) = (bytes_in(&index)? as f64 / MIB, bytes_in(&vectors)? as f64 / MIB);
        let mut row = |what: &str, confab, most, more| {
            stage.report.add(Row {
                scenario: "search",
                what: format!("{what}, {} messages", self.messages),
                unit: "MiB",
                confab,
                floor: None,
                goal: Goal::AtMost(most),
                more,
            });
        };
        row("resident beyond the idle server", resident - idle_mib, 600.0, json!({ "idle_mib": idle_mib }));
        row("disk", index + vectors, 500.0, json!({ "index_mib": index, "vectors_mib": vectors }));
        Ok(())
    }
}

/// Nothing is behind and nothing is being built.
fn is_settled(index: &Value) -> bool {
    index["lag"] == 0
        && index["building"].is_null()
        && (index["vectors"].is_null()
            || (index["vectors_lag"] == 0 && index["vectors"]["building"].is_null()))
}

fn bytes_in(folder: &std::path::Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let found = entry.metadata()?;
        bytes += if found.is_dir() { bytes_in(&entry.path())? } else { found.len() };
    }
    Ok(bytes)
}
