//! The `kubernetes` login method: workloads log in with the token of their service account, which the cluster's API
//! reviews (TokenReview, `authentication.k8s.io/v1`).
//!
//! Paths: `config` (update, read), `role/<name>` (create, update, read, delete; LIST `role/`) and, without a token,
//! `login`. Storage keys: `config`, `role/<name>`. Names of roles are [`engine::Name`]s, with one spelling each; logins
//! fold capitals.
//!
//! What is checked, in this order: the role, the shape of the JWT, its dates, issuer and audience, the bound names and
//! namespaces, its signature where `pem_keys` are configured; then the cluster is asked, and its answer has to name the
//! same service account. Only then anything else is asked there: labels of the namespace for a selector, annotations of
//! the service account for the alias. A renewal is the same check of the same JWT (security row S70): it ends with the
//! pod, the service account, or the JWT's own end.
//!
//! Limits: a JWT has at most [`claims::JWT_BYTES_MAX`] bytes, a list of a role [`roles::BOUND_MAX`] entries.

mod claims;
mod cluster;
mod config;
mod login;
mod record;
mod roles;
mod selector;
#[cfg(test)]
mod tests;
mod wire;

use engine::{Class, Cx, Engine, Fault, LoginRecord, Options, Route, Table, TokenParams};

/// The login method.
pub fn engine() -> impl Engine {
    Kubernetes { table: table() }
}

struct Kubernetes {
    table: Table<Cx>,
}

impl Engine for Kubernetes {
    fn kind(&self) -> &'static str {
        "kubernetes"
    }

    fn class(&self) -> Class {
        Class::Auth
    }

    fn summary(&self) -> &'static str {
        "Log in with the token of a Kubernetes service account"
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
        Route::at("config", "The cluster whose service accounts log in.").write(config::write).read(config::read),
        // The alias is known when the cluster has answered; failures are not counted by it.
        Route::at("login", "Log in with the token of a service account.").login(|_| None).write(login::login),
        Route::at("role", "List the roles.").list(roles::list),
        Route::at("role/{name}", "Register a role.")
            .create_or_update(roles::exists, roles::write)
            .read(roles::read)
            .delete(roles::delete),
    ])
}
