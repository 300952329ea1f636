//! `identity/group*`: groups by id and by name.

use super::name::Folded;
use super::record::{Group, GroupKind};
use super::{checks, entities, groups, keys, show};
use crate::Kx;
use engine::{CommaList, Fault, Pairs, Reply, Route};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("group", "Create a group, or update one.").write(write),
        Route::at("group/id", "List groups by id.").list(list_ids),
        Route::at("group/id/{id}", "Manage a group by its id.").read(read).write(write).delete(delete),
        Route::at("group/name", "List groups by name.").list(list_names),
        Route::at("group/name/{name:path}", "Manage a group by its name.")
            .read(read_by_name)
            .write(write_by_name)
            .delete(delete_by_name),
    ]
}

engine::request! {
    /// Creates or changes a group.
    pub struct WriteGroup {
        /// ID of the group. If set, updates the corresponding existing group.
        id: String,
        /// Type of the group, 'internal' or 'external'. Defaults to 'internal'.
        r#type: String,
        /// Name of the group.
        name: String,
        /// Metadata to be associated with the group.
        metadata: Option<Pairs>,
        /// Policies to be tied to the group.
        policies: Option<CommaList>,
        /// Group IDs to be assigned as group members.
        member_group_ids: Option<CommaList>,
        /// Entity IDs to be assigned as group members.
        member_entity_ids: Option<CommaList>,
    }
}

engine::request! {
    /// Names a group by id.
    pub struct GroupId {
        /// ID of the group.
        id: String,
    }
}

engine::request! {
    /// Names a group.
    pub struct GroupName {
        /// Name of the group.
        name: String,
    }
}

/// Creates a group or updates the one with the id, else the one with the name.
fn write(kx: &mut Kx, request: WriteGroup) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let named = match request.name.as_str() {
        "" => None,
        name => groups::by_name(&mut kx.cx.tx, &namespace, &Folded::new(name)?)?,
    };
    let known = match request.id.as_str() {
        "" => named,
        id => {
            let group = groups::load(&mut kx.cx.tx, &namespace, id)?;
            let group = group.ok_or_else(|| Fault::invalid("invalid group ID"))?;
            if named.is_some_and(|named| named.id != group.id) {
                return Err(Fault::invalid("group name is already in use"));
            }
            Some(group)
        }
    };
    let kind = kind(&request.r#type, known.as_ref())?;
    let created = known.is_none();
    let mut group = match known {
        Some(group) => group,
        None => new_group(kx, kind)?,
    };
    apply(kx, &namespace, &mut group, request, created)?;
    groups::save(&mut kx.cx.tx, &namespace, &group)?;
    Ok(if created { Reply::data(json!({ "id": group.id, "name": group.name })) } else { Reply::empty() })
}

fn kind(asked: &str, known: Option<&Group>) -> Result<GroupKind, Fault> {
    let asked = match asked {
        "" => None,
        name => Some(GroupKind::parse(name).ok_or_else(|| Fault::invalid(format!("invalid group type {name:?}")))?),
    };
    match (known.map(|group| group.kind), asked) {
        (Some(kind), Some(asked)) if kind != asked => Err(Fault::invalid("group type cannot be changed")),
        (Some(kind), _) => Ok(kind),
        (None, asked) => Ok(asked.unwrap_or_default()),
    }
}

/// A group nobody named, not yet written.
pub(super) fn new_group(kx: &mut Kx, kind: GroupKind) -> Result<Group, Fault> {
    let namespace = kx.namespace_id();
    let now = kx.now;
    let (tx, randomness) = (&mut kx.cx.tx, kx.cx.randomness.as_mut());
    let mut name = checks::new_name("group", &namespace, randomness);
    while groups::by_name(tx, &namespace, &Folded::new(&name)?)?.is_some() {
        name = checks::new_name("group", &namespace, randomness);
    }
    let id = checks::new_id(&namespace, randomness);
    Ok(Group { id, name, kind, created: now, updated: now, ..Group::default() })
}

fn apply(kx: &mut Kx, namespace: &str, group: &mut Group, request: WriteGroup, created: bool) -> Result<(), Fault> {
    if !request.name.is_empty() {
        if !created {
            kx.cx.tx.delete(&keys::group_name(namespace, &Folded::new(&group.name)?));
        }
        group.name = request.name;
    }
    if let Some(Pairs(metadata)) = request.metadata {
        checks::metadata("group", &metadata)?;
        group.metadata = metadata;
    }
    if let Some(CommaList(policies)) = request.policies {
        group.policies = Some(checks::policies(policies)?);
    }
    group.updated = kx.now;
    group.modify_index += 1;
    let external = group.kind == GroupKind::External;
    if let Some(CommaList(ids)) = request.member_entity_ids {
        if external && !ids.is_empty() {
            return Err(Fault::invalid("member entities can't be set manually for external groups"));
        }
        if !external {
            set_members(kx, namespace, group, ids)?;
        }
    }
    if let Some(CommaList(ids)) = request.member_group_ids {
        if external && !ids.is_empty() {
            return Err(Fault::invalid("member groups can't be set for external groups"));
        }
        if !external {
            set_children(kx, namespace, group, ids)?;
        }
    }
    Ok(())
}

fn set_members(kx: &mut Kx, namespace: &str, group: &mut Group, ids: Vec<String>) -> Result<(), Fault> {
    let tx = &mut kx.cx.tx;
    let wanted: BTreeSet<String> = ids.into_iter().collect();
    for id in &wanted {
        if !tx.exists(&keys::entity(namespace, id))? {
            return Err(Fault::invalid(format!("invalid entity ID {id:?}")));
        }
    }
    group.members_set = true;
    groups::set_members(tx, namespace, &group.id, &wanted)
}

fn set_children(kx: &mut Kx, namespace: &str, group: &mut Group, ids: Vec<String>) -> Result<(), Fault> {
    let tx = &mut kx.cx.tx;
    let wanted: BTreeSet<String> = ids.into_iter().collect();
    let above = groups::reach(tx, namespace, std::slice::from_ref(&group.id), groups::parents)?.1;
    for id in &wanted {
        if *id == group.id {
            return Err(Fault::invalid(format!("member group ID {id:?} is same as the ID of the group")));
        }
        if !tx.exists(&keys::group(namespace, id))? {
            return Err(Fault::invalid(format!("invalid member group ID {id:?}")));
        }
        let (below, depth) = groups::reach(tx, namespace, std::slice::from_ref(id), groups::children)?;
        if below.contains(&group.id) {
            return Err(Fault::invalid(format!("cyclic relationship detected for member group ID {id:?}")));
        }
        // This group and the member are two levels of their own.
        if above + depth + 2 > groups::GROUP_DEPTH_MAX {
            return Err(Fault::invalid(format!("groups can be nested {} levels deep", groups::GROUP_DEPTH_MAX)));
        }
    }
    group.groups_set = true;
    groups::set_children(tx, namespace, &group.id, &wanted)
}

fn write_by_name(kx: &mut Kx, request: WriteGroup) -> Result<Reply, Fault> {
    by_path_name(kx, &request.name)?;
    // As upstream: here the name decides which group it is, and an id says nothing.
    write(kx, WriteGroup { id: String::new(), ..request })
}

fn read(kx: &mut Kx, request: GroupId) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let group = groups::load(&mut kx.cx.tx, &namespace, &request.id)?;
    shown(kx, group)
}

fn read_by_name(kx: &mut Kx, request: GroupName) -> Result<Reply, Fault> {
    let group = existing(kx, &request.name)?;
    shown(kx, group)
}

/// A group as the reply; nothing where there is none.
pub(super) fn shown(kx: &mut Kx, group: Option<Group>) -> Result<Reply, Fault> {
    match group {
        Some(group) => show::group(kx, &group).map(Reply::data),
        None => Ok(Reply::empty()),
    }
}

fn delete(kx: &mut Kx, request: GroupId) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    if let Some(group) = groups::load(&mut kx.cx.tx, &namespace, &request.id)? {
        groups::delete(&mut kx.cx.tx, &namespace, &group)?;
    }
    Ok(Reply::empty())
}

fn delete_by_name(kx: &mut Kx, request: GroupName) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    if let Some(group) = existing(kx, &request.name)? {
        groups::delete(&mut kx.cx.tx, &namespace, &group)?;
    }
    Ok(Reply::empty())
}

fn list_ids(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let page = kx.page.clone();
    let mounts = show::mounts(kx)?;
    let ids = kx.cx.tx.list(&keys::groups(&namespace), &page)?;
    let mut info: Map<String, Value> = Map::new();
    for id in &ids {
        if let Some(group) = groups::load(&mut kx.cx.tx, &namespace, id)? {
            info.insert(id.clone(), show::group_info(kx, &mounts, &group)?);
        }
    }
    Ok(Reply::keys_with_info(ids, info))
}

fn list_names(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let page = kx.page.clone();
    Ok(Reply::keys(entities::names_below(&mut kx.cx.tx, &keys::group_names(&namespace), &page)?))
}

/// The group that a path names, which may be none yet; another spelling than its own is refused (S02).
fn by_path_name(kx: &mut Kx, name: &str) -> Result<Option<Group>, Fault> {
    let namespace = kx.namespace_id();
    let group = groups::by_name(&mut kx.cx.tx, &namespace, &Folded::new(name)?)?;
    Folded::of_path(name, group.as_ref().map(|group| group.name.as_str()))?;
    Ok(group)
}

/// As [`by_path_name`], where a name that nothing has is simply not there, however it is spelled.
fn existing(kx: &mut Kx, name: &str) -> Result<Option<Group>, Fault> {
    let namespace = kx.namespace_id();
    match groups::by_name(&mut kx.cx.tx, &namespace, &Folded::new(name)?)? {
        Some(_) => by_path_name(kx, name),
        None => Ok(None),
    }
}
