//! Version 1: one value per path.
//!
//! | path | operations |
//! |---|---|
//! | `{path}` | create, update, read, delete, list, scan |
//!
//! Storage: `secret/{path}` holds the request's body as it was sent, numbers to their last digit. A folder (a path with
//! a slash at its end) can be listed and nothing else; a read of `a/` is not a read of `a`, since policies tell them
//! apart.

mod secret;
mod wire;

#[cfg(test)]
mod tests;

use engine::{Cx, Operation, Route, Table};

pub(super) use secret::{FOLDER, KIND};

/// The routes.
pub(super) fn table() -> Table<Cx> {
    Table::new(vec![
        Route::at("{path:any}", "Keeps and gives back an arbitrary JSON object.")
            .read(secret::read)
            .create_or_update(secret::exists, secret::write)
            .delete(secret::delete)
            .list(secret::list)
            .on(Operation::Scan, secret::scan),
    ])
}
