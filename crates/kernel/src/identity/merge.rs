//! `identity/entity/merge`: makes several entities one. Aliases and group memberships move; the policies and metadata of
//! what is merged away do not. Tokens of a merged entity act as the surviving one from then on.

use super::record::{Alias, Entity, Link};
use super::{entities, groups, keys};
use crate::{Kx, authorize};
use engine::{CommaList, Fault, Reply};

/// Entities merged in one request.
const MERGE_MAX: usize = 1_000;

engine::request! {
    /// Merges entities.
    pub struct Merge {
        /// Entity IDs which need to get merged.
        from_entity_ids: CommaList,
        /// Entity ID into which all the other entities need to get merged.
        to_entity_id: String,
        /// Alias IDs to keep in case of conflicting aliases. Ignored if no conflicting aliases found.
        conflicting_alias_ids_to_keep: CommaList,
        /// Accepted for older clients; conflicts are never merged without naming the aliases to keep.
        force: bool,
    }
}

/// Merges.
pub(super) fn merge(kx: &mut Kx, request: Merge) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let CommaList(mut from_ids) = request.from_entity_ids;
    let CommaList(keep) = request.conflicting_alias_ids_to_keep;
    let to_id = request.to_entity_id;
    if to_id.is_empty() {
        return Err(Fault::invalid("missing entity id to merge to"));
    }
    if from_ids.is_empty() {
        return Err(Fault::invalid("missing entity ids to merge from"));
    }
    if from_ids.len() > MERGE_MAX {
        return Err(Fault::invalid(format!("at most {MERGE_MAX} entities can be merged at once")));
    }
    from_ids.sort();
    from_ids.dedup();
    let to = entities::load(&mut kx.cx.tx, &namespace, &to_id)?;
    let mut to = to.ok_or_else(|| Fault::invalid("entity id to merge to is invalid"))?;
    require_sudo(kx, &to.id)?;
    for id in from_ids {
        if id == to.id {
            return Err(Fault::invalid("to_entity_id should not be present in from_entity_ids"));
        }
        let from = entities::load(&mut kx.cx.tx, &namespace, &id)?;
        let from = from.ok_or_else(|| Fault::invalid("entity id to merge from is invalid"))?;
        require_sudo(kx, &from.id)?;
        absorb(kx, &namespace, &mut to, from, &keep)?;
    }
    to.updated = kx.now;
    entities::save(&mut kx.cx.tx, &namespace, &to)?;
    Ok(Reply::empty())
}

/// Refuses a caller that may not use an entity's own path with `sudo` (S73).
pub(super) fn require_sudo(kx: &Kx, entity: &str) -> Result<(), Fault> {
    let path = format!("{}entity/id/{entity}", kx.cx.mount.path);
    if authorize::has_sudo(kx, &path) { Ok(()) } else { Err(Fault::Forbidden) }
}

fn absorb(kx: &mut Kx, namespace: &str, to: &mut Entity, from: Entity, keep: &[String]) -> Result<(), Fault> {
    let lost = settle(to, &from, keep)?;
    let now = kx.now;
    let tx = &mut kx.cx.tx;
    let memberships = groups::of_entity(tx, namespace, &from.id)?;
    entities::delete(tx, namespace, &from)?;
    for alias in to.aliases.extract_if(.., |alias| lost.contains(&alias.id)) {
        entities::unlink_alias(tx, namespace, &alias)?;
    }
    for alias in from.aliases.into_iter().filter(|alias| !lost.contains(&alias.id)) {
        entities::link_alias(tx, namespace, &to.id, &alias)?;
        to.aliases.push(Alias {
            merged_from: [alias.merged_from, vec![from.id.clone()]].concat(),
            updated: now,
            ..alias
        });
    }
    for group in memberships {
        groups::add_member(tx, namespace, &group, &to.id)?;
    }
    for merged in from.merged.into_iter().chain([from.id]) {
        tx.save(&keys::entity_merged(namespace, &merged), &Link::to(&to.id))?;
        to.merged.push(merged);
    }
    Ok(())
}

/// Which aliases give way where both have one on the same mount, by the ids to keep.
fn settle(to: &Entity, from: &Entity, keep: &[String]) -> Result<Vec<String>, Fault> {
    let clashes: Vec<(&Alias, &Alias)> =
        from.aliases.iter().filter_map(|alias| Some((to.alias_on(&alias.mount_accessor)?, alias))).collect();
    if clashes.is_empty() {
        return Ok(Vec::new());
    }
    if keep.is_empty() {
        return Err(Fault::invalid(clash_text(to, from, &clashes)));
    }
    clashes
        .into_iter()
        .map(|(ours, theirs)| match (keep.contains(&ours.id), keep.contains(&theirs.id)) {
            (_, true) => Ok(ours.id.clone()),
            (true, false) => Ok(theirs.id.clone()),
            (false, false) => Err(Fault::invalid(format!(
                "conflicting mount accessors in following alias IDs and neither were present in \
                 conflicting_alias_ids_to_keep: {}, {}",
                theirs.id, ours.id
            ))),
        })
        .collect()
}

fn clash_text(to: &Entity, from: &Entity, clashes: &[(&Alias, &Alias)]) -> String {
    let first = "toEntity and at least one fromEntity have aliases with the same mount accessor, repeat the merge request \
                 specifying exactly one fromEntity, clashes: ";
    let mut text = format!("{} errors occurred:\n\t* {first}\n", clashes.len() + 1);
    for (ours, theirs) in clashes {
        text.push_str(&format!(
            "\t* mountAccessor: {}, toEntity ID: {}, fromEntity ID: {}, conflicting toEntity alias ID: {}, conflicting fromEntity alias ID: {}\n",
            ours.mount_accessor, to.id, from.id, ours.id, theirs.id
        ));
    }
    text.push('\n');
    text
}
