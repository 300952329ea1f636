//! Roles: create, change, read, list, delete; their role-ids.

use super::role::{ROLES, Role, blocks};
use super::secret_id::SecretId;
use super::wire::{ListRequest, RoleIdField, RolePath, WriteRole};
use engine::{CommaList, Cx, Fault, Name, Randomness as _, Reply, Seconds, TokenFields};
use serde_json::json;

/// Whether a role exists, for telling create from update.
pub(super) fn exists(cx: &mut Cx, path: RolePath) -> Result<bool, Fault> {
    let name = Name::exact(&path.role_name)?;
    Role::exists(cx, &name)
}

/// Creates or changes a role.
pub(super) fn write(cx: &mut Cx, (path, (sent, fields)): (RolePath, (WriteRole, TokenFields))) -> Result<Reply, Fault> {
    let name = Name::exact(&path.role_name)?;
    let known = Role::load(cx, &name)?;
    let creates = known.is_none();
    let mut role = known.unwrap_or_else(Role::new);
    match sent.local_secret_ids {
        Some(_) if !creates => {
            return Err(Fault::invalid("local_secret_ids can only be modified during role creation"));
        }
        sent => role.local_secret_ids = sent.unwrap_or(role.local_secret_ids),
    }
    let reply = apply_token(&mut role, &sent, fields)?;
    apply_secret_ids(&mut role, &sent)?;
    match sent.role_id {
        Some(role_id) if role_id.is_empty() => {
            return Err(Fault::invalid("invalid role_id supplied, or failed to generate a role_id"));
        }
        Some(role_id) => role.rename(cx, &name, role_id)?,
        None if creates => {
            let role_id = cx.randomness.uuid();
            role.rename(cx, &name, role_id)?;
        }
        None => {}
    }
    role.save(cx, &name)?;
    Ok(role.token.warn_of_maximum(&cx.mount, reply))
}

/// Shows a role.
pub(super) fn read(cx: &mut Cx, path: RolePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.role_name)?;
    Ok(Role::load(cx, &name)?.map_or_else(Reply::empty, |role| Reply::data(role.shown())))
}

/// Deletes a role with its secret-ids; one that does not exist is no error.
pub(super) fn delete(cx: &mut Cx, path: RolePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.role_name)?;
    if let Some(role) = Role::load(cx, &name)? {
        SecretId::remove_all(cx, &name)?;
        role.delete(cx, &name)?;
    }
    Ok(Reply::empty())
}

/// Lists the roles.
pub(super) fn list(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    Ok(Reply::keys(cx.tx.list(ROLES, &cx.page)?))
}

/// Shows the role-id.
pub(super) fn read_role_id(cx: &mut Cx, path: RolePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.role_name)?;
    Ok(Role::load(cx, &name)?.map_or_else(Reply::empty, |role| Reply::data(json!({ "role_id": role.role_id }))))
}

/// Sets the role-id.
pub(super) fn write_role_id(cx: &mut Cx, (path, sent): (RolePath, RoleIdField)) -> Result<Reply, Fault> {
    let name = Name::exact(&path.role_name)?;
    let mut role = Role::load(cx, &name)?.ok_or(Fault::UnsupportedPath)?;
    if sent.role_id.is_empty() {
        return Err(Fault::invalid("missing role_id"));
    }
    role.rename(cx, &name, sent.role_id)?;
    role.save(cx, &name)?;
    Ok(Reply::empty())
}

/// Shows whether secret-ids are local to the cluster.
pub(super) fn read_local_secret_ids(cx: &mut Cx, path: RolePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.role_name)?;
    let shown = |role: Role| Reply::data(json!({ "local_secret_ids": role.local_secret_ids }));
    Ok(Role::load(cx, &name)?.map_or_else(Reply::empty, shown))
}

/// The parameters of tokens, under their new and old names.
fn apply_token(role: &mut Role, sent: &WriteRole, mut fields: TokenFields) -> Result<Reply, Fault> {
    let mut reply = Reply::empty();
    if let Some(kind) = &mut fields.token_type
        && let Some(plain @ ("service" | "batch")) = kind.strip_prefix("default-")
    {
        reply = reply.warn(format!("{kind} has no useful meaning; adjusting to {plain}"));
        *kind = plain.to_owned();
    }
    if fields.token_policies.is_some() || sent.policies.is_some() {
        role.old_policies = sent.policies.is_some();
    }
    if fields.token_period.is_some() || sent.period.is_some() {
        role.old_period = sent.period.is_some();
    }
    fields.token_policies = fields.token_policies.or_else(|| sent.policies.clone());
    fields.token_period = fields.token_period.or(sent.period);
    fields.apply(&mut role.token)?;
    Ok(reply)
}

/// What holds for secret-ids.
fn apply_secret_ids(role: &mut Role, sent: &WriteRole) -> Result<(), Fault> {
    if let Some(bind) = sent.bind_secret_id {
        role.bind_secret_id = bind;
    }
    if let Some(CommaList(list)) = sent.secret_id_bound_cidrs.as_ref().or(sent.bound_cidr_list.as_ref()) {
        role.secret_id_bound_cidrs = blocks(list, "CIDR blocks").map_err(Fault::upstream_error)?;
    }
    if let Some(uses) = sent.secret_id_num_uses {
        role.secret_id_num_uses = not_negative(uses, "secret_id_num_uses")?;
    }
    if let Some(Seconds(ttl)) = sent.secret_id_ttl {
        role.secret_id_ttl = not_negative(ttl, "secret_id_ttl")?;
    }
    Ok(())
}

/// A number that must not be negative.
pub(super) fn not_negative(number: i64, name: &str) -> Result<i64, Fault> {
    if number < 0 { Err(Fault::invalid(format!("{name} cannot be negative"))) } else { Ok(number) }
}
