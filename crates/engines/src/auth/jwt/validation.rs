//! The registered claims of a token (RFC 7519 section 4.1): times, issuer, subject, audience.

use super::claims::Claims;
use super::role::Role;
use engine::{Fault, Timestamp};
use serde_json::Value;

/// Leeway where the role says 0, in seconds: for times that are given, and for those derived from others.
const SKEW_SECONDS: i64 = 60;
const DERIVED_SECONDS: i64 = 150;

/// What a token shown at `login` must be.
pub(super) fn check(role: &Role, bound_issuer: &str, claims: &Claims, now: Timestamp) -> Result<(), Fault> {
    let audiences = audiences(claims)?;
    for name in ["iss", "sub", "jti"] {
        text(claims, name)?;
    }
    if !bound_issuer.is_empty() && text(claims, "iss")? != bound_issuer {
        return Err(invalid("invalid issuer (iss) claim"));
    }
    if !role.bound_subject.is_empty() && text(claims, "sub")? != role.bound_subject {
        return Err(invalid("invalid subject (sub) claim"));
    }
    if role.bound_audiences.is_empty() {
        // A role that is bound to none admits no token that names one.
        times(role, claims, now)?;
        return match audiences.as_slice() {
            [] => Ok(()),
            _ => Err(Fault::invalid("audience claim found in JWT but no audiences bound to the role")),
        };
    }
    if !role.bound_audiences.iter().any(|bound| audiences.contains(bound)) {
        return Err(invalid("invalid audience (aud) claim: audience claim does not match any expected audience"));
    }
    times(role, claims, now)
}

/// The audiences of a token: a text or a list of texts (RFC 7519 section 4.1.3); anything else is no audience at all.
pub(super) fn audiences(claims: &Claims) -> Result<Vec<String>, Fault> {
    let wrong = || invalid("expected string or array value to unmarshal to Audience");
    match claims.get("aud") {
        None => Ok(Vec::new()),
        Some(Value::String(single)) => Ok(vec![single.clone()]),
        Some(Value::Array(list)) => {
            list.iter().map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
        }
        Some(_) => Err(wrong()),
    }
}

/// A time of a token, in seconds since the epoch; absent and 0 are none.
pub(super) fn time(claims: &Claims, name: &str) -> Result<Option<f64>, Fault> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => Ok(number.as_f64().filter(|seconds| *seconds != 0.0)),
        Some(_) => Err(invalid("expected number value to unmarshal NumericDate")),
    }
}

/// Times, each with the leeway of the role. A token without expiry or beginning gets one from the times that it has.
pub(super) fn times(role: &Role, claims: &Claims, now: Timestamp) -> Result<(), Fault> {
    let (expires, begins, issued) = (time(claims, "exp")?, time(claims, "nbf")?, time(claims, "iat")?);
    if expires.is_none() && begins.is_none() && issued.is_none() {
        return Err(invalid("no issued at (iat), not before (nbf), or expiration time (exp) claims in token"));
    }
    let latest = issued.into_iter().chain(begins).fold(f64::NEG_INFINITY, f64::max);
    let expires = expires.unwrap_or_else(|| latest + leeway(role.expiration_leeway, DERIVED_SECONDS));
    let begins = begins.or(issued).unwrap_or_else(|| expires - leeway(role.not_before_leeway, DERIVED_SECONDS));
    let skew = leeway(role.clock_skew_leeway, SKEW_SECONDS);
    let now = seconds(now);
    // Whatever is no number fails each of these comparisons.
    if !(expires > 0.0 && expires <= LATEST_SECONDS && now - skew < expires) {
        return Err(invalid("invalid expiration time (exp) claim: token is expired"));
    }
    if begins > now + skew {
        return Err(invalid("invalid not before (nbf) claim: token not yet valid"));
    }
    if issued.is_some_and(|issued| issued > now + skew) {
        return Err(invalid("invalid issued at (iat) claim: token issued in the future"));
    }
    Ok(())
}

/// A moment in seconds, as tokens have them.
#[expect(clippy::cast_precision_loss, reason = "microseconds do not matter to a token's times")]
pub(super) fn seconds(moment: Timestamp) -> f64 {
    moment.nanoseconds() as f64 / 1e9
}

/// A text claim; absent and null are empty.
pub(super) fn text<'a>(claims: &'a Claims, name: &str) -> Result<&'a str, Fault> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(""),
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(invalid(&format!("claim {name:?} is not a string"))),
    }
}

/// Latest expiry that counts: the year 9999.
const LATEST_SECONDS: f64 = 253_402_300_799.0;

#[expect(clippy::cast_precision_loss, reason = "leeways are small")]
fn leeway(of_role: i64, default: i64) -> f64 {
    match of_role {
        0 => default as f64,
        seconds => seconds.max(0) as f64,
    }
}

fn invalid(why: &str) -> Fault {
    Fault::invalid(format!("error validating token: {why}"))
}
