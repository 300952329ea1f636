//! The `totp` secrets engine: makes keys for authenticators and checks their codes, or is an authenticator itself.
//!
//! Paths: `keys/<name>` (create, read, delete; LIST `keys/`) and `code/<name>` (read the code of now, write one to have
//! it checked). Storage keys: `key/<name>`, and `used/<name>` for the codes that were accepted lately: a code is accepted
//! once (security row S62). A key leaves only in the reply that makes it.
//!
//! Limits: `KEY_BYTES_MAX` for a key, `QR_SIZE_MAX` for the image of a new key, `TEXT_BYTES_MAX` for names in it.

mod address;
mod codes;
mod image;
mod key;
mod keys;
#[cfg(test)]
mod tests;
mod wire;

use engine::{Class, Cx, Engine, Options, Route, Table};

/// The secrets engine.
pub fn engine() -> impl Engine {
    Totp { table: table() }
}

struct Totp {
    table: Table<Cx>,
}

impl Engine for Totp {
    fn kind(&self) -> &'static str {
        "totp"
    }

    fn class(&self) -> Class {
        Class::Secret
    }

    fn summary(&self) -> &'static str {
        "One-time passwords by time"
    }

    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.table
    }
}

fn table() -> Table<Cx> {
    Table::new(vec![
        Route::at("keys", "List the keys.").list(keys::list),
        Route::at("keys/{name}", "Manage the keys.").write(keys::write).read(keys::read).delete(keys::delete),
        Route::at("code/{name}", "Make a code, or check one.").write(codes::check).read(codes::make),
    ])
}
