//! `auth/token/*`.

use super::{lookup, make, renew, revocation, roles};
use crate::Kx;
use engine::{Route, Table};

/// The routes of `auth/token/`.
pub fn table() -> Table<Kx> {
    Table::new(vec![
        Route::at("roles", "List token roles.").list(roles::list),
        Route::at("roles/{role_name}", "Manage a token role.")
            .read(roles::read)
            .create_or_update(roles::exists, roles::write)
            .delete(roles::delete),
        Route::at("accessors", "List the accessors of all service tokens.").sudo().list(lookup::accessors),
        Route::at("create-orphan", "Create a token without a parent.").write(make::create_orphan),
        Route::at("create", "Create a token.").write(make::create),
        Route::at("create/{role_name}", "Create a token by a role.").write(make::create_by_role),
        Route::at("lookup", "Look up a token.").read(lookup::by_text).write(lookup::by_text),
        Route::at("lookup-accessor", "Look up a token by its accessor.").write(lookup::by_accessor),
        Route::at("lookup-self", "Look up the token of the request.").read(lookup::own).write(lookup::own),
        Route::at("revoke-accessor", "Revoke a token by its accessor.").write(revocation::by_accessor),
        Route::at("revoke-self", "Revoke the token of the request.").write(revocation::own),
        Route::at("revoke", "Revoke a token and all below it.").write(revocation::by_text),
        Route::at("revoke-orphan", "Revoke a token; those below it become orphans.")
            .write(revocation::leaving_children),
        Route::at("renew-accessor", "Renew a token by its accessor.").write(renew::by_accessor),
        Route::at("renew-self", "Renew the token of the request.").write(renew::own),
        Route::at("renew", "Renew a token.").write(renew::by_text),
        Route::at("tidy", "Check the indexes of tokens in the background.").write(tidy),
    ])
}

/// Tokens are written and removed together with all their indexes, so nothing is ever left to tidy; clients that ask
/// get the answer they know.
fn tidy(_kx: &mut Kx, (): ()) -> Result<engine::Reply, engine::Fault> {
    let started =
        "Tidy operation successfully started. Any information from the operation will be printed to the server logs.";
    Ok(engine::Reply::empty().warn(started).status(202))
}
