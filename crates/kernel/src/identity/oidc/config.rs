//! `identity/oidc/config`: who the tokens say they are from.

use crate::Kx;
use crate::identity::keys;
use engine::{Fault, Record, Reply, Route};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Config {
    /// Scheme, host and port; empty for the node's own address.
    issuer: String,
}

impl Record for Config {
    const KIND: &'static str = "oidc-config/1";
}

engine::request! {
    /// Sets the issuer.
    pub struct WriteConfig {
        /// Issuer URL to be used in the iss claim of the token. If not set, the node's address will be used.
        issuer: Option<String>,
    }
}

pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![Route::at("oidc/config", "The issuer of identity tokens.").read(read).write(write)]
}

/// The `iss` of tokens of the request's namespace, below which discovery lies too.
pub(super) fn issuer(kx: &mut Kx) -> Result<String, Fault> {
    let Config { issuer } = load(kx)?;
    let base = if issuer.is_empty() { kx.node.api_address() } else { issuer };
    Ok(format!("{}/v1/{}identity/oidc", base.trim_end_matches('/'), kx.namespace.path))
}

fn load(kx: &mut Kx) -> Result<Config, Fault> {
    let key = keys::oidc_config(&kx.namespace_id());
    Ok(kx.tx.load(&key)?.unwrap_or_default())
}

fn read(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let Config { issuer } = load(kx)?;
    Ok(Reply::data(json!({ "issuer": issuer })))
}

fn write(kx: &mut Kx, request: WriteConfig) -> Result<Reply, Fault> {
    let Some(issuer) = request.issuer else { return Ok(Reply::empty()) };
    if !issuer.is_empty() && !is_origin(&issuer) {
        return Err(Fault::invalid(
            "invalid issuer, which must include only a scheme, host, and optional port (e.g. https://example.com:8200)",
        ));
    }
    let explicit = !issuer.is_empty();
    let key = keys::oidc_config(&kx.namespace_id());
    kx.tx.save(&key, &Config { issuer })?;
    let warning = "If \"issuer\" is set explicitly, all tokens must be validated against that address, including those \
                   issued by secondary clusters. Setting issuer to \"\" will restore the default behavior of using the \
                   cluster's api_addr as the issuer.";
    Ok(if explicit { Reply::empty().warn(warning) } else { Reply::empty() })
}

/// Whether a text is a scheme, a host and perhaps a port, and nothing else (RFC 6454 section 6.1).
fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let in_host = |character: char| character.is_ascii_alphanumeric() || matches!(character, '-' | '.' | '_');
    let bare = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(in_host),
    };
    bare && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_is_an_origin() {
        for origin in
            ["https://a.example", "http://127.0.0.1:8200", "https://[::1]:8200", "https://[::1]", "http://a_b"]
        {
            assert!(is_origin(origin), "{origin}");
        }
        let others = [
            "",
            "https://",
            "https://a/",
            "https://a/b",
            "https://a?b",
            "https://a#b",
            "https://u@a",
            "https://a:b",
            "https://a:99999",
            "ftp://a",
            "a",
            "https://a b",
            "https://[::1",
            "https://:80",
        ];
        for other in others {
            assert!(!is_origin(other), "{other}");
        }
    }
}
