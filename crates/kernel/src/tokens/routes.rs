//! `auth/token/*`.

use crate::Kx;
use engine::Table;

/// The routes of `auth/token/`.
pub fn table() -> Table<Kx> {
    Table::new(Vec::new())
}
