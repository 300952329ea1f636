//! Tests of ACL policies: their text, what upstream decides, the security rows, and a slow evaluator to agree with.

mod decisions;
mod parsing;
mod reference;
mod security;
mod templates;

use super::{Acl, Attached, Check, Policy, TemplateContext};
use serde_json::{Map, Value};
use wire::Operation;

pub(super) fn policy(text: &str) -> Policy {
    Policy::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The compiled policies of somebody in the root namespace.
pub(super) fn acl(texts: &[&str]) -> Acl {
    acl_for(texts, None)
}

pub(super) fn acl_for(texts: &[&str], context: Option<&TemplateContext>) -> Acl {
    let policies: Vec<Policy> = texts.iter().map(|text| policy(text)).collect();
    let attached: Vec<_> = policies.iter().map(|policy| Attached { name: "p", prefix: "", policy }).collect();
    Acl::compile(&attached, context)
}

/// One rule as text.
pub(super) fn rule(path: &str, capabilities: &[&str]) -> String {
    format!("path {path:?} {{ capabilities = {capabilities:?} }}\n")
}

pub(super) fn allowed(acl: &Acl, operation: Operation, path: &str) -> bool {
    acl.check(&Check { path, operation, parameters: None, wrap_ttl: None }).allowed
}

pub(super) fn allowed_with(acl: &Acl, operation: Operation, path: &str, parameters: Value) -> bool {
    let parameters: Map<String, Value> = parameters.as_object().expect("an object").clone();
    acl.check(&Check { path, operation, parameters: Some(&parameters), wrap_ttl: None }).allowed
}

pub(super) fn wrapped(acl: &Acl, path: &str, seconds: Option<u64>) -> bool {
    acl.check(&Check { path, operation: Operation::Read, parameters: None, wrap_ttl: seconds }).allowed
}
