//! JSON Web Keys (RFC 7517) and JSON Web Tokens in compact form (RFC 7515, RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crypto::signing::{PublicKey, SigningAlgorithm, SigningKey};
use engine::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Longest token that is looked at.
const TOKEN_BYTES_MAX: usize = 64 * 1024;

/// A public key as others read it. Members are in upstream's order; numbers are base64url.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Jwk {
    r#use: String,
    kty: String,
    /// Id.
    pub(super) kid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    crv: Option<String>,
    alg: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    y: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

impl Jwk {
    /// A key that signs by this algorithm only.
    pub(super) fn new(kid: String, algorithm: SigningAlgorithm, key: &PublicKey) -> Self {
        let text = |number: &[u8]| Some(URL_SAFE_NO_PAD.encode(number));
        let whole = Self { r#use: "sig".to_owned(), kid, alg: algorithm.name().to_owned(), ..Self::default() };
        match key {
            PublicKey::Rsa { modulus, exponent } => {
                Self { kty: "RSA".to_owned(), n: text(modulus), e: text(exponent), ..whole }
            }
            PublicKey::Curve { x, y } => {
                let curve = match algorithm {
                    SigningAlgorithm::Es384 => "P-384",
                    SigningAlgorithm::Es512 => "P-521",
                    _ => "P-256",
                };
                Self { kty: "EC".to_owned(), crv: Some(curve.to_owned()), x: text(x), y: text(y), ..whole }
            }
            PublicKey::Edwards { x } => {
                Self { kty: "OKP".to_owned(), crv: Some("Ed25519".to_owned()), x: text(x), ..whole }
            }
        }
    }

    /// Its algorithm.
    pub(super) fn algorithm(&self) -> Option<SigningAlgorithm> {
        SigningAlgorithm::parse(&self.alg)
    }

    fn public_key(&self) -> Option<PublicKey> {
        let number = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_ref()?).ok();
        match self.kty.as_str() {
            "RSA" => Some(PublicKey::Rsa { modulus: number(&self.n)?, exponent: number(&self.e)? }),
            "EC" => Some(PublicKey::Curve { x: number(&self.x)?, y: number(&self.y)? }),
            "OKP" => Some(PublicKey::Edwards { x: number(&self.x)? }),
            _ => None,
        }
    }
}

/// Signs claims.
pub(super) fn sign(key: &SigningKey, kid: &str, claims: &Map<String, Value>) -> Result<String, Fault> {
    let header = json!({ "alg": key.algorithm().name(), "kid": kid });
    let claims = serde_json::to_vec(claims).map_err(|error| Fault::internal(error.to_string()))?;
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims));
    let signature = key.sign(message.as_bytes()).map_err(|error| Fault::internal(error.to_string()))?;
    Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// A token in its parts, not yet verified.
pub(super) struct Unverified<'a> {
    message: &'a str,
    signature: Vec<u8>,
    /// Which key it says it is signed with.
    pub(super) kid: String,
    alg: String,
    claims: Map<String, Value>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
    #[serde(default)]
    kid: String,
}

impl<'a> Unverified<'a> {
    /// Takes a token apart; `None` if it is not one in compact form.
    pub(super) fn parse(token: &'a str) -> Option<Self> {
        if token.len() > TOKEN_BYTES_MAX {
            return None;
        }
        let (message, signature) = token.rsplit_once('.')?;
        let (header, claims) = message.split_once('.').filter(|(_, claims)| !claims.contains('.'))?;
        let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        Some(Self { message, signature, kid: header.kid, alg: header.alg, claims })
    }

    /// Its claims, if it is signed with this key by the key's own algorithm: which one that is the token does not decide.
    pub(super) fn verified(self, key: &Jwk) -> Option<Map<String, Value>> {
        let algorithm = key.algorithm().filter(|algorithm| algorithm.name() == self.alg)?;
        let holds = key.public_key()?.verify(algorithm, self.message.as_bytes(), &self.signature);
        holds.then_some(self.claims)
    }
}
