//! What was found: a table for people, a line of JSON for each row.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};

use crate::Result;

/// What a row must hold: of its ratio to the floor, or of its value where it has no floor.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// Nothing is asked; the row is there to be looked at.
    None,
}

/// One figure of Confab beside the floor's.
pub struct Row {
    pub scenario: &'static str,
    pub what: String,
    pub unit: &'static str,
    pub confab: f64,
    /// Which floor, and its figure in the same run.
    pub floor: Option<(&'static str, f64)>,
    pub goal: Goal,
    /// Whatever explains the figure.
    pub more: Value,
}

impl Row {
    /// Confab's figure as a share of the floor's.
    fn ratio(&self) -> Option<f64> {
        self.floor.map(|(_, floor)| self.confab / floor)
    }

    /// Whether the goal is met. `None`: there is none.
    fn is_met(&self) -> Option<bool> {
        let found = self.ratio().unwrap_or(self.confab);
        match self.goal {
            Goal::AtLeast(least) => Some(found >= least),
            Goal::AtMost(most) => Some(found <= most),
            Goal::None => None,
        }
    }

    fn line(&self) -> String {
        let (name, floor) = self.floor.map_or(("", String::new()), |(name, floor)| (name, figure(floor)));
        let ratio = self.ratio().map_or(String::new(), |ratio| format!("{ratio:.2}"));
        let met = match self.is_met() {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        format!(
            "{:<12} {:<44} {:>10} {:<6} {:>10} {:<13} {ratio:>6} {:>8} {met}",
            self.scenario,
            self.what,
            figure(self.confab),
            self.unit,
            floor,
            name,
            self.goal.words()
        )
        .trim_end()
        .to_owned()
    }

    fn json(&self, run: &Value) -> Value {
        json!({
            "run": run, "scenario": self.scenario, "what": self.what, "unit": self.unit, "confab": self.confab,
            "floor": self.floor.map(|it| it.1), "floor_name": self.floor.map(|it| it.0), "ratio": self.ratio(),
            "goal": self.goal.words(), "met": self.is_met(), "more": self.more,
        })
    }
}

impl Goal {
    fn words(self) -> String {
        match self {
            Self::AtLeast(least) => format!("≥ {least}"),
            Self::AtMost(most) => format!("≤ {most}"),
            Self::None => String::new(),
        }
    }
}

/// Three digits that say something.
fn figure(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{middle:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// All rows of a run.
#[derive(Default)]
pub struct Report {
    rows: Vec<Row>,
}

impl Report {
    /// Adds a row and tells at once that it is done.
    pub fn add(&mut self, row: Row) {
        eprintln!("{}", row.line());
        self.rows.push(row);
    }

    /// Prints the table, then the JSON lines; appends these to `save`. `run` says when and under what conditions.
    pub fn print(&self, run: &Value, save: Option<&Path>) -> Result<()> {
        println!(
            "{:<12} {:<44} {:>10} {:<6} {:>10} {:<13} {:>6} {:>8} met",
            "scenario", "what", "confab", "", "floor", "", "ratio", "goal"
        );
        for row in &self.rows {
            println!("{}", row.line());
        }
        let mut lines = String::new();
        for row in &self.rows {
            lines.push_str(&row.json(run).to_string());
            lines.push('\n');
        }
        print!("{lines}");
        if let Some(path) = save {
            OpenOptions::new().create(true).append(true).open(path)?.write_all(lines.as_bytes())?;
        }
        Ok(())
    }
}

#[test]
fn a_goal_is_of_the_ratio_where_there_is_a_floor() {
    let row = |floor, goal| Row {
        scenario: "posts",
        what: "posts a second".into(),
        unit: "/s",
        confab: 80.0,
        floor,
        goal,
        more: Value::Null,
    };
    assert_eq!(row(Some(("group commit", 100.0)), Goal::AtLeast(0.8)).is_met(), Some(true));
    assert_eq!(row(Some(("group commit", 100.0)), Goal::AtLeast(0.9)).is_met(), Some(false));
    assert_eq!(row(None, Goal::AtMost(79.0)).is_met(), Some(false));
    assert_eq!(row(None, Goal::None).is_met(), None);
    // A floor that could not be measured meets nothing.
    assert_eq!(row(Some(("group commit", f64::NAN)), Goal::AtLeast(0.1)).is_met(), Some(false));
}
