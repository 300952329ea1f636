//! Claims that a role adds, filled from the identity: a JSON object with `{{directives}}` in the place of values.
//!
//! Every value is put in as JSON, so that none of an identity's names can become anything but a value (compare S04),
//! and what the server itself says in a token is not a role's to say.

use crate::policy::{AliasView, EntityView, TemplateContext};
use engine::{Fault, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Claims that only the server makes.
const RESERVED: [&str; 10] =
    ["iat", "aud", "exp", "iss", "sub", "namespace", "nonce", "auth_time", "at_hash", "c_hash"];

/// An identity without anything, to check a template with.
pub(super) fn nobody() -> TemplateContext {
    TemplateContext { entity: Some(EntityView::default()), groups: Vec::new() }
}

/// The claims of a template for somebody; none of an empty one.
pub(super) fn filled(template: &str, context: &TemplateContext, now: Timestamp) -> Result<Map<String, Value>, Fault> {
    if template.is_empty() {
        return Ok(Map::new());
    }
    let text = substituted(template, context, now)?;
    let claims: Map<String, Value> = serde_json::from_str(&text)
        .map_err(|_| Fault::invalid("error parsing template JSON: it does not make a JSON object"))?;
    match claims.keys().find(|claim| RESERVED.contains(&claim.as_str())) {
        None => Ok(claims),
        Some(claim) => Err(Fault::invalid(format!(
            "top level key {claim:?} not allowed. Restricted keys: {}",
            RESERVED.join(", ")
        ))),
    }
}

fn substituted(template: &str, context: &TemplateContext, now: Timestamp) -> Result<String, Fault> {
    let unbalanced = || Fault::invalid("error parsing template: unbalanced templating characters");
    let mut pieces = template.split("{{");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    if text.contains("}}") {
        return Err(unbalanced());
    }
    for piece in pieces {
        let (directive, behind) = piece.split_once("}}").ok_or_else(unbalanced)?;
        if behind.contains("}}") {
            return Err(unbalanced());
        }
        text.push_str(&value(directive.trim(), context, now)?.to_string());
        text.push_str(behind);
    }
    Ok(text)
}

fn value(directive: &str, context: &TemplateContext, now: Timestamp) -> Result<Value, Fault> {
    if directive.starts_with("identity.groups.") {
        return Err(Fault::invalid(
            "error parsing template: string contains groups template directives but no groups were provided",
        ));
    }
    let found = match (directive.strip_prefix("identity.entity."), directive.strip_prefix("time.now")) {
        (Some(field), _) => context.entity.as_ref().and_then(|entity| of_entity(field, entity, context)),
        (_, Some(change)) => moment(change, now),
        _ => None,
    };
    found.ok_or_else(|| {
        Fault::invalid("error parsing template: no value could be found for one of the template directives")
    })
}

/// What an identity lacks is empty, so that a token has the same members for everybody.
fn of_entity(field: &str, entity: &EntityView, context: &TemplateContext) -> Option<Value> {
    let list = |values: Vec<&String>| if values.is_empty() { Value::Null } else { json!(values) };
    match field {
        "id" => return Some(json!(entity.id)),
        "name" => return Some(json!(entity.name)),
        "groups.ids" => return Some(list(context.groups.iter().map(|group| &group.id).collect())),
        "groups.names" => return Some(list(context.groups.iter().map(|group| &group.name).collect())),
        _ => {}
    }
    let Some(rest) = field.strip_prefix("aliases.") else { return pairs(field, "metadata", &entity.metadata) };
    let (accessor, field) = rest.split_once('.')?;
    let nothing = AliasView::default();
    let mut of_mount = entity.aliases.iter().filter(|alias| alias.mount_accessor == accessor);
    // Of two for one mount neither counts: which of them is meant is not guessed.
    let alias = of_mount.next().filter(|_| of_mount.next().is_none()).unwrap_or(&nothing);
    match field {
        "id" => Some(json!(alias.id)),
        "name" => Some(json!(alias.name)),
        _ => pairs(field, "metadata", &alias.metadata)
            .or_else(|| pairs(field, "custom_metadata", &alias.custom_metadata)),
    }
}

/// All pairs under their own name, or one of them behind a dot.
fn pairs(field: &str, name: &str, pairs: &BTreeMap<String, String>) -> Option<Value> {
    match field.strip_prefix(name)? {
        "" => Some(json!(pairs)),
        key => Some(json!(pairs.get(key.strip_prefix('.')?).cloned().unwrap_or_default())),
    }
}

/// Seconds since the epoch: `time.now`, `time.now.plus.1h`, `time.now.minus.30s`.
fn moment(change: &str, now: Timestamp) -> Option<Value> {
    let seconds = |text: &str| wire::scalar::parse_duration(text).filter(|seconds| *seconds >= 0);
    let change = match change {
        "" => 0,
        _ => match (change.strip_prefix(".plus."), change.strip_prefix(".minus.")) {
            (Some(later), _) => seconds(later)?,
            (_, Some(earlier)) => -seconds(earlier)?,
            _ => return None,
        },
    };
    Some(json!(now.plus_seconds(change).seconds()))
}
