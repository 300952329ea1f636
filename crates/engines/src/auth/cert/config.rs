//! Settings of the method, at `config`.

use super::wire::ConfigFields;
use engine::{Cx, Fault, Record, Reply};
use serde::{Deserialize, Serialize};
use serde_json::json;

const KEY: &str = "config";
const CACHE_SIZE_MIN: i64 = 2;
const CACHE_SIZE_MAX: i64 = 100_000;
/// What a first write sets where nothing was sent.
const CACHE_SIZE_DEFAULT: i64 = 100;

/// The settings.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Config {
    /// Whether a renewal needs no certificate.
    pub(super) disable_binding: bool,
    /// Whether metadata of a login is put on its alias.
    pub(super) enable_identity_alias_metadata: bool,
    /// Shown and without effect: nothing is asked of OCSP servers.
    pub(super) ocsp_cache_size: i64,
}

impl Record for Config {
    const KIND: &'static str = "cert-config/1";
}

impl Config {
    /// The settings, or those of a new mount.
    pub(super) fn load(cx: &mut Cx) -> Result<Self, Fault> {
        Ok(cx.tx.load(KEY)?.unwrap_or_default())
    }
}

/// Changes what was sent.
pub(super) fn write(cx: &mut Cx, sent: ConfigFields) -> Result<Reply, Fault> {
    let mut config = Config::load(cx)?;
    let size = sent.ocsp_cache_size.unwrap_or(CACHE_SIZE_DEFAULT);
    if !(CACHE_SIZE_MIN..=CACHE_SIZE_MAX).contains(&size) {
        let text = format!("invalid cache size, must be >= {CACHE_SIZE_MIN} and <= {CACHE_SIZE_MAX}");
        return Err(Fault::invalid(text));
    }
    config.ocsp_cache_size = size;
    config.disable_binding = sent.disable_binding.unwrap_or(config.disable_binding);
    config.enable_identity_alias_metadata =
        sent.enable_identity_alias_metadata.unwrap_or(config.enable_identity_alias_metadata);
    cx.tx.save(KEY, &config)?;
    Ok(Reply::empty())
}

/// Shows all.
pub(super) fn read(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let config = Config::load(cx)?;
    Ok(Reply::data(json!({
        "disable_binding": config.disable_binding,
        "enable_identity_alias_metadata": config.enable_identity_alias_metadata,
        "ocsp_cache_size": config.ocsp_cache_size,
    })))
}
