//! What is kept of a lease.

use crate::tokens::TokenRef;
use engine::{LeaseRecord, Record, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A lease. Durations are seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct LeaseEntry {
    /// Path that issued it, a slash and a random or hashed name.
    pub id: String,
    /// Namespace id.
    pub namespace: String,
    /// What ends with it.
    pub of: LeaseOf,
    /// Path that issued it.
    pub path: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// When it was last renewed.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub renewed: Option<Timestamp>,
    /// Seconds it may live with renewals.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub max_ttl: i64,
    /// Whether clients may renew it.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub renewable: bool,
    /// Revocations that failed so far.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub attempts: u32,
    /// When the next revocation is tried, if one failed.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub retry: Option<Timestamp>,
    /// Why it is given up, if it is.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub irrevocable: Option<String>,
}

/// What a lease is of.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeaseOf {
    /// Nothing that needs an effect.
    #[default]
    Nothing,
    /// A service token.
    Token {
        /// Its keyed hash; its namespace is the lease's.
        hash: String,
    },
    /// A secret of an engine.
    Secret {
        /// Mount's uuid.
        mount: String,
        /// The token it ends with: under a batch token, whose own end bounds the lease's, that token's parent if it has one.
        token: Option<TokenRef>,
        /// What the engine put in.
        internal: Value,
    },
}

impl Record for LeaseEntry {
    const KIND: &'static str = "lease/1";
}

impl LeaseEntry {
    /// When the expiry job has to look at it.
    pub fn due(&self) -> Timestamp {
        self.retry.unwrap_or(self.expires)
    }

    /// The engine's view; `None` for leases that no engine issued.
    pub fn record(&self) -> Option<LeaseRecord> {
        match &self.of {
            LeaseOf::Secret { internal, .. } => Some(LeaseRecord {
                id: self.id.clone(),
                issued: self.issued,
                expires: self.expires,
                internal: internal.clone(),
            }),
            LeaseOf::Token { .. } | LeaseOf::Nothing => None,
        }
    }
}
