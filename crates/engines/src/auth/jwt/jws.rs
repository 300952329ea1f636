//! A signed token in compact form (RFC 7515 section 7.1), taken apart and not yet verified.

use super::claims::Claims;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::Fault;
use engine::crypto::jws::{VerificationAlgorithm, VerifyingKey};
use serde_json::Value;

/// Longest token, in bytes.
const TOKEN_BYTES_MAX: usize = 64 << 10;

/// A token. Its claims can be had by verifying it only.
pub(super) struct Jws {
    /// The algorithm by its name in the header.
    pub(super) algorithm: String,
    /// Which key the header names; empty if it names none.
    pub(super) key_id: String,
    signed: String,
    signature: Vec<u8>,
    claims: Option<Claims>,
}

impl Jws {
    /// Reads a token. Whatever the header says of keys (`jwk`, `jku`, `x5c`) is not looked at.
    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let text = text.trim();
        if text.len() > TOKEN_BYTES_MAX {
            return Err(unreadable("token is too long"));
        }
        let parts: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = parts.as_slice() else {
            return Err(unreadable("compact JWS format must have three parts"));
        };
        let header: Claims = part(header)?;
        let name = |name: &str| match header.get(name) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(unreadable("header of the token is not valid")),
        };
        // Extensions that must be understood are not (RFC 7515 section 4.1.11).
        if header.contains_key("crit") {
            return Err(unreadable("header of the token has critical extensions"));
        }
        let signed = text.rsplit_once('.').map_or(text, |(signed, _)| signed).to_owned();
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| unreadable("illegal base64 data"))?;
        Ok(Self { algorithm: name("alg")?, key_id: name("kid")?, signed, signature, claims: part(payload).ok() })
    }

    /// Whether it was signed by this key with the algorithm of its header.
    pub(super) fn signed_by(&self, key: &VerifyingKey) -> bool {
        let algorithm = VerificationAlgorithm::parse(&self.algorithm);
        algorithm.is_some_and(|algorithm| key.verify(algorithm, self.signed.as_bytes(), &self.signature))
    }

    /// The claims. For callers that have verified the signature.
    pub(super) fn into_claims(self) -> Result<Claims, Fault> {
        self.claims.ok_or_else(|| unreadable("claims of the token are not a JSON object"))
    }
}

/// A token that is none, or whose signature does not hold.
pub(super) fn unreadable(why: &str) -> Fault {
    Fault::invalid(format!("error validating token: error verifying token signature: {why}"))
}

fn part(text: &str) -> Result<Claims, Fault> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| unreadable("illegal base64 data"))?;
    serde_json::from_slice(&bytes).map_err(|_| unreadable("part of the token is not a JSON object"))
}
