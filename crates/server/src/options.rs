//! What the command line of `coffer server` says.

use std::path::PathBuf;

/// Options of `coffer server`, as parsed by the command line.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Configuration files and folders, read in order.
    pub config: Vec<PathBuf>,
    /// Development mode: in memory, initialised, unsealed.
    pub dev: bool,
    /// Text of the development root token.
    pub dev_root_token_id: Option<String>,
    /// Address of the development listener; `127.0.0.1:8200` if absent.
    pub dev_listen_address: Option<String>,
    /// Does not write `~/.vault-token`.
    pub dev_no_store_token: bool,
    /// Mounts kv version 1 instead of 2.
    pub dev_kv_v1: bool,
    /// Serves TLS with a certificate made for the occasion.
    pub dev_tls: bool,
    /// Where that certificate is written.
    pub dev_tls_cert_dir: Option<PathBuf>,
    /// Accepted; kv v1 is mounted, whose replies carry a lease duration.
    pub dev_leased_kv: bool,
    /// Leaves the development store uninitialised.
    pub dev_skip_init: bool,
    /// `trace`, `debug`, `info`, `warn` or `error`.
    pub log_level: Option<String>,
    /// `standard` or `json`.
    pub log_format: Option<String>,
}
