//! `identity/entity-alias*`, and its old names `identity/alias*` and `identity/persona*`.

use super::name::Folded;
use super::record::{Alias, Entity, Metadata};
use super::{checks, entities, entity_routes, keys, login, merge, show};
use crate::Kx;
use engine::{Fault, Page, Pairs, Reply, Route};
use serde_json::{Map, Value, json};

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let create = |path, summary| Route::at(path, summary).write(write);
    let by_id = |path, summary| Route::at(path, summary).read(read).delete(delete);
    let list = |path, summary| Route::at(path, summary).list(list);
    vec![
        create("entity-alias", "Create an alias of an entity, or update one."),
        list("entity-alias/id", "List aliases of entities."),
        by_id("entity-alias/id/{id}", "Manage an alias of an entity.").write(write),
        create("alias", "Create an alias of an entity (old name)."),
        list("alias/id", "List aliases of entities (old name)."),
        by_id("alias/id/{id}", "Manage an alias of an entity (old name).").write(write),
        // Upstream's very old name writes entities, whatever its help says; clients get what they know.
        Route::at("persona", "Create an entity, or update one (old name).").write(write_persona),
        list("persona/id", "List aliases of entities (old name)."),
        by_id("persona/id/{id}", "Read or delete an alias of an entity (old name).").write(entity_routes::write),
    ]
}

engine::request! {
    /// Creates or changes an alias.
    pub struct WriteAlias {
        /// ID of the entity alias. If set, updates the corresponding entity alias.
        id: String,
        /// Name of the alias; unused for a modify.
        name: String,
        /// Mount accessor to which this alias belongs to; unused for a modify.
        mount_accessor: String,
        /// Entity ID to which this alias belongs.
        canonical_id: String,
        /// Entity ID to which this alias belongs. This field is deprecated, use canonical_id.
        entity_id: String,
        /// User provided key-value pairs.
        custom_metadata: Option<Pairs>,
    }
}

engine::request! {
    /// Names an alias.
    pub struct AliasId {
        /// ID of the alias.
        id: String,
    }
}

engine::request! {
    /// What upstream's very old name declares and does not use.
    pub struct Persona {
        /// Mount accessor to which this persona belongs to.
        mount_accessor: String,
        /// Entity ID to which this persona belongs to.
        entity_id: String,
    }
}

/// What a write says, with the old and new names of the entity made one.
struct Change {
    name: String,
    accessor: String,
    canonical: String,
    custom_metadata: Option<Metadata>,
}

fn write_persona(kx: &mut Kx, (_unused, entity): (Persona, entity_routes::WriteEntity)) -> Result<Reply, Fault> {
    entity_routes::write(kx, entity)
}

fn write(kx: &mut Kx, request: WriteAlias) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let canonical = if request.canonical_id.is_empty() { request.entity_id } else { request.canonical_id };
    let custom_metadata = request.custom_metadata.map(|Pairs(pairs)| pairs);
    if let Some(pairs) = &custom_metadata {
        checks::custom_metadata(pairs)?;
    }
    let change = Change { name: request.name, accessor: request.mount_accessor, canonical, custom_metadata };
    if !request.id.is_empty() {
        let found = entities::by_alias(&mut kx.cx.tx, &namespace, &request.id)?;
        let (entity, alias) = found.ok_or_else(|| Fault::invalid("invalid alias ID provided"))?;
        known_mount(kx, &change.accessor)?;
        return update(kx, entity, &alias, change);
    }
    if change.name.is_empty() || change.accessor.is_empty() {
        return Err(Fault::invalid("'id' or 'mount_accessor' and 'name' must be provided"));
    }
    known_mount(kx, &change.accessor)?;
    let name = Folded::new(&change.name)?;
    let Some(entity) = entities::by_factor(&mut kx.cx.tx, &namespace, &change.accessor, &name)? else {
        return create(kx, change);
    };
    let alias = entity
        .aliases
        .iter()
        .find(|alias| alias.mount_accessor == change.accessor && alias.name.to_lowercase() == name.as_str());
    let alias = alias.cloned().ok_or_else(|| Fault::internal("an alias index leads to no alias"))?;
    // A write that names the alias by mount and name states it as a whole; one by id changes what it holds.
    let change = Change { custom_metadata: Some(change.custom_metadata.unwrap_or_default()), ..change };
    update(kx, entity, &alias, change)
}

/// Refuses an accessor that no mount of this namespace has; an empty one says nothing.
pub(super) fn known_mount(kx: &mut Kx, accessor: &str) -> Result<(), Fault> {
    if accessor.is_empty() || show::mounts(kx)?.by_accessor(accessor).is_some() {
        return Ok(());
    }
    Err(Fault::invalid(format!("invalid mount accessor {accessor:?}")))
}

fn create(kx: &mut Kx, change: Change) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let now = kx.now;
    let mut entity = match change.canonical.as_str() {
        "" => login::new_entity(&mut kx.cx.tx, &namespace, now, kx.cx.randomness.as_mut())?,
        id => {
            let entity = entities::load(&mut kx.cx.tx, &namespace, id)?;
            entity.ok_or_else(|| Fault::invalid("invalid canonical ID"))?
        }
    };
    if entity.alias_on(&change.accessor).is_some() {
        return Err(Fault::invalid("Alias already exists for requested entity and mount accessor"));
    }
    let alias = Alias {
        id: checks::new_id(&namespace, kx.cx.randomness.as_mut()),
        name: change.name,
        mount_accessor: change.accessor,
        custom_metadata: Some(change.custom_metadata.unwrap_or_default()),
        created: now,
        updated: now,
        ..Alias::default()
    };
    entities::link_alias(&mut kx.cx.tx, &namespace, &entity.id, &alias)?;
    let reply = answer(&entity.id, &alias.id);
    entity.aliases.push(alias);
    entities::save(&mut kx.cx.tx, &namespace, &entity)?;
    Ok(reply)
}

fn answer(entity: &str, alias: &str) -> Reply {
    Reply::data(json!({ "canonical_id": entity, "id": alias }))
}

fn update(kx: &mut Kx, mut entity: Entity, old: &Alias, change: Change) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let or = |new: String, old: &String| if new.is_empty() { old.clone() } else { new };
    let new = Alias {
        name: or(change.name, &old.name),
        mount_accessor: or(change.accessor, &old.mount_accessor),
        custom_metadata: change.custom_metadata.or_else(|| old.custom_metadata.clone()),
        ..old.clone()
    };
    let moves = !change.canonical.is_empty() && change.canonical != entity.id;
    if !moves && new == *old {
        return Ok(Reply::empty());
    }
    let factor_changed = new.mount_accessor != old.mount_accessor || Folded::new(&new.name)? != Folded::new(&old.name)?;
    if !moves && new.mount_accessor != old.mount_accessor && entity.alias_on(&new.mount_accessor).is_some() {
        return Err(Fault::invalid(
            "Alias cannot be updated as the entity already has an alias for the given 'mount_accessor' ",
        ));
    }
    let tx = &mut kx.cx.tx;
    if factor_changed && entities::by_factor(tx, &namespace, &new.mount_accessor, &Folded::new(&new.name)?)?.is_some() {
        return Err(Fault::invalid("alias with combination of mount accessor and name already exists"));
    }
    let new = Alias { updated: kx.now, ..new };
    let target = if moves { Some(target(kx, &entity, &change.canonical, &new)?) } else { None };
    let tx = &mut kx.cx.tx;
    entities::unlink_alias(tx, &namespace, old)?;
    let owner = match target {
        Some(mut target) => {
            entity.aliases.retain(|alias| alias.id != old.id);
            entities::save(tx, &namespace, &entity)?;
            target.aliases.push(new.clone());
            target
        }
        None => {
            entity.aliases.iter_mut().filter(|alias| alias.id == old.id).for_each(|alias| alias.clone_from(&new));
            entity
        }
    };
    entities::link_alias(tx, &namespace, &owner.id, &new)?;
    entities::save(tx, &namespace, &owner)?;
    Ok(answer(&owner.id, &new.id))
}

/// The entity that an alias moves to. A move takes an identity's login away from it and gives it to another one, so it
/// takes `sudo` on both, as a merge does (S73).
fn target(kx: &mut Kx, from: &Entity, id: &str, alias: &Alias) -> Result<Entity, Fault> {
    let namespace = kx.namespace_id();
    let target = entities::load(&mut kx.cx.tx, &namespace, id)?;
    let target = target.ok_or_else(|| Fault::invalid("given 'canonical_id' is not associated with an entity"))?;
    if target.alias_on(&alias.mount_accessor).is_some() {
        return Err(Fault::invalid("Alias cannot be updated as the given entity already has an alias for this mount "));
    }
    merge::require_sudo(kx, &from.id)?;
    merge::require_sudo(kx, &target.id)?;
    Ok(target)
}

fn read(kx: &mut Kx, request: AliasId) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    match entities::by_alias(&mut kx.cx.tx, &namespace, &request.id)? {
        Some((entity, alias)) => show::alias(kx, &entity.id, &alias).map(Reply::data),
        None => Ok(Reply::empty()),
    }
}

fn delete(kx: &mut Kx, request: AliasId) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let tx = &mut kx.cx.tx;
    if let Some((mut entity, alias)) = entities::by_alias(tx, &namespace, &request.id)? {
        entities::unlink_alias(tx, &namespace, &alias)?;
        entity.aliases.retain(|kept| kept.id != alias.id);
        entities::save(tx, &namespace, &entity)?;
    }
    Ok(Reply::empty())
}

fn list(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let page: Page = kx.page.clone();
    let mounts = show::mounts(kx)?;
    let tx = &mut kx.cx.tx;
    let ids = tx.list(&keys::aliases(&namespace), &page)?;
    let mut info: Map<String, Value> = Map::new();
    for id in &ids {
        if let Some((entity, alias)) = entities::by_alias(tx, &namespace, id)? {
            info.insert(id.clone(), show::alias_info(&mounts, &entity.id, &alias));
        }
    }
    Ok(Reply::keys_with_info(ids, info))
}
