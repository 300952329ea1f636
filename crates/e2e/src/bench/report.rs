//! The table and the JSON of a measurement.

use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::failure::Outcome;

/// One case.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its name.
    pub case: String,
    /// The unit of the two figures.
    pub unit: &'static str,
    /// The peer's median.
    pub peer: f64,
    /// Our median.
    pub ours: f64,
    /// The median of the pairwise ratios, ours to the peer's; for a bound on ours alone, ours.
    pub ratio: f64,
    /// What the ratio must reach; below zero: its size is what the ratio may reach at most; zero: no aim.
    pub aim: f64,
    /// More figures, for people.
    pub detail: String,
}

impl Line {
    /// A case in which ours alone must stay at or below `limit`.
    pub fn at_most(case: &str, unit: &'static str, peer: f64, ours: f64, limit: f64) -> Line {
        let detail = String::new();
        Line { case: case.to_owned(), unit, peer, ours, ratio: ours, aim: -limit, detail }
    }

    /// Whether the aim is met.
    pub fn is_met(&self) -> bool {
        if self.aim < 0.0 { self.ratio <= -self.aim } else { self.ratio >= self.aim }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (bound, aim) = if self.aim < 0.0 { ("<=", -self.aim) } else { (">=", self.aim) };
        let verdict = match (self.aim == 0.0, self.is_met()) {
            (true, _) => String::new(),
            (false, true) => format!("{bound} {aim} met"),
            (false, false) => format!("{bound} {aim} MISSED"),
        };
        let Line { case, unit, peer, ours, ratio, detail, .. } = self;
        write!(formatter, "{case:32} {peer:10.1} {ours:10.1} {unit:8} {ratio:8.2}  {verdict:16} {detail}")
    }
}

/// All cases of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// The machine, by the model of its processor.
    pub machine: String,
    /// What bare hyper answers in a second of processor time.
    pub limit_per_cpu_second: f64,
    /// The cases.
    pub lines: Vec<Line>,
}

impl Report {
    /// An empty report of this machine.
    pub fn of_this_machine() -> Report {
        let information = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = information.lines().find_map(|line| line.strip_prefix("model name"));
        let machine = model.map(|rest| rest.trim_start_matches([' ', '\t', ':']).to_owned()).unwrap_or_default();
        Report { machine, ..Report::default() }
    }

    /// Adds and prints a case.
    pub fn print(&mut self, line: Line) {
        println!("{line}");
        self.lines.push(line);
    }

    /// How many cases with an aim meet it, and how many miss it.
    pub fn verdict(&self) -> (usize, usize) {
        let aimed = self.lines.iter().filter(|line| line.aim != 0.0);
        let met = aimed.clone().filter(|line| line.is_met()).count();
        (met, aimed.count() - met)
    }

    /// Writes everything as JSON.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Outcome<()> {
        let lines: Vec<Value> = self
            .lines
            .iter()
            .map(|line| {
                json!({
                    "case": line.case, "unit": line.unit, "peer": line.peer, "ours": line.ours,
                    "ratio": line.ratio, "aim": line.aim, "met": line.is_met(), "detail": line.detail,
                })
            })
            .collect();
        let report =
            json!({"machine": self.machine, "bare_hyper_per_cpu_second": self.limit_per_cpu_second, "cases": lines});
        Ok(fs::write(path, format!("{report:#}\n"))?)
    }
}
