//! Whom a request comes from when proxies stand before the listener and tell it in `X-Forwarded-For`. Only what a proxy
//! that is known wrote counts: everything left of that is the client's own word (F25).

use crate::config::ForwardedFor;
use http::HeaderMap;
use std::net::{IpAddr, SocketAddr};

/// The client's address, or why the request is refused.
pub(super) fn client(
    rule: &ForwardedFor,
    peer: Option<SocketAddr>,
    headers: &HeaderMap,
) -> Result<Option<SocketAddr>, String> {
    let values: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|value| !value.is_empty())
        .collect();
    if values.is_empty() {
        return if rule.reject_not_present {
            Err("missing x-forwarded-for header and configured to reject when not present".to_owned())
        } else {
            Ok(peer)
        };
    }
    if !rule.authorized.admit(peer.map(|peer| peer.ip())) {
        return if rule.reject_not_authorized {
            Err("client address not authorized for x-forwarded-for and configured to reject connection".to_owned())
        } else {
            Ok(peer)
        };
    }
    let at = values.len().checked_sub(1 + rule.hop_skips).ok_or_else(|| {
        format!(
            "malformed x-forwarded-for configuration or request, hops to skip ({}) would skip before earliest chain link \
             (chain length {})",
            rule.hop_skips,
            values.len()
        )
    })?;
    let text = values.get(at).copied().unwrap_or_default();
    match parse(text) {
        Some((address, port)) => {
            let port = port.or(peer.map(|peer| peer.port())).unwrap_or_default();
            Ok(Some(SocketAddr::new(address, port)))
        }
        None => Err("malformed x-forwarded-for address".to_owned()),
    }
}

/// An address with or without a port.
fn parse(text: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Ok(address) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Some((address, None));
    }
    text.parse::<SocketAddr>().ok().map(|address| (address.ip(), Some(address.port())))
}

#[cfg(test)]
mod tests {
    use super::client;
    use crate::config::ForwardedFor;
    use engine::BoundCidrs;
    use http::HeaderMap;

    fn rule() -> ForwardedFor {
        ForwardedFor {
            authorized: BoundCidrs::parse(&["10.0.0.0/8".to_owned()]).unwrap(),
            hop_skips: 0,
            reject_not_present: true,
            reject_not_authorized: true,
        }
    }

    fn from(rule: &ForwardedFor, peer: &str, values: &[&str]) -> Result<String, String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        client(rule, Some(peer.parse().unwrap()), &headers).map(|address| address.unwrap().to_string())
    }

    #[test]
    fn the_last_address_that_a_known_proxy_wrote_counts() {
        let rule = rule();
        assert_eq!(from(&rule, "10.0.0.1:5", &["203.0.113.7"]).unwrap(), "203.0.113.7:5");
        assert_eq!(from(&rule, "10.0.0.1:5", &["1.1.1.1, 203.0.113.7"]).unwrap(), "203.0.113.7:5");
        assert_eq!(from(&rule, "10.0.0.1:5", &["1.1.1.1", "203.0.113.7:80"]).unwrap(), "203.0.113.7:80");
        assert_eq!(from(&rule, "10.0.0.1:5", &["2001:db8::7"]).unwrap(), "[2001:db8::7]:5");
        let skipping = ForwardedFor { hop_skips: 1, ..rule };
        assert_eq!(from(&skipping, "10.0.0.1:5", &["1.1.1.1, 203.0.113.7"]).unwrap(), "1.1.1.1:5");
        assert!(from(&skipping, "10.0.0.1:5", &["203.0.113.7"]).unwrap_err().contains("hops to skip (1)"));
    }

    #[test]
    fn others_are_refused_or_taken_as_they_are() {
        let rule = rule();
        assert!(from(&rule, "192.0.2.1:5", &["203.0.113.7"]).unwrap_err().contains("not authorized"));
        assert!(from(&rule, "10.0.0.1:5", &[]).unwrap_err().contains("missing"));
        assert!(from(&rule, "10.0.0.1:5", &["nonsense"]).is_err());
        let lenient = ForwardedFor { reject_not_present: false, reject_not_authorized: false, ..rule };
        assert_eq!(from(&lenient, "192.0.2.1:5", &["203.0.113.7"]).unwrap(), "192.0.2.1:5");
        assert_eq!(from(&lenient, "10.0.0.1:5", &[]).unwrap(), "10.0.0.1:5");
    }
}
