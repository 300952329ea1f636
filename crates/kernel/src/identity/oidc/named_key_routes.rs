//! `identity/oidc/key*`: named keys.

use super::named_key::{self, DEFAULT, KEYS_MAX};
use super::signer::Signer;
use super::{name_in_path, not_negative, role_routes};
use crate::Kx;
use crypto::signing::SigningAlgorithm;
use engine::{CommaList, Fault, Reply, Route, Seconds};
use serde_json::json;

/// Seconds that a key signs at least.
const ROTATION_PERIOD_MIN: i64 = 60;
/// A key verifies at most so many times as long as it signs.
const VERIFICATION_PERIODS_MAX: i64 = 10;

pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("oidc/key", "List named keys.").list(list),
        // Making keys costs CPU; looking at them does not.
        Route::at("oidc/key/{name}", "Manage a named key.").heavy().create_or_update(exists, write),
        Route::at("oidc/key/{name}", "Manage a named key.").read(read).delete(delete),
        Route::at("oidc/key/{name}/rotate", "Let the next key of a named key sign.").heavy().write(rotate),
    ]
}

engine::request! {
    /// Creates or changes a named key.
    pub struct WriteKey {
        /// Name of the key.
        name: String,
        /// How often to generate a new keypair.
        rotation_period: Option<Seconds>,
        /// Controls how long the public portion of a key will be available for verification after being rotated.
        verification_ttl: Option<Seconds>,
        /// Signing algorithm to use. This will default to RS256.
        algorithm: Option<String>,
        /// Comma separated string or array of role client ids allowed to use this key for signing.
        allowed_client_ids: Option<CommaList>,
    }
}

engine::request! {
    /// Names a key.
    pub struct KeyName {
        /// Name of the key.
        name: String,
    }
}

engine::request! {
    /// Rotates a key.
    pub struct Rotate {
        /// Name of the key.
        name: String,
        /// How long the key that signed until now verifies; what is configured if absent.
        verification_ttl: Option<Seconds>,
    }
}

fn exists(kx: &mut Kx, request: KeyName) -> Result<bool, Fault> {
    Ok(named_key::load(kx, &request.name)?.is_some())
}

fn write(kx: &mut Kx, request: WriteKey) -> Result<Reply, Fault> {
    let name = name_in_path(request.name)?;
    let known = Signer::load(kx, &name)?;
    if known.is_none() && named_key::names(kx)?.len() >= KEYS_MAX {
        return Err(Fault::invalid(format!("a namespace has at most {KEYS_MAX} named keys")));
    }
    let created = known.is_none();
    let mut signer = known.unwrap_or_else(|| Signer::new(&name));
    let key = &mut signer.key;
    if let Some(Seconds(period)) = request.rotation_period {
        key.rotation_period = not_negative("rotation_period", period)?;
    }
    if let Some(Seconds(ttl)) = request.verification_ttl {
        key.verification_ttl = not_negative("verification_ttl", ttl)?;
    }
    if key.rotation_period < ROTATION_PERIOD_MIN {
        return Err(Fault::invalid("rotation_period must be at least one minute"));
    }
    if key.verification_ttl > key.rotation_period.saturating_mul(VERIFICATION_PERIODS_MAX) {
        return Err(Fault::invalid("verification_ttl cannot be longer than 10x rotation_period"));
    }
    if !created {
        role_routes::check_lifetimes(kx, &name, key.verification_ttl)?;
    }
    if let Some(CommaList(ids)) = request.allowed_client_ids {
        key.allowed_client_ids = ids;
    }
    let algorithm = request.algorithm.unwrap_or_else(|| key.algorithm_name().to_owned());
    let algorithm = SigningAlgorithm::parse(&algorithm)
        .ok_or_else(|| Fault::invalid(format!("unknown signing algorithm {algorithm:?}")))?;
    let now = kx.now;
    if request.rotation_period.is_some() {
        key.rotates = now.plus_seconds(key.rotation_period);
    }
    signer.set_algorithm(algorithm, now, kx.cx.randomness.as_mut())?;
    signer.save(kx)?;
    Ok(Reply::empty())
}

fn read(kx: &mut Kx, request: KeyName) -> Result<Reply, Fault> {
    let name = name_in_path(request.name)?;
    let Some(key) = named_key::load(kx, &name)? else { return Ok(Reply::empty()) };
    Ok(Reply::data(json!({
        "algorithm": key.algorithm_name(),
        "allowed_client_ids": key.allowed_client_ids,
        "rotation_period": key.rotation_period,
        "verification_ttl": key.verification_ttl,
    })))
}

fn delete(kx: &mut Kx, request: KeyName) -> Result<Reply, Fault> {
    let name = name_in_path(request.name)?;
    if name == DEFAULT {
        return Err(Fault::invalid(format!("deletion of key {DEFAULT:?} not allowed")));
    }
    let roles = role_routes::of_key(kx, &name)?;
    if !roles.is_empty() {
        let names: Vec<String> = roles.into_iter().map(|role| role.name).collect();
        return Err(Fault::invalid(format!(
            "unable to delete key {name:?} because it is currently referenced by these roles: {}",
            names.join(", ")
        )));
    }
    if let Some(signer) = Signer::load(kx, &name)? {
        signer.delete(kx);
    }
    Ok(Reply::empty())
}

fn rotate(kx: &mut Kx, request: Rotate) -> Result<Reply, Fault> {
    let name = name_in_path(request.name)?;
    let Some(mut signer) = Signer::load_ready(kx, &name)? else {
        return Err(Fault::invalid(format!("no named key found at {name:?}")));
    };
    let ttl = match request.verification_ttl {
        Some(Seconds(ttl)) => not_negative("verification_ttl", ttl)?,
        None => signer.key.verification_ttl,
    };
    let now = kx.now;
    signer.rotate(now, ttl, kx.cx.randomness.as_mut())?;
    signer.save(kx)?;
    Ok(Reply::empty())
}

fn list(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let page = kx.page.clone();
    let names = named_key::names(kx)?.into_iter().filter(|name| page.after.is_empty() || *name > page.after);
    Ok(Reply::keys(names.take(page.limit.unwrap_or(usize::MAX)).collect()))
}
