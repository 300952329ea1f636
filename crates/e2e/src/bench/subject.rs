//! A server that is measured, with everything in it that the cases need.

use std::path::Path;

use serde_json::json;

use super::SERVER_CORE;
use crate::failure::{Context, Failure, Outcome};
use crate::http::Request;
use crate::server::{Server, Settings, Storage};

/// A prepared server.
pub struct Subject {
    /// What the report calls it.
    pub name: &'static str,
    pub(super) server: Server,
    /// A token whose policy allows `secret/data/app/*`.
    pub(super) reader: String,
    /// The same with ten rules in its policy.
    pub(super) reader_10: String,
    /// The same with ten thousand rules in its policy.
    pub(super) reader_10k: String,
    pub(super) role_id: String,
    pub(super) secret_id: String,
}

impl Subject {
    /// Starts `binary` on the server core with a durable store and a file audit device, and fills it.
    ///
    /// # Errors
    /// If the server refuses any step.
    pub fn prepare(name: &'static str, binary: &Path) -> Outcome<Subject> {
        let server = bare(binary).at(name)?;
        let mut subject = Subject {
            name,
            server,
            reader: String::new(),
            reader_10: String::new(),
            reader_10k: String::new(),
            role_id: String::new(),
            secret_id: String::new(),
        };
        subject.fill().at(name)?;
        Ok(subject)
    }

    fn fill(&mut self) -> Outcome<()> {
        self.server.as_root("POST", "sys/mounts/secret", Some(json!({"type": "kv", "options": {"version": "2"}})))?;
        let secret = json!({"data": {"username": "application", "password": "correct horse battery staple"}});
        self.await_kv2(&secret)?;
        self.reader = self.token_with_rules("reader", 1)?;
        self.reader_10 = self.token_with_rules("reader-10", 10)?;
        self.reader_10k = self.token_with_rules("reader-10k", 10_000)?;
        self.server.as_root("POST", "sys/auth/approle", Some(json!({"type": "approle"})))?;
        let role = json!({"token_policies": ["reader"], "token_ttl": "1h", "token_max_ttl": "2h"});
        self.server.as_root("POST", "auth/approle/role/bench", Some(role))?;
        let role_id = self.server.as_root("GET", "auth/approle/role/bench/role-id", None)?;
        self.role_id = role_id.text_at("/data/role_id")?;
        let secret_id = self.server.as_root("POST", "auth/approle/role/bench/secret-id", Some(json!({})))?;
        self.secret_id = secret_id.text_at("/data/secret_id")?;
        self.check_replies()
    }

    /// The peer turns a new mount into version 2 in the background.
    fn await_kv2(&self, secret: &serde_json::Value) -> Outcome<()> {
        for _ in 0..200 {
            if self.server.as_root("POST", "secret/data/app/one", Some(secret.clone())).is_ok() {
                return Ok(());
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Err(Failure::new("kv version 2 never became ready"))
    }

    fn token_with_rules(&self, name: &str, rules: usize) -> Outcome<String> {
        let mut policy =
            "path \"secret/data/app/*\" { capabilities = [\"read\", \"create\", \"update\"] }\n".to_owned();
        for rule in 1..rules {
            policy.push_str(&format!("path \"secret/data/team-{rule}/*\" {{ capabilities = [\"read\", \"list\"] }}\n"));
        }
        self.server.as_root("PUT", &format!("sys/policies/acl/{name}"), Some(json!({"policy": policy})))?;
        let body = json!({"policies": [name], "ttl": "24h", "no_parent": true});
        self.server.as_root("POST", "auth/token/create", Some(body))?.text_at("/auth/client_token")
    }

    /// A sample of replies must be right before speed means anything.
    fn check_replies(&self) -> Outcome<()> {
        for token in [&self.reader, &self.reader_10, &self.reader_10k] {
            let answer = self.server.client.send(&Request::api("GET", "secret/data/app/one", token))?;
            if answer.text_at("/data/data/username")? != "application" {
                return Err(Failure::new("a read gives the wrong secret"));
            }
            let other = self.server.client.send(&Request::api("GET", "secret/data/other", token))?;
            if other.status != 403 {
                return Err(Failure::new(format!("a read outside the policy gives {}", other.status)));
            }
        }
        let body = json!({"role_id": self.role_id, "secret_id": self.secret_id});
        let login = self.server.client.send(&Request::api("POST", "auth/approle/login", "").with_json(&body))?;
        login.text_at("/auth/client_token").map(|_| ())
    }
}

/// An unsealed, empty server on the server core with a durable store and a file audit device.
pub(super) fn bare(binary: &Path) -> Outcome<Server> {
    let mut settings = Settings::new(binary, Storage::Durable);
    settings.wrapper = ["taskset", "-c", SERVER_CORE].map(str::to_owned).to_vec();
    let server = Server::start_unsealed(&settings)?;
    let path = server.folder().join("audit.log");
    let device = json!({"type": "file", "options": {"file_path": path}});
    server.as_root("POST", "sys/audit/file", Some(device))?;
    Ok(server)
}
