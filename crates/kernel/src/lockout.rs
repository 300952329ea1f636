//! User lockout: too many failed logins of one alias on one mount close it for a while, for known and unknown names
//! alike. The count is stored, so that it holds on every node and across restarts.

use crate::Kx;
use crate::mounts::MountEntry;
use engine::{Fault, Record, Timestamp};
use serde::{Deserialize, Serialize};

/// Login methods that lock out.
const KINDS: [&str; 3] = ["approle", "ldap", "userpass"];

/// Failed logins of one alias.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Failures {
    /// Canonical alias.
    pub alias: String,
    /// Since the last success or reset.
    pub count: u32,
    /// When the last one was.
    pub last: Timestamp,
}

impl Record for Failures {
    const KIND: &'static str = "lockout/1";
}

/// The rule of a mount. Durations are seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Failures that close it.
    pub threshold: u32,
    /// How long it stays closed.
    pub duration: i64,
    /// After how long without a failure the count starts anew.
    pub reset: i64,
}

impl Rule {
    /// The mount's tuning over upstream's defaults: 5 failures, 15 minutes, 15 minutes. `None` if switched off.
    pub fn of(mount: &MountEntry) -> Option<Rule> {
        if !KINDS.contains(&mount.kind.as_str()) {
            return None;
        }
        let config = mount.config.user_lockout_config.as_ref();
        let value = |name: &str| config.and_then(|config| config.get(name));
        if value("lockout_disable").is_some_and(|off| wire::scalar::boolean(off) == Ok(true)) {
            return None;
        }
        let seconds =
            |name: &str| value(name).and_then(|v| wire::scalar::seconds(v).ok()).filter(|v| *v > 0).unwrap_or(900);
        let threshold = value("lockout_threshold").and_then(|v| wire::scalar::integer(v).ok()).filter(|v| *v > 0);
        Some(Rule {
            threshold: threshold.and_then(|v| u32::try_from(v).ok()).unwrap_or(5),
            duration: seconds("lockout_duration"),
            reset: seconds("lockout_counter_reset"),
        })
    }
}

impl Failures {
    /// Whether the alias is closed.
    pub fn locked(&self, rule: &Rule, now: Timestamp) -> bool {
        self.count >= rule.threshold && now < self.last.plus_seconds(rule.duration)
    }
}

/// Where failures of an alias are kept.
pub fn key(mount: &MountEntry, alias: &str) -> String {
    format!("{}/lockout/{}/{alias}", mount.namespace, mount.accessor)
}

/// Refuses a login to a closed alias before the verifier sees it.
pub fn before_login(kx: &mut Kx, mount: &MountEntry, alias: Option<String>) -> Result<(), Fault> {
    let (Some(rule), Some(alias)) = (Rule::of(mount), alias) else { return Ok(()) };
    match kx.tx.load::<Failures>(&key(mount, &alias))? {
        Some(failures) if failures.locked(&rule, kx.now) => Err(Fault::Denied),
        _ => Ok(()),
    }
}

/// Counts a failed login, forgets the count after a good one.
pub fn after_login(kx: &mut Kx, mount: &MountEntry, alias: Option<String>, fault: Option<&Fault>) -> Result<(), Fault> {
    let (Some(rule), Some(alias)) = (Rule::of(mount), alias) else { return Ok(()) };
    let key = key(mount, &alias);
    let now = kx.now;
    let known = kx.tx.load::<Failures>(&key)?;
    match fault {
        None if known.is_some() => kx.tx.delete(&key),
        Some(Fault::LoginFailed(_)) => {
            let fresh = |failures: &Failures| now < failures.last.plus_seconds(rule.reset);
            let count = known.filter(fresh).map_or(0, |failures| failures.count);
            kx.tx.save(&key, &Failures { alias, count: count.saturating_add(1), last: now })?;
        }
        _ => {}
    }
    Ok(())
}
