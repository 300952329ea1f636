//! The `jwt` login method, which `oidc` is another name of: people and machines log in with a JSON Web Token (RFC 7519)
//! that somebody trusted has signed, or by way of the login page of an OpenID Connect provider.
//!
//! Paths: `config`; `role/<name>` (create, update, read, delete; LIST `role/`); and, without a token, `login` (a token is
//! shown), `oidc/auth_url`, `oidc/callback` and `oidc/poll` (`flow`). Storage keys: `config`; `role/<name>`; `keys`, the
//! fetched keys that signatures are verified by (`keys`); `discovery`, the provider's own description (`provider`);
//! `flow/<hash of its state>` and `due/<time>/<hash>`, the logins under way. Names of roles are [`engine::Name`]s.
//!
//! Nothing is remembered but what is stored: keys and description are fetched again when they are old, and when a
//! token names a key that is not among them, that at most every [`keys::REFETCH_SECONDS_MIN`] seconds.

mod claims;
mod config;
mod flow;
mod flows;
mod id_token;
mod jws;
mod keys;
mod login;
mod pages;
mod provider;
mod role;
mod roles;
mod template;
#[cfg(test)]
mod tests;
mod validation;
mod wire;

use engine::{Class, Cx, Engine, Fault, LoginRecord, Options, Route, Table, TokenParams};
use std::sync::Arc;

/// The login method under both of its names.
pub fn engines() -> Vec<Arc<dyn Engine>> {
    vec![Arc::new(engine("jwt")), Arc::new(engine("oidc"))]
}

fn engine(kind: &'static str) -> Jwt {
    Jwt { kind, table: table() }
}

struct Jwt {
    kind: &'static str,
    table: Table<Cx>,
}

impl Engine for Jwt {
    fn kind(&self) -> &'static str {
        self.kind
    }

    fn class(&self) -> Class {
        Class::Auth
    }

    fn summary(&self) -> &'static str {
        "Log in with a JSON Web Token or by OpenID Connect"
    }

    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.table
    }

    fn renew_login(&self, cx: &mut Cx, record: &LoginRecord) -> Result<TokenParams, Fault> {
        login::renew(cx, record)
    }

    fn tidy(&self, cx: &mut Cx, limit: usize) -> Result<usize, Fault> {
        flow::Flow::tidy(cx, limit)
    }
}

fn table() -> Table<Cx> {
    Table::new(vec![
        Route::at("config", "Whom to trust, and how to reach them.").read(config::read).write(config::write),
        Route::at("role", "List the roles.").list(roles::list),
        Route::at("role/{name}", "Register a role.")
            .create_or_update(roles::exists, roles::write)
            .read(roles::read)
            .delete(roles::delete),
        // No lockout: a token that does not verify is nobody's failure.
        Route::at("login", "Log in with a JSON Web Token.").login(|_| None).write(login::login),
        Route::at("oidc/auth_url", "Begin a login at the provider.").unauthenticated().write(flows::begin),
        Route::at("oidc/callback", "Where the provider sends the browser to.")
            .login(|_| None)
            .read(flows::callback)
            .write(flows::callback),
        Route::at("oidc/poll", "Ask whether a login has been completed.").login(|_| None).write(flows::poll),
    ])
}
