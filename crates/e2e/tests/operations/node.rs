//! A running server for one test, and short ways to speak to it.

use e2e::http::{Answer, Request};
use e2e::server::{Server, Settings, Storage, binary_under_test};
use serde_json::{Value, json};
use std::path::Path;
use std::time::{Duration, Instant};

/// How long a test waits for what the server does by itself.
const PATIENCE: Duration = Duration::from_secs(15);

/// A running server.
pub struct Node {
    /// It.
    pub server: Server,
}

/// Settings of a server in memory whose configuration has further keys.
pub fn settings(extra: Value) -> Settings {
    let mut settings = Settings::new(&binary_under_test().unwrap(), Storage::Memory);
    settings.extra = extra;
    settings
}

impl Node {
    /// An unsealed server.
    pub fn start(extra: Value) -> Node {
        Node::start_with(&settings(extra))
    }

    /// An unsealed server with those settings.
    pub fn start_with(settings: &Settings) -> Node {
        Node { server: Server::start_unsealed(settings).unwrap() }
    }

    /// Sends a request and reads whatever comes back.
    pub fn call(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        let request = Request::api(method, path, token);
        let request = body.map_or(request.clone(), |body| request.with_json(&body));
        self.server.client.send(&request).unwrap()
    }

    /// A request as root, whatever comes of it.
    pub fn root(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        self.call(method, path, &self.server.root_token, body)
    }

    /// A write as root that has to work.
    pub fn write(&self, path: &str, body: Value) -> Answer {
        let answer = self.root("POST", path, Some(body));
        assert!(answer.status < 300, "{path}: {} {}", answer.status, String::from_utf8_lossy(&answer.body));
        answer
    }

    /// Mounts kv version 1 at `secret/`.
    pub fn mount_kv(&self) {
        self.write("sys/mounts/secret", json!({ "type": "kv", "options": { "version": "1" } }));
    }

    /// Where the server keeps everything.
    pub fn folder(&self) -> &Path {
        self.server.folder()
    }

    /// What the server wrote to its log.
    pub fn log(&self) -> String {
        text(&self.folder().join("server.log"))
    }

    /// Sends the server a signal by its name, such as `HUP`.
    pub fn signal(&self, name: &str) {
        signal(self.server.process.id(), name);
    }
}

/// Sends a process a signal.
pub fn signal(process: u32, name: &str) {
    let sent = std::process::Command::new("kill").arg(format!("-{name}")).arg(process.to_string()).status().unwrap();
    assert!(sent.success());
}

/// The text of a file; empty if there is none.
pub fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// Waits until something holds.
pub fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// A configuration that declares audit devices: kind, name, options.
pub fn audit(devices: &[(&str, &str, Value)]) -> Value {
    let blocks: Vec<Value> =
        devices.iter().map(|(kind, name, options)| json!({ *kind: { *name: { "options": options } } })).collect();
    json!({ "audit": blocks })
}

/// A file device in the server's own folder.
pub fn audit_file() -> Value {
    audit(&[("file", "main", json!({ "file_path": "audit.log" }))])
}

/// The audit entries of a file.
pub fn entries(path: &Path) -> Vec<Value> {
    text(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
