//! Ten thousand sockets that do nothing: how fast they come, and what each holds.

use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;

use crate::Result;
use crate::floor::Kind;
use crate::person::{self, Person};
use crate::report::{Goal, Row};
use crate::server::{SOCKETS_A_PERSON, Server};
use crate::socket::Socket;
use crate::stage::Stage;

/// Clients that connect at the same time.
const TOGETHER: usize = 64;
/// What only the greeting needed has been given back by then.
const SETTLE: Duration = Duration::from_secs(3);

struct Connected {
    a_second: f64,
    kib_each: f64,
}

pub async fn measure(stage: &mut Stage) -> Result<()> {
    let world = stage.world().await?;
    let count = world.people.len() * SOCKETS_A_PERSON;
    let floor = Server::floor(Kind::Poem).await?;
    let poem = connect_all(&floor, count, None).await?;
    drop(floor);
    // Only the registering of so many people has taken memory that sockets could use: it is given back by a restart.
    stage.give_back(world).await?;
    let world = stage.world().await?;
    let ours = connect_all(&world.server, count, Some(&world.people)).await?;
    stage.report.add(Row {
        scenario: "idle",
        what: format!("resident memory a socket, {count} signed in"),
        unit: "KiB",
        confab: ours.kib_each,
        floor: None,
        goal: Goal::AtMost(10.0),
        more: json!({ "poem_kib": poem.kib_each }),
    });
    stage.report.add(Row {
        scenario: "idle",
        what: "signed-in connects a second".into(),
        unit: "/s",
        confab: ours.a_second,
        floor: Some(("poem tuned", poem.a_second)),
        goal: Goal::AtLeast(0.6),
        more: json!({}),
    });
    stage.give_back(world).await
}

/// Opens `count` sockets and holds them for a moment.
async fn connect_all(server: &Server, count: usize, people: Option<&[Person]>) -> Result<Connected> {
    let before = server.process.resident_kib()?;
    let started = Instant::now();
    let sockets: Vec<Socket> = stream::iter(0..count)
        .map(|number| async move {
            if let Some(people) = people {
                return person::connect(&server.host, &people[number % people.len()]).await;
            }
            let mut socket = Socket::open(&server.host, "/ws?channels=0").await?;
            socket.hear_first(r#"{"op":"ready""#).await?;
            Ok(socket)
        })
        .buffer_unordered(TOGETHER)
        .try_collect()
        .await?;
    let a_second = count as f64 / started.elapsed().as_secs_f64();
    tokio::time::sleep(SETTLE).await;
    let kib_each = (server.process.resident_kib()? - before) / sockets.len() as f64;
    Ok(Connected { a_second, kib_each })
}
