//! The node: the real kernel, engines, barrier and log, put together as the server's shell does it, with time and
//! randomness from the run.

use crate::accounts::Accounts;
use crate::operation::Ask;
use crate::plant::Planted;
use crate::view::{Failing, View};
use barrier::{Barrier, Moment, Pass, Sealed};
use crypto::SeededRandomness;
use engine::{
    Engine, Fault, Headers, Input, Operation, Outside, Peer, Reply, Request, RequestPath, Secret, Timestamp, Tx,
};
use kernel::jobs::{self, JobOutcome, Progress};
use kernel::key_jobs;
use kernel::pipeline::{Arrival, Outcome};
use kernel::registry::Keys;
use kernel::{Ceremonies, Kernel, Node as Shell, Report, Settings};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, mpsc};
use store::memory::MemoryLog;
use store::{Cipher, Commit, CommitError, Log as _, Revision, Snapshot};

/// Records that one step of the re-encryption rewrites: few enough for a pass to take several steps.
const RENEWED_MAX: usize = 150;
/// Records that one activation of the tidy job frees.
const TIDIED_MAX: usize = 50;

/// A background job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Job {
    Expire,
    Tidy,
    /// Installs a new term if one is due, and counts encryptions.
    Tend,
    /// One step of re-encryption.
    Renew,
}

/// A job that ran and has not committed yet.
pub(crate) struct Ran {
    pub(crate) commit: Option<Commit>,
    pub(crate) progress: Progress,
    /// What to go on with, for re-encryption.
    pub(crate) pass: Option<Pass>,
}

pub(crate) struct Node {
    pub(crate) log: MemoryLog,
    pub(crate) planted: Option<Planted>,
    /// Folders of the tenants' secrets, for the planted bug.
    pub(crate) tenants: Vec<String>,
    barrier: Arc<Barrier>,
    kernel: Arc<Kernel>,
    shell: Arc<Facts>,
    pass: Option<Pass>,
    seed: u64,
    runs: u64,
}

/// The process as the kernel may ask about it: nothing that a run needs.
#[derive(Default)]
struct Facts(Mutex<Ceremonies>);

impl Shell for Facts {
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

/// The engines of the product, and one with leases.
pub(crate) fn engines() -> Vec<Arc<dyn Engine>> {
    let mut engines = engines::all();
    engines.push(Arc::new(Accounts::new()));
    engines
}

pub(crate) fn kernel(barrier: &Barrier) -> Arc<Kernel> {
    let keys = Keys { token: barrier.derive("token"), batch: barrier.derive_data_key("batch token") };
    Arc::new(Kernel::new(engines(), Settings::default(), keys))
}

impl Node {
    /// Starts on what a log holds, as a process does.
    pub(crate) fn start(log: MemoryLog, key: &Secret<[u8; 32]>, seed: u64) -> Result<Self, String> {
        let barrier = unsealed(&log, key)?;
        let kernel = kernel(&barrier);
        let (planted, tenants, pass) = (None, Vec::new(), None);
        Ok(Self { log, planted, tenants, barrier, kernel, shell: Arc::default(), pass, seed, runs: 0 })
    }

    /// Forgets everything but the log, and starts again.
    pub(crate) fn crash(&mut self, key: &Secret<[u8; 32]>) -> Result<(), String> {
        self.log = self.log.fork();
        self.barrier = unsealed(&self.log, key)?;
        self.kernel = kernel(&self.barrier);
        self.shell = Arc::default();
        self.pass = None;
        Ok(())
    }

    fn randomness(&mut self) -> SeededRandomness {
        self.runs += 1;
        SeededRandomness::new(self.seed.wrapping_mul(0x0010_0000_0001).wrapping_add(self.runs))
    }

    /// The newest snapshot and the barrier that fits it.
    pub(crate) fn fresh(&mut self) -> Result<(Arc<dyn Snapshot>, Arc<Barrier>), String> {
        let snapshot = self.log.snapshot();
        if let Some(fresh) = self.barrier.refresh(snapshot.as_ref()).map_err(|error| error.to_string())? {
            self.barrier = fresh;
        }
        Ok((snapshot, self.barrier.clone()))
    }

    fn arrival(&mut self, now: Timestamp, request: Request, view: View) -> Result<Arrival, String> {
        let (newest, fitting) = self.fresh()?;
        let (snapshot, barrier): (Arc<dyn Snapshot>, _) = match view {
            View::Newest => (newest, fitting),
            View::Older(snapshot, barrier) => (snapshot, barrier),
            View::Failing { reads } => (Arc::new(Failing { inner: newest, left: AtomicU64::new(reads) }), fitting),
        };
        let planted = self.planted;
        let snapshot = match planted {
            Some(planted) => planted.snapshot(snapshot, &barrier, &self.tenants),
            None => snapshot,
        };
        let randomness = Box::new(self.randomness());
        let node = self.shell.clone();
        let outside = Outside::default();
        Ok(Arrival { snapshot, barrier, now, randomness, request: Arc::new(request), node, outside })
    }

    /// Runs a request. What it decided is not committed yet.
    pub(crate) fn run(&mut self, now: Timestamp, ask: &Ask, view: View) -> Result<Outcome, String> {
        let now = self.planted.map_or(now, |planted| planted.moment(now, ask));
        let arrival = self.arrival(now, request(ask)?, view)?;
        Ok(kernel::handle(&self.kernel, arrival))
    }

    /// Runs a job. What it decided is not committed yet.
    pub(crate) fn job(&mut self, now: Timestamp, job: Job) -> Result<Ran, String> {
        let told = |fault: Fault| format!("{job:?} failed: {fault}");
        match job {
            Job::Expire | Job::Tidy => {
                let arrival = self.arrival(now, own_request()?, View::Newest)?;
                let ran = match job {
                    Job::Tidy => jobs::tidy(&self.kernel, arrival, TIDIED_MAX),
                    _ => jobs::expire(&self.kernel, arrival),
                };
                let JobOutcome { commit, progress } = ran.map_err(told)?;
                Ok(Ran { commit, progress, pass: None })
            }
            Job::Tend => {
                let arrival = self.arrival(now, own_request()?, View::Newest)?;
                let commit = key_jobs::tend(arrival).map_err(told)?.commit;
                Ok(Ran { commit, progress: Progress::default(), pass: None })
            }
            Job::Renew => self.renew(now).map_err(|error| format!("{job:?} failed: {error}")),
        }
    }

    fn renew(&mut self, now: Timestamp) -> Result<Ran, String> {
        let arrival = self.arrival(now, own_request()?, View::Newest)?;
        let (commit, progress) = (None, Progress::default());
        let Some(pass) = self.pass.clone().or_else(|| key_jobs::begin(&arrival)) else {
            return Ok(Ran { commit, progress, pass: None });
        };
        let done = key_jobs::reencrypt(arrival, &pass, RENEWED_MAX).map_err(|fault| fault.to_string())?;
        if done.commit.is_none() {
            // There was nothing to rewrite on the way.
            self.pass.clone_from(&done.next);
        }
        Ok(Ran { commit: done.commit, progress, pass: done.next })
    }

    /// The lease of a token, empty if it has none.
    pub(crate) fn lease_of(&mut self, token: &str) -> Result<String, String> {
        let (snapshot, barrier) = self.fresh()?;
        let mut tx = Tx::new(snapshot, barrier as Arc<dyn Cipher>);
        let found = kernel::tokens::find(&self.kernel, &mut tx, token).map_err(|fault| fault.to_string())?;
        Ok(found.map(|(_, token)| token.lease.clone()).unwrap_or_default())
    }

    /// Notes that a step of re-encryption is committed.
    pub(crate) fn passed(&mut self, pass: Option<Pass>) {
        self.pass = pass;
    }

    /// Hands a commit to the log.
    pub(crate) fn submit(&mut self, commit: Commit) -> Result<Revision, CommitError> {
        let commit = match self.planted {
            Some(planted) => planted.commit(commit),
            None => commit,
        };
        let (send, receive) = mpsc::channel();
        self.log.submit(commit, Box::new(move |result| drop(send.send(result))));
        receive.recv().unwrap_or_else(|_| Err(CommitError::Stopped("the log went away".to_owned())))
    }
}

fn unsealed(log: &MemoryLog, key: &Secret<[u8; 32]>) -> Result<Arc<Barrier>, String> {
    let snapshot = log.snapshot();
    let sealed = Sealed::load(snapshot.as_ref()).map_err(|error| error.to_string())?;
    let sealed = sealed.ok_or("the store is not initialised")?;
    sealed.unseal_static(snapshot.as_ref(), key).map_err(|error| format!("does not unseal: {error}"))
}

/// Time as the barrier takes it.
pub(crate) fn moment(now: Timestamp) -> Moment {
    Moment(now.nanoseconds())
}

fn own_request() -> Result<Request, String> {
    request(&Ask { operation: Operation::Update, ..Ask::default() })
}

pub(crate) fn request(ask: &Ask) -> Result<Request, String> {
    let mut input = Input::default();
    if let Value::Object(members) = &ask.body {
        input.body.clone_from(members);
        input.fields.clone_from(members);
    }
    Ok(Request {
        id: String::from("request"),
        operation: ask.operation,
        path: RequestPath::new(ask.path.clone()).map_err(|error| error.to_string())?,
        namespace: Some(ask.namespace.clone()).filter(|namespace| !namespace.is_empty()),
        token: Some(Secret::new(ask.token.clone())).filter(|_| !ask.token.is_empty()),
        input,
        wrap_ttl: ask.wrap_ttl,
        headers: Headers::default(),
        peer: Peer::default(),
        head: false,
    })
}
