//! `sys/leases/*`, and the older routes that renew and revoke: they go through the same checks (S13).

use super::{LeaseEntry, LeaseOf, forget, load, renew, revoke};
use crate::tokens::{self, TokenRef};
use crate::{Kx, issue, keys};
use engine::{Fault, Page, Reply, Route, Seconds, Secret};
use serde_json::{Map, Value, json};

/// Irrevocable leases listed at once unless more are asked for.
const LISTED_MAX: usize = 10_000;

/// The routes.
pub fn routes() -> Vec<Route<Kx>> {
    let renew_text = "Renew a lease.";
    let revoke_text = "Revoke a lease.";
    vec![
        Route::at("leases/lookup", "Look up a lease.").write(lookup).list(list),
        Route::at("leases/lookup/{prefix:path}", "List leases below a prefix.").sudo().list(list),
        Route::at("leases/renew", renew_text).write(renew_lease),
        Route::at("leases/renew/{url_lease_id:path}", renew_text).write(renew_lease),
        Route::at("renew", renew_text).write(renew_lease),
        Route::at("renew/{url_lease_id:path}", renew_text).write(renew_lease),
        Route::at("leases/revoke", revoke_text).write(revoke_lease),
        Route::at("leases/revoke/{url_lease_id:path}", revoke_text).write(revoke_lease),
        Route::at("revoke", revoke_text).write(revoke_lease),
        Route::at("revoke/{url_lease_id:path}", revoke_text).write(revoke_lease),
        Route::at("leases/revoke-prefix/{prefix:path}", "Revoke all leases below a prefix.")
            .sudo()
            .write(revoke_prefix),
        Route::at("revoke-prefix/{prefix:path}", "Revoke all leases below a prefix.").sudo().write(revoke_prefix),
        Route::at("leases/revoke-force/{prefix:path}", "Forget all leases below a prefix, whatever their engines say.")
            .sudo()
            .write(revoke_force),
        Route::at("revoke-force/{prefix:path}", "Forget all leases below a prefix, whatever their engines say.")
            .sudo()
            .write(revoke_force),
        Route::at("leases/tidy", "Check the indexes of leases in the background.").write(tidy),
        Route::at("leases/count", "Count leases.").read(count),
        Route::at("leases", "List irrevocable leases.").sudo().read(irrevocable),
    ]
}

engine::request! {
    /// Names a lease.
    pub struct LeaseId {
        /// Lease id.
        lease_id: String,
        /// Lease id in the path.
        url_lease_id: String,
        /// Seconds asked for.
        increment: Seconds,
        /// Whether to wait; every revocation is complete when the reply comes.
        sync: Option<bool>,
    }
}

engine::request! {
    /// Names a prefix.
    pub struct Prefix {
        /// Prefix of lease ids.
        prefix: String,
    }
}

engine::request! {
    /// Asks for irrevocable leases.
    pub struct Kind {
        /// `irrevocable`.
        r#type: String,
        /// Whether child namespaces count too.
        include_child_namespaces: bool,
        /// How many at most; `none` for all.
        limit: Value,
    }
}

fn id(request: &LeaseId) -> Result<String, Fault> {
    let id = if request.lease_id.is_empty() { &request.url_lease_id } else { &request.lease_id };
    if id.is_empty() { Err(Fault::invalid("lease_id must be specified")) } else { Ok(id.clone()) }
}

fn lookup(kx: &mut Kx, request: LeaseId) -> Result<Reply, Fault> {
    let id = id(&request)?;
    let namespace = kx.namespace_id();
    let lease = load(&mut kx.tx, &namespace, &id)?.ok_or_else(|| Fault::invalid("invalid lease"))?;
    let renewable = match &lease.of {
        LeaseOf::Token { hash } => {
            let at = TokenRef { namespace, hash: hash.clone() };
            let kernel = kx.kernel.clone();
            tokens::load(&kernel, &mut kx.tx, &at)?.is_some_and(|token| token.renewable)
        }
        LeaseOf::Secret { .. } | LeaseOf::Nothing => lease.renewable,
    };
    Ok(Reply::data(json!({
        "expire_time": lease.expires.to_rfc3339(),
        "id": lease.id,
        "issue_time": lease.issued.to_rfc3339(),
        "last_renewal": lease.renewed.map(|at| at.to_rfc3339()),
        "path": lease.path,
        "renewable": renewable,
        "ttl": kx.now.seconds_until(lease.expires),
    })))
}

fn list(kx: &mut Kx, request: Prefix) -> Result<Reply, Fault> {
    let folder = match request.prefix.as_str() {
        "" => keys::lease(&kx.namespace_id(), ""),
        prefix => keys::lease(&kx.namespace_id(), &format!("{prefix}/")),
    };
    let page = kx.page.clone();
    Ok(Reply::keys(kx.tx.list(&folder, &page)?))
}

fn renew_lease(kx: &mut Kx, request: LeaseId) -> Result<Reply, Fault> {
    let id = id(&request)?;
    let namespace = kx.namespace_id();
    let lease = load(&mut kx.tx, &namespace, &id)?.ok_or_else(|| Fault::invalid("lease not found"))?;
    if let LeaseOf::Token { hash } = &lease.of {
        let at = TokenRef { namespace, hash: hash.clone() };
        let kernel = kx.kernel.clone();
        let token = tokens::load(&kernel, &mut kx.tx, &at)?.ok_or_else(|| Fault::invalid("lease not found"))?;
        let token = tokens::renew(kx, &at, &token, request.increment.0)?;
        // The token's text is its holder's alone.
        let issued = tokens::Issued { text: Secret::new(String::new()), at: Some(at), token };
        let auth = issue::auth(kx, &issued)?;
        return Ok(Reply { auth: Some(Box::new(auth)), ..Reply::default() });
    }
    let renewed = renew(kx, &namespace, &id, request.increment.0)?;
    let duration = u64::try_from(kx.now.seconds_until(renewed.expires)).unwrap_or_default();
    kx.renewed = Some(crate::exchange::Leased { id: renewed.id, duration, renewable: renewed.renewable });
    Ok(Reply::empty())
}

fn revoke_lease(kx: &mut Kx, request: LeaseId) -> Result<Reply, Fault> {
    let id = id(&request)?;
    let namespace = kx.namespace_id();
    revoke(kx, &namespace, &id)?;
    Ok(Reply::empty())
}

fn revoke_prefix(kx: &mut Kx, request: Prefix) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    revoke_below(kx, &namespace, &format!("{}/", request.prefix), false)?;
    // A prefix may also be one lease's whole id.
    revoke(kx, &namespace, &request.prefix)?;
    Ok(Reply::empty())
}

fn revoke_force(kx: &mut Kx, request: Prefix) -> Result<Reply, Fault> {
    let namespace = kx.namespace_id();
    revoke_below(kx, &namespace, &format!("{}/", request.prefix), true)?;
    Ok(Reply::empty())
}

/// Ends every lease whose id begins with a prefix. With `force`, a lease whose engine cannot revoke it is forgotten.
pub(crate) fn revoke_below(kx: &mut Kx, namespace: &str, prefix: &str, force: bool) -> Result<(), Fault> {
    for rest in kx.tx.scan(&keys::lease(namespace, prefix), &Page::all())? {
        let id = format!("{prefix}{rest}");
        let mark = force.then(|| kx.tx.mark());
        match (revoke(kx, namespace, &id), mark) {
            (Ok(()), _) => {}
            (Err(fault @ (Fault::Store(_) | Fault::Outside(_))), _) | (Err(fault), None) => return Err(fault),
            (Err(_), Some(mark)) => {
                kx.tx.rollback(mark);
                forget(&mut kx.tx, namespace, &id)?;
            }
        }
    }
    Ok(())
}

/// Leases are written and removed together with their indexes, so nothing is ever left to tidy; clients that ask get
/// the answer they know.
fn tidy(_kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let started =
        "Tidy operation successfully started. Any information from the operation will be printed to the server logs.";
    Ok(Reply::empty().warn(started).status(202))
}

fn given_up(kx: &mut Kx, request: &Kind) -> Result<Option<Vec<LeaseEntry>>, Fault> {
    if request.r#type != "irrevocable" {
        return Ok(None);
    }
    let folder = keys::lease(&kx.namespace_id(), "");
    let mut found = Vec::new();
    for id in kx.tx.scan(&folder, &Page::all())? {
        found.extend(kx.tx.load::<LeaseEntry>(&format!("{folder}{id}"))?.filter(|lease| lease.irrevocable.is_some()));
    }
    Ok(Some(found))
}

fn count(kx: &mut Kx, request: Kind) -> Result<Reply, Fault> {
    let Some(leases) = given_up(kx, &request)? else { return Ok(Reply::empty()) };
    let mut counts: Map<String, Value> = Map::new();
    for lease in &leases {
        let mount = lease.path.split('/').next().unwrap_or_default().to_owned();
        let slot = counts.entry(format!("{mount}/")).or_insert(json!(0));
        *slot = json!(slot.as_u64().unwrap_or_default() + 1);
    }
    Ok(Reply::data(json!({ "counts": counts, "lease_count": leases.len() })))
}

fn irrevocable(kx: &mut Kx, request: Kind) -> Result<Reply, Fault> {
    let Some(leases) = given_up(kx, &request)? else { return Ok(Reply::empty()) };
    let shown: Vec<Value> = leases
        .iter()
        .take(LISTED_MAX)
        .map(|lease| json!({ "lease_id": lease.id, "error": lease.irrevocable }))
        .collect();
    Ok(Reply::data(json!({ "lease_count": leases.len(), "leases": shown })))
}
