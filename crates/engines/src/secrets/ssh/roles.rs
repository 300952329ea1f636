//! Roles: create, read, list, delete; and the list of those that serve every address.

use super::names::in_path;
use super::role::Role;
use super::wire::{ListRequest, RolePath, ZeroAddressFields};
use engine::{Cx, Fault, Record, Reply};
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

const ZERO_ADDRESS: &str = "zeroaddress";

/// The roles that serve every address.
#[derive(Default, Serialize, Deserialize)]
struct ZeroAddress {
    roles: Vec<String>,
}

impl Record for ZeroAddress {
    const KIND: &'static str = "ssh-zero-address/1";
}

/// Creates a role, or replaces it as a whole.
pub(super) fn write(cx: &mut Cx, (path, sent): (RolePath, super::role::Sent)) -> Result<Reply, Fault> {
    let name = in_path(&path.role)?;
    Role::parse(sent)?.save(cx, name)?;
    Ok(Reply::empty())
}

/// Shows a role.
pub(super) fn read(cx: &mut Cx, path: RolePath) -> Result<Reply, Fault> {
    let name = in_path(&path.role)?;
    Ok(Role::load(cx, name)?.map_or_else(Reply::empty, |role| Reply::data(role.shown())))
}

/// Deletes a role, also from those that serve every address; one that does not exist is no error.
pub(super) fn delete(cx: &mut Cx, path: RolePath) -> Result<Reply, Fault> {
    let name = in_path(&path.role)?;
    Role::delete(cx, name);
    let mut zero = zero_address(cx)?;
    if zero.iter().any(|role| role == name) {
        zero.retain(|role| role != name);
        cx.tx.save(ZERO_ADDRESS, &ZeroAddress { roles: zero })?;
    }
    Ok(Reply::empty())
}

/// Lists the roles.
pub(super) fn list(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    let page = cx.page.clone();
    let names = Role::names(cx, &page)?;
    let mut info = Map::new();
    for name in &names {
        if let Some(role) = Role::load(cx, name)? {
            info.insert(name.clone(), role.summary());
        }
    }
    Ok(Reply::keys_with_info(names, info))
}

/// The names of the roles that serve every address.
pub(super) fn zero_address(cx: &mut Cx) -> Result<Vec<String>, Fault> {
    Ok(cx.tx.load::<ZeroAddress>(ZERO_ADDRESS)?.unwrap_or_default().roles)
}

/// Sets the roles that serve every address.
pub(super) fn write_zero_address(cx: &mut Cx, sent: ZeroAddressFields) -> Result<Reply, Fault> {
    let roles: Vec<String> = sent.roles.unwrap_or_default().0;
    if roles.is_empty() {
        return Err(Fault::invalid("Missing roles"));
    }
    for role in &roles {
        if Role::load(cx, role)?.is_none() {
            return Err(Fault::invalid(format!("Role {role:?} does not exist")));
        }
    }
    cx.tx.save(ZERO_ADDRESS, &ZeroAddress { roles })?;
    Ok(Reply::empty())
}

/// Shows the roles that serve every address.
pub(super) fn read_zero_address(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let zero: Option<ZeroAddress> = cx.tx.load(ZERO_ADDRESS)?;
    Ok(zero.map_or_else(Reply::empty, |zero| Reply::data(json!({ "roles": zero.roles }))))
}

/// Lets no role serve every address.
pub(super) fn delete_zero_address(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    cx.tx.delete(ZERO_ADDRESS);
    Ok(Reply::empty())
}

/// There are no dynamic keys here, and never were.
pub(super) fn tidy_dynamic_keys(_cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    Ok(Reply::data(json!({ "message": "Removed 0 of 0 host keys." })))
}
