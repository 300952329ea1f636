//! What browsers need: which origins may call the API, and headers for a user interface. The shell applies them.

use engine::{Record, StoreError, Tx};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Where the rules of cross-origin requests are kept.
pub const CORS: &str = "root/config/cors";
/// Where headers for a user interface are kept.
pub const UI_HEADERS: &str = "root/config/ui-headers";

/// Headers that a browser may send from another origin in any case.
pub const STANDARD_HEADERS: [&str; 10] = [
    "Content-Type",
    "Authorization",
    "X-Vault-Token",
    "X-Vault-MFA",
    "X-Vault-No-Request-Forwarding",
    "X-Vault-Wrap-Format",
    "X-Vault-Wrap-TTL",
    "X-Requested-With",
    "X-Vault-AWS-IAM-Server-ID",
    "X-Vault-Policy-Override",
];

/// Rules of cross-origin requests; no record means none are answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cors {
    /// Origins as browsers send them, or one `*`.
    pub allowed_origins: Vec<String>,
    /// Headers beside the standard ones.
    pub allowed_headers: Vec<String>,
    /// Whether browsers may send credentials of their own.
    pub allow_credentials: bool,
}

impl Record for Cors {
    const KIND: &'static str = "cors/1";
}

impl Cors {
    /// The rules, if any are set.
    pub fn load(tx: &mut Tx) -> Result<Option<Self>, StoreError> {
        tx.load(CORS)
    }

    /// Whether an origin may call.
    pub fn allows(&self, origin: &str) -> bool {
        self.allowed_origins.iter().any(|allowed| allowed == "*" || allowed == origin)
    }

    /// All headers that may be sent.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        STANDARD_HEADERS.into_iter().chain(self.allowed_headers.iter().map(String::as_str))
    }
}

/// Headers for a user interface, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct UiHeaders(pub BTreeMap<String, Vec<String>>);

impl Record for UiHeaders {
    const KIND: &'static str = "ui-headers/1";
}
