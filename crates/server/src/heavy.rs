//! Which requests cost CPU by design (password hashing): looked up in the route table, before the request runs.

use crate::shell::Unsealed;
use engine::{Lookup, Operation, Request};
use kernel::mounts::BuiltIn;

/// Where keys are made that sign identity tokens.
const IDENTITY_TOKENS: &str = "identity/oidc/";

/// Last segments of routes that engines may mark heavy; everything else is light without a look-up.
fn may_be_heavy(path: &str) -> bool {
    path.contains("auth/") && (path.contains("/login") || path.contains("/users/")) || path.contains(IDENTITY_TOKENS)
}

/// Whether a request has to wait for its turn on the threads for heavy work.
pub fn is_heavy(unsealed: &Unsealed, request: &Request) -> bool {
    if request.operation != Operation::Update || !may_be_heavy(request.path.as_str()) {
        return false;
    }
    let path = request.path.as_str();
    if let Some(at) = path.find(IDENTITY_TOKENS) {
        let below = path.get(at + "identity/".len()..).unwrap_or_default();
        let found = unsealed.kernel.table(BuiltIn::Identity).lookup(below, request.operation);
        return matches!(found, Lookup::Found(found) if found.route.flags.heavy);
    }
    // The mount's own path is not resolved here: any login method that has such a route decides.
    let Some((_, below)) = request.path.as_str().split_once("auth/") else { return false };
    let tails = below.match_indices('/').filter_map(|(at, _)| below.get(at + 1..));
    let tails: Vec<&str> = tails.collect();
    unsealed.kernel.engines().filter(|engine| engine.class() == engine::Class::Auth).any(|engine| {
        let table = engine.table(&engine::Options::new());
        tails.iter().any(
            |tail| matches!(table.lookup(tail, request.operation), Lookup::Found(found) if found.route.flags.heavy),
        )
    })
}
