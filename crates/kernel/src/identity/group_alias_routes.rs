//! `identity/group-alias*`: the name on a mount through which a login method decides who is in an external group.

use super::alias_routes::{AliasId, known_mount};
use super::name::Folded;
use super::record::{Alias, Group, GroupKind};
use super::{checks, group_routes, groups, keys, show};
use crate::Kx;
use engine::{Fault, Reply, Route, Tx};
use serde_json::{Map, Value, json};

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("group-alias", "Create an alias of an external group, or update one.").write(write),
        Route::at("group-alias/id", "List aliases of groups.").list(list),
        Route::at("group-alias/id/{id}", "Manage an alias of a group.").read(read).write(write).delete(delete),
    ]
}

engine::request! {
    /// Creates or changes the alias of a group.
    pub struct WriteGroupAlias {
        /// ID of the group alias.
        id: String,
        /// Alias of the group.
        name: String,
        /// Mount accessor to which this alias belongs to.
        mount_accessor: String,
        /// ID of the group to which this is an alias.
        canonical_id: String,
    }
}

fn write(kx: &mut Kx, request: WriteGroupAlias) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let known = match request.id.as_str() {
        "" => None,
        id => {
            let found = groups::by_alias(&mut kx.cx.tx, &namespace, id)?;
            Some(found.ok_or_else(|| Fault::invalid("invalid group alias ID"))?)
        }
    };
    if request.name.is_empty() {
        return Err(Fault::invalid("missing alias name"));
    }
    if request.mount_accessor.is_empty() {
        return Err(Fault::invalid("missing mount_accessor"));
    }
    known_mount(kx, &request.mount_accessor)?;
    let name = Folded::new(&request.name)?;
    let target = target(kx, &namespace, &request.canonical_id)?;
    let holder = groups::by_factor(&mut kx.cx.tx, &namespace, &request.mount_accessor, &name)?;
    let own = |group: &Group| known.as_ref().is_some_and(|known| known.id == group.id);
    if holder.is_some_and(|holder| !own(&holder)) {
        return Err(Fault::invalid("combination of mount and group alias name is already in use"));
    }
    let now = kx.now;
    let old = known.as_ref().and_then(|group| group.alias.clone());
    let base = old.unwrap_or_else(|| Alias {
        id: checks::new_id(&namespace, kx.cx.randomness.as_mut()),
        created: now,
        ..Alias::default()
    });
    let alias = Alias { name: request.name, mount_accessor: request.mount_accessor, updated: now, ..base };
    let mut group = match (target, known) {
        (Some(target), Some(mut known)) if target.id != known.id => {
            known.modify_index += 1;
            drop_alias(&mut kx.cx.tx, &namespace, &mut known)?;
            groups::save(&mut kx.cx.tx, &namespace, &known)?;
            target
        }
        (Some(group), _) | (None, Some(group)) => group,
        (None, None) => group_routes::new_group(kx, GroupKind::External)?,
    };
    let reply = Reply::data(json!({ "canonical_id": group.id, "id": alias.id }));
    put_alias(&mut kx.cx.tx, &namespace, &mut group, alias)?;
    group.updated = now;
    group.modify_index += 1;
    groups::save(&mut kx.cx.tx, &namespace, &group)?;
    Ok(reply)
}

fn target(kx: &mut Kx, namespace: &str, id: &str) -> Result<Option<Group>, Fault> {
    if id.is_empty() {
        return Ok(None);
    }
    let group = groups::load(&mut kx.cx.tx, namespace, id)?;
    let group = group.ok_or_else(|| Fault::invalid("invalid group ID given in 'canonical_id'"))?;
    match group.kind {
        GroupKind::External => Ok(Some(group)),
        GroupKind::Internal => Err(Fault::invalid("alias can't be set on an internal group")),
    }
}

/// Gives a group its alias in place of the one it had. Who became a member through another name does not stay one
/// (S74).
fn put_alias(tx: &mut Tx, namespace: &str, group: &mut Group, alias: Alias) -> Result<(), Fault> {
    let same_name = group.alias.as_ref().is_some_and(|old| {
        old.mount_accessor == alias.mount_accessor && old.name.to_lowercase() == alias.name.to_lowercase()
    });
    if same_name {
        if let Some(old) = group.alias.take() {
            groups::unlink_alias(tx, namespace, &old)?;
        }
    } else {
        drop_alias(tx, namespace, group)?;
    }
    groups::link_alias(tx, namespace, &group.id, &alias)?;
    group.alias = Some(alias);
    Ok(())
}

fn drop_alias(tx: &mut Tx, namespace: &str, group: &mut Group) -> Result<(), Fault> {
    if let Some(alias) = group.alias.take() {
        groups::unlink_alias(tx, namespace, &alias)?;
        groups::remove_all_members(tx, namespace, &group.id)?;
    }
    Ok(())
}

fn read(kx: &mut Kx, request: AliasId) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let group = groups::by_alias(&mut kx.cx.tx, &namespace, &request.id)?;
    match group.and_then(|group| group.alias.map(|alias| (group.id, alias))) {
        Some((group, alias)) => show::alias(kx, &group, &alias).map(Reply::data),
        None => Ok(Reply::empty()),
    }
}

fn delete(kx: &mut Kx, request: AliasId) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let now = kx.now;
    let tx = &mut kx.cx.tx;
    if let Some(mut group) = groups::by_alias(tx, &namespace, &request.id)? {
        drop_alias(tx, &namespace, &mut group)?;
        group.updated = now;
        group.modify_index += 1;
        groups::save(tx, &namespace, &group)?;
    }
    Ok(Reply::empty())
}

fn list(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let page = kx.page.clone();
    let mounts = show::mounts(kx)?;
    let tx = &mut kx.cx.tx;
    let ids = tx.list(&keys::group_aliases(&namespace), &page)?;
    let mut info: Map<String, Value> = Map::new();
    for id in &ids {
        if let Some(Group { id: group, alias: Some(alias), .. }) = groups::by_alias(tx, &namespace, id)? {
            info.insert(id.clone(), show::alias_info(&mounts, &group, &alias));
        }
    }
    Ok(Reply::keys_with_info(ids, info))
}
