//! `sys/leases/*`.

use crate::Kx;
use engine::Route;

/// The routes.
pub fn routes() -> Vec<Route<Kx>> {
    Vec::new()
}
