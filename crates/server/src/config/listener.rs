//! A listener of the configuration: where it listens, what it demands, whom it believes.

use crate::http::Limits;
use engine::{BoundCidrs, OpenCeremonies};
use serde_json::{Value, json};
use std::path::PathBuf;

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
    pub open: OpenCeremonies,
    /// Whether addresses that a proxy tells before the first byte are believed.
    pub proxy: Option<ProxyProtocol>,
    /// Whether addresses that a proxy tells in `X-Forwarded-For` are believed.
    pub forwarded: Option<ForwardedFor>,
    /// Headers that every response of this listener carries.
    pub headers: Vec<HeaderRule>,
    /// Whether `sys/metrics` is shown without a token.
    pub open_metrics: bool,
    /// Whether `sys/in-flight-req` is shown without a token.
    pub open_in_flight: bool,
}

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// Host and port.
    Tcp(String),
    /// Socket file.
    Unix(UnixSocket),
}

/// A socket file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnixSocket {
    /// The file.
    pub path: PathBuf,
    /// Its permissions, if not those of the process' mask.
    pub mode: Option<u32>,
    /// Its owner by name or number.
    pub user: Option<String>,
    /// Its group by name or number.
    pub group: Option<String>,
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
    /// Which versions are spoken.
    pub versions: TlsVersions,
}

/// Versions of TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TlsVersions {
    /// 1.2 and 1.3.
    #[default]
    Both,
    /// 1.2 only.
    Only12,
    /// 1.3 only.
    Only13,
}

/// The PROXY protocol (HAProxy's specification, versions 1 and 2): the proxy tells the client's address first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProxyProtocol {
    /// Who is believed.
    pub authorized: BoundCidrs,
    /// What becomes of a connection from anybody else.
    pub others: Others,
}

/// What becomes of a connection from an address that is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Others {
    /// There are none: everybody is believed (`use_always`).
    Believed,
    /// What they tell is ignored (`allow_authorized`).
    Ignored,
    /// They are closed (`deny_unauthorized`).
    Denied,
}

/// Rules for `X-Forwarded-For`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardedFor {
    /// Proxies that are believed.
    pub authorized: BoundCidrs,
    /// Addresses from the right that are proxies too.
    pub hop_skips: usize,
    /// Refuses requests without the header.
    pub reject_not_present: bool,
    /// Refuses requests with the header from anybody else.
    pub reject_not_authorized: bool,
}

/// Headers of responses with certain statuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderRule {
    /// Which statuses.
    pub statuses: Statuses,
    /// Lower-case name and value.
    pub headers: Vec<(String, String)>,
}

/// Which statuses a rule is for. A narrower rule replaces a header of a wider one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Statuses {
    /// All (`default`).
    All,
    /// By the first digit (`2xx`).
    Class(u16),
    /// One.
    One(u16),
}

impl ListenerConfig {
    /// Plain HTTP on an address, with everything else as it is by default.
    pub fn plain(address: &str) -> Self {
        Self {
            address: Address::Tcp(address.to_owned()),
            tls: None,
            limits: Limits::default(),
            open: OpenCeremonies::default(),
            proxy: None,
            forwarded: None,
            headers: Vec::new(),
            open_metrics: false,
            open_in_flight: false,
        }
    }

    /// What `sys/config/state/sanitized` shows of it: named here one by one, since headers may be secret (S103).
    pub fn sanitized(&self) -> Value {
        let (kind, address) = match &self.address {
            Address::Tcp(address) => ("tcp", address.clone()),
            Address::Unix(socket) => ("unix", socket.path.display().to_string()),
        };
        json!({ "type": kind, "config": { "address": address, "tls_disable": self.tls.is_none() } })
    }
}
