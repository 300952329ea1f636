//! Identity: who is behind a login, whatever it came through. Entities have aliases (names on mounts), policies and
//! metadata; groups give their policies to the entities and groups in them, decided by operators (internal) or by a login
//! method (external).
//!
//! All state is in the transaction, under keys that begin with the namespace ([`keys`]); indexes are written together
//! with what they index. Groups hold entities and groups of their own namespace only.

mod alias_routes;
mod checks;
mod entities;
mod entity_routes;
mod group_alias_routes;
mod group_routes;
mod groups;
pub mod keys;
mod login;
mod lookup_routes;
mod merge;
mod mounts;
mod name;
pub mod oidc;
mod record;
mod show;
mod template;
#[cfg(test)]
mod tests;
mod view;

pub use groups::{GROUP_DEPTH_MAX, GROUPS_OF_ENTITY_MAX};
pub use login::{LoginIdentity, login, reconcile_groups};
pub use mounts::mount_removed;
pub use name::Folded;
pub use record::{Alias, Entity, Group, GroupKind, Metadata};
pub use view::{KnownView, View, view};

use crate::Kx;
use engine::Table;

/// The routes of `identity/`.
pub fn table() -> Table<Kx> {
    let mut routes = entity_routes::routes();
    routes.extend(alias_routes::routes());
    routes.extend(group_routes::routes());
    routes.extend(group_alias_routes::routes());
    routes.extend(lookup_routes::routes());
    routes.extend(oidc::routes());
    Table::new(routes)
}
