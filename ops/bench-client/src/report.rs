//! The table and the JSON line.

use std::time::Duration;

use serde_json::{Value, json};

/// What one measurement found.
pub struct Measured {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    count: usize,
    missing: usize,
}

impl Measured {
    /// From the latency of each thing done in `took`; `missing` of them never came.
    pub fn of(mut latencies: Vec<Duration>, took: Duration, missing: usize) -> Self {
        latencies.sort_unstable();
        let quantile = |share: f64| {
            let at = ((latencies.len() as f64 * share).ceil() as usize).clamp(1, latencies.len().max(1)) - 1;
            latencies.get(at).map_or(f64::NAN, |it| it.as_secs_f64() * 1_000.0)
        };
        Self {
            per_second: latencies.len() as f64 / took.as_secs_f64(),
            p50_ms: quantile(0.50),
            p99_ms: quantile(0.99),
            count: latencies.len(),
            missing,
        }
    }
}

/// All measurements of a run.
#[derive(Default)]
pub struct Report {
    rows: Vec<(String, &'static str, Measured)>,
}

impl Report {
    /// Adds a row and tells on stderr that it is done.
    pub fn add(&mut self, name: &str, unit: &'static str, measured: Measured) {
        eprintln!("{name}: {:.0} {unit}", measured.per_second);
        self.rows.push((name.to_owned(), unit, measured));
    }

    /// Prints the table, then the JSON line.
    pub fn print(&self) {
        println!(
            "{:<26} {:>10} {:<13} {:>9} {:>9} {:>9} {:>8}",
            "what", "rate", "", "p50 ms", "p99 ms", "count", "missing"
        );
        for (name, unit, it) in &self.rows {
            println!(
                "{name:<26} {:>10.0} {unit:<13} {:>9.2} {:>9.2} {:>9} {:>8}",
                it.per_second, it.p50_ms, it.p99_ms, it.count, it.missing
            );
        }
        let rows: Vec<Value> = self.rows.iter().map(|(name, unit, it)| row(name, unit, it)).collect();
        println!("{}", json!({ "bench": "confab", "rows": rows }));
    }
}

fn row(name: &str, unit: &str, it: &Measured) -> Value {
    json!({
        "name": name, "unit": unit, "per_second": it.per_second, "p50_ms": it.p50_ms, "p99_ms": it.p99_ms,
        "count": it.count, "missing": it.missing,
    })
}

#[test]
fn quantiles_are_those_of_the_sorted_times() {
    let times: Vec<Duration> = (1..=100).rev().map(Duration::from_millis).collect();
    let it = Measured::of(times, Duration::from_secs(10), 3);
    assert_eq!((it.p50_ms.round() as i64, it.p99_ms.round() as i64), (50, 99));
    assert_eq!((it.per_second.round() as i64, it.count, it.missing), (10, 100, 3));
}
