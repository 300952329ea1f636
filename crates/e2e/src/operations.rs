//! How many of the peer's published operations a server serves.
//!
//! Every operation is tried with the root token and names that nothing has. Served is what has a handler: any reply but
//! 405 and the 404 that says so (`unsupported path`, `no handler for route`). What would end or lock the server gets a
//! server of its own.

use std::time::Duration;

use serde_json::json;

use crate::differential::{Operation, Operations};
use crate::failure::Outcome;
use crate::http::{Client, Request};
use crate::server::{Server, Settings, error_text};

/// Operations after which a server is sealed, locked or of another root; each is tried on a fresh one.
const ENDING: [&str; 6] = [
    "/sys/seal",
    "/sys/step-down",
    "/sys/namespaces/api-lock/lock",
    "/sys/namespaces/api-lock/lock/{path}",
    "/sys/rotate/root",
    "/auth/token/revoke-self",
];

/// Operations that answer with a stream or after a fixed time: a reply that stays open counts as served.
const STREAMING: [&str; 3] = ["/sys/monitor", "/sys/pprof/profile", "/sys/pprof/trace"];

/// Engines that are mounted for the probe where the server knows them: type, and path below `sys/`.
const MOUNTS: [(&str, &str); 20] = [
    ("approle", "auth/approle"),
    ("userpass", "auth/userpass"),
    ("cert", "auth/cert"),
    ("jwt", "auth/jwt"),
    ("oidc", "auth/oidc"),
    ("kerberos", "auth/kerberos"),
    ("kubernetes", "auth/kubernetes"),
    ("ldap", "auth/ldap"),
    ("radius", "auth/radius"),
    ("kv", "mounts/kv"),
    ("kv-v2", "mounts/secret"),
    ("database", "mounts/database"),
    ("kubernetes", "mounts/kubernetes"),
    ("ldap", "mounts/ldap"),
    ("openldap", "mounts/openldap"),
    ("pki", "mounts/pki"),
    ("rabbitmq", "mounts/rabbitmq"),
    ("ssh", "mounts/ssh"),
    ("totp", "mounts/totp"),
    ("transit", "mounts/transit"),
];

/// One operation and what came of it.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The operation.
    pub operation: Operation,
    /// Whether it has a handler.
    pub served: bool,
    /// Status and error text, or why there was no reply.
    pub reply: String,
}

/// Tries every operation.
///
/// # Errors
/// If a server cannot be started; an operation without a reply is not served.
pub fn probe(settings: &Settings, operations: &Operations) -> Outcome<Vec<Probe>> {
    let server = prepared(settings)?;
    let mut probes = Vec::new();
    let rank = |operation: &Operation| match operation.method.as_str() {
        "GET" => 0,
        "DELETE" => 2,
        _ => 1,
    };
    let mut ordered: Vec<&Operation> = operations.0.iter().collect();
    ordered.sort_by_key(|operation| rank(operation));
    for operation in ordered {
        let ending = operation.method == "POST" && ENDING.contains(&operation.template.as_str());
        let probe = if ending { probe_one(&prepared(settings)?, operation) } else { probe_one(&server, operation) };
        probes.push(probe);
    }
    Ok(probes)
}

fn prepared(settings: &Settings) -> Outcome<Server> {
    let server = Server::start_unsealed(settings)?;
    for (engine, path) in MOUNTS {
        let request = Request::api("POST", &format!("sys/{path}"), &server.root_token);
        let _served_or_not = server.client.send(&request.with_json(&json!({"type": engine})))?;
    }
    Ok(server)
}

fn probe_one(server: &Server, operation: &Operation) -> Probe {
    let request = request(operation, &server.root_token);
    let streaming = STREAMING.contains(&operation.template.as_str());
    let patience = Duration::from_secs(if streaming { 2 } else { 15 });
    let (served, reply) = match (Client { patience, ..server.client }).send(&request) {
        Ok(answer) => {
            let text = error_text(&answer);
            let unserved = match answer.status {
                404 => text.contains("unsupported path") || text.contains("no handler for route"),
                405 | 501 => true,
                500 => text.contains("unsupported"),
                _ => false,
            };
            (!unserved, format!("{} {text}", answer.status))
        }
        Err(failure) => (streaming, failure.to_string()),
    };
    Probe { operation: operation.clone(), served, reply }
}

fn request(operation: &Operation, token: &str) -> Request {
    let path: Vec<&str> = operation.template.trim_matches('/').split('/').map(filled).collect();
    let mut path = path.join("/");
    if operation.list_only {
        path.push_str("/?list=true");
    }
    if STREAMING.contains(&operation.template.as_str()) {
        path.push_str("?seconds=1");
    }
    let request = Request::api(&operation.method, &path, token);
    match operation.method.as_str() {
        "POST" => request.with_json(&json!({})),
        "PATCH" => {
            let mut request = request.with_json(&json!({}));
            request.headers.push(("Content-Type".to_owned(), "application/merge-patch+json".to_owned()));
            request
        }
        _ => request,
    }
}

/// A word for a variable, of the form that its route accepts.
fn filled(segment: &str) -> &str {
    match segment {
        "{type}" => "secret",
        "{tag}" => "root",
        "{urlbytes}" => "16",
        "{source}" => "platform",
        "{urlalgorithm}" => "sha2-256",
        "{id}" | "{method_id}" | "{migration_id}" => "00000000-0000-0000-0000-000000000000",
        variable if variable.starts_with('{') => "probe",
        literal => literal,
    }
}
