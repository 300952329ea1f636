//! `identity/lookup/*`: finds an entity or a group by one of its names.

use super::name::Folded;
use super::{entities, entity_routes, group_routes, groups};
use crate::Kx;
use engine::{Fault, Reply, Route};

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("lookup/entity", "Find an entity by id, name or alias.").write(entity),
        Route::at("lookup/group", "Find a group by id, name or alias.").write(group),
    ]
}

engine::request! {
    /// Says in one way which identity is meant.
    pub struct Lookup {
        /// Name of the entity or group.
        name: String,
        /// ID of the entity or group.
        id: String,
        /// ID of the alias.
        alias_id: String,
        /// Name of the alias. This should be supplied in conjunction with 'alias_mount_accessor'.
        alias_name: String,
        /// Accessor of the mount to which the alias belongs to. This should be supplied in conjunction with 'alias_name'.
        alias_mount_accessor: String,
    }
}

enum By {
    Name(Folded),
    Id(String),
    Alias(String),
    Factor(String, Folded),
}

impl Lookup {
    fn by(self) -> Result<By, Fault> {
        let factor = !self.alias_name.is_empty() || !self.alias_mount_accessor.is_empty();
        let ways = [!self.name.is_empty(), !self.id.is_empty(), !self.alias_id.is_empty(), factor];
        match ways.into_iter().filter(|way| *way).count() {
            0 => return Err(Fault::invalid("query parameter not supplied")),
            1 => {}
            _ => {
                return Err(Fault::invalid("query parameter conflict; please supply distinct set of query parameters"));
            }
        }
        if factor && (self.alias_name.is_empty() || self.alias_mount_accessor.is_empty()) {
            return Err(Fault::invalid("both 'alias_name' and 'alias_mount_accessor' needs to be set"));
        }
        Ok(match ways {
            [true, ..] => By::Name(Folded::new(&self.name)?),
            [_, true, ..] => By::Id(self.id),
            [_, _, true, _] => By::Alias(self.alias_id),
            _ => By::Factor(self.alias_mount_accessor, Folded::new(&self.alias_name)?),
        })
    }
}

fn entity(kx: &mut Kx, request: Lookup) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let tx = &mut kx.cx.tx;
    let found = match request.by()? {
        By::Name(name) => entities::by_name(tx, &namespace, &name)?,
        By::Id(id) => entities::load(tx, &namespace, &id)?,
        By::Alias(id) => entities::by_alias(tx, &namespace, &id)?.map(|(entity, _)| entity),
        By::Factor(accessor, name) => entities::by_factor(tx, &namespace, &accessor, &name)?,
    };
    entity_routes::shown(kx, found)
}

fn group(kx: &mut Kx, request: Lookup) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    let tx = &mut kx.cx.tx;
    let found = match request.by()? {
        By::Name(name) => groups::by_name(tx, &namespace, &name)?,
        By::Id(id) => groups::load(tx, &namespace, &id)?,
        By::Alias(id) => groups::by_alias(tx, &namespace, &id)?,
        By::Factor(accessor, name) => groups::by_factor(tx, &namespace, &accessor, &name)?,
    };
    group_routes::shown(kx, found)
}
