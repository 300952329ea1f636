//! From a path of the API to an address, encoded once.

use super::{ClientError, Request};
use reqwest::Url;

/// Address of a request below `base`.
pub(crate) fn of(base: &str, request: &Request) -> Result<Url, ClientError> {
    let path = request.path.trim_start_matches('/');
    // The address parser would resolve these, and something else than what was named would be read or deleted.
    if path.split('/').any(|segment| segment == "." || segment == "..") {
        return Err(ClientError::Settings(format!("path {path:?} has a segment . or .., which no path may have")));
    }
    let encoded: Vec<String> = path.split('/').map(encode_segment).collect();
    let text = format!("{}/v1/{}", base.trim_end_matches('/'), encoded.join("/"));
    let mut url: Url = text.parse().map_err(|_| not_valid(base))?;
    if let Some(parameter) = request.operation.parameter() {
        url.query_pairs_mut().append_pair(parameter, "true");
    }
    if !request.query.is_empty() {
        url.query_pairs_mut().extend_pairs(&request.query);
    }
    Ok(url)
}

/// What is wrong with an address, and how one looks.
pub(crate) fn not_valid(address: &str) -> ClientError {
    let shown = if address.contains('@') { "with credentials" } else { address };
    ClientError::Settings(format!(
        "address {shown:?} is not valid: it looks like https://127.0.0.1:8200 or unix:///run/coffer.sock"
    ))
}

/// The address without parameters and credentials, for messages.
pub(crate) fn without_query(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    // Only addresses without a host refuse this, and those hold no credentials.
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    bare.to_string()
}

/// Percent-encodes what must not stand in a path segment as it is (RFC 3986, 3.3).
fn encode_segment(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => encoded.push(char::from(byte)),
            byte if b"-._~!$&'()*+,;=:@".contains(&byte) => encoded.push(char::from(byte)),
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}
