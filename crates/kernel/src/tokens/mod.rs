//! Tokens: what is kept of one, how one is found, made, used up and revoked with everything below it.
//!
//! A service token is found by keyed hash and is never stored in clear. It is written together with its indexes
//! (accessor, parent) and, unless it never ends, with its lease and due entry. A batch token is not stored at all: it is
//! its own sealed record.

pub mod batch;
mod create;
mod lookup;
mod make;
mod record;
mod renew;
mod revocation;
mod revoke;
mod roles;
mod routes;
#[cfg(test)]
mod tests;

pub use create::{Issued, NewToken, ROOT_TOKEN_BYTES, create};
pub use record::{LoginLink, Token, TokenRef};
pub use renew::renew;
pub use revoke::{end_self, note_cubbyhole, revoke_tree};
pub use routes::table;

use crate::{Kernel, keys};
use engine::{Fault, Tx};
use std::sync::Arc;

/// The hash under which a token is kept: hexadecimal HMAC-SHA256.
pub fn hash(kernel: &Kernel, token: &str) -> String {
    crypto::hex(&kernel.keys.token.mac(&[b"token", token.as_bytes()]))
}

/// The namespace a token says it is of: its suffix after the last dot, or the root. Whether it is known is seen when it
/// is looked up there.
pub fn namespace_of(token: &str) -> &str {
    let body = ["hvs.", "hvb.", "s.", "b."].iter().find_map(|prefix| token.strip_prefix(prefix)).unwrap_or(token);
    body.rsplit_once('.').map_or(keys::ROOT, |(_, namespace)| namespace)
}

/// Finds a service token by its text.
pub fn find(kernel: &Kernel, tx: &mut Tx, token: &str) -> Result<Option<(TokenRef, Arc<Token>)>, Fault> {
    let hash = hash(kernel, token);
    for namespace in [namespace_of(token), keys::ROOT] {
        let at = TokenRef { namespace: namespace.to_owned(), hash: hash.clone() };
        if let Some(found) = load(kernel, tx, &at)? {
            return Ok(Some((at, found)));
        }
    }
    Ok(None)
}

/// Finds a service token by its accessor, in this namespace only (S14).
pub fn find_by_accessor(
    kernel: &Kernel,
    tx: &mut Tx,
    namespace: &str,
    accessor: &str,
) -> Result<Option<(TokenRef, Arc<Token>)>, Fault> {
    let Some(plain) = tx.get(record::ACCESSOR_KIND, &keys::accessor(namespace, accessor))? else { return Ok(None) };
    let hash = String::from_utf8_lossy(&plain).into_owned();
    let at = TokenRef { namespace: namespace.to_owned(), hash };
    Ok(load(kernel, tx, &at)?.map(|token| (at, token)))
}

/// The token at a place.
pub fn load(kernel: &Kernel, tx: &mut Tx, at: &TokenRef) -> Result<Option<Arc<Token>>, Fault> {
    Ok(kernel.memo.tokens.load(tx, &keys::token(&at.namespace, &at.hash))?)
}

/// Writes a token back after a change of its own members (uses, expiry).
pub fn save(tx: &mut Tx, at: &TokenRef, token: &Token) -> Result<(), Fault> {
    Ok(tx.save(&keys::token(&at.namespace, &at.hash), token)?)
}
