//! What is kept of a token.

use engine::{BoundCidrs, LoginRecord, Record, Timestamp, TokenKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Kind of the accessor index, whose value is the token's hash.
pub const ACCESSOR_KIND: &str = "token-accessor/1";
/// Kind of the child index, whose value is empty.
pub const CHILD_KIND: &str = "token-child/1";

/// Where a service token is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TokenRef {
    /// Namespace id.
    pub namespace: String,
    /// Keyed hash of its text.
    pub hash: String,
}

/// A token's record. Durations are seconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// For those who may manage it without holding it; empty for batch tokens.
    pub accessor: String,
    /// The token it ends with; `None` for orphans.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub parent: Option<TokenRef>,
    /// Its own policies, sorted.
    pub policies: Vec<String>,
    /// The path that made it.
    pub path: String,
    /// Shown in audit and look-ups.
    pub display_name: String,
    /// Shown to the client.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub metadata: BTreeMap<String, String>,
    /// Uses left; 0 is no limit.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub num_uses: i64,
    /// When it was made.
    pub issued: Timestamp,
    /// As asked for when it was made, or last renewed to.
    pub ttl: i64,
    /// As asked for when it was made.
    pub creation_ttl: i64,
    /// Bound that nothing passes; 0 is none.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub explicit_max_ttl: i64,
    /// Period of a periodic token; 0 for others.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub period: i64,
    /// When it ends; `None` only for root tokens that never do.
    pub expires: Option<Timestamp>,
    /// When it was last renewed.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub renewed: Option<Timestamp>,
    /// Whether it may be renewed.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub renewable: bool,
    /// Entity; empty if there is none.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub entity_id: String,
    /// `Service` or `Batch`.
    pub kind: TokenKind,
    /// Token role it was made by; empty if none.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub role: String,
    /// Addresses it may be used from.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub bound_cidrs: BoundCidrs,
    /// Namespace id.
    pub namespace: String,
    /// Names its private storage; empty for batch tokens.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub cubbyhole: String,
    /// The login that made it, which renewal asks again.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub login: Option<LoginLink>,
    /// Takes no policies from its identity.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub no_identity_policies: bool,
    /// Lease id; empty for batch tokens and those that never end.
    #[serde(default, skip_serializing_if = "crate::is_default")]
    pub lease: String,
}

/// The login behind a token.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LoginLink {
    /// Mount it was made on.
    pub mount_accessor: String,
    /// What the method bound it to.
    pub record: LoginRecord,
}

impl Record for Token {
    const KIND: &'static str = "token/1";
}

impl Token {
    /// Whether it has ended. Asked at every use; background work only frees space (security decision D14).
    pub fn ended(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether it holds the root policy.
    pub fn is_root(&self) -> bool {
        self.policies.iter().any(|policy| policy == "root")
    }

    /// The latest moment renewals can reach under a mount's maximum.
    pub fn latest_end(&self, mount_max_ttl: i64) -> Option<Timestamp> {
        let explicit = (self.explicit_max_ttl > 0).then(|| self.issued.plus_seconds(self.explicit_max_ttl));
        let mount = (self.period == 0 && mount_max_ttl > 0).then(|| self.issued.plus_seconds(mount_max_ttl));
        match (explicit, mount) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }
}
