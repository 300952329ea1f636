//! What can be written, and how to see what became of it.

use serde_json::{Value, json};

use crate::failure::Outcome;
use crate::http::{Answer, Request};
use crate::server::Server;

/// An object that can be written, read and deleted. Names are within their client's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// A kv version 2 secret of that name.
    Secret(String),
    /// Another, whose versions are deleted and destroyed one by one; what counts is the value of its newest.
    Versioned(String),
    /// An access policy of that name.
    Policy(String),
    /// A `userpass` user of that name.
    User(String),
    /// A mount of kv version 1.
    Mount(String),
    /// A namespace.
    Namespace(String),
    /// The number of the active key term.
    Term,
}

impl Object {
    /// Where it is, for requests that change it.
    pub(super) fn path(&self, client: &str) -> String {
        match self {
            Object::Secret(name) => format!("secret/data/{client}/{name}"),
            Object::Versioned(name) => format!("secret/data/{client}-versioned/{name}"),
            Object::Policy(name) => format!("sys/policies/acl/{client}-{name}"),
            Object::User(name) => format!("auth/userpass/users/{client}-{name}"),
            Object::Mount(name) => format!("sys/mounts/{client}-{name}"),
            Object::Namespace(name) => format!("sys/namespaces/{client}-{name}"),
            Object::Term => "sys/key-status".to_owned(),
        }
    }

    /// What the server shows of it now; `None` if it is not there. Says what is half written.
    pub(super) fn read(&self, server: &Server, client: &str, faults: &mut Vec<String>) -> Outcome<Option<String>> {
        let found = get(server, &self.path(client))?.json();
        let text = |pointer: &str| match found.pointer(pointer) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        Ok(match self {
            Object::Secret(name) | Object::Versioned(name) => {
                let metadata = get(server, &self.path(client).replacen("data", "metadata", 1))?.json();
                let version = found.pointer("/data/metadata/version").cloned();
                let current = metadata.pointer("/data/current_version").cloned();
                if version != current {
                    let half = format!("secret {name} is half written: version {version:?}, metadata says {current:?}");
                    faults.push(half);
                }
                text("/data/data/value")
            }
            Object::Policy(_) => text("/data/policy").and_then(|policy| policy.split('"').nth(1).map(str::to_owned)),
            Object::User(_) => text("/data/token_ttl"),
            Object::Mount(_) => text("/data/description").or_else(|| text("/description")),
            Object::Namespace(_) => text("/data/id").map(|_| "there".to_owned()),
            Object::Term => text("/data/term").or_else(|| text("/term")),
        })
    }

    /// The request that writes it as root.
    pub(super) fn write_request(&self, client: &str, root: &str, value: &str) -> Request {
        let (method, body) = match self {
            Object::Secret(_) | Object::Versioned(_) => ("POST", json!({"data": {"value": value}})),
            Object::Policy(_) => {
                ("PUT", json!({"policy": format!("path \"{value}\" {{ capabilities = [\"read\"] }}")}))
            }
            Object::User(_) => ("POST", json!({"password": PASSWORD, "token_ttl": value})),
            Object::Mount(_) => ("POST", json!({"type": "kv", "description": value})),
            Object::Namespace(_) => ("PUT", json!({})),
            Object::Term => return Request::api("PUT", "sys/rotate", root).with_json(&json!({})),
        };
        Request::api(method, &self.path(client), root).with_json(&body)
    }

    /// The request that deletes it altogether as root.
    pub(super) fn delete_request(&self, client: &str, root: &str) -> Request {
        let path = match self {
            Object::Secret(_) | Object::Versioned(_) => self.path(client).replacen("data", "metadata", 1),
            _ => self.path(client),
        };
        Request::api("DELETE", &path, root)
    }
}

/// The password of every user here.
pub(super) const PASSWORD: &str = "correct horse";

/// A read as root.
pub(super) fn get(server: &Server, path: &str) -> Outcome<Answer> {
    server.client.send(&Request::api("GET", path, &server.root_token))
}
