//! `identity/entity*`: entities by id and by name.

use super::name::Folded;
use super::record::Entity;
use super::{checks, entities, keys, login, merge, show};
use crate::Kx;
use engine::{CommaList, Fault, Pairs, Reply, Route};
use serde_json::{Map, Value, json};

/// Entities deleted in one request.
const BATCH_MAX: usize = 10_000;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("entity", "Create an entity, or update one.").write(write),
        Route::at("entity/batch-delete", "Delete many entities of this namespace.").write(batch_delete),
        // Upstream asks for no more than `update` here. Merging hands an identity's groups and logins to another one,
        // so it takes `sudo`, on the entities too (S73).
        Route::at("entity/merge", "Merge entities into one.").write(merge::merge).sudo(),
        Route::at("entity/id", "List entities by id.").list(list_ids),
        Route::at("entity/id/{id}", "Manage an entity by its id.").read(read).write(write).delete(delete),
        Route::at("entity/name", "List entities by name.").list(list_names),
        Route::at("entity/name/{name:path}", "Manage an entity by its name.")
            .read(read_by_name)
            .write(write_by_name)
            .delete(delete_by_name),
    ]
}

engine::request! {
    /// Creates or changes an entity.
    pub struct WriteEntity {
        /// ID of the entity. If set, updates the corresponding existing entity.
        id: String,
        /// Name of the entity.
        name: String,
        /// Metadata to be associated with the entity.
        metadata: Option<Pairs>,
        /// Policies to be tied to the entity.
        policies: Option<CommaList>,
        /// If set true, tokens tied to this identity will not be able to be used (but will not be revoked).
        disabled: Option<bool>,
    }
}

engine::request! {
    /// Names an entity by id.
    pub struct EntityId {
        /// ID of the entity.
        id: String,
    }
}

engine::request! {
    /// Names an entity.
    pub struct EntityName {
        /// Name of the entity.
        name: String,
    }
}

engine::request! {
    /// Names many entities.
    pub struct BatchDelete {
        /// Entity IDs to delete.
        entity_ids: CommaList,
    }
}

/// Creates an entity or updates the one with the id, else the one with the name.
pub(super) fn write(kx: &mut Kx, request: WriteEntity) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let now = kx.now;
    let named = match request.name.as_str() {
        "" => None,
        name => entities::by_name(&mut kx.cx.tx, &namespace, &Folded::new(name)?)?,
    };
    let known = match request.id.as_str() {
        "" => named,
        id => {
            let entity = entities::load(&mut kx.cx.tx, &namespace, id)?;
            let entity = entity.ok_or_else(|| Fault::invalid("entity not found from id"))?;
            if named.is_some_and(|named| named.id != entity.id) {
                return Err(Fault::invalid("entity name is already in use"));
            }
            Some(entity)
        }
    };
    let created = known.is_none();
    let mut entity = match known {
        Some(entity) => entity,
        None => login::new_entity(&mut kx.cx.tx, &namespace, now, kx.cx.randomness.as_mut())?,
    };
    if !request.name.is_empty() {
        if !created {
            kx.cx.tx.delete(&keys::entity_name(&namespace, &Folded::new(&entity.name)?));
        }
        entity.name = request.name;
    }
    if let Some(Pairs(metadata)) = request.metadata {
        checks::metadata("entity", &metadata)?;
        entity.metadata = Some(metadata);
    }
    if let Some(CommaList(policies)) = request.policies {
        entity.policies = checks::policies(policies)?;
    }
    entity.disabled = request.disabled.unwrap_or(entity.disabled);
    entity.updated = now;
    entities::save(&mut kx.cx.tx, &namespace, &entity)?;
    Ok(if created {
        Reply::data(json!({ "aliases": null, "id": entity.id, "name": entity.name }))
    } else {
        Reply::empty()
    })
}

fn write_by_name(kx: &mut Kx, request: WriteEntity) -> Result<Reply, Fault> {
    by_path_name(kx, &request.name)?;
    write(kx, request)
}

fn read(kx: &mut Kx, request: EntityId) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let entity = entities::load(&mut kx.cx.tx, &namespace, &request.id)?;
    shown(kx, entity)
}

fn read_by_name(kx: &mut Kx, request: EntityName) -> Result<Reply, Fault> {
    let entity = existing(kx, &request.name)?;
    shown(kx, entity)
}

/// An entity as the reply; nothing where there is none.
pub(super) fn shown(kx: &mut Kx, entity: Option<Entity>) -> Result<Reply, Fault> {
    match entity {
        Some(entity) => show::entity(kx, &entity).map(Reply::data),
        None => Ok(Reply::empty()),
    }
}

fn delete(kx: &mut Kx, request: EntityId) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    if let Some(entity) = entities::load(&mut kx.cx.tx, &namespace, &request.id)? {
        entities::delete(&mut kx.cx.tx, &namespace, &entity)?;
    }
    Ok(Reply::empty())
}

fn delete_by_name(kx: &mut Kx, request: EntityName) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    if let Some(entity) = existing(kx, &request.name)? {
        entities::delete(&mut kx.cx.tx, &namespace, &entity)?;
    }
    Ok(Reply::empty())
}

/// Deletes entities of this namespace. Ids that are unknown here, other namespaces' among them, are passed over (S15).
fn batch_delete(kx: &mut Kx, request: BatchDelete) -> Result<Reply, Fault> {
    let CommaList(ids) = request.entity_ids;
    if ids.is_empty() {
        return Err(Fault::invalid("missing entity ids to delete"));
    }
    if ids.len() > BATCH_MAX {
        return Err(Fault::invalid(format!("at most {BATCH_MAX} entities can be deleted at once")));
    }
    for id in ids {
        delete(kx, EntityId { id })?;
    }
    Ok(Reply::empty())
}

fn list_ids(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let page = kx.page.clone();
    let mounts = show::mounts(kx)?;
    let ids = entities::ids(&mut kx.cx.tx, &namespace, &page)?;
    let mut info: Map<String, Value> = Map::new();
    for id in &ids {
        if let Some(entity) = entities::load(&mut kx.cx.tx, &namespace, id)? {
            info.insert(id.clone(), show::entity_info(&mounts, &entity));
        }
    }
    Ok(Reply::keys_with_info(ids, info))
}

fn list_names(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let page = kx.page.clone();
    Ok(Reply::keys(entities::names(&mut kx.cx.tx, &namespace, &page)?))
}

/// The entity that a path names, which may be none yet; another spelling than its own is refused (S02).
fn by_path_name(kx: &mut Kx, name: &str) -> Result<Option<Entity>, Fault> {
    let namespace = kx.namespace_id();
    let entity = entities::by_name(&mut kx.cx.tx, &namespace, &Folded::new(name)?)?;
    Folded::of_path(name, entity.as_ref().map(|entity| entity.name.as_str()))?;
    Ok(entity)
}

/// As [`by_path_name`], where a name that nothing has is simply not there, however it is spelled.
fn existing(kx: &mut Kx, name: &str) -> Result<Option<Entity>, Fault> {
    let namespace = kx.namespace_id();
    match entities::by_name(&mut kx.cx.tx, &namespace, &Folded::new(name)?)? {
        Some(_) => by_path_name(kx, name),
        None => Ok(None),
    }
}
