//! Response wrapping: a reply is kept under a single-use token, and the client gets the token instead.
//!
//! A wrapping token is an ordinary service token with one use, no renewal and the policy `response-wrapping`; what it
//! wraps lies under its hash and is taken once (security decision D19).

use crate::exchange::{Answer, Leased};
use crate::namespaces::Namespace;
use crate::tokens::{self, NewToken, TokenRef};
use crate::{Kx, keys};
use engine::{Body, Fault, Record, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use wire::{Auth, WrapInfo};

/// Longest a wrapped reply may wait, in seconds.
pub const WRAP_TTL_MAX: i64 = 2_764_800;

/// The policy of wrapping tokens.
pub const POLICY: &str = "response-wrapping";

/// A reply that waits.
#[derive(Serialize, Deserialize)]
pub struct Wrapped {
    /// The path whose reply it is.
    pub creation_path: String,
    /// When it was wrapped.
    pub created: Timestamp,
    /// Seconds.
    pub ttl: i64,
    /// `data` of the reply.
    pub data: Value,
    /// Warnings of the reply.
    pub warnings: Vec<String>,
    /// The token in the reply, if there is one.
    pub auth: Option<Auth>,
    /// Lease of the reply.
    pub lease: Option<(String, u64, bool)>,
    /// The wrapping of a reply that was wrapped already.
    pub wrap_info: Option<WrapInfo>,
}

impl Record for Wrapped {
    const KIND: &'static str = "wrapped/1";
}

/// Wraps the answer if the client asked for it and there is anything to wrap.
pub fn wrap_if_asked(kx: &mut Kx, path: &str, answer: Answer) -> Result<Answer, Fault> {
    let Some(ttl) = kx.request.wrap_ttl.filter(|ttl| *ttl > 0) else { return Ok(answer) };
    let empty = matches!(answer.reply.body, Body::Empty) && answer.auth.is_none() && answer.lease.is_none();
    if empty || matches!(answer.reply.body, Body::Raw(_)) || answer.wrap_info.is_some() {
        return Ok(answer);
    }
    let data = match answer.reply.body {
        Body::Data(data) | Body::Legacy(data) => data,
        Body::Empty | Body::Raw(_) => Value::Null,
    };
    let wrapped = Wrapped {
        creation_path: path.to_owned(),
        created: kx.now,
        ttl,
        data,
        warnings: answer.reply.warnings,
        auth: answer.auth,
        lease: answer.lease.map(|lease| (lease.id, lease.duration, lease.renewable)),
        wrap_info: None,
    };
    let info = wrap(kx, wrapped)?;
    Ok(Answer { wrap_info: Some(info), ..Answer::default() })
}

/// Keeps a reply and makes its token.
pub fn wrap(kx: &mut Kx, wrapped: Wrapped) -> Result<WrapInfo, Fault> {
    if wrapped.ttl > WRAP_TTL_MAX {
        return Err(Fault::invalid("wrapping TTL is too long"));
    }
    let kernel = kx.kernel.clone();
    let new = NewToken {
        namespace: kx.namespace_id(),
        policies: vec![POLICY.to_owned()],
        path: wrapped.creation_path.clone(),
        num_uses: 1,
        ttl: wrapped.ttl,
        explicit_max_ttl: wrapped.ttl,
        kind: engine::TokenKind::Service,
        ..NewToken::default()
    };
    let now = kx.now;
    let issued = tokens::create(&kernel, &mut kx.cx.tx, now, kx.cx.randomness.as_mut(), new)?;
    let at = issued.at.ok_or_else(|| Fault::internal("wrapping tokens are service tokens"))?;
    kx.tx.save(&keys::wrapped(&at.namespace, &at.hash), &wrapped)?;
    Ok(WrapInfo {
        token: issued.text.expose().clone(),
        accessor: issued.token.accessor,
        ttl: u64::try_from(wrapped.ttl).unwrap_or_default(),
        creation_time: now.to_rfc3339(),
        wrapped_accessor: wrapped.auth.as_ref().map(|auth| auth.accessor.clone()).unwrap_or_default(),
        creation_path: wrapped.creation_path,
    })
}

/// Looks at a wrapping token without using it up.
pub fn peek(kx: &mut Kx, token: &str) -> Result<Wrapped, Fault> {
    let at = wrapping_token(kx, token)?;
    kx.tx.load(&keys::wrapped(&at.namespace, &at.hash))?.ok_or_else(not_valid)
}

/// Takes what a wrapping token wraps: at most one of all who try gets it, and the token ends with it.
pub fn take(kx: &mut Kx, token: &str) -> Result<Wrapped, Fault> {
    let at = wrapping_token(kx, token)?;
    let wrapped = kx.tx.take(&keys::wrapped(&at.namespace, &at.hash))?.ok_or_else(not_valid)?;
    tokens::revoke_tree(kx, &at)?;
    Ok(wrapped)
}

/// The answer that was wrapped.
pub fn unwrapped(wrapped: Wrapped) -> Answer {
    let body = if wrapped.data.is_null() { Body::Empty } else { Body::Data(wrapped.data) };
    Answer {
        reply: Reply { body, warnings: wrapped.warnings, status: Some(200), ..Reply::default() },
        lease: wrapped.lease.map(|(id, duration, renewable)| Leased { id, duration, renewable }),
        auth: wrapped.auth,
        wrap_info: wrapped.wrap_info,
    }
}

/// What a token that wraps nothing, or nothing any more, is told: the second unwrap is the alarm.
pub fn not_valid() -> Fault {
    Fault::invalid("wrapping token is not valid or does not exist")
}

fn wrapping_token(kx: &mut Kx, text: &str) -> Result<TokenRef, Fault> {
    let kernel = kx.kernel.clone();
    let (at, token) = tokens::find(&kernel, &mut kx.tx, text)?.ok_or_else(not_valid)?;
    let here: &Namespace = &kx.namespace;
    if token.ended(kx.now) || token.policies != [POLICY] || (at.namespace != here.id && !here.is_root()) {
        return Err(not_valid());
    }
    Ok(at)
}
