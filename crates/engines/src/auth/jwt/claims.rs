//! What a role reads from the claims of a token that was verified: who it is, its groups, metadata, and whether the
//! claims are those that the role is bound to.
//!
//! A name that begins with `/` is a JSON pointer (RFC 6901), any other the name of a claim at the top. A claim that is
//! `null` is none.

use super::role::{ClaimsType, Role};
use engine::{Fault, glob_matches};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// Longest name of a user or group, in bytes.
const NAME_BYTES_MAX: usize = 1024;
/// Most groups of one token.
const GROUPS_MAX: usize = 1024;
/// Metadata that a mapping may not write.
const RESERVED: &str = "role";

/// The claims of a token.
pub(super) type Claims = Map<String, Value>;

/// The name of who logs in.
pub(super) fn user(role: &Role, claims: &Claims) -> Result<String, Fault> {
    let name = &role.user_claim;
    let found = if role.user_claim_json_pointer { claim(claims, name) } else { claims.get(name) };
    match found {
        None | Some(Value::Null) => Err(Fault::invalid(format!("claim {name:?} not found in token"))),
        Some(Value::String(user)) if user.is_empty() => Err(Fault::invalid("missing name in alias")),
        Some(Value::String(user)) if usable(user) => Ok(user.clone()),
        Some(Value::String(_)) => Err(Fault::invalid(format!("claim {name:?} is too long or holds control characters"))),
        Some(_) => Err(Fault::invalid(format!("claim {name:?} could not be converted to string"))),
    }
}

/// The names of the user's groups.
pub(super) fn groups(role: &Role, claims: &Claims) -> Result<Vec<String>, Fault> {
    let name = &role.groups_claim;
    if name.is_empty() {
        return Ok(Vec::new());
    }
    let single;
    let list = match claim(claims, name) {
        None | Some(Value::Null) => {
            return Err(Fault::invalid(format!("failed to fetch groups: {name:?} claim not found in token")));
        }
        Some(Value::Array(list)) => list,
        Some(Value::Object(_)) => {
            return Err(Fault::invalid(format!("{name:?} claim could not be converted to string list")));
        }
        Some(value) => {
            single = [value.clone()];
            single.as_slice()
        }
    };
    if list.len() > GROUPS_MAX {
        return Err(Fault::invalid(format!("{name:?} claim has too many members")));
    }
    let mut groups = BTreeSet::new();
    for value in list {
        match value {
            Value::String(group) if group.is_empty() => {}
            Value::String(group) if usable(group) => {
                groups.insert(group.clone());
            }
            _ => return Err(Fault::invalid("a value in groups claim could not be parsed as string".to_owned())),
        }
    }
    Ok(groups.into_iter().collect())
}

/// Metadata by the role's mappings; what a token lacks is left out.
pub(super) fn metadata(role: &Role, claims: &Claims) -> Result<BTreeMap<String, String>, Fault> {
    let mut metadata = BTreeMap::new();
    for (name, key) in &role.claim_mappings {
        match claim(claims, name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => {
                metadata.insert(key.clone(), text.clone());
            }
            Some(_) => return Err(Fault::invalid(format!("error converting claim '{name}' to string"))),
        }
    }
    Ok(metadata)
}

/// Whether the claims are those that the role is bound to.
pub(super) fn validate(role: &Role, claims: &Claims) -> Result<(), Fault> {
    let invalid = |text: String| Fault::invalid(format!("error validating claims: {text}"));
    for (name, wanted) in &role.bound_claims {
        let found = match claim(claims, name) {
            None | Some(Value::Null) => return Err(invalid(format!("claim {name:?} is missing"))),
            Some(Value::Object(_)) => {
                return Err(invalid("received claim is not a string, bool, int or list".to_owned()));
            }
            Some(Value::Array(list)) => list.as_slice(),
            Some(single) => std::slice::from_ref(single),
        };
        let wanted = match wanted {
            Value::Null | Value::Object(_) => {
                return Err(invalid("bound claim is not a string, bool, int or list".to_owned()));
            }
            Value::Array(list) => list.as_slice(),
            single => std::slice::from_ref(single),
        };
        let same = |found: &Value| wanted.iter().any(|wanted| matches(role.bound_claims_type, wanted, found));
        if !found.iter().any(same) {
            return Err(invalid(format!("claim {name:?} does not match any associated bound claim values")));
        }
    }
    Ok(())
}

/// Patterns are texts.
pub(super) fn check_bound(bound: &Claims, kind: ClaimsType) -> Result<(), Fault> {
    if kind == ClaimsType::String {
        return Ok(());
    }
    for wanted in bound.values() {
        let list = wanted.as_array().map_or(std::slice::from_ref(wanted), Vec::as_slice);
        if let Some(other) = list.iter().find(|value| !value.is_string()) {
            return Err(Fault::invalid(format!("claim is not a string: {other}")));
        }
    }
    Ok(())
}

/// Each key of metadata has one source, and none is the role's.
pub(super) fn check_mappings(mappings: &BTreeMap<String, String>) -> Result<(), Fault> {
    let mut seen = BTreeSet::new();
    for key in mappings.values() {
        if key == RESERVED {
            let text = format!("metadata key {key:?} is reserved and may not be a mapping destination");
            return Err(Fault::invalid(text));
        }
        if !seen.insert(key) {
            return Err(Fault::invalid(format!("multiple keys are mapped to metadata key {key:?}")));
        }
    }
    Ok(())
}

/// A claim by its name or pointer.
pub(super) fn claim<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    let Some(pointer) = name.strip_prefix('/') else { return claims.get(name) };
    let (head, rest) = pointer.split_once('/').map_or((pointer, None), |(head, rest)| (head, Some(rest)));
    let first = claims.get(&head.replace("~1", "/").replace("~0", "~"))?;
    match rest {
        None => Some(first),
        Some(rest) => first.pointer(&format!("/{rest}")),
    }
}

fn matches(kind: ClaimsType, wanted: &Value, found: &Value) -> bool {
    match (wanted, found) {
        (Value::String(pattern), Value::String(text)) if kind == ClaimsType::Glob => glob_matches(pattern, text),
        (Value::String(wanted), Value::String(found)) => wanted == found,
        (Value::Bool(wanted), Value::Bool(found)) => wanted == found,
        // 1 and 1.0 are one number (RFC 8259 section 6).
        (Value::Number(wanted), Value::Number(found)) => {
            wanted == found || wanted.as_f64().is_some_and(|wanted| found.as_f64() == Some(wanted))
        }
        _ => false,
    }
}

fn usable(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX && !name.chars().any(char::is_control)
}
