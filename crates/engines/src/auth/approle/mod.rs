//! The `approle` login method: machines log in with a role-id and, unless the role says otherwise, a secret-id.
//!
//! Paths: `role/<name>` (create, update, read, delete; LIST `role/`), one path per field of a role below it (`fields`),
//! `role/<name>/role-id`, `role/<name>/secret-id` and its kin (`secret_ids`), `tidy/secret-id` and, without a token,
//! `login`. Storage keys: `salt`, `role/<name>`, `role_id/<hash>`, `secret_id/<name>/<hash>`, `accessor/<name>/<accessor>`,
//! `expiry/<time>/<name>/<hash>`. Hashes are keyed with the mount's salt; a secret-id is stored nowhere. Names of roles
//! are [`engine::Name`]s, with one spelling each.

mod answers;
mod fields;
mod login;
mod role;
mod roles;
mod salt;
mod secret_id;
mod secret_ids;
#[cfg(test)]
mod tests;
mod wire;

use engine::{Class, Cx, Engine, Fault, LoginRecord, Options, Route, Table, TokenParams};

/// The login method.
pub fn engine() -> impl Engine {
    Approle { table: table() }
}

struct Approle {
    table: Table<Cx>,
}

impl Engine for Approle {
    fn kind(&self) -> &'static str {
        "approle"
    }

    fn class(&self) -> Class {
        Class::Auth
    }

    fn summary(&self) -> &'static str {
        "Log in with a role-id and a secret-id"
    }

    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.table
    }

    fn mounted(&self, cx: &mut Cx) -> Result<(), Fault> {
        salt::Salt::create(cx)
    }

    fn renew_login(&self, cx: &mut Cx, record: &LoginRecord) -> Result<TokenParams, Fault> {
        login::renew(cx, record)
    }

    fn tidy(&self, cx: &mut Cx, limit: usize) -> Result<usize, Fault> {
        secret_id::SecretId::tidy(cx, limit)
    }
}

fn table() -> Table<Cx> {
    let mut routes = vec![
        Route::at("login", "Log in with a role-id and a secret-id.").login(login::alias).write(login::login),
        Route::at("role", "List the roles.").list(roles::list),
        Route::at("role/{role_name}", "Register a role.")
            .create_or_update(roles::exists, roles::write)
            .read(roles::read)
            .delete(roles::delete),
        Route::at("role/{role_name}/role-id", "The role-id of the role.")
            .read(roles::read_role_id)
            .write(roles::write_role_id),
        Route::at("role/{role_name}/local-secret-ids", "Whether secret-ids are local to the cluster.")
            .read(roles::read_local_secret_ids),
    ];
    routes.extend(fields::routes());
    routes.extend([
        Route::at("role/{role_name}/secret-id", "Generate a secret-id, or list the accessors of all.")
            .write(secret_ids::generate)
            .list(secret_ids::list),
        Route::at("role/{role_name}/custom-secret-id", "Assign a secret-id of choice.").write(secret_ids::custom),
        Route::at("role/{role_name}/secret-id/lookup", "Read the properties of a secret-id.").write(secret_ids::lookup),
        Route::at("role/{role_name}/secret-id/destroy", "Invalidate a secret-id.")
            .write(secret_ids::destroy)
            .delete(secret_ids::destroy),
        Route::at("role/{role_name}/secret-id-accessor/lookup", "Read the properties of a secret-id, by accessor.")
            .write(secret_ids::lookup_accessor),
        Route::at("role/{role_name}/secret-id-accessor/destroy", "Invalidate a secret-id, by accessor.")
            .write(secret_ids::destroy_accessor)
            .delete(secret_ids::destroy_accessor),
        Route::at("tidy/secret-id", "Clean up expired secret-ids.").write(secret_ids::tidy),
    ]);
    Table::new(routes)
}
