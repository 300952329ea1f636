//! The seam to the shell: what the kernel may ask of the node it runs on, and what it may ask it to do.

use crate::audit::AuditDevice;
use barrier::ceremony::{GenerateRoot, Rekey};
use barrier::{Barrier, Moment};
use engine::{Fault, Input, Reply, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// The ceremonies that may run at once, each in one slot.
#[derive(Debug, Default, Clone)]
pub struct Ceremonies {
    /// `sys/rekey` and `sys/rotate/root` (unseal shares).
    pub rekey: Option<Rekey>,
    /// `sys/rekey-recovery-key` and `sys/rotate/recovery`.
    pub rekey_recovery: Option<Rekey>,
    /// `sys/generate-root`.
    pub generate_root: Option<GenerateRoot>,
}

impl Ceremonies {
    /// Without those whose time is over, and the shares that they hold.
    #[must_use]
    pub fn live(self, now: Timestamp) -> Self {
        let now = Moment(now.nanoseconds());
        Self {
            rekey: self.rekey.filter(|rekey| rekey.is_live(now)),
            rekey_recovery: self.rekey_recovery.filter(|rekey| rekey.is_live(now)),
            generate_root: self.generate_root.filter(|generation| generation.is_live(now)),
        }
    }
}

/// Facts and services of the node. Everything here is about the process, nothing about stored state.
pub trait Node: Send + Sync {
    /// Answers a `sys/` read about the process itself, such as `host-info`, `metrics`, `in-flight-req` or `ha-status`.
    fn report(&self, report: Report<'_>) -> Result<Reply, Fault>;

    /// Kinds of audit device, such as `file`, and a check of their options before they are stored.
    fn check_audit_device(&self, kind: &str, options: &BTreeMap<String, String>) -> Result<(), Fault>;

    /// The audit devices that the configuration declares, which no request can disable.
    fn declared_audit_devices(&self) -> Vec<AuditDevice> {
        Vec::new()
    }

    /// The address that clients reach this node by, such as `https://vault.example:8200`.
    fn api_address(&self) -> String {
        String::new()
    }

    /// Keyed hash of a value as an audit device prints it (`hmac-sha256:…`), if there is such a device.
    fn audit_hash(&self, device: &str, value: &str) -> Option<String>;

    /// The ceremonies that run on this node, for one call at a time. What a call made of them is kept only if its
    /// transaction commits.
    fn ceremonies(&self) -> &Mutex<Ceremonies>;
}

/// What the kernel can ask the node about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Report<'a> {
    /// Processor, memory, disks.
    HostInfo,
    /// Prometheus text or JSON, as `format` says.
    Metrics {
        /// `prometheus` or empty.
        format: &'a str,
    },
    /// Requests being served.
    InFlight,
    /// Levels of the loggers; `name` for one of them.
    Loggers {
        /// Empty for all.
        name: &'a str,
    },
    /// The configuration without secrets.
    SanitizedConfig,
    /// Who leads, whether high availability is on.
    Leader,
    /// The nodes.
    HaStatus,
    /// Seal status.
    SealStatus,
    /// Health, answered with these statuses.
    Health(HealthCodes),
    /// Versions this store has seen.
    VersionHistory,
    /// Term and install time of the barrier's key.
    KeyStatus,
}

/// The statuses that `sys/health` answers with, which a load balancer may want otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthCodes {
    /// Unsealed.
    pub active: u16,
    /// Sealed.
    pub sealed: u16,
    /// Not initialised.
    pub uninitialised: u16,
}

impl HealthCodes {
    /// Reads the codes that a request asks for. What is no status is a 400 without a message.
    pub fn of(input: &Input) -> Result<Self, Fault> {
        let refused = || Fault::Status(400, Vec::new());
        let code = |name: &str, usual: u16| match input.field(name) {
            None => Ok(usual),
            Some(value) => wire::scalar::integer(value)
                .ok()
                .and_then(|code| u16::try_from(code).ok())
                .filter(|code| (200..=599).contains(code))
                .ok_or_else(refused),
        };
        for name in ["standbyok", "perfstandbyok"] {
            if input.field(name).is_some_and(|value| wire::scalar::boolean(value).is_err()) {
                return Err(refused());
            }
        }
        code("standbycode", 429)?;
        Ok(Self {
            active: code("activecode", 200)?,
            sealed: code("sealedcode", 503)?,
            uninitialised: code("uninitcode", 501)?,
        })
    }
}

/// What the shell does after the commit.
#[derive(Debug, Clone)]
pub enum Effect {
    /// Ceremonies go on. The shell runs such a request alone, and lets this happen only once the reply's audit entry is
    /// stored and the transaction committed: no share or root token exists that nobody was told of (S28).
    Ceremonies {
        /// What runs from now on.
        next: Box<Ceremonies>,
        /// The barrier after the commit, if it changes the unseal key; see [`Barrier::expecting`].
        barrier: Option<Arc<Barrier>>,
        /// Whether it happens although the request fails: wrong shares are forgotten.
        after_fault: bool,
    },
    /// Seal this node.
    Seal,
    /// Give up what this node leads.
    StepDown,
    /// Set a logger's level; an empty name means all, `None` the configured one.
    LogLevel {
        /// Logger.
        name: String,
        /// Level.
        level: Option<String>,
    },
    /// Read certificates, audit files or configuration again.
    Reload {
        /// As in `sys/config/reload/…`.
        subsystem: String,
    },
}

impl Effect {
    /// Whether it happens although the handler failed.
    pub fn outlives_fault(&self) -> bool {
        matches!(self, Self::Ceremonies { after_fault: true, .. })
    }

    /// Whether it changes a ceremony.
    pub fn is_of_ceremony(&self) -> bool {
        matches!(self, Self::Ceremonies { .. })
    }
}
