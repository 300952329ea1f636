//! What goes into the kernel and what comes out of it: plain values that every stage may name.

use crate::authenticate::Session;
use crate::mounts::MountEntry;
use crate::namespaces::Namespace;
use crate::{Effect, Node};
use barrier::Barrier;
use engine::{Fault, Outside, Randomness, Reply, Request, Timestamp};
use std::sync::Arc;
use store::{Commit, Snapshot};
use wire::{Auth, Operation, WrapInfo};

/// What the shell hands in for one request.
pub struct Arrival {
    /// The key space at a fresh enough revision.
    pub snapshot: Arc<dyn Snapshot>,
    /// The barrier that fits it.
    pub barrier: Arc<Barrier>,
    /// The moment of the request.
    pub now: Timestamp,
    /// Randomness for it.
    pub randomness: Box<dyn Randomness + Send>,
    /// The request.
    pub request: Arc<Request>,
    /// The shell.
    pub node: Arc<dyn Node>,
    /// What the request has learned from outside in earlier runs.
    pub outside: Outside,
}

/// What the kernel decided. The shell audits it, commits it, and only then lets the answer out.
pub struct Outcome {
    /// The answer, or why there is none. [`Fault::Outside`] asks the shell to make a call and to run the request again
    /// with its answer; there is nothing to commit then.
    pub result: Result<Answer, Fault>,
    /// What has to be committed first, also after a fault (uses of a token, lockouts).
    pub commit: Option<Commit>,
    /// What to do after the commit.
    pub effects: Vec<Effect>,
    /// For the audit trail.
    pub facts: Facts,
}

/// An answer, complete but for the envelope.
#[derive(Default)]
pub struct Answer {
    /// The handler's reply.
    pub reply: Reply,
    /// Lease of its data.
    pub lease: Option<Leased>,
    /// A token that was made or renewed.
    pub auth: Option<Auth>,
    /// Where it can be fetched instead.
    pub wrap_info: Option<WrapInfo>,
}

/// A lease as the client is told of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Leased {
    /// Empty if there is nothing to renew or revoke.
    pub id: String,
    /// Seconds.
    pub duration: u64,
    /// Whether the client may renew it.
    pub renewable: bool,
}

/// What stood beside the data of a reply that was wrapped.
#[derive(Default)]
pub struct Unwrapped {
    /// Its lease.
    pub lease: Option<Leased>,
    /// Its own wrapping, or a new one.
    pub wrap_info: Option<WrapInfo>,
}

/// What the audit trail is told of a request beside the request itself.
#[derive(Default, Clone)]
pub struct Facts {
    /// Namespace.
    pub namespace: Option<Arc<Namespace>>,
    /// Mount.
    pub mount: Option<Arc<MountEntry>>,
    /// Who asked.
    pub session: Option<Arc<Session>>,
    /// Create and update told apart.
    pub operation: Option<Operation>,
    /// Path below the namespace.
    pub path: String,
    /// Whether the route needs no token.
    pub unauthenticated: bool,
    /// Whether the token had ended.
    pub token_ended: bool,
}
