//! The route table as the server publishes it: every path of every mount, with something put in for each parameter. Rows
//! that hold for all routes are proved over it, so a new engine is judged without an edit here.

use crate::node::Node;
use serde_json::{Value, json};

/// Methods that some route serves.
pub const METHODS: [&str; 8] = ["GET", "HEAD", "LIST", "SCAN", "POST", "PUT", "DELETE", "PATCH"];

/// A route.
#[derive(Debug, Clone)]
pub struct Route {
    /// Below `/v1/`, with its parameters in braces.
    pub pattern: String,
    /// Lower-case methods that it serves.
    pub methods: Vec<String>,
}

impl Route {
    /// Its path with `value` for every parameter.
    pub fn filled(&self, value: &str) -> String {
        let mut path = String::new();
        let mut rest = self.pattern.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            path.push_str(before);
            path.push_str(value);
            rest = after.split_once('}').unwrap().1;
        }
        path + rest
    }
}

/// Mounts one of each engine beside those that every server has.
pub fn mount_all(node: &Node) {
    for (path, body) in [
        ("sys/mounts/kv1", json!({ "type": "kv", "options": { "version": "1" } })),
        ("sys/mounts/secret", json!({ "type": "kv", "options": { "version": "2" } })),
        ("sys/mounts/pki", json!({ "type": "pki" })),
        ("sys/mounts/totp", json!({ "type": "totp" })),
        ("sys/mounts/ssh", json!({ "type": "ssh" })),
        ("sys/mounts/transit", json!({ "type": "transit" })),
        ("sys/auth/userpass", json!({ "type": "userpass" })),
        ("sys/auth/approle", json!({ "type": "approle" })),
        ("sys/auth/cert", json!({ "type": "cert" })),
        ("sys/auth/kubernetes", json!({ "type": "kubernetes" })),
        ("sys/auth/github", json!({ "type": "github" })),
        ("sys/auth/jwt", json!({ "type": "jwt" })),
    ] {
        node.write(path, body);
    }
}

/// All routes of all mounts.
pub fn all(node: &Node) -> Vec<Route> {
    let document = node.root("GET", "sys/internal/specs/openapi", Value::Null).json();
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| item.as_object().unwrap().keys().filter(|key| key.len() < 7).cloned().collect();
    let route = |(path, item): (&String, &Value)| Route {
        pattern: path.trim_start_matches('/').to_owned(),
        methods: methods(item),
    };
    let routes: Vec<Route> = paths.iter().map(route).collect();
    assert!(routes.len() > 100, "the table is walked as a whole: {} routes", routes.len());
    routes
}
