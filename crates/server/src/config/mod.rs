//! The configuration: HCL or JSON files and folders in upstream's names, with what they do not say filled in.

mod read;
#[cfg(test)]
mod tests;

pub use read::{ConfigError, read};

use crate::http::Limits;
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

/// A listener.
#[derive(Debug, Clone)]
pub struct ListenerConfig {
    /// Where it listens.
    pub address: Address,
    /// Certificate; plain if absent.
    pub tls: Option<TlsConfig>,
    /// Bounds.
    pub limits: Limits,
    /// Ceremonies that are open to everybody here.
    pub open: engine::OpenCeremonies,
}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Host and port.
    Tcp(String),
    /// Socket file.
    Unix(PathBuf),
}

/// TLS of a listener.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsConfig {
    /// PEM file with the certificate chain.
    pub cert_file: PathBuf,
    /// PEM file with the key.
    pub key_file: PathBuf,
    /// PEM file with the certificates that clients' must come from.
    pub client_ca_file: Option<PathBuf>,
    /// Refuses clients without a certificate.
    pub require_client_cert: bool,
    /// Asks for no client certificate.
    pub disable_client_certs: bool,
    /// Refuses TLS 1.2.
    pub tls13_only: bool,
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
        let listener = ListenerConfig {
            address: Address::Tcp(address.to_owned()),
            tls: None,
            limits: Limits::default(),
            open: Default::default(),
        };
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
        let listeners: Vec<Value> = self
            .listeners
            .iter()
            .map(|listener| match &listener.address {
                Address::Tcp(address) => json!({
                    "type": "tcp",
                    "config": {
                        "address": address,
                        "tls_disable": listener.tls.is_none(),
                        "disable_unauthed_generate_root_endpoints": !listener.open.generate_root,
                        "disable_unauthed_rekey_endpoints": !listener.open.rekey,
                    },
                }),
                Address::Unix(path) => json!({ "type": "unix", "config": { "address": path } }),
            })
            .collect();
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
