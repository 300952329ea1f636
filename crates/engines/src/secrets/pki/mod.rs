//! The `pki` engine: certificate authorities that issue, sign and revoke X.509 certificates (RFC 5280).
//!
//! A mount holds any number of issuers (certificates of authorities) and keys, of which one each is the default. Paths:
//! `root/…`, `intermediate/…`, `issuers/…`, `issuer/<ref>/…`, `keys/…`, `key/<ref>`, `roles/<name>`, `issue/<role>`,
//! `sign/<role>`, `sign-verbatim`, `revoke`, `revoke-with-key`, `certs/…`, `cert/<serial>`, `ca`, `ca_chain`, `crl`,
//! `ocsp`, `config/…`, `tidy…`. Storage keys: `issuer/<id>`, `key/<id>`, `role/<name>`, `certs/<serial>`,
//! `revoked/<serial>`, `crl/<issuer id>`, `delta/<issuer id>`, `config/…`, `state/…`. Private keys lie in `key/` alone.
//!
//! Names that a role allows are decided in one place (`names`), whether they came as a field, as the common name or in a
//! request's extensions (security rows S84, S85).

mod answers;
mod block;
mod config;
mod crl;
mod fetch;
mod import;
mod intermediate;
mod issue;
mod issuer;
mod issuers;
mod key;
mod keys;
mod material;
mod names;
mod ocsp;
mod profile;
mod revoke;
mod role;
mod role_check;
mod roles;
mod root;
mod sign;
#[cfg(test)]
mod tests;
mod tidy;
mod tidy_plan;
mod validity;
mod wire;
mod wire_role;

use engine::{Class, Cx, Engine, Fault, LeaseRecord, Options, Route, Table};

/// Issuers of one mount.
const ISSUERS_MAX: usize = 1000;
/// Keys of one mount.
const KEYS_MAX: usize = 1000;

/// The engine.
pub fn engine() -> impl Engine {
    Pki { table: Table::new(routes()) }
}

struct Pki {
    table: Table<Cx>,
}

impl Engine for Pki {
    fn kind(&self) -> &'static str {
        "pki"
    }

    fn class(&self) -> Class {
        Class::Secret
    }

    fn summary(&self) -> &'static str {
        "issues, signs and revokes X.509 certificates"
    }

    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.table
    }

    fn revoke(&self, cx: &mut Cx, lease: &LeaseRecord) -> Result<(), Fault> {
        revoke::lease(cx, lease)
    }

    fn tidy(&self, cx: &mut Cx, limit: usize) -> Result<usize, Fault> {
        crl::refresh(cx)?;
        tidy::step(cx, limit)
    }
}

fn routes() -> Vec<Route<Cx>> {
    let mut routes = fetch::routes();
    routes.extend(root::routes());
    routes.extend(intermediate::routes());
    routes.extend(import::routes());
    routes.extend(issuers::routes());
    routes.extend(keys::routes());
    routes.extend(roles::routes());
    routes.extend(issue::routes());
    routes.extend(sign::routes());
    routes.extend(revoke::routes());
    routes.extend(config::routes());
    routes.extend(tidy::routes());
    routes.extend(ocsp::routes());
    routes
}
