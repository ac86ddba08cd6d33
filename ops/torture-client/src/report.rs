//! The one line that a run leaves behind.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value, json};

use crate::arguments::Arguments;
use crate::board::Board;
use crate::checker::Tally;
use crate::findings::Kind;

/// What the board does not know.
pub struct Ending {
    pub seed: u64,
    pub version: String,
    pub tally: Tally,
    pub faults: BTreeMap<&'static str, u64>,
    /// How long people wrote, and how long all of it took.
    pub written_for: Duration,
    pub took: Duration,
    /// Of the largest process of ours, whenever that was.
    pub resident_kib: u64,
    pub open_files: u64,
    /// Why the run could not be brought to its end, if so.
    pub broken_off: Option<String>,
}

/// All figures as one JSON object.
pub fn line(arguments: &Arguments, board: &Board, ending: &Ending) -> Value {
    let mut line = Map::new();
    let mut put = |name: &str, value: Value| drop(line.insert(name.to_owned(), value));
    put("run", json!("torture"));
    put("mode", json!(format!("{:?}", arguments.mode).to_lowercase()));
    put("disk", json!(format!("{:?}", arguments.disk).to_lowercase()));
    put("seed", json!(ending.seed));
    put("version", json!(ending.version));
    put("commit", json!(arguments.commit));
    put("ended_at", json!(ended_at()));
    put("is_clean", json!(board.findings.is_clean() && ending.broken_off.is_none()));
    for kind in Kind::ALL {
        put(kind.as_str(), json!(board.findings.count(kind)));
    }
    put("acknowledged", json!(ending.tally.posts));
    put("edited", json!(ending.tally.edits));
    put("deleted", json!(ending.tally.deletes));
    put("retried", json!(board.retries.get()));
    put("faults", json!(ending.faults));
    put("delivered", json!(ending.tally.deliveries));
    put("resumed", json!(board.resumes.get()));
    put("read_anew", json!(board.read_anew.get()));
    put("closed_too_slow", json!(board.too_slow.get()));
    put("races", json!(board.races.get()));
    put("probes", json!(board.probes.get()));
    put("opened", json!(board.opened.get()));
    put("repeated_by_bus", json!(board.repeated.get()));
    put("cut_short", json!(ending.tally.cut_short));
    put("revocations", json!(board.revoked.count()));
    put("greeted_while_revoked", json!(board.late_greetings.get()));
    put("revocation_p99_ms", json!(board.revoked.quantile_ms(0.99)));
    put("acknowledged_p50_ms", json!(board.acknowledged.quantile_ms(0.50)));
    put("acknowledged_p99_ms", json!(board.acknowledged.quantile_ms(0.99)));
    put("recovery_p50_ms", json!(board.recovered.quantile_ms(0.50)));
    put("recovery_max_ms", json!(board.recovered.quantile_ms(1.0)));
    put("longest_silence_ms", json!(board.longest_silence().as_millis() as u64));
    put("moved", json!(board.moved.count()));
    put("moved_p99_ms", json!(board.moved.quantile_ms(0.99)));
    put("written_s", json!(ending.written_for.as_secs_f64()));
    put("acknowledged_per_s", json!(ending.tally.posts as f64 / ending.written_for.as_secs_f64().max(0.001)));
    put("took_s", json!(ending.took.as_secs_f64()));
    put("resident_kib", json!(ending.resident_kib));
    put("open_files", json!(ending.open_files));
    if let Some(why) = &ending.broken_off {
        put("broken_off", json!(why));
    }
    Value::Object(line)
}

/// Seconds since 1970.
fn ended_at() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
