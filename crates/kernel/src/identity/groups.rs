//! Groups in the store: records, indexes, members, and which groups lie in which.

use super::keys;
use super::name::Folded;
use super::record::{Alias, Group, Link};
use engine::{Fault, Page, Tx};
use std::collections::BTreeSet;

/// Levels of groups in groups.
pub const GROUP_DEPTH_MAX: usize = 32;
/// Groups that one entity may be in, inherited ones included. An entity in more of them is refused rather than served
/// with a part of its policies, since what is left out could be a deny.
pub const GROUPS_OF_ENTITY_MAX: usize = 4_096;

/// The group with an id.
pub(super) fn load(tx: &mut Tx, namespace: &str, id: &str) -> Result<Option<Group>, Fault> {
    Ok(tx.load(&keys::group(namespace, id))?)
}

/// The group with a name.
pub(super) fn by_name(tx: &mut Tx, namespace: &str, name: &Folded) -> Result<Option<Group>, Fault> {
    follow(tx, namespace, &keys::group_name(namespace, name))
}

/// The external group that a name on a mount belongs to.
pub(super) fn by_factor(tx: &mut Tx, namespace: &str, accessor: &str, name: &Folded) -> Result<Option<Group>, Fault> {
    follow(tx, namespace, &keys::group_alias_factor(namespace, accessor, name))
}

/// The external group that an alias belongs to.
pub(super) fn by_alias(tx: &mut Tx, namespace: &str, alias: &str) -> Result<Option<Group>, Fault> {
    follow(tx, namespace, &keys::group_alias(namespace, alias))
}

fn follow(tx: &mut Tx, namespace: &str, key: &str) -> Result<Option<Group>, Fault> {
    match tx.load::<Link>(key)? {
        Some(link) => load(tx, namespace, &link.id),
        None => Ok(None),
    }
}

/// Writes a group and the index of its name.
pub(super) fn save(tx: &mut Tx, namespace: &str, group: &Group) -> Result<(), Fault> {
    tx.save(&keys::group_name(namespace, &Folded::new(&group.name)?), &Link::named(&group.id, &group.name))?;
    tx.save(&keys::group(namespace, &group.id), group)?;
    Ok(())
}

/// Removes a group with its alias, its memberships in both directions and every index of it.
pub(super) fn delete(tx: &mut Tx, namespace: &str, group: &Group) -> Result<(), Fault> {
    if let Some(alias) = &group.alias {
        unlink_alias(tx, namespace, alias)?;
    }
    remove_all_members(tx, namespace, &group.id)?;
    for child in children(tx, namespace, &group.id)? {
        remove_child(tx, namespace, &group.id, &child);
    }
    for parent in parents(tx, namespace, &group.id)? {
        remove_child(tx, namespace, &parent, &group.id);
    }
    tx.delete(&keys::group_name(namespace, &Folded::new(&group.name)?));
    tx.delete(&keys::group(namespace, &group.id));
    Ok(())
}

/// Writes the indexes of a group's alias.
pub(super) fn link_alias(tx: &mut Tx, namespace: &str, group: &str, alias: &Alias) -> Result<(), Fault> {
    let name = Folded::new(&alias.name)?;
    tx.save(&keys::group_alias(namespace, &alias.id), &Link::to(group))?;
    tx.save(&keys::group_alias_factor(namespace, &alias.mount_accessor, &name), &Link::to(group))?;
    Ok(())
}

/// Removes the indexes of a group's alias.
pub(super) fn unlink_alias(tx: &mut Tx, namespace: &str, alias: &Alias) -> Result<(), Fault> {
    tx.delete(&keys::group_alias(namespace, &alias.id));
    tx.delete(&keys::group_alias_factor(namespace, &alias.mount_accessor, &Folded::new(&alias.name)?));
    Ok(())
}

/// Groups that an entity is directly in.
pub(super) fn of_entity(tx: &mut Tx, namespace: &str, entity: &str) -> Result<Vec<String>, Fault> {
    Ok(tx.list(&keys::groups_of(namespace, entity), &Page::all())?)
}

/// Entities that are directly in a group.
pub(super) fn members(tx: &mut Tx, namespace: &str, group: &str) -> Result<Vec<String>, Fault> {
    Ok(tx.list(&keys::members_of(namespace, group), &Page::all())?)
}

/// Groups that a group is directly in.
pub(super) fn parents(tx: &mut Tx, namespace: &str, group: &str) -> Result<Vec<String>, Fault> {
    Ok(tx.list(&keys::parents_of(namespace, group), &Page::all())?)
}

/// Groups that are directly in a group.
pub(super) fn children(tx: &mut Tx, namespace: &str, group: &str) -> Result<Vec<String>, Fault> {
    Ok(tx.list(&keys::children_of(namespace, group), &Page::all())?)
}

/// Makes an entity a member.
pub(super) fn add_member(tx: &mut Tx, namespace: &str, group: &str, entity: &str) -> Result<(), Fault> {
    tx.save(&format!("{}{group}", keys::groups_of(namespace, entity)), &Link::to(group))?;
    tx.save(&format!("{}{entity}", keys::members_of(namespace, group)), &Link::to(entity))?;
    Ok(())
}

/// Ends a membership.
pub(super) fn remove_member(tx: &mut Tx, namespace: &str, group: &str, entity: &str) {
    tx.delete(&format!("{}{group}", keys::groups_of(namespace, entity)));
    tx.delete(&format!("{}{entity}", keys::members_of(namespace, group)));
}

/// Ends the memberships of all entities of a group.
pub(super) fn remove_all_members(tx: &mut Tx, namespace: &str, group: &str) -> Result<(), Fault> {
    for entity in members(tx, namespace, group)? {
        remove_member(tx, namespace, group, &entity);
    }
    Ok(())
}

/// Makes exactly these entities the members.
pub(super) fn set_members(tx: &mut Tx, namespace: &str, group: &str, wanted: &BTreeSet<String>) -> Result<(), Fault> {
    let current: BTreeSet<String> = members(tx, namespace, group)?.into_iter().collect();
    for gone in current.difference(wanted) {
        remove_member(tx, namespace, group, gone);
    }
    for new in wanted.difference(&current) {
        add_member(tx, namespace, group, new)?;
    }
    Ok(())
}

/// Makes exactly these groups the children. The caller checked that no circle closes.
pub(super) fn set_children(tx: &mut Tx, namespace: &str, group: &str, wanted: &BTreeSet<String>) -> Result<(), Fault> {
    let current: BTreeSet<String> = children(tx, namespace, group)?.into_iter().collect();
    for gone in current.difference(wanted) {
        remove_child(tx, namespace, group, gone);
    }
    for new in wanted.difference(&current) {
        tx.save(&format!("{}{group}", keys::parents_of(namespace, new)), &Link::to(group))?;
        tx.save(&format!("{}{new}", keys::children_of(namespace, group)), &Link::to(new))?;
    }
    Ok(())
}

fn remove_child(tx: &mut Tx, namespace: &str, group: &str, child: &str) {
    tx.delete(&format!("{}{group}", keys::parents_of(namespace, child)));
    tx.delete(&format!("{}{child}", keys::children_of(namespace, group)));
}

/// Groups reached from some groups by a step (up to parents or down to children), the first ones not included, level by
/// level and each once, so that a circle ends the walk. Also how many levels there were.
pub(super) fn reach(
    tx: &mut Tx,
    namespace: &str,
    from: &[String],
    step: fn(&mut Tx, &str, &str) -> Result<Vec<String>, Fault>,
) -> Result<(Vec<String>, usize), Fault> {
    let mut seen: BTreeSet<String> = from.iter().cloned().collect();
    let mut level: Vec<String> = from.to_vec();
    let mut reached = Vec::new();
    let mut depth = 0;
    while !level.is_empty() {
        let mut next = Vec::new();
        for group in &level {
            for found in step(tx, namespace, group)? {
                if seen.insert(found.clone()) {
                    next.push(found);
                }
            }
        }
        if seen.len() > GROUPS_OF_ENTITY_MAX {
            return Err(Fault::invalid(format!("there are more than {GROUPS_OF_ENTITY_MAX} groups above or below")));
        }
        depth += usize::from(!next.is_empty());
        reached.extend(next.iter().cloned());
        level = next;
    }
    Ok((reached, depth))
}
