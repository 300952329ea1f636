//! `sys/*`: one file per resource, each with its routes and handlers.

mod status;

use crate::{Kx, leases};
use engine::Table;

/// The routes of `sys/`.
pub fn table() -> Table<Kx> {
    let mut routes = Vec::new();
    routes.extend(status::routes());
    routes.extend(leases::routes::routes());
    Table::new(routes)
}
