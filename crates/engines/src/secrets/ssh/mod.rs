//! The `ssh` secrets engine: signs SSH keys as a certificate authority, and gives out one-time passwords for hosts.
//!
//! Paths: `config/ca`, `config/issuers`, `issuers`, `issuers/import[/<name>]`, `issuer/<ref>[/public_key]`, `public_key`
//! (authorities); `roles/<name>`, `sign/<role>`, `issue/<role>` (certificates); `creds/<role>`, `verify`, `lookup`,
//! `config/zeroaddress` (one-time passwords); `tidy/dynamic-keys`. Without a token: the public keys and `verify`. Storage
//! keys: `issuer/<id>`, `config/issuers`, `role/<name>`, `zeroaddress`, `otp/<hash>`. A one-time password itself is
//! stored nowhere.
//!
//! Limits: `ISSUERS_MAX` issuers, `OPTIONS_MAX` principals, options or extensions of one certificate, `BLOCKS_MAX` blocks
//! in a list of addresses, `ROLES_MAX` roles that a look-up goes through.

mod authority;
mod issuer;
mod issuers;
mod names;
mod otp;
mod role;
mod roles;
mod sign;
#[cfg(test)]
mod tests;
mod wire;

use engine::{Class, Cx, Engine, Fault, LeaseRecord, Options, Route, Table};

/// The secrets engine.
pub fn engine() -> impl Engine {
    Ssh { table: table() }
}

struct Ssh {
    table: Table<Cx>,
}

impl Engine for Ssh {
    fn kind(&self) -> &'static str {
        "ssh"
    }

    fn class(&self) -> Class {
        Class::Secret
    }

    fn summary(&self) -> &'static str {
        "SSH certificates and one-time passwords"
    }

    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.table
    }

    fn revoke(&self, cx: &mut Cx, lease: &LeaseRecord) -> Result<(), Fault> {
        otp::revoke(cx, lease);
        Ok(())
    }
}

fn table() -> Table<Cx> {
    let mut routes = authorities();
    routes.extend([
        Route::at("roles", "List the roles.").list(roles::list),
        Route::at("roles/{role}", "Manage the roles.").write(roles::write).read(roles::read).delete(roles::delete),
        Route::at("sign/{role}", "Sign a public key.").write(sign::sign),
        Route::at("issue/{role}", "Make a key and sign it.").heavy().write(sign::issue),
        Route::at("creds/{role}", "Create a one-time password for a host.").write(otp::create),
        Route::at("verify", "Tell a host whom a one-time password is for, once.").unauthenticated().write(otp::verify),
        Route::at("lookup", "List the roles that serve an address.").write(otp::lookup),
        Route::at("config/zeroaddress", "The roles that serve every address.")
            .write(roles::write_zero_address)
            .read(roles::read_zero_address)
            .delete(roles::delete_zero_address),
        Route::at("tidy/dynamic-keys", "Remove what is left of dynamic keys, which were never here.")
            .delete(roles::tidy_dynamic_keys),
    ]);
    Table::new(routes)
}

fn authorities() -> Vec<Route<Cx>> {
    vec![
        Route::at("config/ca", "The default authority.")
            .heavy()
            .write(issuers::write_default)
            .read(issuers::read_default)
            .delete(issuers::delete_all),
        Route::at("config/issuers", "Which authority is the default.")
            .write(issuers::write_config)
            .read(issuers::read_config),
        Route::at("issuers", "List the authorities.").list(issuers::list),
        Route::at("issuers/import", "Add an authority.").heavy().write(issuers::import),
        Route::at("issuers/import/{issuer_name}", "Add an authority under a name.").heavy().write(issuers::import),
        Route::at("issuer/{issuer_ref}", "Manage an authority.")
            .write(issuers::rename)
            .read(issuers::read)
            .delete(issuers::delete),
        Route::at("issuer/{issuer_ref}/public_key", "The public key of an authority.")
            .unauthenticated()
            .read(issuers::public_key),
        Route::at("public_key", "The public key of the default authority.")
            .unauthenticated()
            .read(issuers::default_public_key),
    ]
}
