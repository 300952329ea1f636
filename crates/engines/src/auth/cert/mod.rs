//! The `cert` login method: clients log in with the certificate that they showed when the TLS connection was made.
//!
//! Paths: `certs/<name>` (create, update, read, delete; LIST `certs/`), `crls/<name>` (the same), `config` and, without
//! a token, `login`. Storage keys: `cert/<name>`, `crl/<name>`, `config`. A role trusts the certificates it holds: those
//! that may issue vouch for what they issued, any other for itself alone, byte for byte. Names are [`engine::Name`]s.
//!
//! Limits: `CERTIFICATES_MAX` certificates in a role, `CONSTRAINTS_MAX` entries in each list of a role, `ROLES_MAX`
//! roles that a login without a name tries, `SERIALS_MAX` serial numbers in a revocation list, `LISTS_MAX` lists.

mod config;
mod constraints;
mod login;
mod revocation;
mod role;
mod roles;
#[cfg(test)]
mod tests;
mod wire;

use engine::{Class, Cx, Engine, Fault, LoginRecord, Options, Route, Table, TokenParams};

/// The login method.
pub fn engine() -> impl Engine {
    Cert { table: table() }
}

struct Cert {
    table: Table<Cx>,
}

impl Engine for Cert {
    fn kind(&self) -> &'static str {
        "cert"
    }

    fn class(&self) -> Class {
        Class::Auth
    }

    fn summary(&self) -> &'static str {
        "Log in with a TLS client certificate"
    }

    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.table
    }

    fn renew_login(&self, cx: &mut Cx, record: &LoginRecord) -> Result<TokenParams, Fault> {
        login::renew(cx, record)
    }
}

fn table() -> Table<Cx> {
    Table::new(vec![
        Route::at("login", "Log in with the certificate of the TLS connection.").login(|_| None).write(login::login),
        Route::at("certs", "List the roles.").list(roles::list),
        Route::at("certs/{name}", "Manage trusted certificates used for authentication.")
            .write(roles::write)
            .read(roles::read)
            .delete(roles::delete),
        Route::at("crls", "List the revocation lists.").list(revocation::list),
        Route::at("crls/{name}", "Manage certificate revocation lists.")
            .write(revocation::write)
            .read(revocation::read)
            .delete(revocation::delete),
        Route::at("config", "Settings of the whole method.").write(config::write).read(config::read),
    ])
}
