//! `sys/*`: one file per resource, each with its routes and handlers.

mod api_lock;
mod audit;
mod capabilities;
pub mod ceremonies;
mod config;
mod internal;
mod locked_users;
mod mount_view;
pub(crate) mod mounts;
pub(crate) mod namespace_deletion;
mod namespaces;
pub(crate) mod openapi;
mod plugins;
mod policies;
mod quotas;
mod remount;
mod rotate;
mod status;
mod tools;
mod tuning;
mod ui;
mod wrapping;

use crate::{Kx, leases};
use engine::Table;

/// The routes of `sys/`. The first that matches wins, so those whose path takes all the rest come last.
pub fn table() -> Table<Kx> {
    let routes = [
        status::routes(),
        ceremonies::routes(),
        rotate::routes(),
        leases::routes::routes(),
        mounts::routes(),
        remount::routes(),
        ui::routes(),
        policies::routes(),
        capabilities::routes(),
        wrapping::routes(),
        tools::routes(),
        audit::routes(),
        api_lock::routes(),
        namespaces::routes(),
        quotas::routes(),
        locked_users::routes(),
        config::routes(),
        plugins::routes(),
        internal::routes(),
        openapi::routes(),
        mounts::rest_routes(),
    ];
    Table::new(routes.into_iter().flatten().collect())
}
