//! A request after the edge parsed it, before anyone decided anything about it.

use crate::{Ceremony, Input};
use crypto::Secret;
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

/// Headers by lower-case name, kept as one text: every request has many and hardly any is ever looked at.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(String);

impl Headers {
    /// Adds a value. A name holds no colon and neither holds a line end, as HTTP has it (RFC 9110 section 5); a pair
    /// that does is left out.
    pub fn add(&mut self, name: &str, value: &str) {
        if !name.contains([':', '\n']) && !value.contains('\n') {
            self.0.reserve(name.len() + value.len() + 2);
            self.0.push_str(name);
            self.0.push(':');
            self.0.push_str(value);
            self.0.push('\n');
        }
    }

    /// The values of a header, in the order they came in.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let pairs = self.0.split_terminator('\n').filter_map(|line| line.split_once(':'));
        pairs.filter(move |(known, _)| *known == name).map(|(_, value)| value)
    }
}

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

impl<'a> FromIterator<(&'a str, &'a str)> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(pairs: I) -> Self {
        let mut headers = Self::default();
        pairs.into_iter().for_each(|(name, value)| headers.add(name, value));
        headers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_keep_all_values_of_a_name_and_no_line_ends() {
        let mut headers = Headers::default();
        for (name, value) in [("a", "1:2"), ("b", ""), ("a", "3"), ("c", "x\ny:z"), ("d\ne", "f"), ("g:h", "i")] {
            headers.add(name, value);
        }
        let values = |name| headers.values(name).collect::<Vec<_>>();
        assert_eq!(values("a"), ["1:2", "3"]);
        assert_eq!(values("b"), [""]);
        for absent in ["c", "y", "d", "e", "g", "h", "x"] {
            assert!(values(absent).is_empty(), "{absent}");
        }
    }
}
