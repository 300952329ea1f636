//! Revocation: a token goes with its indexes, its cubbyhole, its leases and all tokens below it, in one transaction.

use super::{Token, TokenRef, load};
use crate::leases;
use crate::mounts::{MountEntry, MountTable};
use crate::{Kx, keys};
use engine::{Fault, Page};
use std::sync::Arc;

/// Tokens revoked in one transaction. A tree larger than this is refused rather than half revoked.
const REVOKED_MAX: usize = 200_000;
/// The engine that keeps secrets of one token.
const CUBBYHOLE: &str = "cubbyhole";
/// Record kind of a note that a token has a cubbyhole in another namespace.
const NOTED_KIND: &str = "token-cubbyhole/1";

/// Revokes a token and every token below it. What is already gone is success.
pub fn revoke_tree(kx: &mut Kx, root: &TokenRef) -> Result<(), Fault> {
    let mut pending = vec![root.clone()];
    let mut revoked = 0;
    while let Some(at) = pending.pop() {
        revoked += 1;
        if revoked > REVOKED_MAX {
            return Err(Fault::invalid("token has too many children to revoke at once; revoke its children first"));
        }
        pending.extend(take_children(kx, &at)?);
        end(kx, &at)?;
    }
    Ok(())
}

/// Revokes one token; its children become orphans.
pub fn end_self(kx: &mut Kx, at: &TokenRef) -> Result<(), Fault> {
    for child in take_children(kx, at)? {
        if let Some(token) = load(&kx.kernel.clone(), &mut kx.tx, &child)? {
            let orphan = Token { parent: None, ..Token::clone(&token) };
            super::save(&mut kx.tx, &child, &orphan)?;
        }
    }
    end(kx, at)
}

fn take_children(kx: &mut Kx, at: &TokenRef) -> Result<Vec<TokenRef>, Fault> {
    let folder = keys::token_children(&at.namespace, &at.hash);
    let names = kx.tx.list(&folder, &Page::all())?;
    for name in &names {
        kx.tx.delete(&format!("{folder}{name}"));
    }
    let child = |name: &String| {
        let (namespace, hash) = name.split_once(':')?;
        Some(TokenRef { namespace: namespace.to_owned(), hash: hash.to_owned() })
    };
    Ok(names.iter().filter_map(child).collect())
}

fn end(kx: &mut Kx, at: &TokenRef) -> Result<(), Fault> {
    let kernel = kx.kernel.clone();
    let Some(token) = load(&kernel, &mut kx.tx, at)? else { return Ok(()) };
    kx.tx.delete(&keys::token(&at.namespace, &at.hash));
    kx.tx.delete(&keys::accessor(&at.namespace, &token.accessor));
    kx.tx.delete(&keys::wrapped(&at.namespace, &at.hash));
    if let Some(parent) = &token.parent {
        let children = keys::token_children(&parent.namespace, &parent.hash);
        kx.tx.delete(&format!("{children}{}:{}", at.namespace, at.hash));
    }
    if !token.lease.is_empty() {
        leases::forget(&mut kx.tx, &at.namespace, &token.lease)?;
    }
    revoke_leases(kx, at)?;
    empty_cubbyholes(kx, at, &token)
}

fn revoke_leases(kx: &mut Kx, at: &TokenRef) -> Result<(), Fault> {
    let folder = keys::token_leases(&at.namespace, &at.hash);
    for name in kx.tx.scan(&folder, &Page::all())? {
        kx.tx.delete(&format!("{folder}{name}"));
        if let Some((namespace, id)) = name.split_once(':') {
            leases::revoke(kx, namespace, id)?;
        }
    }
    Ok(())
}

/// Notes that a token writes into the cubbyhole of a namespace below its own, so that this one is emptied too when the
/// token ends.
pub fn note_cubbyhole(kx: &mut Kx, mount: &MountEntry) -> Result<(), Fault> {
    if mount.kind != CUBBYHOLE || !kx.operation.writes() {
        return Ok(());
    }
    let at = kx.session.as_ref().and_then(|session| session.at.clone());
    let Some(at) = at.filter(|at| at.namespace != mount.namespace) else { return Ok(()) };
    let key = format!("{}{}", keys::token_cubbyholes(&at.namespace, &at.hash), mount.namespace);
    if kx.tx.get(NOTED_KIND, &key)?.is_none() {
        kx.tx.put(NOTED_KIND, &key, Vec::new());
    }
    Ok(())
}

fn empty_cubbyholes(kx: &mut Kx, at: &TokenRef, token: &Arc<Token>) -> Result<(), Fault> {
    if token.cubbyhole.is_empty() {
        return Ok(());
    }
    empty_cubbyhole(kx, &token.namespace, token)?;
    let folder = keys::token_cubbyholes(&at.namespace, &at.hash);
    for namespace in kx.tx.list(&folder, &Page::all())? {
        kx.tx.delete(&format!("{folder}{namespace}"));
        empty_cubbyhole(kx, &namespace, token)?;
    }
    Ok(())
}

fn empty_cubbyhole(kx: &mut Kx, namespace: &str, token: &Arc<Token>) -> Result<(), Fault> {
    let kernel = kx.kernel.clone();
    let table = MountTable::load(&kernel.memo, &mut kx.tx, namespace)?;
    match table.at("cubbyhole/").cloned() {
        Some(mount) => kx.on_mount(&mount, |engine, cx| engine.token_ended(cx, &token.cubbyhole)),
        None => Ok(()),
    }
}
