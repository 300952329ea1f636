//! The keys that signatures are verified by: those of the configuration, or a key set (RFC 7517) that is fetched and
//! stored at `keys`.
//!
//! A fetched set is used for as long as its `Cache-Control` says, within [`SET_SECONDS_MIN`] and [`SET_SECONDS_MAX`]. A
//! token that no key of it verifies has it fetched again, at most every [`REFETCH_SECONDS_MIN`]: strangers send tokens.

use super::config::Config;
use super::jws::Jws;
use super::provider::Discovery;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::crypto::jws::{VerificationAlgorithm, VerifyingKey};
use engine::outside::{HttpCall, Method, Trust};
use engine::{Cx, Fault, Record, Timestamp};
use serde::{Deserialize, Serialize};

const KEYS: &str = "keys";
/// Seconds between two fetches for tokens that no key verifies, and after a fetch that failed.
pub(super) const REFETCH_SECONDS_MIN: i64 = 10;
/// Shortest and longest time, in seconds, that a fetched set is used.
const SET_SECONDS_MIN: i64 = 60;
const SET_SECONDS_MAX: i64 = 3_600;
/// The time where the answer says none, in seconds.
const SET_SECONDS: i64 = 600;
/// Most keys of a set that are looked at.
const SET_KEYS_MAX: usize = 256;

/// A key of a set (RFC 7517 section 4), as far as it is used.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Jwk {
    kty: String,
    kid: String,
    alg: String,
    r#use: String,
    crv: String,
    n: String,
    e: String,
    x: String,
    y: String,
}

#[derive(Deserialize)]
struct JwkSet {
    keys: Vec<serde_json::Value>,
}

/// What was fetched, from where and when.
#[derive(Serialize, Deserialize)]
struct Fetched {
    url: String,
    tried: Timestamp,
    expires: Timestamp,
    keys: Vec<Jwk>,
}

impl Record for Fetched {
    const KIND: &'static str = "jwt-keys/1";
}

/// Where a key set is, and who may answer.
struct Source {
    url: String,
    trust: Trust,
}

/// Whether a key of the configuration's signed the token. The algorithm must be supported, and be the key's own where
/// the key names one.
pub(super) fn verified(cx: &mut Cx, config: &Config, token: &Jws) -> Result<bool, Fault> {
    if VerificationAlgorithm::parse(&token.algorithm).is_none() {
        // `none`, a shared secret, or nothing that is known: no key is asked, and none is fetched.
        return Ok(false);
    }
    if !config.supports(&token.algorithm) {
        return Err(Fault::invalid(
            "error validating token: invalid algorithm (alg) header parameter: token signed with unexpected algorithm",
        ));
    }
    if !config.jwt_validation_pubkeys.is_empty() {
        let mut keys = config.jwt_validation_pubkeys.iter().filter_map(|text| VerifyingKey::from_pem(text));
        return Ok(keys.any(|key| token.signed_by(&key)));
    }
    let source = match Source::of(cx, config)? {
        Ok(source) => source,
        Err(problem) => {
            let text = format!("error configuring token validator: keyset configuration error: {problem}");
            return Err(Fault::invalid(text));
        }
    };
    let known = cx.tx.load_shared::<Fetched>(KEYS)?.filter(|known| known.url == source.url);
    if let Some(known) = &known {
        if cx.now < known.expires && known.verifies(token) {
            return Ok(true);
        }
        if known.tried.seconds_until(cx.now) < REFETCH_SECONDS_MIN {
            return Ok(false);
        }
    }
    match fetch_from(cx, source)? {
        Ok(fetched) => Ok(fetched.verifies(token)),
        Err(_) => Ok(false),
    }
}

/// Fetches the key set now. The inner error says why there is none.
pub(super) fn fetch(cx: &mut Cx, config: &Config) -> Result<Result<(), String>, Fault> {
    match Source::of(cx, config)? {
        Ok(source) => Ok(fetch_from(cx, source)?.map(|_| ())),
        Err(problem) => Ok(Err(problem)),
    }
}

/// Forgets what was fetched.
pub(super) fn forget(cx: &mut Cx) {
    cx.tx.delete(KEYS);
}

fn fetch_from(cx: &mut Cx, source: Source) -> Result<Result<Fetched, String>, Fault> {
    let call = HttpCall::new(Method::Get, &source.url).header("accept", "application/json").trusting(source.trust);
    let (keys, seconds) = match cx.outside.http(call)? {
        Ok(answer) if answer.succeeded() => {
            let said = answer.max_age.map_or(SET_SECONDS, |seconds| i64::try_from(seconds).unwrap_or(SET_SECONDS_MAX));
            (answer.json::<JwkSet>().ok_or("the key set is not valid".to_owned()), said)
        }
        Ok(answer) => (Err(format!("the server of the key set answered with status {}", answer.status)), 0),
        Err(failure) => (Err(failure.to_string()), 0),
    };
    let (keys, problem) = match keys {
        Ok(set) => (set.keys, None),
        Err(problem) => (Vec::new(), Some(problem)),
    };
    let expires = match problem {
        None => cx.now.plus_seconds(seconds.clamp(SET_SECONDS_MIN, SET_SECONDS_MAX)),
        // Keys that are expired are kept by nobody.
        Some(_) => cx.now,
    };
    // A key of a shape that is not known does not spoil the others (RFC 7517 section 5).
    let keys = keys.into_iter().take(SET_KEYS_MAX).filter_map(|key| serde_json::from_value(key).ok()).collect();
    let fetched = Fetched { url: source.url, tried: cx.now, expires, keys };
    cx.tx.save(KEYS, &fetched)?;
    Ok(problem.map_or(Ok(fetched), Err))
}

impl Source {
    fn of(cx: &mut Cx, config: &Config) -> Result<Result<Self, String>, Fault> {
        if !config.jwks_url.is_empty() {
            return Ok(Ok(Self {
                url: config.jwks_url.clone(),
                trust: Trust { authorities: config.jwks_ca_pem.clone() },
            }));
        }
        let discovery = Discovery::current(cx, config)?;
        Ok(discovery.map(|discovery| Self { url: discovery.jwks_uri, trust: config.provider_trust() }))
    }
}

impl Fetched {
    fn verifies(&self, token: &Jws) -> bool {
        self.keys.iter().any(|key| key.may_verify(token) && key.read().is_some_and(|key| token.signed_by(&key)))
    }
}

impl Jwk {
    fn may_verify(&self, token: &Jws) -> bool {
        (token.key_id.is_empty() || self.kid == token.key_id)
            && (self.alg.is_empty() || self.alg == token.algorithm)
            && matches!(self.r#use.as_str(), "" | "sig")
    }

    fn read(&self) -> Option<VerifyingKey> {
        let number = |text: &str| URL_SAFE_NO_PAD.decode(text.trim_end_matches('=')).ok();
        match self.kty.as_str() {
            "RSA" => VerifyingKey::rsa(&number(&self.n)?, &number(&self.e)?),
            "EC" => VerifyingKey::curve(&self.crv, &number(&self.x)?, &number(&self.y)?),
            "OKP" => VerifyingKey::edwards(&self.crv, &number(&self.x)?),
            _ => None,
        }
    }
}
