//! Where the identities of a namespace lie. Every key begins with the namespace, so that an id of another namespace is
//! simply unknown (security decision D6). Folders end in a slash.

use super::name::Folded;
use engine::Timestamp;

/// Folder of entities, by id.
pub fn entities(namespace: &str) -> String {
    format!("{namespace}/entity/")
}

/// An entity with its aliases.
pub fn entity(namespace: &str, id: &str) -> String {
    format!("{namespace}/entity/{id}")
}

/// Prefix of entity names in folded form; a name may hold slashes.
pub fn entity_names(namespace: &str) -> String {
    format!("{namespace}/entity-name/")
}

/// Folded name to entity.
pub fn entity_name(namespace: &str, name: &Folded) -> String {
    format!("{namespace}/entity-name/{name}")
}

/// Id of an entity that was merged away to the one that lives on.
pub fn entity_merged(namespace: &str, id: &str) -> String {
    format!("{namespace}/entity-merged/{id}")
}

/// Folder of entity aliases, by id.
pub fn aliases(namespace: &str) -> String {
    format!("{namespace}/alias/")
}

/// Alias id to entity.
pub fn alias(namespace: &str, id: &str) -> String {
    format!("{namespace}/alias/{id}")
}

/// Prefix of the alias names of a mount, folded.
pub fn alias_factors(namespace: &str, accessor: &str) -> String {
    format!("{namespace}/alias-factor/{accessor}/")
}

/// Name on a mount to entity.
pub fn alias_factor(namespace: &str, accessor: &str, name: &Folded) -> String {
    format!("{namespace}/alias-factor/{accessor}/{name}")
}

/// Folder of groups, by id.
pub fn groups(namespace: &str) -> String {
    format!("{namespace}/group/")
}

/// A group with its alias.
pub fn group(namespace: &str, id: &str) -> String {
    format!("{namespace}/group/{id}")
}

/// Prefix of group names in folded form; a name may hold slashes.
pub fn group_names(namespace: &str) -> String {
    format!("{namespace}/group-name/")
}

/// Folded name to group.
pub fn group_name(namespace: &str, name: &Folded) -> String {
    format!("{namespace}/group-name/{name}")
}

/// Folder of group aliases, by id.
pub fn group_aliases(namespace: &str) -> String {
    format!("{namespace}/group-alias/")
}

/// Alias id to group.
pub fn group_alias(namespace: &str, id: &str) -> String {
    format!("{namespace}/group-alias/{id}")
}

/// Prefix of the group alias names of a mount, folded.
pub fn group_alias_factors(namespace: &str, accessor: &str) -> String {
    format!("{namespace}/group-alias-factor/{accessor}/")
}

/// Name on a mount to group.
pub fn group_alias_factor(namespace: &str, accessor: &str, name: &Folded) -> String {
    format!("{namespace}/group-alias-factor/{accessor}/{name}")
}

/// Folder of the groups that an entity is directly in.
pub fn groups_of(namespace: &str, entity: &str) -> String {
    format!("{namespace}/member/{entity}/")
}

/// Folder of the entities that are directly in a group.
pub fn members_of(namespace: &str, group: &str) -> String {
    format!("{namespace}/group-member/{group}/")
}

/// Folder of the groups that a group is directly in.
pub fn parents_of(namespace: &str, group: &str) -> String {
    format!("{namespace}/group-parent/{group}/")
}

/// Folder of the groups that are directly in a group.
pub fn children_of(namespace: &str, group: &str) -> String {
    format!("{namespace}/group-child/{group}/")
}

/// The configuration of identity tokens.
pub fn oidc_config(namespace: &str) -> String {
    format!("{namespace}/oidc/config")
}

/// A named key of identity tokens; of the empty name the folder.
pub fn oidc_key(namespace: &str, name: &str) -> String {
    format!("{namespace}/oidc-key/{name}")
}

/// The private keys of a named key of identity tokens.
pub fn oidc_private_key(namespace: &str, name: &str) -> String {
    format!("{namespace}/oidc-private-key/{name}")
}

/// A role of identity tokens; of the empty name the folder.
pub fn oidc_role(namespace: &str, name: &str) -> String {
    format!("{namespace}/oidc-role/{name}")
}

/// Ordered by time: when a named key of whichever namespace has to turn.
pub const OIDC_DUE: &str = "root/oidc-due/";

/// Kind of the entries below [`OIDC_DUE`].
pub const OIDC_DUE_KIND: &str = "oidc-due/1";

/// The due entry of a named key.
pub fn oidc_due(at: Timestamp, namespace: &str, name: &str) -> String {
    format!("{OIDC_DUE}{}/{namespace}/{name}", at.sort_key())
}
