//! Policies whose names are made from claims: `team-{{.team}}`, with a path of members between the braces. Of the
//! language of upstream's templates this is what is here; anything else is refused when the role is written.

use super::claims::Claims;
use engine::{Fault, canonical_policies};
use serde_json::Value;

enum Part<'a> {
    Text(&'a str),
    Claim(Vec<&'a str>),
}

/// Whether all of them are templates.
pub(super) fn check(policies: &[String]) -> Result<(), Fault> {
    for (index, policy) in policies.iter().enumerate() {
        if parse(policy).is_none() {
            let text = format!(
                "failed to parse template policy [{index}]: only the names of claims, as in {{{{.team}}}}, are supported"
            );
            return Err(Fault::invalid(text));
        }
    }
    Ok(())
}

/// The policies for these claims.
pub(super) fn rendered(policies: &[String], claims: &Claims) -> Result<Vec<String>, Fault> {
    let mut made = Vec::new();
    for (index, policy) in policies.iter().enumerate() {
        let failed = |why: &str| Fault::invalid(format!("failed to template policy [{index}]: {why}"));
        let parts = parse(policy).ok_or_else(|| failed("not a template"))?;
        let mut name = String::new();
        for part in parts {
            match part {
                Part::Text(text) => name.push_str(text),
                Part::Claim(path) => match found(claims, &path) {
                    Some(Value::String(text)) => name.push_str(text),
                    Some(value @ (Value::Number(_) | Value::Bool(_))) => name.push_str(&value.to_string()),
                    Some(Value::Null) | None => return Err(failed("a claim is missing")),
                    Some(_) => return Err(failed("a claim is not a single value")),
                },
            }
        }
        made.push(name);
    }
    let made = canonical_policies(made);
    if made.iter().any(|name| name == "root") {
        return Err(Fault::invalid("auth methods cannot create root tokens"));
    }
    Ok(made)
}

fn parse(policy: &str) -> Option<Vec<Part<'_>>> {
    let mut parts = Vec::new();
    let mut rest = policy;
    while let Some((text, behind)) = rest.split_once("{{") {
        let (expression, behind) = behind.split_once("}}")?;
        let path: Vec<&str> = expression.trim().strip_prefix('.')?.split('.').collect();
        let named = |name: &&str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !path.iter().all(named) {
            return None;
        }
        parts.extend([Part::Text(text), Part::Claim(path)]);
        rest = behind;
    }
    parts.push(Part::Text(rest));
    Some(parts)
}

fn found<'a>(claims: &'a Claims, path: &[&str]) -> Option<&'a Value> {
    let (first, rest) = path.split_first()?;
    rest.iter().try_fold(claims.get(*first)?, |value, name| value.get(name))
}
