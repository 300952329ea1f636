//! Runs the scripts on both sides and gathers the differences.

use std::collections::BTreeMap;

use serde_json::Value;

use super::compare::{Comparison, Difference, Side};
use super::normal;
use super::reviewed::Reviewed;
use super::script::{Script, Step};
use super::table::Operations;
use super::variants::variants;
use crate::failure::{Context, Outcome};
use crate::http::{Answer, Request};
use crate::server::{Server, Settings};

/// Headers that are compared.
const HEADERS: [&str; 2] = ["content-type", "cache-control"];

/// What to start on each side.
#[derive(Debug, Clone)]
pub struct Sides {
    /// The server that is right by definition.
    pub peer: Settings,
    /// The server under judgement.
    pub ours: Settings,
    /// Whether scalars must be equal, not only of equal type.
    pub values: bool,
}

/// What came out.
#[derive(Debug, Default)]
pub struct Report {
    /// Requests sent to each side.
    pub steps: usize,
    /// Steps without an unreviewed difference.
    pub steps_agreed: usize,
    /// Differences that no entry accepts.
    pub open: Vec<Difference>,
    /// How often each reviewed entry was used.
    pub uses: Vec<usize>,
}

struct Session {
    server: Server,
    captures: BTreeMap<String, String>,
}

/// Runs every script.
///
/// # Errors
/// If a server cannot be started or does not answer; a difference is no error.
pub fn run(sides: &Sides, scripts: &[Script], operations: &Operations, reviewed: &Reviewed) -> Outcome<Report> {
    let mut report = Report { uses: vec![0; reviewed.0.len()], ..Report::default() };
    for script in scripts {
        let mut peer = Session::start(&sides.peer, script).at("peer")?;
        let mut ours = Session::start(&sides.ours, script).at("ours")?;
        let mut seen = Vec::new();
        for step in &script.steps {
            for step in variants(step, operations, &mut seen).iter().chain([step]) {
                let differences = compare_step(sides, step, &mut peer, &mut ours)?;
                report.add(differences, reviewed);
            }
        }
    }
    Ok(report)
}

fn compare_step(sides: &Sides, step: &Step, peer: &mut Session, ours: &mut Session) -> Outcome<Vec<Difference>> {
    let left = peer.perform(step).at(format!("peer: {}", step.name))?;
    let right = match ours.perform(step) {
        Ok(side) => side,
        Err(failure) => {
            let (what, peer) = ("reply".to_owned(), left.status.to_string());
            return Ok(vec![Difference { step: step.name.clone(), what, peer, ours: failure.to_string() }]);
        }
    };
    Ok(Comparison::of(&step.name, &step.ignore, sides.values, &left, &right))
}

impl Report {
    /// Prints what is open, what of the reviewed list (as far as `concerned` by this run) is not needed, and a closing line.
    pub fn print(&self, name: &str, reviewed: &Reviewed, concerned: impl Fn(&str) -> bool) {
        for difference in &self.open {
            println!("{difference}");
        }
        for (entry, uses) in reviewed.0.iter().zip(&self.uses) {
            if *uses == 0 && concerned(&entry.step) {
                println!("reviewed entry is no longer needed: {}\t{}", entry.step, entry.what);
            }
        }
        let accepted: usize = self.uses.iter().sum();
        println!("{name}: {} steps, {} open differences, {accepted} reviewed", self.steps, self.open.len());
        println!("{name}: {} passed, {} failed", self.steps_agreed, self.steps - self.steps_agreed);
    }

    /// Adds what one step found.
    pub(super) fn add(&mut self, differences: Vec<Difference>, reviewed: &Reviewed) {
        self.steps += 1;
        let open_before = self.open.len();
        for difference in differences {
            match reviewed.accepts(&difference) {
                Some(entry) => {
                    if let Some(uses) = self.uses.get_mut(entry) {
                        *uses += 1;
                    }
                }
                None => self.open.push(difference),
            }
        }
        if self.open.len() == open_before {
            self.steps_agreed += 1;
        }
    }
}

impl Session {
    fn start(settings: &Settings, script: &Script) -> Outcome<Session> {
        let server = if script.fresh { Server::start(settings)? } else { Server::start_unsealed(settings)? };
        let mut captures = BTreeMap::new();
        captures.insert("folder".to_owned(), server.folder().display().to_string());
        if !script.fresh {
            captures.insert("root".to_owned(), server.root_token.clone());
            captures.insert("share".to_owned(), server.shares.first().cloned().unwrap_or_default());
        }
        Ok(Session { server, captures })
    }

    fn perform(&mut self, step: &Step) -> Outcome<Side> {
        let mut request = Request::api(&step.method, &self.fill(&step.path), &self.fill(&step.token));
        request.headers.extend(step.headers.iter().map(|(name, value)| (name.clone(), self.fill(value))));
        request.body = match (&step.raw, &step.body) {
            (Some(raw), _) => Some(self.fill(raw).into_bytes()),
            (None, Some(body)) => Some(self.fill_value(body).to_string().into_bytes()),
            (None, None) => None,
        };
        let answer = self.server.client.send(&request)?;
        let json = answer.json();
        for (name, pointer) in &step.save {
            let text = match json.pointer(pointer) {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => format!("no-{name}"),
            };
            self.captures.insert(name.clone(), text);
        }
        Ok(self.side(&answer, &json))
    }

    fn side(&self, answer: &Answer, json: &Value) -> Side {
        let header = |name: &str| answer.header(name).unwrap_or("absent").to_owned();
        let headers = HEADERS.iter().map(|name| ((*name).to_owned(), header(name))).collect();
        let body = match json {
            Value::Null if !answer.body.is_empty() => Value::String("not JSON".to_owned()),
            json => normal::value(json, &self.captures),
        };
        Side { status: answer.status, headers, body }
    }

    /// Replaces `$name` by what was captured, longest name first.
    fn fill(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (name, value) in self.captures.iter().rev() {
            filled = filled.replace(&format!("${name}"), value);
        }
        filled
    }

    fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(items) => Value::Array(items.iter().map(|item| self.fill_value(item)).collect()),
            Value::Object(fields) => {
                Value::Object(fields.iter().map(|(key, item)| (key.clone(), self.fill_value(item))).collect())
            }
            other => other.clone(),
        }
    }
}
