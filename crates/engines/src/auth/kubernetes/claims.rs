//! The JWT of a service account (RFC 7519): what it claims, and the checks that need nobody else. Until the cluster has
//! confirmed it, a claim is only what a stranger says.

use super::record::{Config, Role};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::crypto::signing::{PublicKey, SigningAlgorithm};
use engine::{Fault, Timestamp};
use serde::Deserialize;

/// Longest JWT looked at, in bytes.
pub(super) const JWT_BYTES_MAX: usize = 16 << 10;
/// Seconds that the clocks of cluster and server may differ by.
const SKEW_SECONDS: f64 = 60.0;
/// The issuer of tokens without bound lifetime.
const ISSUER: &str = "kubernetes/serviceaccount";
/// Longest name in Kubernetes (RFC 1123 subdomain).
const NAME_BYTES_MAX: usize = 253;

/// Which service account a JWT says it is of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) namespace: String,
    pub(super) name: String,
    pub(super) uid: String,
    /// The Secret that an old token was kept in; empty for others.
    pub(super) secret: String,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
    #[serde(rename = "kubernetes.io")]
    bound: Bound,
    #[serde(rename = "kubernetes.io/serviceaccount/namespace")]
    namespace: String,
    #[serde(rename = "kubernetes.io/serviceaccount/service-account.name")]
    name: String,
    #[serde(rename = "kubernetes.io/serviceaccount/service-account.uid")]
    uid: String,
    #[serde(rename = "kubernetes.io/serviceaccount/secret.name")]
    secret: String,
}

/// Claims of tokens with a bound lifetime.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Bound {
    namespace: String,
    serviceaccount: BoundAccount,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct BoundAccount {
    name: String,
    uid: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

impl Default for Audience {
    fn default() -> Self {
        Self::Several(Vec::new())
    }
}

/// Reads a JWT and checks all that it shows by itself. The account is what it claims, in the spelling of Kubernetes.
pub(super) fn checked(config: &Config, role: &Role, jwt: &str, now: Timestamp) -> Result<Account, Fault> {
    let (algorithm, claims, signed, signature) = parsed(jwt).ok_or(Fault::Denied)?;
    claims.check_dates(now)?;
    if !config.any_issuer && claims.iss != issuer(config) {
        return Err(refused("invalid issuer (iss) claim"));
    }
    if !role.audience.is_empty() && !claims.aud.holds(&role.audience) {
        return Err(refused("invalid audience (aud) claim: audience claim does not match any expected audience"));
    }
    let account = claims.account();
    if !is_kubernetes_name(&account.name) || !super::selector::admits(&role.names, &account.name) {
        return Err(refused("service account name not authorized"));
    }
    let by_name = super::selector::admits(&role.namespaces, &account.namespace);
    if !is_kubernetes_name(&account.namespace) || !by_name && role.selector.is_empty() {
        return Err(refused("namespace not authorized"));
    }
    if account.uid.is_empty() {
        return Err(refused("could not parse UID from claims"));
    }
    let mut keys = config.keys.iter().filter_map(|pem| PublicKey::all_from_pem(pem)).flatten();
    if !config.keys.is_empty() && !keys.any(|key| key.verify(algorithm, signed.as_bytes(), &signature)) {
        return Err(Fault::Denied);
    }
    Ok(account)
}

/// A 403 that says why, as upstream.
pub(super) fn refused(text: &str) -> Fault {
    Fault::Status(403, vec![text.to_owned()])
}

fn issuer(config: &Config) -> &str {
    if config.issuer.is_empty() { ISSUER } else { &config.issuer }
}

/// Algorithm, claims, what is signed, and the signature.
fn parsed(jwt: &str) -> Option<(SigningAlgorithm, Claims, &str, Vec<u8>)> {
    if jwt.len() > JWT_BYTES_MAX {
        return None;
    }
    let (signed, signature) = jwt.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    // Algorithms of signatures only: `none` and those of shared keys are no names of one (RFC 8725 section 3.1).
    let algorithm = SigningAlgorithm::parse(&header.alg)?;
    Some((algorithm, claims, signed, URL_SAFE_NO_PAD.decode(signature).ok()?))
}

impl Claims {
    fn check_dates(&self, now: Timestamp) -> Result<(), Fault> {
        let now = seconds(now);
        if self.exp.is_some_and(|exp| now > exp + SKEW_SECONDS) {
            return Err(refused("invalid expiration time (exp) claim: token is expired"));
        }
        if self.nbf.is_some_and(|nbf| now < nbf - SKEW_SECONDS) {
            return Err(refused("invalid not before (nbf) claim: token not yet valid"));
        }
        if self.iat.is_some_and(|iat| now < iat - SKEW_SECONDS) {
            return Err(refused("invalid issued at (iat) claim: token issued in the future"));
        }
        Ok(())
    }

    fn account(&self) -> Account {
        let either = |new: &String, old: &String| if new.is_empty() { old.clone() } else { new.clone() };
        Account {
            namespace: either(&self.bound.namespace, &self.namespace),
            name: either(&self.bound.serviceaccount.name, &self.name),
            uid: either(&self.bound.serviceaccount.uid, &self.uid),
            secret: self.secret.clone(),
        }
    }
}

impl Audience {
    fn holds(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Several(several) => several.iter().any(|one| one == audience),
        }
    }
}

impl Account {
    /// The name that the cluster knows it by.
    pub(super) fn user_name(&self) -> String {
        format!("system:serviceaccount:{}:{}", self.namespace, self.name)
    }
}

/// Whether a text can be a name in Kubernetes, and so stand in a path of its API.
fn is_kubernetes_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.');
    let edge = |letter: Option<char>| letter.is_some_and(|letter| letter.is_ascii_alphanumeric());
    name.len() <= NAME_BYTES_MAX
        && edge(name.chars().next())
        && edge(name.chars().next_back())
        && name.bytes().all(allowed)
        && !name.contains("..")
}

fn seconds(at: Timestamp) -> f64 {
    // Exact for the next few hundred thousand years.
    at.seconds() as f64
}
