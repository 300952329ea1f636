//! What a rule asks of a request beyond its operation: parameters, wrapping, page size.

use super::keys_filter::KeysTemplate;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Values by parameter name in lower case; no values means any value.
pub(super) type ParameterRules = BTreeMap<String, Vec<Value>>;

/// The name that stands for every other parameter.
const ANY: &str = "*";

/// The conditions of one rule, or of several of one pattern.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Constraints {
    /// Parameters a request may have; empty for no restriction.
    pub(super) allowed: ParameterRules,
    /// Parameters a request must not have.
    pub(super) denied: ParameterRules,
    /// Parameters a request must have, as written.
    pub(super) required: BTreeSet<String>,
    /// Shortest wrapping in seconds; 0 for no bound.
    pub(super) wrapping_seconds_min: u64,
    /// Longest wrapping in seconds; 0 for no bound.
    pub(super) wrapping_seconds_max: u64,
    /// Most names of a page; 0 for no bound.
    pub(super) pagination_limit: u64,
    /// Which names of a list are kept, and the namespace that this was said in.
    pub(super) keys: Option<(Arc<str>, Arc<KeysTemplate>)>,
}

impl Constraints {
    /// Takes on the conditions of another rule of the same pattern.
    pub(super) fn merge(&mut self, other: &Constraints) {
        merge_parameters(&mut self.allowed, &other.allowed);
        merge_parameters(&mut self.denied, &other.denied);
        self.required.extend(other.required.iter().cloned());
        self.wrapping_seconds_min = least(self.wrapping_seconds_min, other.wrapping_seconds_min);
        self.wrapping_seconds_max = least(self.wrapping_seconds_max, other.wrapping_seconds_max);
        self.pagination_limit = least(self.pagination_limit, other.pagination_limit);
        if self.keys.is_none() {
            self.keys.clone_from(&other.keys);
        }
    }

    /// Whether a request that asks for wrapping of so many seconds (`None`: for none) stays within the bounds.
    pub(super) fn admit_wrapping(&self, seconds: Option<u64>) -> bool {
        if self.wrapping_seconds_min == 0 && self.wrapping_seconds_max == 0 {
            return true;
        }
        let Some(seconds) = seconds.filter(|seconds| *seconds > 0) else { return false };
        seconds >= self.wrapping_seconds_min && (self.wrapping_seconds_max == 0 || seconds <= self.wrapping_seconds_max)
    }

    /// Whether the parameters of a read or write are within the rules.
    pub(super) fn admit_parameters(&self, parameters: Option<&Map<String, Value>>) -> bool {
        if !self.required_are_in(parameters) {
            return false;
        }
        let Some(parameters) = parameters.filter(|parameters| !parameters.is_empty()) else { return true };
        if self.denied.contains_key(ANY) {
            return false;
        }
        parameters.iter().all(|(name, value)| {
            let name = name.to_lowercase();
            let denied =
                self.denied.get(&name).is_some_and(|values| values.is_empty() || contains(values, value, is_denied));
            !denied && self.allows(&name, value)
        })
    }

    fn allows(&self, name: &str, value: &Value) -> bool {
        if self.allowed.is_empty() {
            return true;
        }
        let values = self.allowed.get(name).or_else(|| self.allowed.get(ANY));
        values.is_some_and(|values| values.is_empty() || contains(values, value, is_same))
    }

    fn required_are_in(&self, parameters: Option<&Map<String, Value>>) -> bool {
        self.required.iter().all(|name| parameters.is_some_and(|parameters| parameters.contains_key(name)))
    }

    /// Whether a list asks for no more than a page. Without a page limit, lists are free of parameter rules, as
    /// upstream's are. A limit of 0 or less asks for everything (S78).
    pub(super) fn admit_page(&self, parameters: Option<&Map<String, Value>>) -> bool {
        if self.pagination_limit == 0 {
            return true;
        }
        let limit = match parameters.and_then(|parameters| parameters.get("limit")) {
            None => None,
            Some(Value::Number(number)) => Some(number.as_u64()),
            Some(Value::String(text)) => Some(text.parse().ok()),
            Some(_) => Some(None),
        };
        let fits = limit.is_none_or(|limit| limit.is_some_and(|limit| (1..=self.pagination_limit).contains(&limit)));
        fits && self.required_are_in(parameters)
    }
}

fn merge_parameters(rules: &mut ParameterRules, others: &ParameterRules) {
    for (name, values) in others {
        match rules.get_mut(name) {
            None => drop(rules.insert(name.clone(), values.clone())),
            Some(known) if known.is_empty() || values.is_empty() => known.clear(),
            Some(known) => {
                let new: Vec<Value> = values.iter().filter(|value| !known.contains(value)).cloned().collect();
                known.extend(new);
            }
        }
    }
}

/// The smaller of two bounds, where 0 is none.
fn least(one: u64, other: u64) -> u64 {
    if one == 0 || other == 0 { one.max(other) } else { one.min(other) }
}

fn contains(rules: &[Value], value: &Value, matches: fn(&Value, &Value) -> bool) -> bool {
    rules.iter().any(|rule| matches(rule, value))
}

/// Texts match by `*` at either end; everything else by value. Types differ: `"1"` is not 1.
fn is_same(rule: &Value, value: &Value) -> bool {
    match (rule, value) {
        (Value::String(rule), Value::String(text)) => text_matches(rule, text),
        (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => one == other,
            _ => one.as_f64().is_some_and(|one| other.as_f64() == Some(one)),
        },
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let same = |(name, value): (&String, &Value)| other.get(name).is_some_and(|other| is_same(value, other));
            one.len() == other.len() && one.iter().all(same)
        }
        _ => rule == value,
    }
}

/// What must not pass is found in lists and in another spelling, too: engines read `"false"` as `false`, and `["a"]` as
/// `"a"`.
fn is_denied(rule: &Value, value: &Value) -> bool {
    if is_same(rule, value) {
        return true;
    }
    match value {
        Value::Array(values) => values.iter().any(|value| is_denied(rule, value)),
        _ => scalar_text(value).zip(scalar_text(rule)).is_some_and(|(text, rule)| text_matches(&rule, &text)),
    }
}

fn scalar_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn text_matches(rule: &str, text: &str) -> bool {
    match (rule.strip_prefix('*'), rule.strip_suffix('*')) {
        (Some(""), _) => true,
        (Some(rest), Some(_)) => text.contains(rest.strip_suffix('*').unwrap_or(rest)),
        (Some(suffix), None) => text.ends_with(suffix),
        (None, Some(prefix)) => text.starts_with(prefix),
        (None, None) => rule == text,
    }
}
