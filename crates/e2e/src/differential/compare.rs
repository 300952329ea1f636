//! Two answers to one request, held against each other.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The step's name.
    pub step: String,
    /// What differs: `status`, `header NAME`, `key POINTER`, `type POINTER`, `text POINTER` or `value POINTER`.
    pub what: String,
    /// The peer's side.
    pub peer: String,
    /// Our side.
    pub ours: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\t{}\tpeer: {}\tours: {}", self.step, self.what, self.peer, self.ours)
    }
}

/// What is compared of one answer, already normalised.
#[derive(Debug, Clone)]
pub(super) struct Side {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Value,
}

/// Gathers the differences of one step.
pub(super) struct Comparison<'a> {
    step: &'a str,
    ignore: &'a [String],
    values: bool,
    found: Vec<Difference>,
}

impl<'a> Comparison<'a> {
    /// Compares `peer` and `ours`; `values` asks for equal scalars too, not only equal types.
    pub(super) fn of(step: &'a str, ignore: &'a [String], values: bool, peer: &Side, ours: &Side) -> Vec<Difference> {
        let mut comparison = Comparison { step, ignore, values, found: Vec::new() };
        if peer.status != ours.status {
            let show =
                |side: &Side| format!("{} {}", side.status, short(side.body.get("errors").unwrap_or(&Value::Null)));
            comparison.add("status".to_owned(), show(peer), show(ours));
            return comparison.found;
        }
        for ((name, left), (_, right)) in peer.headers.iter().zip(&ours.headers) {
            if left != right {
                comparison.add(format!("header {name}"), left.clone(), right.clone());
            }
        }
        comparison.values_at("", &peer.body, &ours.body);
        comparison.found
    }

    fn add(&mut self, what: String, peer: String, ours: String) {
        self.found.push(Difference { step: self.step.to_owned(), what, peer, ours });
    }

    fn values_at(&mut self, pointer: &str, peer: &Value, ours: &Value) {
        if self.ignore.iter().any(|ignored| ignored == pointer) {
            return;
        }
        match (peer, ours) {
            (Value::Object(left), Value::Object(right)) => {
                let keys: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
                for key in keys {
                    let place = format!("{pointer}/{key}");
                    match (left.get(key), right.get(key)) {
                        (Some(left), Some(right)) => self.values_at(&place, left, right),
                        _ if self.ignore.contains(&place) => {}
                        (Some(left), None) => self.add(format!("key {place}"), short(left), "absent".to_owned()),
                        (None, Some(right)) => self.add(format!("key {place}"), "absent".to_owned(), short(right)),
                        (None, None) => {}
                    }
                }
            }
            (Value::Array(left), Value::Array(right)) => self.arrays(pointer, left, right),
            (left, right) if kind(left) != kind(right) => {
                self.add(
                    format!("type {pointer}"),
                    format!("{} {}", kind(left), short(left)),
                    format!("{} {}", kind(right), short(right)),
                );
            }
            (left, right) => {
                let always = pointer.starts_with("/errors") || pointer.starts_with("/warnings");
                if left != right && (always || self.values) {
                    let what = if always { "text" } else { "value" };
                    self.add(format!("{what} {pointer}"), short(left), short(right));
                }
            }
        }
    }

    /// Lists of errors and warnings are texts; of others the shapes that occur are compared, and with `values` the items.
    fn arrays(&mut self, pointer: &str, peer: &[Value], ours: &[Value]) {
        let texts = pointer.starts_with("/errors") || pointer.starts_with("/warnings");
        if texts || (self.values && peer.len() == ours.len()) {
            for (index, (left, right)) in peer.iter().zip(ours).enumerate() {
                self.values_at(&format!("{pointer}/{index}"), left, right);
            }
        }
        if (texts || self.values) && peer.len() != ours.len() {
            self.add(format!("text {pointer}"), short(&Value::from(peer)), short(&Value::from(ours)));
        }
        if texts || self.values {
            return;
        }
        match (peer.is_empty(), ours.is_empty()) {
            (true, true) => {}
            (false, false) => {
                let place = format!("{pointer}/*");
                self.values_at(&place, &merged(peer), &merged(ours));
            }
            _ => self.add(format!("key {pointer}/*"), short(&Value::from(peer)), short(&Value::from(ours))),
        }
    }
}

/// One value that has every key that occurs in the items.
fn merged(items: &[Value]) -> Value {
    let mut all = items.first().cloned().unwrap_or_default();
    for item in items {
        if let (Value::Object(all), Value::Object(fields)) = (&mut all, item) {
            for (key, value) in fields {
                all.entry(key.clone()).or_insert_with(|| value.clone());
            }
        }
    }
    all
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

fn short(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.replace('\n', "\\n").replace('\t', "\\t"),
        other => other.to_string(),
    };
    if text.chars().count() <= 160 { text } else { format!("{}…", text.chars().take(160).collect::<String>()) }
}
