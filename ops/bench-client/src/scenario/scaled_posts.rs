//! Acknowledged posts a second on PostgreSQL, beside what PostgreSQL itself takes: the same number of rows in one insert a
//! commit, over one connection, into a table of its own in the same cluster.

use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use super::posts::{Posted, at_confab, middle};
use crate::Result;
use crate::latencies::Latencies;
use crate::person;
use crate::report::{Goal, Row};
use crate::server::Server;
use crate::stage::Stage;
use crate::text::numbered;

/// Posters at once; of one commit at most 256.
const POSTERS: [usize; 4] = [1, 16, 64, 512];
const GROUP: usize = 256;
/// Who posts; hashing their passwords would take longer than the measurement.
const PEOPLE: usize = 64;

const TABLE: &str =
    "create table bench_floor (id uuid primary key, channel_id uuid not null, seq bigint not null,
    sender_id uuid not null, content text not null, created_at bigint not null, unique (channel_id, seq))";
const INSERT: &str = "insert into bench_floor (id, channel_id, seq, sender_id, content, created_at)
    select id, $1, seq, $1, content, seq from unnest($2::uuid[], $3::bigint[], $4::text[]) as given (id, seq, content)";

pub async fn measure(stage: &mut Stage) -> Result<()> {
    let server = Server::scaled(&stage.confab).await?;
    let url = server.database_url().ok_or("no PostgreSQL stands behind the server")?;
    let mut connection = PgConnection::connect(&url).await?;
    sqlx::raw_sql(TABLE).execute(&mut connection).await?;
    let people = person::register(&server.host, stage.either(PEOPLE, 16)).await?;
    let channel = person::channel(&server.host, "posts", &people).await?;
    let lasting = stage.either(Duration::from_secs(5), Duration::from_secs(1));
    let most = stage.either(512, 64);
    let mut seq = 0;
    for posters in POSTERS.into_iter().filter(|it| *it <= most) {
        let (mut ours, mut theirs) = (Vec::new(), Vec::new());
        for _ in 0..stage.rounds {
            theirs.push(batched(&mut connection, posters.min(GROUP), &mut seq, lasting).await?);
            ours.push(at_confab(&server.host, &people, &channel, posters, lasting).await?);
        }
        let (ours, theirs) = (middle(ours)?, middle(theirs)?);
        stage.report.add(Row {
            scenario: "scaled-posts",
            what: format!("acknowledged, {posters} posters, PostgreSQL"),
            unit: "/s",
            confab: ours.a_second,
            floor: Some(("its own insert", theirs.a_second)),
            goal: Goal::AtLeast(0.6),
            more: json!({ "p50_ms": ours.latencies.quantile_ms(0.5), "p99_ms": ours.latencies.quantile_ms(0.99) }),
        });
    }
    Ok(())
}

/// Rows a second, `rows` in each commit.
async fn batched(
    connection: &mut PgConnection,
    rows: usize,
    last_seq: &mut i64,
    lasting: Duration,
) -> Result<Posted> {
    let latencies = Latencies::default();
    let texts: Vec<String> = (0..rows as u64).map(numbered).collect();
    let started = Instant::now();
    while started.elapsed() < lasting {
        let ids: Vec<Uuid> = (0..rows).map(|_| Uuid::now_v7()).collect();
        let seqs: Vec<i64> = (0..rows as i64).map(|place| *last_seq + 1 + place).collect();
        *last_seq += rows as i64;
        let sent = Instant::now();
        sqlx::query(INSERT)
            .bind(Uuid::nil())
            .bind(&ids)
            .bind(&seqs)
            .bind(&texts)
            .execute(&mut *connection)
            .await?;
        latencies.add(sent.elapsed(), rows as u64);
    }
    Ok(Posted { a_second: latencies.count() as f64 / started.elapsed().as_secs_f64(), latencies })
}
