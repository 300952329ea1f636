//! Roles: create, change, read, list, delete.

use super::role::Role;
use super::wire::{ConstraintFields, ListRequest, NamePath, OldFields, RoleFields};
use engine::{Cx, Fault, Name, Reply, TokenFields};
use std::sync::Arc;

/// What a write of a role sends.
type Sent = ((RoleFields, ConstraintFields), (OldFields, TokenFields));

/// Creates or changes a role.
pub(super) fn write(cx: &mut Cx, (path, sent): (NamePath, Sent)) -> Result<Reply, Fault> {
    let ((fields, constraints), (old, token)) = sent;
    let name = Name::exact(&path.name)?;
    let mut role = Role::load(cx, &name)?.map(Arc::unwrap_or_clone).unwrap_or_default();
    role.apply_token(old, token)?;
    role.constraints.apply(constraints)?;
    role.apply(fields)?;
    if role.display_name.is_empty() {
        role.display_name = name.as_str().to_owned();
    }
    role.save(cx, &name)?;
    let most = cx.mount.max_lease_ttl;
    let mut reply = Reply::empty();
    for (what, seconds) in [("ttl", role.token.ttl), ("max_ttl", role.token.max_ttl)] {
        if seconds > most {
            reply = reply.warn(format!(
                "Given {what} of {seconds} seconds is greater than current mount/system default of {most} seconds"
            ));
        }
    }
    Ok(reply)
}

/// Shows a role.
pub(super) fn read(cx: &mut Cx, path: NamePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.name)?;
    Ok(Role::load(cx, &name)?.map_or_else(Reply::empty, |role| Reply::data(role.shown())))
}

/// Deletes a role; one that does not exist is no error.
pub(super) fn delete(cx: &mut Cx, path: NamePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.name)?;
    Role::delete(cx, &name);
    Ok(Reply::empty())
}

/// Lists the roles.
pub(super) fn list(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    let page = cx.page.clone();
    Ok(Reply::keys(Role::names(cx, &page)?))
}
