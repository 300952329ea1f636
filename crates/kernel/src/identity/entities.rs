//! Entities in the store: each with its indexes, which change in the transaction that changes it.

use super::groups;
use super::keys;
use super::name::Folded;
use super::record::{Alias, Entity, Link};
use engine::{Fault, Page, Tx};
use std::sync::Arc;

/// The entity with an id.
pub(super) fn load(tx: &mut Tx, namespace: &str, id: &str) -> Result<Option<Entity>, Fault> {
    Ok(tx.load_shared(&keys::entity(namespace, id))?.map(Arc::unwrap_or_clone))
}

/// The entity with an id, or the one that an entity with this id was merged into.
pub(super) fn load_surviving(tx: &mut Tx, namespace: &str, id: &str) -> Result<Option<Entity>, Fault> {
    match load(tx, namespace, id)? {
        None => follow(tx, namespace, &keys::entity_merged(namespace, id)),
        found => Ok(found),
    }
}

/// The entity with a name.
pub(super) fn by_name(tx: &mut Tx, namespace: &str, name: &Folded) -> Result<Option<Entity>, Fault> {
    follow(tx, namespace, &keys::entity_name(namespace, name))
}

/// The entity that a name on a mount belongs to.
pub(super) fn by_factor(tx: &mut Tx, namespace: &str, accessor: &str, name: &Folded) -> Result<Option<Entity>, Fault> {
    follow(tx, namespace, &keys::alias_factor(namespace, accessor, name))
}

/// The entity that an alias belongs to, and the alias.
pub(super) fn by_alias(tx: &mut Tx, namespace: &str, alias: &str) -> Result<Option<(Entity, Alias)>, Fault> {
    let Some(entity) = follow(tx, namespace, &keys::alias(namespace, alias))? else { return Ok(None) };
    let alias = entity.alias(alias).cloned();
    Ok(alias.map(|alias| (entity, alias)))
}

fn follow(tx: &mut Tx, namespace: &str, key: &str) -> Result<Option<Entity>, Fault> {
    match tx.load_shared::<Link>(key)? {
        Some(link) => load(tx, namespace, &link.id),
        None => Ok(None),
    }
}

/// Writes an entity and the index of its name.
pub(super) fn save(tx: &mut Tx, namespace: &str, entity: &Entity) -> Result<(), Fault> {
    tx.save(&keys::entity_name(namespace, &Folded::new(&entity.name)?), &Link::named(&entity.id, &entity.name))?;
    tx.save(&keys::entity(namespace, &entity.id), entity)?;
    Ok(())
}

/// Writes the indexes of an alias.
pub(super) fn link_alias(tx: &mut Tx, namespace: &str, entity: &str, alias: &Alias) -> Result<(), Fault> {
    let name = Folded::new(&alias.name)?;
    tx.save(&keys::alias(namespace, &alias.id), &Link::to(entity))?;
    tx.save(&keys::alias_factor(namespace, &alias.mount_accessor, &name), &Link::to(entity))?;
    Ok(())
}

/// Removes the indexes of an alias.
pub(super) fn unlink_alias(tx: &mut Tx, namespace: &str, alias: &Alias) -> Result<(), Fault> {
    tx.delete(&keys::alias(namespace, &alias.id));
    tx.delete(&keys::alias_factor(namespace, &alias.mount_accessor, &Folded::new(&alias.name)?));
    Ok(())
}

/// Removes an entity with its aliases, its memberships and every index of it. Its tokens are refused from then on.
pub(super) fn delete(tx: &mut Tx, namespace: &str, entity: &Entity) -> Result<(), Fault> {
    for alias in &entity.aliases {
        unlink_alias(tx, namespace, alias)?;
    }
    for merged in &entity.merged {
        tx.delete(&keys::entity_merged(namespace, merged));
    }
    for group in groups::of_entity(tx, namespace, &entity.id)? {
        groups::remove_member(tx, namespace, &group, &entity.id);
    }
    tx.delete(&keys::entity_name(namespace, &Folded::new(&entity.name)?));
    tx.delete(&keys::entity(namespace, &entity.id));
    Ok(())
}

/// Ids in order, a page of them.
pub(super) fn ids(tx: &mut Tx, namespace: &str, page: &Page) -> Result<Vec<String>, Fault> {
    Ok(tx.list(&keys::entities(namespace), page)?)
}

/// Names as they were written, in order of their folded form, a page of them.
pub(super) fn names(tx: &mut Tx, namespace: &str, page: &Page) -> Result<Vec<String>, Fault> {
    names_below(tx, &keys::entity_names(namespace), page)
}

/// The written names of an index of folded ones.
pub(super) fn names_below(tx: &mut Tx, prefix: &str, page: &Page) -> Result<Vec<String>, Fault> {
    let page = Page { after: page.after.to_lowercase(), limit: page.limit };
    let mut names = Vec::new();
    for folded in tx.scan(prefix, &page)? {
        let link: Option<Link> = tx.load(&format!("{prefix}{folded}"))?;
        names.extend(link.map(|link| link.name));
    }
    Ok(names)
}
