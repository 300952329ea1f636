//! `sys/quotas`: limits of requests and of leases.

use super::namespaces::tree;
use crate::Kx;
use crate::mounts::MountTable;
use crate::quotas::{self, CONFIG, LEASE_COUNT, LeaseCount, QuotaConfig, RATE_LIMIT, RateLimit, Scope};
use engine::{CommaList, Fault, Reply, Route, Seconds};
use serde_json::{Value, json};

/// Quotas of one kind: each costs a little of every request or lease.
const QUOTAS_MAX: usize = 1_000;
/// Largest limit of leases: they are counted one by one.
const LEASES_MAX: i64 = 1_000_000;
/// Longest interval in seconds.
const INTERVAL_MAX: i64 = 86_400 * 366;
/// Bytes of a name.
const NAME_BYTES_MAX: usize = 128;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let routes = vec![
        Route::at("quotas/config", "Configuration of rate limits.").read(read_config).write(write_config),
        Route::at("quotas/rate-limit", "List rate limits.").list(|kx: &mut Kx, (): ()| list(kx, RATE_LIMIT)),
        Route::at("quotas/rate-limit/{name}", "Limit the requests of each client.")
            .read(read_rate_limit)
            .write(write_rate_limit)
            .delete(|kx: &mut Kx, request: Name| delete(kx, RATE_LIMIT, &request.name)),
        Route::at("quotas/lease-count", "List limits of leases.").list(|kx: &mut Kx, (): ()| list(kx, LEASE_COUNT)),
        Route::at("quotas/lease-count/{name}", "Limit the leases that may be live.")
            .read(read_lease_count)
            .write(write_lease_count)
            .delete(|kx: &mut Kx, request: Name| delete(kx, LEASE_COUNT, &request.name)),
    ];
    routes.into_iter().map(Route::root_namespace_only).collect()
}

engine::request! {
    /// Names a quota.
    pub struct Name {
        /// Name.
        name: String,
    }
}

engine::request! {
    /// What a quota applies to.
    pub struct Target {
        /// Name.
        name: String,
        /// Namespace, mount or path below one; empty for everything.
        path: String,
        /// Role of a login method. Quotas of roles are not supported: a limit is decided before the body is parsed.
        role: String,
        /// Whether a namespace's quota holds in those below it.
        inheritable: Option<bool>,
    }
}

engine::request! {
    /// Sets a rate limit.
    pub struct WriteRateLimit {
        /// Requests per interval; above 0.
        rate: Value,
        /// Seconds; 1 if absent.
        interval: Option<Seconds>,
        /// Seconds that a client over the limit is refused.
        block_interval: Option<Seconds>,
    }
}

engine::request! {
    /// Sets a limit of leases.
    pub struct WriteLeaseCount {
        /// Live leases at most; above 0.
        max_leases: i64,
    }
}

engine::request! {
    /// Configures rate limits.
    pub struct WriteConfig {
        /// Whether refused requests are audited.
        enable_rate_limit_audit_logging: bool,
        /// Whether responses tell what is left.
        enable_rate_limit_response_headers: bool,
        /// Paths that no limit applies to.
        rate_limit_exempt_paths: Option<CommaList>,
    }
}

fn key(kind: &str, name: &str) -> String {
    format!("{}{name}", quotas::folder(kind))
}

fn list(kx: &mut Kx, kind: &str) -> Result<Reply, Fault> {
    let page = kx.page.clone();
    Ok(Reply::keys(kx.tx.list(&quotas::folder(kind), &page)?))
}

fn delete(kx: &mut Kx, kind: &str, name: &str) -> Result<Reply, Fault> {
    kx.tx.delete(&key(kind, name));
    Ok(Reply::empty())
}

fn read_rate_limit(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let Some(limit) = kx.tx.load::<RateLimit>(&key(RATE_LIMIT, &request.name))? else { return Ok(Reply::empty()) };
    Ok(Reply::data(json!({
        "type": RATE_LIMIT,
        "name": limit.name,
        "path": limit.scope.path,
        "role": "",
        "rate": whole(limit.rate),
        "interval": limit.interval,
        "block_interval": limit.block_interval,
        "inheritable": limit.scope.inheritable,
    })))
}

/// A rate without a fraction is shown as the integer it was given as.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within bounds")]
fn whole(rate: f64) -> Value {
    if rate.fract() == 0.0 && rate.abs() < 1e15 { json!(rate as i64) } else { json!(rate) }
}

fn write_rate_limit(kx: &mut Kx, (target, request): (Target, WriteRateLimit)) -> Result<Reply, Fault> {
    let rate = match &request.rate {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    let rate =
        rate.filter(|rate| rate.is_finite() && *rate > 0.0).ok_or_else(|| Fault::invalid("'rate' is invalid"))?;
    let interval = seconds(request.interval, "interval", 1)?.max(1);
    let block_interval = seconds(request.block_interval, "block_interval", 0)?;
    let known: Vec<RateLimit> = quotas::all(&mut kx.tx, RATE_LIMIT)?;
    let scope = scope(kx, &target, known.iter().map(|limit| (limit.name.as_str(), &limit.scope)))?;
    let limit = RateLimit { name: target.name, scope, rate, interval, block_interval };
    kx.tx.save(&key(RATE_LIMIT, &limit.name), &limit)?;
    Ok(Reply::empty())
}

fn seconds(sent: Option<Seconds>, field: &str, default: i64) -> Result<i64, Fault> {
    let Seconds(seconds) = sent.unwrap_or(Seconds(default));
    match seconds {
        0..=INTERVAL_MAX => Ok(seconds),
        _ => {
            let message = format!("error converting input for field {field:?}: value is out of range");
            Err(Fault::invalid(format!("Field validation failed: {message}")))
        }
    }
}

fn read_lease_count(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let Some(limit) = kx.tx.load::<LeaseCount>(&key(LEASE_COUNT, &request.name))? else { return Ok(Reply::empty()) };
    let tree = tree(kx)?;
    let counter = quotas::live(kx, &tree, &limit, usize::try_from(limit.max_leases).unwrap_or_default())?;
    Ok(Reply::data(json!({
        "type": LEASE_COUNT,
        "name": limit.name,
        "path": limit.scope.path,
        "role": "",
        "max_leases": limit.max_leases,
        "counter": counter,
        "inheritable": limit.scope.inheritable,
    })))
}

fn write_lease_count(kx: &mut Kx, (target, request): (Target, WriteLeaseCount)) -> Result<Reply, Fault> {
    if !(1..=LEASES_MAX).contains(&request.max_leases) {
        return Err(Fault::invalid("'max_leases' is invalid"));
    }
    let known: Vec<LeaseCount> = quotas::all(&mut kx.tx, LEASE_COUNT)?;
    let scope = scope(kx, &target, known.iter().map(|limit| (limit.name.as_str(), &limit.scope)))?;
    let limit = LeaseCount { name: target.name, scope, max_leases: request.max_leases };
    kx.tx.save(&key(LEASE_COUNT, &limit.name), &limit)?;
    Ok(Reply::empty())
}

/// What a quota applies to, in the one spelling it is kept in, if there is such a thing and no other quota for it.
fn scope<'a>(kx: &mut Kx, target: &Target, known: impl Iterator<Item = (&'a str, &'a Scope)>) -> Result<Scope, Fault> {
    let path = target.path.trim_start_matches('/');
    if target.name.len() > NAME_BYTES_MAX {
        return Err(Fault::invalid("quota name is too long"));
    }
    if !target.role.is_empty() {
        return Err(Fault::invalid(format!("Mount path {path:?} does not support use with role-based quotas")));
    }
    let kernel = kx.kernel.clone();
    let tree = tree(kx)?;
    let (namespace, rest) = tree.resolve(None, &format!("{}/", path.trim_end_matches('/')))?;
    let rest = rest.trim_start_matches('/');
    let whole_namespace = rest.is_empty();
    let mounts = MountTable::load(&kernel.memo, &mut kx.cx.tx, &namespace.id)?;
    if !whole_namespace && mounts.resolve(rest).is_none() {
        return Err(Fault::invalid(format!("invalid mount path {path:?}")));
    }
    let path = match mounts.at(rest) {
        Some(mount) => format!("{}{}", namespace.path, mount.path),
        None if whole_namespace => namespace.path.clone(),
        None => path.to_owned(),
    };
    let inheritable = target.inheritable.unwrap_or(path.is_empty());
    if inheritable && !whole_namespace {
        return Err(Fault::invalid("only namespace quotas can be configured as inheritable"));
    }
    let mut others = 0;
    for (name, scope) in known.filter(|(name, _)| *name != target.name) {
        others += 1;
        if scope.path == path {
            return Err(Fault::invalid(format!("quota rule with similar properties exists under the name {name:?}")));
        }
    }
    if others >= QUOTAS_MAX {
        return Err(Fault::invalid("too many quotas"));
    }
    Ok(Scope { path, inheritable })
}

fn read_config(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let config: QuotaConfig = kx.tx.load(CONFIG)?.unwrap_or_default();
    Ok(Reply::data(json!({
        "enable_rate_limit_audit_logging": config.audit_refused,
        "enable_rate_limit_response_headers": config.response_headers,
        "rate_limit_exempt_paths": config.exempt_paths,
    })))
}

fn write_config(kx: &mut Kx, request: WriteConfig) -> Result<Reply, Fault> {
    let known: QuotaConfig = kx.tx.load(CONFIG)?.unwrap_or_default();
    let exempt_paths = request.rate_limit_exempt_paths.map_or(known.exempt_paths, |CommaList(paths)| paths);
    if exempt_paths.len() > QUOTAS_MAX {
        return Err(Fault::invalid("too many exempt paths"));
    }
    let config = QuotaConfig {
        audit_refused: request.enable_rate_limit_audit_logging,
        response_headers: request.enable_rate_limit_response_headers,
        exempt_paths,
    };
    kx.tx.save(CONFIG, &config)?;
    Ok(Reply::empty())
}
