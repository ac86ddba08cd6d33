//! Pages of a long channel straight from SQLite, on one core: no JSON, no network, no permissions.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::params;

use super::committer;
use crate::Result;
use crate::latencies::Latencies;

const PAGE: &str = "select id, seq, sender_id, content, created_at from messages
    where channel_id = 0 and seq < ?1 order by seq desc limit 50";

/// Reads pages at places spread over a channel of `messages`; answers how many a second.
pub fn measure(folder: &Path, messages: i64, lasting: Duration, latencies: &Latencies) -> Result<f64> {
    let connection = committer::open(folder)?;
    committer::fill(&connection, messages, &crate::text::numbered(0))?;
    let mut page = connection.prepare(PAGE)?;
    let started = Instant::now();
    let (mut place, mut bytes) = (0, 0_usize);
    while started.elapsed() < lasting {
        let asked = Instant::now();
        place = (place + crate::text::STRIDE) % messages;
        let mut rows = page.query(params![place + 2])?;
        while let Some(row) = rows.next()? {
            bytes += row.get_ref(3)?.as_str()?.len() + row.get_ref(0)?.as_blob()?.len();
            bytes += (row.get::<_, i64>(1)? + row.get::<_, i64>(4)?) as usize & 1;
        }
        latencies.add(asked.elapsed(), 1);
    }
    if bytes == 0 {
        return Err("no page held a message".into());
    }
    Ok(latencies.count() as f64 / started.elapsed().as_secs_f64())
}
