//! Identities as clients see them, member for member as upstream shows them.

use super::groups;
use super::record::{Alias, Entity, Group, Metadata};
use crate::Kx;
use crate::mounts::MountTable;
use engine::Fault;
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The mounts that aliases of the request's namespace lie on.
pub(super) fn mounts(kx: &mut Kx) -> Result<Arc<MountTable>, Fault> {
    let kernel = kx.kernel.clone();
    let namespace = kx.namespace_id();
    Ok(MountTable::load(&kernel.memo, &mut kx.cx.tx, &namespace)?)
}

/// An entity, as reads and look-ups show it.
pub(super) fn entity(kx: &mut Kx, entity: &Entity) -> Result<Value, Fault> {
    let mounts = mounts(kx)?;
    let namespace = kx.namespace_id();
    let tx = &mut kx.cx.tx;
    let direct = groups::of_entity(tx, &namespace, &entity.id)?;
    let inherited = groups::reach(tx, &namespace, &direct, groups::parents)?.0;
    let all: Vec<&String> = direct.iter().chain(&inherited).collect();
    let aliases: Vec<Value> =
        entity.aliases.iter().map(|alias| alias_of_entity(&mounts, &entity.id, alias).into()).collect();
    Ok(json!({
        "aliases": aliases,
        "creation_time": entity.created.to_rfc3339(),
        "direct_group_ids": direct,
        "disabled": entity.disabled,
        "group_ids": all,
        "id": entity.id,
        "inherited_group_ids": inherited,
        "last_update_time": entity.updated.to_rfc3339(),
        "merged_entity_ids": or_null(&entity.merged),
        "metadata": entity.metadata,
        "name": entity.name,
        "namespace_id": namespace,
        "policies": entity.policies,
    }))
}

/// An alias of an entity, as it stands within the entity.
fn alias_of_entity(mounts: &MountTable, entity: &str, alias: &Alias) -> Map<String, Value> {
    let mut data = alias_of_group(mounts, entity, alias);
    data.insert("custom_metadata".into(), json!(alias.custom_metadata));
    data.insert("local".into(), false.into());
    data
}

/// An alias of a group, as it stands within the group.
fn alias_of_group(mounts: &MountTable, canonical: &str, alias: &Alias) -> Map<String, Value> {
    let mut data = on_mount(mounts, alias);
    data.insert("canonical_id".into(), canonical.into());
    data.insert("creation_time".into(), alias.created.to_rfc3339().into());
    data.insert("id".into(), alias.id.as_str().into());
    data.insert("last_update_time".into(), alias.updated.to_rfc3339().into());
    data.insert("merged_from_canonical_ids".into(), or_null(&alias.merged_from));
    data.insert("metadata".into(), json!(alias.metadata));
    data
}

/// The name and the mount, without the mount's path and type if it is gone.
fn on_mount(mounts: &MountTable, alias: &Alias) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("mount_accessor".into(), alias.mount_accessor.as_str().into());
    data.insert("name".into(), alias.name.as_str().into());
    if let Some(mount) = mounts.by_accessor(&alias.mount_accessor) {
        data.insert("mount_path".into(), mount.path.as_str().into());
        data.insert("mount_type".into(), mount.kind.as_str().into());
    }
    data
}

/// An alias, of an entity or a group, on its own.
pub(super) fn alias(kx: &mut Kx, canonical: &str, alias: &Alias) -> Result<Value, Fault> {
    let mounts = mounts(kx)?;
    let mut data = alias_of_entity(&mounts, canonical, alias);
    data.insert("namespace_id".into(), kx.namespace.id.as_str().into());
    Ok(data.into())
}

/// What a list of aliases tells of each.
pub(super) fn alias_info(mounts: &MountTable, canonical: &str, alias: &Alias) -> Value {
    let mut data = on_mount(mounts, alias);
    data.insert("canonical_id".into(), canonical.into());
    data.insert("custom_metadata".into(), json!(alias.custom_metadata));
    data.insert("local".into(), false.into());
    data.insert("metadata".into(), json!(alias.metadata));
    data.into()
}

/// What a list of entities tells of each.
pub(super) fn entity_info(mounts: &MountTable, entity: &Entity) -> Value {
    let mut data = Map::new();
    data.insert("name".into(), entity.name.as_str().into());
    let aliases: Vec<Value> = entity.aliases.iter().map(|alias| brief(mounts, alias)).collect();
    if !aliases.is_empty() {
        data.insert("aliases".into(), aliases.into());
    }
    data.into()
}

fn brief(mounts: &MountTable, alias: &Alias) -> Value {
    let mut data = on_mount(mounts, alias);
    data.insert("id".into(), alias.id.as_str().into());
    data.into()
}

/// A group, as reads and look-ups show it.
pub(super) fn group(kx: &mut Kx, group: &Group) -> Result<Value, Fault> {
    let mounts = mounts(kx)?;
    let namespace = kx.namespace_id();
    let tx = &mut kx.cx.tx;
    let members = groups::members(tx, &namespace, &group.id)?;
    let children = groups::children(tx, &namespace, &group.id)?;
    let parents = groups::parents(tx, &namespace, &group.id)?;
    let alias = group.alias.as_ref().map(|alias| alias_of_group(&mounts, &group.id, alias));
    Ok(json!({
        "alias": alias.unwrap_or_default(),
        "creation_time": group.created.to_rfc3339(),
        "id": group.id,
        "last_update_time": group.updated.to_rfc3339(),
        "member_entity_ids": if group.members_set { json!(members) } else { or_null(&members) },
        "member_group_ids": if group.groups_set { json!(children) } else { or_null(&children) },
        "metadata": pairs_or_null(&group.metadata),
        "modify_index": group.modify_index,
        "name": group.name,
        "namespace_id": namespace,
        "parent_group_ids": or_null(&parents),
        "policies": group.policies,
        "type": group.kind.name(),
    }))
}

/// What a list of groups tells of each.
pub(super) fn group_info(kx: &mut Kx, mounts: &MountTable, group: &Group) -> Result<Value, Fault> {
    let namespace = kx.namespace_id();
    let members = groups::members(&mut kx.cx.tx, &namespace, &group.id)?.len();
    let parents = groups::parents(&mut kx.cx.tx, &namespace, &group.id)?.len();
    let mut data = Map::new();
    data.insert("name".into(), group.name.as_str().into());
    data.insert("num_member_entities".into(), members.into());
    data.insert("num_parent_groups".into(), parents.into());
    if let Some(alias) = &group.alias {
        data.insert("alias".into(), brief(mounts, alias));
    }
    Ok(data.into())
}

fn or_null(ids: &[String]) -> Value {
    if ids.is_empty() { Value::Null } else { ids.into() }
}

fn pairs_or_null(metadata: &Metadata) -> Value {
    if metadata.is_empty() { Value::Null } else { json!(metadata) }
}
