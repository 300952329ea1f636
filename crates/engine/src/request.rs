//! A request after the edge parsed it, before anyone decided anything about it.

use crate::{Ceremony, Input};
use crypto::Secret;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use wire::{Operation, RequestPath};

/// Everything a client sent that the middle may see.
pub struct Request {
    /// UUID given at the edge.
    pub id: String,
    /// Create and update are still one: the edge says `Update` and the pipeline finds out.
    pub operation: Operation,
    /// The whole path below `/v1/`, a namespace prefix included.
    pub path: RequestPath,
    /// `X-Vault-Namespace`, as sent.
    pub namespace: Option<String>,
    /// The client's token, from either header.
    pub token: Option<Secret<String>>,
    /// Parameters: query and body; the route's path parameters are merged in later.
    pub input: Input,
    /// `X-Vault-Wrap-TTL` in seconds.
    pub wrap_ttl: Option<i64>,
    /// Other headers, names in lower case; never the ones that carry credentials (S20).
    pub headers: Headers,
    /// Who is at the other end.
    pub peer: Peer,
    /// The HTTP method was `HEAD`.
    pub head: bool,
}

/// Headers by lower-case name.
pub type Headers = BTreeMap<String, Vec<String>>;

/// The other end of the connection.
#[derive(Debug, Clone, Default)]
pub struct Peer {
    /// The client's address, after trusted proxies; `None` on a unix socket.
    pub address: Option<SocketAddr>,
    /// The client's certificate chain in DER, leaf first, not yet verified by anyone.
    pub certificates: Vec<Vec<u8>>,
    /// What the listener opens to everybody.
    pub open: OpenCeremonies,
}

/// Ceremonies that a listener opens to callers with neither token nor share. None, unless the configuration says so:
/// whoever may start one can keep share holders busy (S27).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenCeremonies {
    /// `disable_unauthed_rekey_endpoints = false`.
    pub rekey: bool,
    /// `disable_unauthed_generate_root_endpoints = false`.
    pub generate_root: bool,
}

impl OpenCeremonies {
    /// Whether a ceremony is among them.
    pub fn contains(self, ceremony: Ceremony) -> bool {
        match ceremony {
            Ceremony::Rekey => self.rekey,
            Ceremony::GenerateRoot => self.generate_root,
        }
    }
}

impl Peer {
    /// The address without its port.
    pub fn ip(&self) -> Option<IpAddr> {
        self.address.map(|address| address.ip())
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("id", &self.id)
            .field("operation", &self.operation)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
