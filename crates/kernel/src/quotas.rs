//! Quotas: how many requests a client may make, and how many leases may be live. Rate limits are decided by the shell
//! before anything of a request is parsed (S42); this is what it asks. Lease counts are decided where leases are made.

use crate::namespaces::{Namespace, NamespaceTree, canonical_path};
use crate::{Kx, Memo, keys};
use engine::{Fault, Page, Record, StoreError, Tx};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Folder of all quotas and their configuration: one area, so that one revision tells of all.
pub const FOLDER: &str = "root/quota/";
/// Where the configuration is kept.
pub const CONFIG: &str = "root/quota/config";

/// Kinds of quota, by upstream's names.
pub const RATE_LIMIT: &str = "rate-limit";
/// Leases that may be live.
pub const LEASE_COUNT: &str = "lease-count";

/// Folder of the quotas of a kind, by name.
pub fn folder(kind: &str) -> String {
    format!("{FOLDER}{kind}/")
}

/// What a quota applies to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// Empty for everything; a namespace or mount with its slash; or a path below a mount, which a `*` may end.
    pub path: String,
    /// Whether a namespace's quota holds in the namespaces below it too.
    pub inheritable: bool,
}

/// A limit of requests per client address.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RateLimit {
    /// Name.
    pub name: String,
    /// What it applies to.
    pub scope: Scope,
    /// Requests per interval.
    pub rate: f64,
    /// Seconds.
    pub interval: i64,
    /// Seconds that a client over the limit is refused.
    pub block_interval: i64,
}

impl Record for RateLimit {
    const KIND: &'static str = "rate-limit/1";
}

/// A limit of leases.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeaseCount {
    /// Name.
    pub name: String,
    /// What it applies to.
    pub scope: Scope,
    /// Live leases at most.
    pub max_leases: i64,
}

impl Record for LeaseCount {
    const KIND: &'static str = "lease-count/1";
}

/// Configuration of the rate limiter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuotaConfig {
    /// Whether refused requests are audited.
    pub audit_refused: bool,
    /// Whether responses tell what is left.
    pub response_headers: bool,
    /// Paths below the root that no limit applies to; a `*` may end them.
    pub exempt_paths: Vec<String>,
}

impl Default for QuotaConfig {
    fn default() -> Self {
        let exempt = [
            "sys/generate-recovery-token/attempt",
            "sys/generate-recovery-token/update",
            "sys/generate-root/attempt",
            "sys/generate-root/update",
            "sys/health",
            "sys/seal-status",
            "sys/unseal",
        ];
        Self { audit_refused: false, response_headers: false, exempt_paths: exempt.map(str::to_owned).to_vec() }
    }
}

impl Record for QuotaConfig {
    const KIND: &'static str = "quota-config/1";
}

/// All quotas of a kind, by name.
pub fn all<T: Record>(tx: &mut Tx, kind: &str) -> Result<Vec<T>, StoreError> {
    let folder = folder(kind);
    let mut found = Vec::new();
    for name in tx.scan(&folder, &Page::all())? {
        found.extend(tx.load::<T>(&format!("{folder}{name}"))?);
    }
    Ok(found)
}

/// The rate limits with what it takes to match a request that nobody has parsed yet.
#[derive(Default)]
pub struct RateRules {
    /// Configuration.
    pub config: QuotaConfig,
    exact: BTreeMap<String, RateLimit>,
    globs: Vec<RateLimit>,
    namespaces: Vec<String>,
}

impl RateRules {
    /// The rules as a transaction sees them.
    pub fn load(tx: &mut Tx) -> Result<Self, StoreError> {
        let mut rules = Self { config: tx.load(CONFIG)?.unwrap_or_default(), ..Self::default() };
        for rule in all::<RateLimit>(tx, RATE_LIMIT)? {
            match rule.scope.path.ends_with('*') {
                true => rules.globs.push(rule),
                false => drop(rules.exact.insert(rule.scope.path.clone(), rule)),
            }
        }
        if !rules.exact.is_empty() {
            for id in tx.list(keys::NAMESPACES, &Page::all())? {
                rules.namespaces.extend(tx.load::<Namespace>(&keys::namespace(&id))?.map(|namespace| namespace.path));
            }
            rules.namespaces.sort();
        }
        Ok(rules)
    }

    /// Whether there is no rule at all, and nothing to ask.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.globs.is_empty()
    }

    /// The narrowest rule for a request to `path` with a namespace header; `None` if no limit applies.
    pub fn matching(&self, header: Option<&str>, path: &str) -> Option<&RateLimit> {
        if self.is_empty() {
            return None;
        }
        let full = format!("{}{path}", canonical_path(header.unwrap_or_default()));
        if self.config.exempt_paths.iter().any(|exempt| covers(exempt, &full)) {
            return None;
        }
        let glob =
            self.globs.iter().filter(|rule| covers(&rule.scope.path, &full)).max_by_key(|rule| rule.scope.path.len());
        let folders = full.rmatch_indices('/').filter_map(|(at, _)| full.get(..=at));
        // A path that names a mount or namespace without its slash means the thing itself.
        let itself = format!("{full}/");
        let candidates = [full.as_str(), &itself].into_iter().chain(folders).chain([""]);
        let mut exact = candidates.filter_map(|at| self.exact.get(at));
        let exact = exact.find(|rule| self.reaches(rule, &full));
        [glob, exact].into_iter().flatten().max_by_key(|rule| rule.scope.path.len())
    }

    /// Whether a rule that covers a path holds there: a namespace's rule may not be meant for those below it.
    fn reaches(&self, rule: &RateLimit, full: &str) -> bool {
        if rule.scope.inheritable {
            return true;
        }
        let path = &rule.scope.path;
        let of_namespace = path.is_empty() || self.namespaces.binary_search(path).is_ok();
        let mut below = self.namespaces.iter().filter(|namespace| namespace.starts_with(path) && *namespace != path);
        !of_namespace || !below.any(|namespace| full.starts_with(namespace.as_str()))
    }
}

fn covers(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => pattern == path,
    }
}

/// All limits of leases at one revision.
#[derive(Default)]
pub struct LeaseRules(Vec<LeaseCount>);

impl LeaseRules {
    fn load(memo: &Memo, tx: &mut Tx) -> Result<Arc<LeaseRules>, StoreError> {
        memo.lease_rules.derive_from_area(tx, FOLDER, |tx| all(tx, LEASE_COUNT).map(LeaseRules))
    }
}

/// Refuses another lease at a path of a namespace with 429 if a limit is reached. It counts the leases themselves, so it is exact, and
/// costs time in proportion to the limit; without a rule it costs nothing.
pub fn check_lease(kx: &mut Kx, namespace: &str, path: &str) -> Result<(), Fault> {
    let kernel = kx.kernel.clone();
    let rules = LeaseRules::load(&kernel.memo, &mut kx.cx.tx)?;
    if rules.0.is_empty() {
        return Ok(());
    }
    let tree = NamespaceTree::load(&kernel.memo, &mut kx.cx.tx)?;
    let Some(namespace) = tree.by_id(namespace) else { return Ok(()) };
    let full = format!("{}{path}", namespace.path);
    let holds = |rule: &&LeaseCount| {
        let at = &rule.scope.path;
        let whole = tree.by_path(at);
        match at.strip_suffix('*') {
            Some(prefix) => full.starts_with(prefix),
            None if whole.is_some() && !rule.scope.inheritable => *at == namespace.path,
            None => full == *at || at.is_empty() || (at.ends_with('/') && full.starts_with(at.as_str())),
        }
    };
    let Some(rule) = rules.0.iter().filter(holds).max_by_key(|rule| rule.scope.path.len()) else { return Ok(()) };
    let max = usize::try_from(rule.max_leases).unwrap_or_default();
    if live(kx, &tree, rule, max)? < max {
        return Ok(());
    }
    Err(Fault::Status(429, vec![format!("request path {path:?}: lease count quota exceeded")]))
}

/// Leases that a rule counts, at most `max` of them.
pub fn live(kx: &mut Kx, tree: &NamespaceTree, rule: &LeaseCount, max: usize) -> Result<usize, Fault> {
    let stem = rule.scope.path.trim_end_matches('*');
    let mut counted = 0;
    for namespace in tree.below("") {
        let here = &namespace.path;
        let deeper = |at: &str| tree.below(here).any(|deeper| deeper.path != *here && at.starts_with(&deeper.path));
        let prefix = match stem.strip_prefix(here.as_str()) {
            // The rule's path goes on below a deeper namespace.
            Some(_) if deeper(stem) => continue,
            Some(rest) => rest,
            // Below the rule's namespace: all of its leases, if the rule is inherited.
            None if rule.scope.inheritable && here.starts_with(stem) => "",
            None => continue,
        };
        let left = Page { after: String::new(), limit: Some(max.saturating_sub(counted)) };
        counted += kx.tx.scan(&keys::lease(&namespace.id, prefix), &left)?.len();
    }
    Ok(counted)
}

#[cfg(test)]
mod tests;
