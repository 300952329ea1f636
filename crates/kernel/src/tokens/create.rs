//! Making tokens. All of them come from here: token create, logins, wrapping, ceremonies.

use super::record::{ACCESSOR_KIND, CHILD_KIND};
use super::{LoginLink, Token, TokenRef, batch, hash, save};
use crate::leases::{self, LeaseEntry, LeaseOf};
use crate::{Kernel, keys};
use engine::{BoundCidrs, Fault, Randomness, Secret, Timestamp, TokenKind, Tx};
use std::collections::BTreeMap;

/// Characters of a service token after its prefix; with `hvs.` that makes the 28 that clients expect of a root token.
const SERVICE_CHARACTERS: usize = 24;
/// Length of a root token, which a one-time password that hides it has too.
pub const ROOT_TOKEN_BYTES: usize = "hvs.".len() + SERVICE_CHARACTERS;
const ACCESSOR_CHARACTERS: usize = 24;

/// What a token should be. Whether the caller may have it has been decided before.
#[derive(Debug, Clone, Default)]
pub struct NewToken {
    /// Namespace id.
    pub namespace: String,
    /// Text chosen by a privileged client; random otherwise.
    pub id: Option<String>,
    /// The token it ends with.
    pub parent: Option<TokenRef>,
    /// Its own policies, canonical.
    pub policies: Vec<String>,
    /// The path that makes it.
    pub path: String,
    /// Shown in audit and look-ups.
    pub display_name: String,
    /// Shown to the client.
    pub metadata: BTreeMap<String, String>,
    /// 0 is no limit.
    pub num_uses: i64,
    /// Seconds; 0 means that it never ends, which only root tokens may ask for.
    pub ttl: i64,
    /// Seconds; 0 is none.
    pub explicit_max_ttl: i64,
    /// Seconds; 0 is none.
    pub period: i64,
    /// Whether it may be renewed.
    pub renewable: bool,
    /// Empty if there is none.
    pub entity_id: String,
    /// `Service` or `Batch`.
    pub kind: TokenKind,
    /// Empty if none.
    pub role: String,
    /// Empty for everywhere.
    pub bound_cidrs: BoundCidrs,
    /// The login behind it.
    pub login: Option<LoginLink>,
    /// Takes no policies from its identity.
    pub no_identity_policies: bool,
}

/// A token that was made.
pub struct Issued {
    /// Its text: the only time it exists outside the client.
    pub text: Secret<String>,
    /// Where it is kept; `None` for batch tokens.
    pub at: Option<TokenRef>,
    /// Its record.
    pub token: Token,
}

/// Makes a token and writes its record and indexes.
pub fn create(
    kernel: &Kernel,
    tx: &mut Tx,
    now: Timestamp,
    randomness: &mut dyn Randomness,
    new: NewToken,
) -> Result<Issued, Fault> {
    let mut token = record(&new, now, randomness);
    if new.kind == TokenKind::Batch {
        let text =
            batch::seal(kernel, &token, randomness).ok_or_else(|| Fault::internal("batch token does not encode"))?;
        return Ok(Issued { text: Secret::new(text), at: None, token });
    }
    let text = match new.id {
        Some(id) => id,
        None => format!("hvs.{}", randomness.base62(SERVICE_CHARACTERS)),
    };
    let suffixed = if new.namespace == keys::ROOT { text } else { format!("{text}.{}", new.namespace) };
    let at = TokenRef { namespace: new.namespace, hash: hash(kernel, &suffixed) };
    if tx.exists(&keys::token(&at.namespace, &at.hash))? {
        return Err(Fault::invalid("cannot create a token with a duplicate ID"));
    }
    if token.expires.is_some() {
        token.lease = format!("{}/h{}", token.path, at.hash);
    }
    write(tx, &at, &token)?;
    Ok(Issued { text: Secret::new(suffixed), at: Some(at), token })
}

fn record(new: &NewToken, now: Timestamp, randomness: &mut dyn Randomness) -> Token {
    let service = new.kind != TokenKind::Batch;
    let suffix = if new.namespace == keys::ROOT { String::new() } else { format!(".{}", new.namespace) };
    let mut random = |length: usize| if service { randomness.base62(length) } else { String::new() };
    let accessor = random(ACCESSOR_CHARACTERS);
    Token {
        accessor: if service { format!("{accessor}{suffix}") } else { accessor },
        cubbyhole: random(ACCESSOR_CHARACTERS),
        parent: new.parent.clone(),
        policies: new.policies.clone(),
        path: new.path.clone(),
        display_name: new.display_name.clone(),
        metadata: new.metadata.clone(),
        num_uses: new.num_uses,
        issued: now,
        ttl: new.ttl,
        creation_ttl: new.ttl,
        explicit_max_ttl: new.explicit_max_ttl,
        period: new.period,
        expires: (new.ttl > 0).then(|| now.plus_seconds(new.ttl)),
        renewed: None,
        renewable: new.renewable && new.ttl > 0,
        entity_id: new.entity_id.clone(),
        kind: if service { TokenKind::Service } else { TokenKind::Batch },
        role: new.role.clone(),
        bound_cidrs: new.bound_cidrs.clone(),
        namespace: new.namespace.clone(),
        login: new.login.clone(),
        no_identity_policies: new.no_identity_policies,
        lease: String::new(),
    }
}

fn write(tx: &mut Tx, at: &TokenRef, token: &Token) -> Result<(), Fault> {
    save(tx, at, token)?;
    tx.put(ACCESSOR_KIND, &keys::accessor(&at.namespace, &token.accessor), at.hash.clone().into_bytes());
    if let Some(parent) = &token.parent {
        let children = keys::token_children(&parent.namespace, &parent.hash);
        tx.put(CHILD_KIND, &format!("{children}{}:{}", at.namespace, at.hash), Vec::new());
    }
    if let Some(expires) = token.expires {
        leases::write(
            tx,
            &LeaseEntry {
                id: token.lease.clone(),
                namespace: at.namespace.clone(),
                of: LeaseOf::Token { hash: at.hash.clone() },
                path: token.path.clone(),
                issued: token.issued,
                expires,
                ..LeaseEntry::default()
            },
        )?;
    }
    Ok(())
}
