//! The vault that every run begins with: made once, forked for each.

use crate::Violation;
use crate::model::{Model, Mount, Policy, Seen, Space, Token};
use crate::node::{Node, kernel, moment};
use crate::operation::{Ask, flipping};
use crate::view::View;
use barrier::Initialiser;
use crypto::SeededRandomness;
use engine::{Operation, Secret, Timestamp};
use kernel::mounts::MountEntry;
use kernel::{bootstrap, keys};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use store::Log as _;
use store::memory::MemoryLog;

/// The text of the root token.
const ROOT: &str = "root";
/// When every run begins.
const START: i64 = 1_800_000_000;
/// The namespaces that are there from the beginning; the root is empty.
pub(crate) const TENANTS: [&str; 3] = ["", "a", "b"];
/// Everything a token may be allowed.
const FULL: &str =
    r#"path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "scan", "sudo"] }"#;

/// An initialised store with tenants, and the model of it.
pub struct Prepared {
    log: MemoryLog,
    key: [u8; 32],
    model: Model,
    tenants: Vec<String>,
}

impl Prepared {
    /// Makes it.
    pub fn new() -> Result<Self, Violation> {
        made().map_err(|what| Violation { seed: 0, event: 0, what, history: Vec::new() })
    }

    /// The moment that every run begins at.
    pub(crate) fn start() -> Timestamp {
        Timestamp::from_seconds(START)
    }

    /// The key that unseals.
    pub(crate) fn key(&self) -> Secret<[u8; 32]> {
        Secret::new(self.key)
    }

    /// A node of its own, and the model that goes with it.
    pub(crate) fn fork(&self, seed: u64) -> Result<(Node, Model), String> {
        let mut node = Node::start(self.log.fork(), &self.key(), seed)?;
        node.tenants.clone_from(&self.tenants);
        Ok((node, self.model.clone()))
    }
}

fn made() -> Result<Prepared, String> {
    let log = MemoryLog::new();
    let key = [7; 32];
    initialise(&log, key)?;
    let mut setup = Setup { node: Node::start(log, &Secret::new(key), u64::MAX)?, model: Model::default() };
    setup.model.add_token(Token::endless(ROOT, Policy::Root, ""));
    for path in TENANTS {
        setup.tenant(path)?;
    }
    let tenants = setup.folders()?;
    let Setup { node, model } = setup;
    Ok(Prepared { log: node.log, key, model, tenants })
}

fn initialise(log: &MemoryLog, key: [u8; 32]) -> Result<(), String> {
    let mut randomness = SeededRandomness::new(0);
    let how = Initialiser::Static { key: Secret::new(key), recovery: None };
    let now = Prepared::start();
    let made = barrier::initialise(log.snapshot(), &how, keys::ROOT, moment(now), &mut randomness);
    let (mut tx, made) = made.map_err(|error| error.to_string())?;
    let kernel = kernel(&made.barrier);
    bootstrap::bootstrap(&kernel, &mut tx, now, &mut randomness, Some(ROOT.to_owned()))
        .map_err(|fault| fault.to_string())?;
    let commit = tx.into_commit(&mut |bytes| crypto::Randomness::fill(&mut randomness, bytes));
    log.submit(commit.map_err(|error| error.to_string())?, Box::new(drop));
    Ok(())
}

struct Setup {
    node: Node,
    model: Model,
}

impl Setup {
    fn write(&mut self, namespace: &str, path: &str, body: Value) -> Result<Seen, String> {
        let (token, namespace) = (ROOT.to_owned(), namespace.to_owned());
        let operation = if body == json!("read") { Operation::Read } else { Operation::Update };
        let ask = Ask { token, namespace, operation, path: path.to_owned(), body, wrap_ttl: None };
        let outcome = self.node.run(Prepared::start(), &ask, View::Newest)?;
        let seen = Seen::of(&outcome.result);
        if seen.status != 200 {
            return Err(format!("{path}: {:?}", outcome.result.err()));
        }
        if let Some(commit) = outcome.commit {
            self.node.submit(commit).map_err(|error| error.to_string())?;
        }
        Ok(seen)
    }

    fn tenant(&mut self, path: &str) -> Result<(), String> {
        if !path.is_empty() {
            self.write("", &format!("sys/namespaces/{path}"), Value::Null)?;
        }
        let version = |version: &str| json!({ "type": "kv", "options": { "version": version } });
        self.write(path, "sys/mounts/kv1", version("1"))?;
        self.write(path, "sys/mounts/kv2", version("2"))?;
        self.write(path, "sys/mounts/m0", version("1"))?;
        self.write(path, "sys/mounts/accounts", json!({ "type": "accounts" }))?;
        self.write(path, "sys/auth/approle", json!({ "type": "approle" }))?;
        let role = json!({ "role_id": format!("role-of-{path}"), "token_ttl": 100, "token_policies": "flip" });
        self.write(path, "auth/approle/role/r", role)?;
        self.write(path, "sys/policies/acl/full", json!({ "policy": FULL }))?;
        self.write(path, "sys/policies/acl/flip", json!({ "policy": flipping(true) }))?;
        let shown = self.write(path, "sys/auth", json!("read"))?;
        let accessor = shown.data.pointer("/approle~1/accessor").and_then(Value::as_str).unwrap_or_default();
        let mounts = BTreeMap::from([
            ("kv1".to_owned(), Mount::Plain(BTreeMap::new())),
            ("kv2".to_owned(), Mount::Versioned(BTreeMap::new())),
            ("m0".to_owned(), Mount::Plain(BTreeMap::new())),
            ("accounts".to_owned(), Mount::Accounts),
            ("auth/approle".to_owned(), Mount::Approle),
        ]);
        let space = Space { locked: None, mounts, full: true, flip: true, accessor: accessor.to_owned() };
        self.model.add_space(path, space);
        Ok(())
    }

    /// Where the tenants `a` and `b` keep their plain secrets.
    fn folders(&mut self) -> Result<Vec<String>, String> {
        let (snapshot, barrier) = self.node.fresh()?;
        let mut tx = store::Tx::new(snapshot, barrier);
        let mut folders = Vec::new();
        for id in tx.list(keys::NAMESPACES, &store::Page::all()).map_err(|error| error.to_string())? {
            let mounts = keys::mounts(&id);
            for uuid in tx.list(&mounts, &store::Page::all()).map_err(|error| error.to_string())? {
                let entry = tx.load::<MountEntry>(&keys::mount(&id, &uuid)).map_err(|error| error.to_string())?;
                let plain = entry.is_some_and(|entry| entry.path == "kv1/");
                folders.extend(plain.then(|| keys::mount_data(&id, &uuid)));
            }
        }
        Ok(folders)
    }
}
