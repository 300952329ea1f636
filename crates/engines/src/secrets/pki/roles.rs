//! Roles: create, change, read, list, delete.

use super::answers::warned;
use super::issuer::Issuer;
use super::role::{ROLES, Role, name_is_valid};
use super::wire::{ListRequest, NamePath};
use super::wire_role::{WriteRole, WriteRoleMore};
use engine::{Cx, Fault, Reply, Route};

pub(super) fn routes() -> Vec<Route<Cx>> {
    vec![
        Route::at("roles", "List the roles.").list(list),
        Route::at("roles/{name}", "Which names, keys and times a role allows.")
            .create_or_update(exists, write)
            .patch(patch)
            .read(read)
            .delete(delete),
    ]
}

fn list(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    Ok(Reply::keys(cx.tx.list(ROLES, &cx.page)?))
}

fn exists(cx: &mut Cx, path: NamePath) -> Result<bool, Fault> {
    Ok(Role::load(cx, checked(&path)?)?.is_some())
}

fn read(cx: &mut Cx, path: NamePath) -> Result<Reply, Fault> {
    let role = Role::load(cx, checked(&path)?)?;
    Ok(role.map_or_else(Reply::empty, |role| Reply::data(role.as_ref())))
}

fn delete(cx: &mut Cx, path: NamePath) -> Result<Reply, Fault> {
    cx.tx.delete(&format!("{ROLES}{}", checked(&path)?));
    Ok(Reply::empty())
}

/// Everything that is not sent goes back to its default, as upstream.
fn write(cx: &mut Cx, (path, sent): (NamePath, (WriteRole, WriteRoleMore))) -> Result<Reply, Fault> {
    store(cx, &path, Role::default(), sent)
}

/// What is not sent stays.
fn patch(cx: &mut Cx, (path, sent): (NamePath, (WriteRole, WriteRoleMore))) -> Result<Reply, Fault> {
    let role = Role::load(cx, checked(&path)?)?;
    let role = role.ok_or_else(|| Fault::missing("Unable to fetch role entry to patch"))?;
    store(cx, &path, role.as_ref().clone(), sent)
}

fn store(cx: &mut Cx, path: &NamePath, role: Role, sent: (WriteRole, WriteRoleMore)) -> Result<Reply, Fault> {
    let name = checked(path)?;
    let mut role = role;
    role.apply(sent.0, sent.1);
    let mut warnings = role.check()?;
    if let Err(Fault::Status(..)) = Issuer::find(cx, &role.issuer_ref) {
        warnings.push(if role.issuer_ref == "default" {
            "Issuing Certificate was set to default, but no default issuing certificate (configurable at /config/issuers) \
             is currently set"
                .to_owned()
        } else {
            // Warnings stand in audit trails in clear, so the value that was sent is not repeated (S38).
            "Issuing Certificate was set to a name that no issuing certificate currently has".to_owned()
        });
    }
    role.save(cx, name)?;
    Ok(warned(Reply::data(&role), warnings))
}

fn checked(path: &NamePath) -> Result<&str, Fault> {
    if name_is_valid(&path.name) { Ok(&path.name) } else { Err(Fault::UnsupportedPath) }
}
