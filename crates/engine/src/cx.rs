//! The context of a handler.

use crate::{Options, Outside, Request};
use crypto::Randomness;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Page, Tx};
use wire::{Operation, Timestamp};

/// What one call of one engine may see and touch. Only the kernel makes one, and only from a request it authorised.
pub struct Cx {
    /// Storage of this mount and of nothing else.
    pub tx: Tx,
    /// The moment of the request.
    pub now: Timestamp,
    /// Randomness for this request.
    pub randomness: Box<dyn Randomness + Send>,
    /// The mount.
    pub mount: Arc<Mount>,
    /// The request as it came.
    pub request: Arc<Request>,
    /// The operation, create and update told apart.
    pub operation: Operation,
    /// The path below the mount, as requested.
    pub path: String,
    /// Which part of a list is wanted.
    pub page: Page,
    /// Who asks; `None` on routes that need no token.
    pub caller: Option<Arc<Caller>>,
    /// The outside world, as far as this request has asked it.
    pub outside: Outside,
}

/// A mount as its engine sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mount {
    /// Path with its trailing slash, `auth/` included, relative to the namespace.
    pub path: String,
    /// For example `kv_1a2b3c4d`.
    pub accessor: String,
    /// Its place in storage.
    pub uuid: String,
    /// Engine type.
    pub kind: String,
    /// Options such as `version`.
    pub options: Options,
    /// Seconds; the system's where the mount is not tuned.
    pub default_lease_ttl: i64,
    /// Seconds; the system's where the mount is not tuned.
    pub max_lease_ttl: i64,
    /// Id of its namespace.
    pub namespace: String,
}

/// Who asks.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// Accessor of the token; empty for batch tokens.
    pub accessor: String,
    /// Shown in audit.
    pub display_name: String,
    /// Entity; empty if there is none.
    pub entity_id: String,
    /// All policies, sorted.
    pub policies: Vec<String>,
    /// Metadata of the token.
    pub metadata: BTreeMap<String, String>,
    /// Names the token's own private storage; empty for batch tokens.
    pub cubbyhole: String,
    /// Whether it holds the root policy.
    pub root: bool,
}

impl Cx {
    /// Seconds a lease or token of this mount may have: what is asked, or the default, within the maximum.
    pub fn bounded_ttl(&self, asked: i64) -> i64 {
        let wanted = if asked > 0 { asked } else { self.mount.default_lease_ttl };
        wanted.min(self.mount.max_lease_ttl)
    }
}
