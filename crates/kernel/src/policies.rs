//! Stored ACL policies: their records, the built-in ones, and their parsed form by revision.

use crate::policy::Policy;
use crate::{Kernel, keys};
use engine::{Fault, Record, StoreError, Timestamp, Tx};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A policy as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PolicyRecord {
    /// Canonical name.
    pub name: String,
    /// As written, HCL or JSON.
    pub text: String,
    /// When it was last written.
    pub modified: Timestamp,
    /// Counts writes.
    pub version: u64,
    /// Whether writes must name the version they replace.
    #[serde(default)]
    pub cas_required: bool,
    /// When it stops to apply.
    #[serde(default)]
    pub expiration: Option<Timestamp>,
}

impl Record for PolicyRecord {
    const KIND: &'static str = "policy/1";
}

/// A stored policy's rules and how long they hold.
pub struct ParsedPolicy {
    /// The rules.
    pub policy: Policy,
    /// When it stops to apply.
    pub expiration: Option<Timestamp>,
}

impl ParsedPolicy {
    /// Whether it applies at a moment: expiry is checked at use, whether or not somebody has removed the record.
    pub fn in_force(&self, now: Timestamp) -> bool {
        self.expiration.is_none_or(|end| now < end)
    }
}

/// Policies that every namespace has and nobody deletes.
pub const BUILT_IN: [&str; 3] = ["default", "response-wrapping", "root"];

/// What every token may do with itself, unless it was made without the `default` policy. Operators may change it.
pub const DEFAULT_TEXT: &str = include_str!("default_policy.hcl");

/// What a wrapping token may do.
pub const RESPONSE_WRAPPING_TEXT: &str = r#"path "cubbyhole/response" {
    capabilities = ["create", "read"]
}

path "sys/wrapping/unwrap" {
    capabilities = ["update"]
}
"#;

/// Writes the policies that a new namespace starts with.
pub fn create_built_in(tx: &mut Tx, namespace: &str, now: Timestamp) -> Result<(), Fault> {
    for (name, text) in [("default", DEFAULT_TEXT), ("response-wrapping", RESPONSE_WRAPPING_TEXT)] {
        let record = PolicyRecord {
            name: name.to_owned(),
            text: text.to_owned(),
            modified: now,
            version: 1,
            cas_required: false,
            expiration: None,
        };
        tx.save(&keys::policy(namespace, name), &record)?;
    }
    Ok(())
}

/// A policy, parsed; `None` if there is none by this name. The names are exact: whoever writes a policy or attaches one
/// makes them canonical first (S02, S06).
pub fn parsed(
    kernel: &Kernel,
    tx: &mut Tx,
    namespace: &str,
    name: &str,
) -> Result<Option<Arc<ParsedPolicy>>, StoreError> {
    let key = keys::policy(namespace, name);
    kernel.memo.policies.derive(tx, &key, |tx| {
        let Some(record) = tx.load::<PolicyRecord>(&key)? else { return Ok(None) };
        let policy = Policy::parse(&record.text).map_err(|_| StoreError::Record { place: key.clone() })?;
        Ok(Some(ParsedPolicy { policy, expiration: record.expiration }))
    })
}
