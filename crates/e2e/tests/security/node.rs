//! A real server with an audit file at its most talkative log level, whose sinks are searched for canaries when the test
//! is done (faults F39 and F41): nothing that was declared secret may stand in clear in the audit trail, the log or the
//! store.

use e2e::http::{Answer, Connection, Request};
use e2e::server::{Server, Settings, Storage};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

/// The whole of a refusal for somebody who is not known.
pub const DENIED: &str = "{\"errors\":[\"permission denied\"]}\n";

/// A running server and what must not be found in its sinks.
pub struct Node {
    /// The server.
    pub server: Server,
    canaries: Mutex<Vec<String>>,
    names: Mutex<Vec<String>>,
}

/// The binary under judgement: `COFFER_BINARY`, or the newest build in the workspace's target folder. A missing binary
/// is a failure, since a skipped security test is none.
pub fn binary() -> PathBuf {
    if let Some(named) = std::env::var_os("COFFER_BINARY") {
        let named = PathBuf::from(named);
        assert!(named.is_file(), "COFFER_BINARY names no file: {}", named.display());
        return named;
    }
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
    let age =
        |path: &PathBuf| path.metadata().and_then(|metadata| metadata.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let built = ["release/coffer", "debug/coffer"].map(|name| target.join(name));
    let newest = built.into_iter().filter(|path| path.is_file()).max_by_key(age);
    newest.expect("no server to judge: run `cargo build --release --package cli`, or set COFFER_BINARY")
}

/// Settings of a server whose configuration has further keys.
pub fn settings(extra: &Value) -> Settings {
    let mut settings = Settings::new(&binary(), Storage::Durable);
    settings.open_ceremonies = false;
    settings.extra = json!({
        "log_level": "trace",
        "audit": { "file": { "main": { "options": { "file_path": "audit.log" } } } },
    });
    if let (Some(keys), Some(extra)) = (settings.extra.as_object_mut(), extra.as_object()) {
        keys.extend(extra.clone());
    }
    settings
}

impl Node {
    /// An unsealed server.
    pub fn start() -> Node {
        Node::start_with(&settings(&Value::Null))
    }

    /// An unsealed server with those settings.
    pub fn start_with(settings: &Settings) -> Node {
        let server = Server::start_unsealed(settings).unwrap();
        let canaries = Mutex::new([server.shares.clone(), vec![server.root_token.clone()]].concat());
        Node { server, canaries, names: Mutex::default() }
    }

    /// Declares a text secret: it must not be in any sink when the test is done.
    pub fn canary(&self, text: &str) -> String {
        self.canaries().push(text.to_owned());
        text.to_owned()
    }

    /// Declares a text that may name a record of the store, and must stand in no audit trail or log.
    pub fn untold(&self, text: &str) -> String {
        self.names.lock().unwrap_or_else(PoisonError::into_inner).push(text.to_owned());
        text.to_owned()
    }

    fn canaries(&self) -> MutexGuard<'_, Vec<String>> {
        self.canaries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request and reads whatever comes back.
    pub fn send(&self, request: &Request) -> Answer {
        self.server.client.send(request).unwrap()
    }

    /// A request to `/v1/` + `path`.
    pub fn call(&self, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
        let mut request = Request::api(method, path, token);
        if method == "PATCH" {
            request.headers.push(("Content-Type".into(), "application/merge-patch+json".into()));
        }
        if let Some(body) = body {
            request = request.with_json(&body);
        }
        self.send(&request)
    }

    /// A read's status.
    pub fn status(&self, method: &str, path: &str, token: &str) -> u16 {
        self.call(method, path, token, None).status
    }

    /// A request as root that has to work.
    pub fn root(&self, method: &str, path: &str, body: Value) -> Answer {
        self.server.as_root(method, path, Some(body).filter(|body| !body.is_null())).unwrap()
    }

    /// A write as root that has to work.
    pub fn write(&self, path: &str, body: Value) -> Answer {
        self.root("POST", path, body)
    }

    /// A new token with exactly one policy of this text. It counts as a canary.
    pub fn token(&self, policy: &str) -> String {
        let name = format!("p{}", self.canaries().len());
        self.write(&format!("sys/policies/acl/{name}"), json!({ "policy": policy }));
        let body = json!({ "policies": [name], "no_default_policy": true });
        self.minted(&self.write("auth/token/create", body))
    }

    /// The token of a reply, declared secret.
    pub fn minted(&self, answer: &Answer) -> String {
        self.canary(&answer.text_at("/auth/client_token").unwrap())
    }

    /// A connection for many requests.
    pub fn connection(&self) -> Connection {
        self.server.client.connect().unwrap()
    }

    /// Where the server keeps everything.
    pub fn folder(&self) -> &Path {
        self.server.folder()
    }

    /// The audit trail as text.
    pub fn trail(&self) -> String {
        std::fs::read_to_string(self.folder().join("audit.log")).unwrap_or_default()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.server.process.kill();
        if std::thread::panicking() {
            return;
        }
        let canaries = self.canaries();
        let names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        let data = self.server.folder().join("data");
        for (place, text) in sinks(self.server.folder()) {
            let told = names.iter().filter(|_| !place.starts_with(&data));
            for canary in canaries.iter().chain(told).filter(|canary| !canary.is_empty()) {
                let line = text.lines().find(|line| line.contains(canary.as_str())).unwrap_or_default();
                let at = line.find(canary.as_str()).unwrap_or_default();
                let around: String = line.chars().skip(at.saturating_sub(160)).take(320).collect();
                assert!(line.is_empty(), "a secret stands in clear in {}: {around}", place.display());
            }
        }
    }
}

/// All files below a folder with what they hold; what is not UTF-8 is replaced, which leaves ASCII as it is.
pub fn sinks(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sinks(&path));
        } else if let Ok(bytes) = std::fs::read(&path) {
            files.push((path, String::from_utf8_lossy(&bytes).into_owned()));
        }
    }
    files
}

#[test]
fn f41_the_sweep_finds_what_is_there() {
    let node = Node::start();
    std::fs::write(node.folder().join("data/left-behind"), format!("x{}y", node.server.root_token)).unwrap();
    let swept = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(node)));
    let message = *swept.unwrap_err().downcast::<String>().unwrap();
    assert!(message.contains("left-behind"), "{message}");
}
