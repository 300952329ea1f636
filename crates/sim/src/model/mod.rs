//! What the node should be, one request after the other: a model that knows nothing of how anything is stored. It is
//! applied in the order of commits, with the moment that each request was told.

mod kv;
mod leases;
mod spaces;
mod tokens;

use crate::operation::{What, Wish};
use engine::{Fault, Timestamp};
use kernel::pipeline::Answer;
use serde_json::Value;
use std::collections::BTreeMap;

pub(crate) use kv::Secret;
pub(crate) use leases::{Lease, SecretId};
pub(crate) use spaces::{Mount, Space};
pub(crate) use tokens::{Policy, Token};

/// A status that says: anything but a failure of the node.
const ANY: u16 = 0;

/// All that clients could tell of the node.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// By path; the root is empty.
    spaces: BTreeMap<String, Space>,
    /// All that ever were.
    tokens: Vec<Token>,
    leases: Vec<Lease>,
    secret_ids: Vec<SecretId>,
    /// Failed logins by namespace: how many, and when the last one was.
    failures: BTreeMap<String, (u32, i64)>,
    /// Leases allowed below `a/accounts/`.
    quota: Option<u64>,
    /// Ids of entities that were made.
    entities: Vec<String>,
}

/// An answer as clients see it.
#[derive(Debug)]
pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) data: Value,
    /// Text and accessor of a token that was made, renewed or wrapped around the reply.
    token: Option<(String, String)>,
    lease: Option<(String, u64)>,
}

impl Seen {
    pub(crate) fn of(result: &Result<Answer, Fault>) -> Self {
        let empty = Self { status: 200, data: Value::Null, token: None, lease: None };
        match result {
            Err(fault) => Self { status: status(fault), ..empty },
            Ok(answer) => Self {
                status: answer.reply.status.filter(|status| *status >= 400).unwrap_or(200),
                data: answer.reply.value().cloned().unwrap_or(Value::Null),
                token: answer
                    .auth
                    .as_ref()
                    .map(|auth| (auth.client_token.clone(), auth.accessor.clone()))
                    .or_else(|| answer.wrap_info.as_ref().map(|info| (info.token.clone(), info.accessor.clone()))),
                lease: answer.lease.as_ref().map(|lease| (lease.id.clone(), lease.duration)),
            },
        }
    }
}

fn status(fault: &Fault) -> u16 {
    match fault {
        Fault::Invalid(_) | Fault::LoginFailed(_) => 400,
        Fault::Denied | Fault::Forbidden => 403,
        Fault::Missing | Fault::MissingBecause(_) | Fault::UnsupportedPath => 404,
        Fault::UnsupportedOperation => 405,
        Fault::Status(status, _) => *status,
        Fault::Store(_) | Fault::Internal(_) | Fault::Outside(_) => 500,
    }
}

impl Model {
    pub(crate) fn token(&self, number: usize) -> Option<&Token> {
        self.tokens.get(number)
    }

    pub(crate) fn tokens(&self) -> &[Token] {
        &self.tokens
    }

    pub(crate) fn lease(&self, number: usize) -> Option<&Lease> {
        self.leases.get(number)
    }

    pub(crate) fn leases(&self) -> &[Lease] {
        &self.leases
    }

    pub(crate) fn secret_id(&self, number: usize) -> Option<&SecretId> {
        self.secret_ids.get(number)
    }

    pub(crate) fn secret_ids(&self) -> &[SecretId] {
        &self.secret_ids
    }

    pub(crate) fn space(&self, path: &str) -> Option<&Space> {
        self.spaces.get(path)
    }

    pub(crate) fn entities(&self) -> &[String] {
        &self.entities
    }

    /// A namespace that is there from the beginning.
    pub(crate) fn add_space(&mut self, path: &str, space: Space) {
        self.spaces.insert(path.to_owned(), space);
    }

    /// A token that is there from the beginning.
    pub(crate) fn add_token(&mut self, token: Token) -> usize {
        self.tokens.push(token);
        self.tokens.len() - 1
    }

    /// Takes note of the lease that a token has.
    pub(crate) fn note_lease(&mut self, number: usize, lease: String) {
        if let Some(token) = self.tokens.get_mut(number) {
            token.lease = lease;
        }
    }

    /// Takes note of an answer, and says what is wrong with it.
    pub(crate) fn settle(&mut self, wish: &Wish, now: Timestamp, seen: &Seen) -> Result<(), String> {
        let now = now.seconds();
        let (wanted, wrong) = match self.admit(wish, now) {
            Err(status) => (status, None),
            Ok(last_use) => {
                let (status, wrong) = self.act(wish, now, seen);
                if last_use {
                    self.revoke_tree(wish.actor);
                }
                (status, wrong)
            }
        };
        let fits = if wanted == ANY { seen.status < 500 } else { seen.status == wanted };
        if !fits {
            return Err(format!("{wish:?} at {now}: status {} instead of {wanted}", seen.status));
        }
        match wrong.filter(|_| seen.status < 400) {
            Some(wrong) => Err(format!("{wish:?} at {now}: {wrong}, seen {}", seen.data)),
            None => Ok(()),
        }
    }

    /// Whether a request reaches its handler, and whether it is its token's last.
    fn admit(&mut self, wish: &Wish, now: i64) -> Result<bool, u16> {
        let alive = self.alive(wish.actor, now);
        let actor = self.tokens.get(wish.actor).ok_or(403_u16)?;
        let Some(space) = self.spaces.get(&wish.space) else {
            return Err(if alive && actor.space.is_empty() { 404 } else { 403 });
        };
        if space.locked.is_some() {
            return Err(503);
        }
        let holds = actor.space.is_empty() || actor.space == wish.space;
        let may = alive && holds && self.may(actor, wish);
        let missing = wish.what.mount().is_some_and(|mount| !space.mounts.contains_key(mount));
        if wish.what.is_open() && !missing {
            return Ok(false);
        }
        if !may {
            return Err(403);
        }
        if missing {
            return Err(404);
        }
        Ok(self.spend(wish.actor))
    }

    /// What a handler answers: the status, and what is wrong with the rest.
    fn act(&mut self, wish: &Wish, now: i64, seen: &Seen) -> (u16, Option<String>) {
        self.act_on_secrets(wish, now, seen)
            .or_else(|| self.act_on_tokens(wish, now, seen))
            .or_else(|| self.act_on_wrapped(wish, now, seen))
            .or_else(|| self.act_on_leases(wish, now, seen))
            .unwrap_or_else(|| self.act_on_spaces(wish, seen))
    }
}

impl What {
    /// The mount it needs.
    fn mount(&self) -> Option<&str> {
        match self {
            Self::Put { mount, .. } | Self::Get { mount, .. } | Self::Delete { mount, .. } => Some(mount),
            Self::PutVersion { .. }
            | Self::Patch { .. }
            | Self::GetVersion { .. }
            | Self::DeleteVersion { .. }
            | Self::Undelete { .. }
            | Self::Destroy { .. }
            | Self::Forget { .. } => Some("kv2"),
            Self::Lease => Some("accounts"),
            Self::NewSecretId { .. } | Self::Login { .. } => Some("auth/approle"),
            _ => None,
        }
    }
}

/// Nothing wrong beyond the status.
fn plain(status: u16) -> Option<(u16, Option<String>)> {
    Some((status, None))
}

/// Compares a part of an answer.
fn same<T: PartialEq + std::fmt::Debug>(what: &str, seen: &T, wanted: &T) -> Option<String> {
    (seen != wanted).then(|| format!("{what} is {seen:?} instead of {wanted:?}"))
}
