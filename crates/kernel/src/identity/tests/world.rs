//! A kernel on a store in memory, with requests that go through the whole pipeline.

use crate::exchange::{Arrival, Outcome};
use crate::identity::{self, LoginIdentity, View};
use crate::jobs::{self, Progress};
use crate::mounts::{self, MountEntry};
use crate::namespaces::Namespace;
use crate::policies::PolicyRecord;
use crate::registry::Keys;
use crate::tokens::{self, NewToken};
use crate::{Ceremonies, Kernel, Node, Report, Settings, bootstrap, keys, pipeline};
use barrier::{Barrier, Initialiser, Moment, ShareRequest};
use crypto::SeededRandomness;
use engine::{
    Body, Class, Fault, Input, Operation, Peer, Reply, Request, RequestPath, Secret, Timestamp, TokenKind, Tx,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, mpsc};
use store::memory::MemoryLog;
use store::{Cipher, Commit, Log};

pub(super) struct World {
    log: MemoryLog,
    barrier: Arc<Barrier>,
    pub(super) kernel: Arc<Kernel>,
    node: Arc<Shell>,
    pub(super) now: Timestamp,
    /// Who asks.
    pub(super) token: String,
    /// Where.
    pub(super) namespace: Option<String>,
    seed: u64,
}

struct Shell(Mutex<Ceremonies>);

impl Node for Shell {
    fn report(&self, _: Report<'_>) -> Result<Reply, Fault> {
        Ok(Reply::empty())
    }
    fn api_address(&self) -> String {
        "https://vault.example:8200".to_owned()
    }
    fn check_audit_device(&self, _: &str, _: &BTreeMap<String, String>) -> Result<(), Fault> {
        Ok(())
    }
    fn audit_hash(&self, _: &str, _: &str) -> Option<String> {
        None
    }
    fn ceremonies(&self) -> &Mutex<Ceremonies> {
        &self.0
    }
}

impl World {
    pub(super) fn new() -> Self {
        let log = MemoryLog::new();
        let mut randomness = SeededRandomness::new(0);
        let now = Timestamp::from_seconds(1_800_000_000);
        let how = Initialiser::Shamir(ShareRequest::new(1, 1, Vec::new()).unwrap());
        let (mut tx, made) =
            barrier::initialise(log.snapshot(), &how, keys::ROOT, Moment(now.nanoseconds()), &mut randomness).unwrap();
        let derived = Keys { token: made.barrier.derive("token"), batch: made.barrier.derive_data_key("batch") };
        let kernel = Arc::new(Kernel::new(Vec::new(), Settings::default(), derived));
        bootstrap::bootstrap(&kernel, &mut tx, now, &mut randomness, Some("root".to_owned())).unwrap();
        let node = Arc::new(Shell(Mutex::default()));
        let barrier = made.barrier;
        let mut world = Self { log, barrier, kernel, node, now, token: "root".into(), namespace: None, seed: 0 };
        world.commit(tx);
        world
    }

    fn randomness(&mut self) -> SeededRandomness {
        self.seed += 1;
        SeededRandomness::new(self.seed)
    }

    fn commit(&mut self, tx: Tx) {
        let mut randomness = self.randomness();
        let commit = tx.into_commit(&mut |bytes| engine::Randomness::fill(&mut randomness, bytes)).unwrap();
        self.submit(commit);
    }

    fn submit(&mut self, commit: Commit) {
        let (send, receive) = mpsc::channel();
        self.log.submit(commit, Box::new(move |result| send.send(result).unwrap()));
        receive.recv().unwrap().unwrap();
        if let Some(fresh) = self.barrier.refresh(self.log.snapshot().as_ref()).unwrap() {
            self.barrier = fresh;
        }
    }

    /// Runs something in a transaction and commits it.
    pub(super) fn tx<T>(&mut self, work: impl FnOnce(&mut Tx, &mut SeededRandomness) -> T) -> T {
        let mut tx = Tx::new(self.log.snapshot(), self.barrier.clone() as Arc<dyn Cipher>);
        let mut randomness = self.randomness();
        let result = work(&mut tx, &mut randomness);
        self.commit(tx);
        result
    }

    /// A namespace below the root; returns its id.
    pub(super) fn create_namespace(&mut self, id: &str) {
        let barrier = self.barrier.clone();
        self.tx(|tx, randomness| {
            barrier.create_namespace(tx, randomness, id).unwrap();
            let namespace = Namespace { id: id.to_owned(), path: format!("{id}/"), ..Namespace::default() };
            tx.save(&keys::namespace(id), &namespace).unwrap();
            mounts::create_built_in(tx, id, randomness).unwrap();
        });
    }

    /// A login method without its engine; returns its accessor.
    pub(super) fn auth_mount(&mut self, namespace: &str, name: &str) -> String {
        self.tx(|tx, randomness| {
            let entry = MountEntry::new(namespace, &format!("auth/{name}/"), Class::Auth, "userpass", randomness);
            entry.save(tx).unwrap();
            entry.accessor
        })
    }

    /// A policy in the root namespace.
    pub(super) fn policy(&mut self, name: &str, text: &str) {
        let record = PolicyRecord {
            name: name.to_owned(),
            text: text.to_owned(),
            modified: self.now,
            version: 1,
            cas_required: false,
            expiration: None,
        };
        self.tx(|tx, _| tx.save(&keys::policy(keys::ROOT, name), &record)).unwrap();
    }

    /// A token with one policy of this text.
    pub(super) fn token_with(&mut self, policy: &str) -> String {
        let name = format!("policy-{}", self.seed);
        self.policy(&name, policy);
        self.token_of("", &[&name])
    }

    /// A token of an entity with policies of its own.
    pub(super) fn token_of(&mut self, entity: &str, policies: &[&str]) -> String {
        let (kernel, now) = (self.kernel.clone(), self.now);
        let new = NewToken {
            namespace: keys::ROOT.to_owned(),
            policies: policies.iter().map(|name| (*name).to_owned()).collect(),
            path: "auth/token/create".to_owned(),
            ttl: 3_600,
            kind: TokenKind::Service,
            entity_id: entity.to_owned(),
            ..NewToken::default()
        };
        self.tx(|tx, randomness| tokens::create(&kernel, tx, now, randomness, new).unwrap().text.expose().clone())
    }

    /// A request; commits what it wrote. The data of the reply, `Null` where there is none.
    pub(super) fn call(&mut self, operation: Operation, path: &str, body: Value) -> Result<Value, Fault> {
        self.reply(operation, path, body).map(|reply| reply.value().cloned().unwrap_or(Value::Null))
    }

    /// The whole body of a request that is answered without an envelope.
    pub(super) fn raw(&mut self, operation: Operation, path: &str, body: Value) -> Result<Value, Fault> {
        self.reply(operation, path, body).map(|reply| match reply.body {
            Body::Raw(raw) => serde_json::from_slice(&raw.bytes).unwrap(),
            _ => panic!("an envelope"),
        })
    }

    /// Runs the job that turns keys once.
    pub(super) fn rotate(&mut self) -> Progress {
        let randomness = self.randomness();
        let request = self.request(Operation::Update, "", Value::Null);
        let arrival = self.arrival(request, randomness);
        let outcome = jobs::turn_identity_keys(&self.kernel, arrival).unwrap();
        if let Some(commit) = outcome.commit {
            self.submit(commit);
        }
        outcome.progress
    }

    fn reply(&mut self, operation: Operation, path: &str, body: Value) -> Result<Reply, Fault> {
        let request = self.request(operation, path, body);
        let randomness = self.randomness();
        let arrival = self.arrival(request, randomness);
        let Outcome { result, commit, .. } = pipeline::handle(&self.kernel, arrival);
        if let Some(commit) = commit {
            self.submit(commit);
        }
        result.map(|answer| answer.reply)
    }

    fn arrival(&self, request: Request, randomness: SeededRandomness) -> Arrival {
        Arrival {
            snapshot: self.log.snapshot(),
            barrier: self.barrier.clone(),
            now: self.now,
            randomness: Box::new(randomness),
            request: Arc::new(request),
            node: self.node.clone(),
            outside: engine::Outside::default(),
        }
    }

    fn request(&self, operation: Operation, path: &str, body: Value) -> Request {
        let mut input = Input::default();
        if let Value::Object(members) = body {
            input.body.clone_from(&members);
            input.fields = members;
        }
        Request {
            id: format!("request-{}", self.seed),
            operation,
            path: RequestPath::new(format!("identity/{path}")).unwrap(),
            namespace: self.namespace.clone(),
            token: (!self.token.is_empty()).then(|| Secret::new(self.token.clone())),
            input,
            wrap_ttl: None,
            headers: Default::default(),
            peer: Peer::default(),
            head: false,
        }
    }

    pub(super) fn read(&mut self, path: &str) -> Value {
        self.call(Operation::Read, path, Value::Null).unwrap()
    }

    pub(super) fn write(&mut self, path: &str, body: Value) -> Result<Value, Fault> {
        self.call(Operation::Update, path, body)
    }

    pub(super) fn delete(&mut self, path: &str) {
        assert_eq!(self.call(Operation::Delete, path, Value::Null).unwrap(), Value::Null);
    }

    pub(super) fn list(&mut self, path: &str) -> Vec<String> {
        let data = self.call(Operation::List, path, Value::Null).unwrap();
        serde_json::from_value(data["keys"].clone()).unwrap_or_default()
    }

    /// The messages that a write is refused with.
    pub(super) fn refusal(&mut self, path: &str, body: Value) -> String {
        match self.write(path, body) {
            Err(Fault::Invalid(messages)) => messages.join("; "),
            Err(fault) => format!("{fault:?}"),
            Ok(data) => format!("accepted: {data}"),
        }
    }

    pub(super) fn entity(&mut self, name: &str, policies: &[&str]) -> String {
        id(&self.write("entity", json!({ "name": name, "policies": policies })).unwrap())
    }

    pub(super) fn alias(&mut self, name: &str, accessor: &str, entity: &str) -> String {
        id(&self
            .write("entity-alias", json!({ "name": name, "mount_accessor": accessor, "canonical_id": entity }))
            .unwrap())
    }

    pub(super) fn group(&mut self, body: Value) -> String {
        id(&self.write("group", body).unwrap())
    }

    pub(super) fn login(&mut self, login: &LoginIdentity) -> Result<Option<String>, Fault> {
        let now = self.now;
        self.tx(|tx, randomness| identity::login(tx, login, now, randomness))
    }

    /// Whether a login that already happened writes anything the next time.
    pub(super) fn login_writes(&mut self, login: &LoginIdentity) -> bool {
        let mut tx = Tx::new(self.log.snapshot(), self.barrier.clone() as Arc<dyn Cipher>);
        let now = self.now;
        identity::login(&mut tx, login, now, &mut self.randomness()).unwrap();
        !tx.writes_nothing()
    }

    pub(super) fn view(&mut self, entity: &str) -> Result<Option<Arc<View>>, Fault> {
        let kernel = self.kernel.clone();
        let namespace = self.namespace.clone().unwrap_or_else(|| keys::ROOT.to_owned());
        self.tx(|tx, _| identity::view(&kernel, tx, &namespace, entity))
    }

    /// Names of the policies that an entity's tokens have through it now.
    pub(super) fn policies(&mut self, entity: &str) -> Vec<String> {
        let view = self.view(entity).unwrap().unwrap();
        view.policies.iter().map(|(_, name)| name.clone()).collect()
    }

    /// Keys of everything that identity keeps in the root namespace.
    pub(super) fn kept(&self) -> Vec<String> {
        let mut kept = Vec::new();
        let areas = ["entity", "alias", "group", "member", "oidc"];
        let visited = self.log.snapshot().visit("root/", &store::prefix_end("root/"), &mut |key, _, _| {
            let area = key.split('/').nth(1).unwrap_or_default();
            if areas.iter().any(|stem| area.starts_with(stem)) {
                kept.push(key.to_owned());
            }
            ControlFlow::Continue(())
        });
        visited.unwrap();
        kept
    }
}

pub(super) fn id(data: &Value) -> String {
    data["id"].as_str().unwrap_or_else(|| panic!("no id in {data}")).to_owned()
}
