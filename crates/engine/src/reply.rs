//! What a handler gives back.

use crate::{Fault, Login};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::Timestamp;

/// A handler's reply; the pipeline adds leases, tokens and wrapping, the server the envelope.
#[derive(Default)]
pub struct Reply {
    /// What goes out as `data`, or instead of the envelope.
    pub body: Body,
    /// Printed by every client.
    pub warnings: Vec<String>,
    /// Asks the pipeline to put the data under a lease. Secrets engines only.
    pub lease: Option<Lease>,
    /// Asks the pipeline for a token. Login methods only.
    pub login: Option<Box<Login>>,
    /// A token that a kernel route made or renewed. Engines leave it unset: they return `login`.
    pub auth: Option<Box<wire::Auth>>,
    /// Asks for a status other than the usual one (200 with a body, 204 without, 404 for a read of nothing).
    pub status: Option<u16>,
    /// The client gets this fault, and what was written is kept all the same. See [`Reply::refusing`].
    pub refusal: Option<Box<Fault>>,
}

/// What the body of a reply is.
#[derive(Default)]
pub enum Body {
    /// Nothing: 204 for a write, 404 for a read or list.
    #[default]
    Empty,
    /// `data` of the envelope.
    Data(Value),
    /// `data` of the envelope, repeated at the top level as the oldest `sys` paths do.
    Legacy(Value),
    /// Not an envelope at all: health, seal status, metrics, OpenAPI.
    Raw(Raw),
}

/// A reply that is not an envelope.
pub struct Raw {
    /// Its media type.
    pub content_type: &'static str,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// No body.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Any serializable reply struct (or `json!` value) as `data`.
    pub fn data<T: Serialize>(data: T) -> Self {
        let value = serde_json::to_value(data).unwrap_or(Value::Null);
        Self { body: Body::Data(value), ..Self::default() }
    }

    /// As [`Reply::data`], for the paths that also repeat it at the top level.
    pub fn legacy<T: Serialize>(data: T) -> Self {
        let value = serde_json::to_value(data).unwrap_or(Value::Null);
        Self { body: Body::Legacy(value), ..Self::default() }
    }

    /// A JSON reply without an envelope.
    pub fn raw_json<T: Serialize>(body: T) -> Self {
        let bytes = serde_json::to_vec(&body).unwrap_or_default();
        Self { body: Body::Raw(Raw { content_type: "application/json", bytes }), ..Self::default() }
    }

    /// The reply of a LIST: `keys`, or nothing where there are none, which makes it a 404.
    pub fn keys(keys: Vec<String>) -> Self {
        if keys.is_empty() { Self::empty() } else { Self::data(serde_json::json!({ "keys": keys })) }
    }

    /// The reply of a LIST that tells something about each key.
    pub fn keys_with_info(keys: Vec<String>, key_info: serde_json::Map<String, Value>) -> Self {
        match (keys.is_empty(), key_info.is_empty()) {
            (true, _) => Self::empty(),
            (false, true) => Self::data(serde_json::json!({ "keys": keys })),
            (false, false) => Self::data(serde_json::json!({ "keys": keys, "key_info": key_info })),
        }
    }

    /// A fault whose writes are kept, for what must be remembered although the request fails: a state that was used up,
    /// keys that were fetched. The writes of every other fault are undone.
    pub fn refusing(fault: Fault) -> Self {
        Self { refusal: Some(Box::new(fault)), ..Self::default() }
    }

    /// A login that held.
    pub fn login(login: Login) -> Self {
        Self { login: Some(Box::new(login)), ..Self::default() }
    }

    /// Adds a warning.
    #[must_use]
    pub fn warn(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    /// Puts the data under a lease.
    #[must_use]
    pub fn leased(mut self, lease: Lease) -> Self {
        self.lease = Some(lease);
        self
    }

    /// Answers with this status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// The data, if there is any.
    pub fn value(&self) -> Option<&Value> {
        match &self.body {
            Body::Data(value) | Body::Legacy(value) => Some(value),
            Body::Empty | Body::Raw(_) => None,
        }
    }
}

/// A lease that an engine asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lease {
    /// Seconds it should live; 0 takes the mount's default. The mount's maximum bounds it.
    pub ttl: i64,
    /// Seconds it may live with renewals; 0 takes the mount's.
    pub max_ttl: i64,
    /// Whether clients may renew it.
    pub renewable: bool,
    /// Whether it is only told to the client (`lease_duration` without a lease to revoke, as kv v1 does).
    pub advisory: bool,
    /// What the engine needs to renew or revoke it; holds no secret.
    pub internal: Value,
}

/// A lease as it is kept, handed to [`crate::Engine::renew`] and [`crate::Engine::revoke`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LeaseRecord {
    /// Its id, `path/…`.
    pub id: String,
    /// When it was issued.
    pub issued: Timestamp,
    /// When it ends.
    pub expires: Timestamp,
    /// What the engine put in.
    pub internal: Value,
}
