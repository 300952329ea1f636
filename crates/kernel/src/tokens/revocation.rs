//! The revocation routes. Revoking what is not there is success, so that a retry is safe.

use super::lookup::{ByAccessor, ByText, visible};
use super::{end_self, find, find_by_accessor, revoke_tree};
use crate::{Kx, authorize};
use engine::{Fault, Reply};

pub(super) fn by_text(kx: &mut Kx, request: ByText) -> Result<Reply, Fault> {
    let text = request.token.0.expose();
    if text.is_empty() {
        return Err(Fault::invalid("missing token ID"));
    }
    let kernel = kx.kernel.clone();
    if text.starts_with("hvb.") && super::batch::open(&kernel, text).is_some() {
        return Err(Fault::invalid("batch tokens cannot be revoked"));
    }
    if let Some((at, token)) = find(&kernel, &mut kx.tx, text)?
        && visible(kx, &token)?
    {
        revoke_tree(kx, &at)?;
    }
    Ok(Reply::empty())
}

pub(super) fn by_accessor(kx: &mut Kx, request: ByAccessor) -> Result<Reply, Fault> {
    if request.accessor.is_empty() {
        return Err(Fault::invalid(wire::join_errors(&["missing accessor"])));
    }
    let kernel = kx.kernel.clone();
    let namespace = kx.namespace_id();
    match find_by_accessor(&kernel, &mut kx.tx, &namespace, &request.accessor)? {
        Some((at, _)) => {
            revoke_tree(kx, &at)?;
            Ok(Reply::empty())
        }
        None => Ok(Reply::empty().warn("No token found with this accessor")),
    }
}

pub(super) fn own(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let session = kx.session()?.clone();
    match &session.at {
        Some(at) => revoke_tree(kx, at)?,
        None => return Err(Fault::invalid("batch tokens cannot be revoked")),
    }
    Ok(Reply::empty())
}

pub(super) fn leaving_children(kx: &mut Kx, request: ByText) -> Result<Reply, Fault> {
    if !authorize::has_sudo(kx, "auth/token/revoke-orphan") {
        return Err(Fault::invalid("root or sudo privileges required to revoke and orphan"));
    }
    let text = request.token.0.expose();
    if text.is_empty() {
        return Err(Fault::invalid("missing token ID"));
    }
    let kernel = kx.kernel.clone();
    let missing = || Fault::invalid("token to revoke not found");
    let (at, token) = find(&kernel, &mut kx.tx, text)?.ok_or_else(missing)?;
    if !visible(kx, &token)? {
        return Err(missing());
    }
    end_self(kx, &at)?;
    Ok(Reply::empty())
}
