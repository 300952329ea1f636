//! The reply envelope that every client decodes, in upstream's field order.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The reply of every path but a few legacy ones. Members are always present; the unset ones are `null` or empty.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// UUID of the request; empty on a wrapped reply.
    pub request_id: String,
    /// Lease of what `data` holds; empty where there is none.
    pub lease_id: String,
    /// Whether the lease can be renewed.
    pub renewable: bool,
    /// Seconds.
    pub lease_duration: u64,
    /// The reply's data.
    pub data: Value,
    /// Set when the reply was wrapped.
    pub wrap_info: Option<WrapInfo>,
    /// Set where there is something to say.
    pub warnings: Option<Vec<String>>,
    /// Set by logins and token creation.
    pub auth: Option<Auth>,
}

/// Where a wrapped reply can be fetched, once.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct WrapInfo {
    /// The single-use token.
    pub token: String,
    /// Its accessor.
    pub accessor: String,
    /// Seconds.
    pub ttl: u64,
    /// RFC 3339.
    pub creation_time: String,
    /// The path whose reply was wrapped.
    pub creation_path: String,
    /// Accessor of the token inside, if the reply held one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub wrapped_accessor: String,
}

/// A fresh or renewed token.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Auth {
    /// The token itself.
    pub client_token: String,
    /// Its accessor.
    pub accessor: String,
    /// Token and identity policies, sorted.
    pub policies: Vec<String>,
    /// The token's own policies, sorted.
    pub token_policies: Vec<String>,
    /// Policies through identity.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub identity_policies: Vec<String>,
    /// Set by the login method.
    pub metadata: Option<std::collections::BTreeMap<String, String>>,
    /// Seconds.
    pub lease_duration: u64,
    /// Whether it can be renewed.
    pub renewable: bool,
    /// Entity behind it; may be empty.
    pub entity_id: String,
    /// `service` or `batch`.
    pub token_type: String,
    /// Whether it lives on when its parent ends.
    pub orphan: bool,
    /// Always `null` until login MFA exists.
    pub mfa_requirement: Option<Value>,
    /// Uses left; 0 is no limit.
    pub num_uses: u64,
}

/// The body of every error.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Messages, outermost first.
    pub errors: Vec<String>,
}

/// Several errors in the text form clients know from Go's `multierror`.
pub fn join_errors<S: AsRef<str>>(errors: &[S]) -> String {
    let head = match errors.len() {
        1 => "1 error occurred:".to_owned(),
        count => format!("{count} errors occurred:"),
    };
    let lines: String = errors.iter().map(|error| format!("\n\t* {}", error.as_ref())).collect();
    format!("{head}{lines}\n\n")
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope").field("request_id", &self.request_id).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Auth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Auth").field("accessor", &self.accessor).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for WrapInfo {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WrapInfo").field("creation_path", &self.creation_path).finish_non_exhaustive()
    }
}
