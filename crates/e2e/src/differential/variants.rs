//! The steps that are derived from a step: what every operation must refuse, and how.
//!
//! They run before the step they come from, because a right server does nothing on them.

use serde_json::{Map, Value, json};

use super::script::Step;
use super::table::{Operations, is_variable};

/// A token that no server has given.
const WRONG_TOKEN: &str = "hvs.AAAAAAAAAAAAAAAAAAAAAAAA";

/// How many fields of a body are mistyped, each in a step of its own.
const MISTYPED_FIELDS_MAX: usize = 8;

/// What one step gives rise to. `seen` holds what was derived before, so that each path is misused once.
pub(super) fn variants(step: &Step, operations: &Operations, seen: &mut Vec<String>) -> Vec<Step> {
    let mut derived = Vec::new();
    if !step.variants || step.token.is_empty() {
        return derived;
    }
    let template = operations.template_of(&step.path).unwrap_or(&step.path).to_owned();
    let key = format!("{} {template}", step.method);
    if seen.contains(&key) {
        return derived;
    }
    seen.push(key);
    derived.push(Step { token: String::new(), ..named(step, "no token") });
    derived.push(Step { token: WRONG_TOKEN.to_owned(), ..named(step, "wrong token") });
    if matches!(step.method.as_str(), "POST" | "PUT" | "PATCH") {
        derived.push(Step { body: None, raw: Some("{\"broken\":".to_owned()), ..named(step, "broken body") });
        if let Some(body) = step.body.as_ref().and_then(Value::as_object).filter(|fields| !fields.is_empty()) {
            for field in body.keys().take(MISTYPED_FIELDS_MAX) {
                derived.push(Step { body: Some(mistyped(body, field)), ..named(step, &format!("mistyped {field}")) });
            }
        }
    } else if let Some(path) = with_missing_object(&template, &step.path) {
        derived.push(Step { path, ..named(step, "missing object") });
    }
    let misuse = format!("misused {template}");
    if !seen.contains(&misuse) {
        seen.push(misuse);
        derived.extend(wrong_method(step, &template, operations));
    }
    derived
}

fn named(step: &Step, what: &str) -> Step {
    Step { name: format!("{} [{what}]", step.name), save: Default::default(), ..step.clone() }
}

/// One field at a time: the peer reports the first bad field of an unordered map.
fn mistyped(body: &Map<String, Value>, field: &str) -> Value {
    let mut body = body.clone();
    body.insert(field.to_owned(), json!({"wrong": {"type": [1]}}));
    Value::Object(body)
}

/// The path with the last variable segment of its template replaced by a name that nothing has.
fn with_missing_object(template: &str, path: &str) -> Option<String> {
    let pattern: Vec<&str> = template.trim_matches('/').split('/').collect();
    let position = pattern.iter().rposition(|segment| is_variable(segment))?;
    let (path, query) = path.split_once('?').map_or((path, ""), |(path, query)| (path, query));
    let mut segments: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let last = position + 1 == pattern.len();
    if let Some(segment) = segments.get_mut(position) {
        *segment = "missing-thing";
    }
    if last {
        segments.truncate(position + 1);
    }
    let slash = if path.ends_with('/') { "/" } else { "" };
    let question = if query.is_empty() { "" } else { "?" };
    Some(format!("{}{slash}{question}{query}", segments.join("/")))
}

fn wrong_method(step: &Step, template: &str, operations: &Operations) -> Option<Step> {
    if !operations.0.iter().any(|operation| operation.template == template) {
        return None;
    }
    let method = ["DELETE", "GET", "POST", "LIST"].into_iter().find(|method| !operations.serves(template, method))?;
    let body = (method == "POST").then(|| json!({}));
    Some(Step { method: method.to_owned(), body, raw: None, ..named(step, &format!("wrong method {method}")) })
}
