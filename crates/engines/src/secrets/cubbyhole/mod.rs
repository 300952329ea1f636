//! The cubbyhole: private storage of each service token, which ends with the token.
//!
//! | path | operations |
//! |---|---|
//! | `{path}` | create, update, read, delete, list |
//!
//! Storage: `{id}/{path}` holds the request's body as it was sent, where `id` is the token's own private name
//! ([`engine::Caller::cubbyhole`]) and not the token. No request can name another's: the id is never taken from the
//! path. Batch tokens have no id and are refused.

mod secret;
mod wire;

#[cfg(test)]
mod tests;

use engine::{Class, Cx, Engine, Fault, Options, Route, Table};

/// The engine.
pub fn engine() -> impl Engine {
    Cubbyhole {
        table: Table::new(vec![
            Route::at("{path:any}", "Keeps and gives back an arbitrary JSON object, for this token alone.")
                .read(secret::read)
                .create_or_update(secret::exists, secret::write)
                .delete(secret::delete)
                .list(secret::list),
        ]),
    }
}

struct Cubbyhole {
    table: Table<Cx>,
}

impl Engine for Cubbyhole {
    fn kind(&self) -> &'static str {
        "cubbyhole"
    }

    fn class(&self) -> Class {
        Class::Secret
    }

    fn summary(&self) -> &'static str {
        "keeps secrets for one token, as long as that token lives"
    }

    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.table
    }

    fn token_ended(&self, cx: &mut Cx, cubbyhole: &str) -> Result<(), Fault> {
        cx.tx.delete_all(&format!("{cubbyhole}/"))?;
        Ok(())
    }
}
