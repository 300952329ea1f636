//! From a verified login to an entity: finds or makes it, and brings what the login method knows up to date. A login that
//! changes nothing writes nothing.

use super::name::Folded;
use super::record::{Alias, Entity, GroupKind, Metadata};
use super::{checks, entities, groups};
use engine::{Fault, Randomness, Timestamp, Tx};
use std::collections::{BTreeMap, BTreeSet};

/// Who a login method says logged in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoginIdentity {
    /// Id of the mount's namespace, which is the entity's too.
    pub namespace: String,
    /// The mount.
    pub mount_accessor: String,
    /// Path of the mount, `auth/` included.
    pub mount_path: String,
    /// Type of the mount.
    pub mount_kind: String,
    /// Name on the mount; empty for a login without an identity.
    pub name: String,
    /// What the method knows of the name. It stays with the alias on this mount and goes nowhere else (S07, S08).
    pub metadata: BTreeMap<String, String>,
    /// Names of external groups on this mount.
    pub groups: Vec<String>,
}

/// The id of the entity that logs in; `None` for a login without a name. Makes entity and alias at the first login,
/// afterwards refreshes the alias's metadata and the memberships in external groups of the mount.
///
/// # Errors
/// [`Fault::Denied`] if the entity is disabled.
pub fn login(
    tx: &mut Tx,
    login: &LoginIdentity,
    now: Timestamp,
    randomness: &mut dyn Randomness,
) -> Result<Option<String>, Fault> {
    if login.name.is_empty() {
        return Ok(None);
    }
    let namespace = login.namespace.as_str();
    let name = Folded::new(&login.name)?;
    let entity = match entities::by_factor(tx, namespace, &login.mount_accessor, &name)? {
        Some(entity) if entity.disabled => return Err(Fault::Denied),
        Some(entity) => refreshed(tx, login, &name, entity, now)?,
        None => created(tx, login, now, randomness)?,
    };
    reconcile_groups(tx, namespace, &login.mount_accessor, &entity, &login.groups)?;
    Ok(Some(entity))
}

fn metadata(login: &LoginIdentity) -> Option<Metadata> {
    (!login.metadata.is_empty()).then(|| login.metadata.clone())
}

fn refreshed(
    tx: &mut Tx,
    login: &LoginIdentity,
    name: &Folded,
    mut entity: Entity,
    now: Timestamp,
) -> Result<String, Fault> {
    let known = metadata(login);
    // Told by mount and name, since only this alias logged in, whatever else the entity has.
    let alias = entity
        .aliases
        .iter_mut()
        .find(|alias| alias.mount_accessor == login.mount_accessor && alias.name.to_lowercase() == name.as_str());
    if let Some(alias) = alias
        && alias.metadata != known
    {
        alias.metadata = known;
        alias.updated = now;
        entities::save(tx, &login.namespace, &entity)?;
    }
    Ok(entity.id)
}

fn created(
    tx: &mut Tx,
    login: &LoginIdentity,
    now: Timestamp,
    randomness: &mut dyn Randomness,
) -> Result<String, Fault> {
    let namespace = login.namespace.as_str();
    let mut entity = new_entity(tx, namespace, now, randomness)?;
    let alias = Alias {
        id: checks::new_id(namespace, randomness),
        name: login.name.clone(),
        mount_accessor: login.mount_accessor.clone(),
        metadata: metadata(login),
        created: now,
        updated: now,
        ..Alias::default()
    };
    entities::link_alias(tx, namespace, &entity.id, &alias)?;
    entity.aliases.push(alias);
    entities::save(tx, namespace, &entity)?;
    Ok(entity.id)
}

/// An entity nobody named, not yet written.
pub(super) fn new_entity(
    tx: &mut Tx,
    namespace: &str,
    now: Timestamp,
    randomness: &mut dyn Randomness,
) -> Result<Entity, Fault> {
    // Names are short and random: another one is drawn while one is taken, which soon ends.
    let mut name = checks::new_name("entity", namespace, randomness);
    while entities::by_name(tx, namespace, &Folded::new(&name)?)?.is_some() {
        name = checks::new_name("entity", namespace, randomness);
    }
    Ok(Entity { id: checks::new_id(namespace, randomness), name, created: now, updated: now, ..Entity::default() })
}

/// Makes the entity a member of exactly those external groups of a mount that the login method names (S74). Groups of
/// other mounts and internal groups stay as they are.
pub fn reconcile_groups(
    tx: &mut Tx,
    namespace: &str,
    accessor: &str,
    entity: &str,
    named: &[String],
) -> Result<(), Fault> {
    let mut wanted = BTreeSet::new();
    for name in named.iter().filter(|name| !name.is_empty()) {
        let group = groups::by_factor(tx, namespace, accessor, &Folded::new(name)?)?;
        wanted.extend(group.filter(|group| group.kind == GroupKind::External).map(|group| group.id));
    }
    for id in groups::of_entity(tx, namespace, entity)? {
        if wanted.remove(&id) {
            continue;
        }
        let group = groups::load(tx, namespace, &id)?;
        let of_mount = |alias: &Alias| alias.mount_accessor == accessor;
        if group.is_some_and(|group| group.kind == GroupKind::External && group.alias.as_ref().is_some_and(of_mount)) {
            groups::remove_member(tx, namespace, &id, entity);
        }
    }
    for id in wanted {
        groups::add_member(tx, namespace, &id, entity)?;
    }
    Ok(())
}
