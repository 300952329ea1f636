//! What follows from an entity at this very moment: its policies, its groups' policies, and what fills templates. It is
//! asked for by every request and remembered by revision, so that a change of membership acts on tokens that are out already (S74).

use super::record::{Entity, Group};
use super::{entities, groups, keys, template};
use crate::Kernel;
use crate::policy::TemplateContext;
use engine::{Fault, Tx};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::Revision;

/// An entity as a request sees it.
pub struct View {
    /// The entity; the surviving one if the token's was merged away.
    pub entity: Entity,
    /// Policies through the entity and its groups, as `(namespace id, name)`, sorted, each once, never `root`.
    pub policies: Vec<(String, String)>,
    /// Fills templated policies.
    pub template: TemplateContext,
    /// Equal for two views only if their templates are filled alike.
    pub fingerprint: String,
}

/// The view of an entity; `None` for no entity (an empty id).
///
/// # Errors
/// [`Fault::Denied`] if the entity is disabled or there is no such entity any more, as upstream refuses its tokens.
pub fn view(kernel: &Kernel, tx: &mut Tx, namespace: &str, entity_id: &str) -> Result<Option<Arc<View>>, Fault> {
    if entity_id.is_empty() {
        return Ok(None);
    }
    let key = keys::entity(namespace, entity_id);
    let modified = tx.modified(&key)?;
    let direct = groups::of_entity(tx, namespace, entity_id)?;
    let alone = modified.filter(|_| direct.is_empty());
    let Some(modified) = alone else { return derived(tx, namespace, entity_id).map(|view| Some(Arc::new(view))) };
    // An entity in no group follows from its own record alone; one that was merged away has none.
    let fits = |known: &KnownView| known.modified == modified;
    let known = kernel.memo.identities.fitting(&key, fits, || {
        Ok::<_, Fault>(KnownView { modified, view: Arc::new(derived(tx, namespace, entity_id)?) })
    })?;
    Ok(Some(known.view.clone()))
}

/// A view and the revision of the entity that it follows from.
pub struct KnownView {
    modified: Revision,
    view: Arc<View>,
}

fn derived(tx: &mut Tx, namespace: &str, entity_id: &str) -> Result<View, Fault> {
    let entity = entities::load_surviving(tx, namespace, entity_id)?.ok_or(Fault::Denied)?;
    if entity.disabled {
        return Err(Fault::Denied);
    }
    let groups = groups_of(tx, namespace, &entity.id)?;
    let names: BTreeSet<&String> =
        entity.policies.iter().chain(groups.iter().flat_map(|group| group.policies.iter().flatten())).collect();
    // S72: nothing writes `root` here; should a record hold it all the same, it gives nothing.
    let policies = names.into_iter().filter(|name| *name != "root");
    let policies = policies.map(|name| (namespace.to_owned(), name.clone())).collect();
    let template = template::context(&entity, &groups);
    let fingerprint = template::fingerprint(namespace, &entity, &groups);
    Ok(View { entity, policies, template, fingerprint })
}

/// The groups that an entity is in, directly or through other groups, in order of id.
fn groups_of(tx: &mut Tx, namespace: &str, entity: &str) -> Result<Vec<Group>, Fault> {
    let mut ids = groups::of_entity(tx, namespace, entity)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    ids.extend(groups::reach(tx, namespace, &ids, groups::parents)?.0);
    ids.sort();
    let mut found = Vec::with_capacity(ids.len());
    for id in ids {
        found.extend(groups::load(tx, namespace, &id)?);
    }
    Ok(found)
}
