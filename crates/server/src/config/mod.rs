//! The configuration: HCL or JSON files and folders in upstream's names, with what they do not say filled in.

mod listener;
mod permissions;
mod read;
mod read_listener;
#[cfg(test)]
mod tests;

pub use listener::{Address, ForwardedFor, HeaderRule, ListenerConfig, Others, ProxyProtocol, Statuses, TlsConfig};
pub use listener::{TlsVersions, UnixSocket};
pub use read::{ConfigError, read};

use engine::Secret;
use kernel::Settings;
use serde_json::{Value, json};
use std::path::PathBuf;

/// Version that clients are told: they gate features on it, so it says which upstream release the API is like.
pub const DEFAULT_VERSION: &str = "1.16.3";
/// Product that the program says it is: clients and suites look for this name.
const PRODUCT: &str = "Vault";
/// Stands where upstream has the revision of its source.
const REVISION: &str = "0000000";
/// Told beside the version.
pub const BUILD_DATE: &str = "2026-11-24T00:00:00Z";

/// The configuration of a node.
#[derive(Debug, Default)]
pub struct Config {
    /// Where the store is.
    pub storage: Storage,
    /// Listeners.
    pub listeners: Vec<ListenerConfig>,
    /// Key of a seal that opens by itself.
    pub seal_key: Option<Secret<[u8; 32]>>,
    /// Where clients reach this node.
    pub api_addr: String,
    /// Set by operators; made from the cluster's id otherwise.
    pub cluster_name: String,
    /// Told to clients.
    pub version: String,
    /// Level of the log.
    pub log_level: String,
    /// `standard` or `json`.
    pub log_format: String,
    /// Written at the start, removed at the end.
    pub pid_file: Option<PathBuf>,
    /// Bounds for the kernel.
    pub settings: Settings,
    /// Audit devices declared in the file.
    pub audit: Vec<AuditBlock>,
    /// Where traces are sent (OTLP over HTTP), if anywhere.
    pub otlp_endpoint: Option<String>,
    /// Whether responses tell the host's name.
    pub response_hostname: bool,
    /// Whether the web page was asked for.
    pub ui: bool,
    /// What was unknown or is run differently, for the log.
    pub warnings: Vec<String>,
}

/// Where the store is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Storage {
    /// In memory, gone with the process.
    #[default]
    Memory,
    /// The embedded store in a folder.
    Local {
        /// Folder.
        path: PathBuf,
        /// The type the configuration named, which clients are told.
        named: String,
    },
}

/// An audit device declared in the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditBlock {
    /// Kind.
    pub kind: String,
    /// Name.
    pub path: String,
    /// For people.
    pub description: String,
    /// Options.
    pub options: std::collections::BTreeMap<String, String>,
}

impl Config {
    /// The configuration of development mode.
    pub fn development(address: &str) -> Self {
        let listener = ListenerConfig::plain(address);
        Self { listeners: vec![listener], api_addr: format!("http://{address}"), version: version(), ..Self::default() }
    }

    /// A copy of the static seal key.
    pub fn static_key(&self) -> Option<Secret<[u8; 32]>> {
        self.seal_key.as_ref().map(|key| Secret::new(*key.expose()))
    }

    /// The storage type that clients are told.
    pub fn storage_type(&self) -> &str {
        match &self.storage {
            Storage::Memory => "inmem",
            Storage::Local { named, .. } => named,
        }
    }

    /// The cluster's name.
    pub fn cluster_name(&self, id: &str) -> String {
        match self.cluster_name.as_str() {
            "" => format!("coffer-cluster-{}", id.get(..8).unwrap_or(id)),
            name => name.to_owned(),
        }
    }

    /// The configuration without anything secret: an allow-list, not a deny-list (S103).
    pub fn sanitized(&self) -> Value {
        let listeners: Vec<Value> = self.listeners.iter().map(ListenerConfig::sanitized).collect();
        json!({
            "api_addr": self.api_addr,
            "cluster_addr": "",
            "cluster_name": self.cluster_name,
            "default_lease_ttl": self.settings.default_lease_ttl,
            "max_lease_ttl": self.settings.max_lease_ttl,
            "log_level": self.log_level,
            "log_format": self.log_format,
            "listeners": listeners,
            "storage": { "type": self.storage_type(), "redirect_addr": self.api_addr, "cluster_addr": "", "disable_clustering": true },
            "disable_mlock": true,
            "ui": self.ui,
            "introspection_endpoint": self.settings.introspection,
            "unsafe_allow_api_audit_creation": self.settings.allow_api_audit_creation,
        })
    }
}

/// What the program says of itself: product, version, revision and date, in the order that scripts read.
pub fn version_line() -> String {
    format!("{PRODUCT} v{} ({REVISION}), built {BUILD_DATE}", version())
}

/// The version that clients are told, unless the configuration says another.
pub fn version() -> String {
    std::env::var("COFFER_REPORTED_VERSION")
        .ok()
        .filter(|version| !version.is_empty())
        .unwrap_or_else(|| DEFAULT_VERSION.to_owned())
}
