//! Fills the store of a server that is not running: `fill FOLDER SHARE ROOT_TOKEN SECRETS LEASES`, with the unseal share of
//! a store that has one, in base64. Each secret is a kv version 2 write at `secret/`, each lease that of a new service
//! token. All of them are requests to the real kernel on the real store, as the server would make them of what comes over
//! HTTP; what is left out is HTTP and the audit trail.

use barrier::Sealed;
use barrier::ceremony::Unsealing;
use engine::{
    Fault, Headers, Input, Operation, Peer, Reply, Request, RequestPath, Secret, SystemRandomness, Timestamp,
};
use kernel::pipeline::{Arrival, Outcome};
use kernel::registry::Keys;
use kernel::{Ceremonies, Kernel, Node, Report, Settings};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};
use store::local::{LocalLog, LocalOptions};
use store::{CommitError, Log};

/// Commits under way at a time.
const UNDER_WAY_MAX: usize = 512;

struct Facts(Mutex<Ceremonies>);

impl Node for Facts {
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

struct Filler {
    log: LocalLog,
    barrier: Arc<barrier::Barrier>,
    kernel: Arc<Kernel>,
    node: Arc<Facts>,
    token: String,
    now: Timestamp,
    done: SyncSender<Result<(), CommitError>>,
    finished: Receiver<Result<(), CommitError>>,
    under_way: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, share, token, secrets, leases] = words.as_slice() else {
        return Err("usage: fill FOLDER SHARE ROOT_TOKEN SECRETS LEASES".into());
    };
    let (secrets, leases): (u64, u64) = (secrets.parse()?, leases.parse()?);
    let mut filler = Filler::open(Path::new(folder), share, token)?;
    for number in 0..secrets {
        let path = format!("secret/data/fill/{}/{number}", number % 1000);
        filler.write(&path, json!({"data": {"username": "application", "password": format!("secret {number}")}}))?;
    }
    for _ in 0..leases {
        filler.write("auth/token/create", json!({"policies": ["default"], "ttl": "24h", "no_parent": true}))?;
    }
    filler.finish()?;
    println!("filled with {secrets} secrets and {leases} leases");
    Ok(())
}

impl Filler {
    fn open(folder: &Path, share: &str, token: &str) -> Result<Self, Box<dyn Error>> {
        let log = LocalLog::open(folder, LocalOptions::default())?;
        let snapshot = log.snapshot();
        let sealed = Sealed::load(snapshot.as_ref())?.ok_or("the store is not initialised")?;
        let share = barrier::parse_share(share)?;
        let step = Unsealing::default().submit(&sealed, snapshot.as_ref(), share, &mut SystemRandomness);
        let barrier = step.result?.ok_or("the store has more than one share")?;
        log.arm(barrier.chain_mac())?;
        let keys = Keys { token: barrier.derive("token"), batch: barrier.derive_data_key("batch token") };
        let kernel = Arc::new(Kernel::new(engines::all(), Settings::default(), keys));
        let (done, finished) = sync_channel(UNDER_WAY_MAX);
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
        Ok(Self {
            log,
            barrier,
            kernel,
            node: Arc::new(Facts(Mutex::default())),
            token: token.to_owned(),
            now: Timestamp::from_seconds(now),
            done,
            finished,
            under_way: 0,
        })
    }

    fn write(&mut self, path: &str, body: Value) -> Result<(), Box<dyn Error>> {
        let mut input = Input::default();
        if let Value::Object(members) = body {
            input.body.clone_from(&members);
            input.fields = members;
        }
        let request = Request {
            id: "fill".to_owned(),
            operation: Operation::Update,
            path: RequestPath::new(path.to_owned())?,
            namespace: None,
            token: Some(Secret::new(self.token.clone())),
            input,
            wrap_ttl: None,
            headers: Headers::default(),
            peer: Peer::default(),
            head: false,
        };
        let arrival = Arrival {
            snapshot: self.log.snapshot(),
            barrier: self.barrier.clone(),
            now: self.now,
            randomness: Box::new(SystemRandomness),
            request: Arc::new(request),
            node: self.node.clone(),
            outside: engine::Outside::default(),
        };
        let Outcome { result, commit, .. } = kernel::handle(&self.kernel, arrival);
        result.map_err(|fault| format!("{path}: {fault}"))?;
        while self.under_way >= UNDER_WAY_MAX {
            self.await_one()?;
        }
        let done = self.done.clone();
        self.under_way += 1;
        let tell = move |result: Result<_, CommitError>| drop(done.send(result.map(drop)));
        self.log.submit(commit.ok_or("a write made no commit")?, Box::new(tell));
        Ok(())
    }

    fn await_one(&mut self) -> Result<(), Box<dyn Error>> {
        self.finished.recv()??;
        self.under_way -= 1;
        Ok(())
    }

    fn finish(mut self) -> Result<(), Box<dyn Error>> {
        while self.under_way > 0 {
            self.await_one()?;
        }
        self.log.close();
        Ok(())
    }
}
