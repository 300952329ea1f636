//! A kernel on a store in memory with everything a node has: requests and jobs go through the same functions as in the
//! server, and what they decide is committed.

mod accounts;
mod cubbyhole;

pub use accounts::Accounts;

use barrier::{Barrier, Initialiser, Moment, ShareRequest};
use crypto::SeededRandomness;
use engine::{Engine, Fault, Input, Operation, Peer, Reply, Request, RequestPath, Secret, Timestamp};
use kernel::jobs::{self, Progress};
use kernel::pipeline::{Answer, Arrival, Outcome};
use kernel::registry::Keys;
use kernel::{Ceremonies, Kernel, Node, Report, Settings, bootstrap, key_jobs, keys};
use serde_json::Value;
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, mpsc};
use store::memory::MemoryLog;
use store::{Commit, Log, Snapshot};

/// The node.
pub struct World {
    log: MemoryLog,
    barrier: Arc<Barrier>,
    kernel: Arc<Kernel>,
    node: Arc<Shell>,
    /// The moment of the next request.
    pub now: Timestamp,
    /// The system behind the engine `accounts`.
    pub accounts: Arc<Accounts>,
    seed: u64,
}

struct Shell(Mutex<Ceremonies>);

impl Node for Shell {
    fn report(&self, _: Report<'_>) -> Result<Reply, Fault> {
        Ok(Reply::empty())
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

/// Who asks, where.
#[derive(Clone, Copy)]
pub struct At<'a> {
    /// Token.
    pub token: &'a str,
    /// Namespace header; empty for none.
    pub namespace: &'a str,
}

/// The root token in the root namespace.
pub const ROOT: At<'static> = At { token: "root", namespace: "" };

/// A status and the errors, as the server tells a client: two faults that look the same are equal.
pub fn told(fault: &Fault) -> (u16, String) {
    let text = fault.to_string();
    match fault {
        Fault::Invalid(_) | Fault::LoginFailed(_) => (400, text),
        Fault::Denied | Fault::Forbidden => (403, "permission denied".to_owned()),
        Fault::Missing | Fault::MissingBecause(_) | Fault::UnsupportedPath => (404, text),
        Fault::UnsupportedOperation => (405, text),
        Fault::Status(status, _) => (*status, text),
        Fault::Store(_) | Fault::Internal(_) | Fault::Outside(_) => (500, "internal error".to_owned()),
    }
}

impl World {
    /// A new, unsealed node.
    pub fn new() -> Self {
        let log = MemoryLog::new();
        let mut randomness = SeededRandomness::new(0);
        let now = Timestamp::from_seconds(1_800_000_000);
        let how = Initialiser::Shamir(ShareRequest::new(1, 1, Vec::new()).unwrap());
        let moment = Moment(now.nanoseconds());
        let (mut tx, made) = barrier::initialise(log.snapshot(), &how, keys::ROOT, moment, &mut randomness).unwrap();
        let derived = Keys { token: made.barrier.derive("token"), batch: made.barrier.derive_data_key("batch token") };
        let accounts = Arc::new(Accounts::default());
        let engines: Vec<Arc<dyn Engine>> =
            vec![Arc::new(accounts::AccountsEngine::new(accounts.clone())), Arc::new(cubbyhole::Cubbyhole::new())];
        let kernel = Arc::new(Kernel::new(engines, Settings::default(), derived));
        bootstrap::bootstrap(&kernel, &mut tx, now, &mut randomness, Some("root".to_owned())).unwrap();
        let commit = tx.into_commit(&mut |bytes| engine::Randomness::fill(&mut randomness, bytes)).unwrap();
        let node = Arc::new(Shell(Mutex::default()));
        let mut world = Self { log, barrier: made.barrier, kernel, node, now, accounts, seed: 0 };
        world.submit(commit);
        world
    }

    fn submit(&mut self, commit: Commit) {
        let (send, receive) = mpsc::channel();
        self.log.submit(commit, Box::new(move |result| send.send(result).unwrap()));
        receive.recv().unwrap().unwrap();
        if let Some(fresh) = self.barrier.refresh(self.log.snapshot().as_ref()).unwrap() {
            self.barrier = fresh;
        }
    }

    fn arrival(&mut self, snapshot: Arc<dyn Snapshot>, request: Request) -> Arrival {
        self.seed += 1;
        Arrival {
            snapshot,
            barrier: self.barrier.clone(),
            now: self.now,
            randomness: Box::new(SeededRandomness::new(self.seed)),
            request: Arc::new(request),
            node: self.node.clone(),
            outside: engine::Outside::default(),
        }
    }

    /// Runs a request at a snapshot of the caller's choice; what it decides is left to the caller.
    pub fn run_on(
        &mut self,
        snapshot: Arc<dyn Snapshot>,
        at: At<'_>,
        operation: Operation,
        path: &str,
        body: Value,
    ) -> Outcome {
        let arrival = self.arrival(snapshot, request(at, operation, path, body));
        kernel::handle(&self.kernel, arrival)
    }

    /// The newest snapshot.
    pub fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.log.snapshot()
    }

    /// A request, committed.
    pub fn call(&mut self, at: At<'_>, operation: Operation, path: &str, body: Value) -> Result<Answer, Fault> {
        let snapshot = self.log.snapshot();
        let Outcome { result, commit, .. } = self.run_on(snapshot, at, operation, path, body);
        if let Some(commit) = commit {
            self.submit(commit);
        }
        result
    }

    /// The data of a reply, `Null` where there is none.
    pub fn data(&mut self, at: At<'_>, operation: Operation, path: &str, body: Value) -> Result<Value, Fault> {
        self.call(at, operation, path, body).map(|answer| answer.reply.value().cloned().unwrap_or(Value::Null))
    }

    /// A read.
    pub fn read(&mut self, at: At<'_>, path: &str) -> Result<Value, Fault> {
        self.data(at, Operation::Read, path, Value::Null)
    }

    /// A write.
    pub fn write(&mut self, at: At<'_>, path: &str, body: Value) -> Result<Value, Fault> {
        self.data(at, Operation::Update, path, body)
    }

    /// A deletion.
    pub fn delete(&mut self, at: At<'_>, path: &str) -> Result<Value, Fault> {
        self.data(at, Operation::Delete, path, Value::Null)
    }

    /// The status a request is refused with, or 200.
    pub fn status(&mut self, at: At<'_>, operation: Operation, path: &str, body: Value) -> u16 {
        self.call(at, operation, path, body).map_or_else(|fault| told(&fault).0, |_| 200)
    }

    /// A namespace at a path; its parent has to be there.
    pub fn namespace(&mut self, path: &str) {
        let (parent, name) = path.rsplit_once('/').unwrap_or(("", path));
        let at = At { namespace: parent, ..ROOT };
        self.write(at, &format!("sys/namespaces/{name}"), Value::Null).unwrap();
    }

    /// A policy of a namespace and a token with it there. Returns token and accessor.
    pub fn token(&mut self, namespace: &str, policy: &str) -> (String, String) {
        let at = At { namespace, ..ROOT };
        let name = format!("p{}", self.seed);
        self.write(at, &format!("sys/policies/acl/{name}"), serde_json::json!({ "policy": policy })).unwrap();
        let body = serde_json::json!({ "policies": [name], "ttl": "1h" });
        let auth = self.call(at, Operation::Update, "auth/token/create-orphan", body).unwrap().auth.unwrap();
        (auth.client_token, auth.accessor)
    }

    /// A lease of an account of a namespace's `accounts/` mount, which has to be there. Returns its id.
    pub fn lease(&mut self, namespace: &str) -> String {
        let at = At { namespace, ..ROOT };
        self.call(at, Operation::Read, "accounts/creds", Value::Null).unwrap().lease.unwrap().id
    }

    /// Mounts `accounts/` in a namespace.
    pub fn mount_accounts(&mut self, namespace: &str) {
        let at = At { namespace, ..ROOT };
        self.write(at, "sys/mounts/accounts", serde_json::json!({ "type": "accounts" })).unwrap();
    }

    /// Runs the expiry job until nothing is left to do now.
    pub fn expire(&mut self) {
        for _ in 0..100 {
            let snapshot = self.log.snapshot();
            let arrival =
                self.arrival(snapshot, request(At { token: "", namespace: "" }, Operation::Update, "", Value::Null));
            let outcome = jobs::expire(&self.kernel, arrival).unwrap();
            if let Some(commit) = outcome.commit {
                self.submit(commit);
            }
            let Progress { next, .. } = outcome.progress;
            if next.is_none_or(|next| next > self.now) {
                return;
            }
        }
        panic!("the expiry job does not come to an end");
    }

    /// Runs the job that looks after the barrier's keys, as often as it has something to do. Whether it rotated.
    pub fn tend_keys(&mut self) -> bool {
        let mut rotated = false;
        for _ in 0..10 {
            let arrival = self.own_arrival();
            let barrier = arrival.barrier.clone();
            let tended = key_jobs::tend(arrival).unwrap();
            let Some(commit) = tended.commit else { return rotated };
            self.submit(commit);
            rotated |= tended.rotated;
            if let Some(recorded) = tended.recorded {
                barrier.usage_recorded(recorded);
            }
        }
        panic!("the job never has nothing to do");
    }

    /// Runs one pass of re-encryption, if there is something to do: steps, and whether older terms were dropped.
    pub fn reencrypt(&mut self, limit: usize) -> Option<(usize, bool)> {
        let mut pass = key_jobs::begin(&self.own_arrival())?;
        for steps in 1..1_000 {
            let step = key_jobs::reencrypt(self.own_arrival(), &pass, limit).unwrap();
            if let Some(commit) = step.commit {
                self.submit(commit);
            }
            match step.next {
                Some(next) => pass = next,
                None => return Some((steps, step.retired)),
            }
        }
        panic!("the pass does not come to an end");
    }

    /// As if so many encryptions had been made and recorded.
    pub fn count_encryptions(&self, count: u64) {
        self.barrier.usage_recorded(count);
    }

    /// Number of the active term.
    pub fn term(&self) -> u32 {
        self.barrier.key_status().term
    }

    fn own_arrival(&mut self) -> Arrival {
        let snapshot = self.log.snapshot();
        self.arrival(snapshot, request(At { token: "", namespace: "" }, Operation::Update, "", Value::Null))
    }

    /// All keys of the store that begin with a prefix.
    pub fn keys_below(&self, prefix: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let visited = self.log.snapshot().visit(prefix, &store::prefix_end(prefix), &mut |key, _, _| {
            keys.push(key.to_owned());
            ControlFlow::Continue(())
        });
        visited.unwrap();
        keys
    }
}

fn request(at: At<'_>, operation: Operation, path: &str, body: Value) -> Request {
    let mut input = Input::default();
    if let Value::Object(members) = body {
        input.body.clone_from(&members);
        input.fields = members;
    }
    Request {
        id: String::from("request"),
        operation,
        path: RequestPath::new(path).unwrap(),
        namespace: Some(at.namespace.to_owned()).filter(|namespace| !namespace.is_empty()),
        token: Some(Secret::new(at.token.to_owned())),
        input,
        wrap_ttl: None,
        headers: engine::Headers::default(),
        peer: Peer::default(),
        head: false,
    }
}
