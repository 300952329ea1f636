//! `config/keys` and `cache-config`: settings of the mount.

use super::wire::{CacheConfig, KeysConfig};
use engine::{Cx, Fault, Record, Reply};
use serde::{Deserialize, Serialize};
use serde_json::json;

const KEYS_CONFIG: &str = "config/keys";
const CACHE_CONFIG: &str = "config/cache";
/// Fewest keys that a limited cache of upstream holds.
const CACHE_SIZE_MIN: i64 = 10;

#[derive(Default, Serialize, Deserialize)]
struct StoredKeysConfig {
    disable_upsert: bool,
}

impl Record for StoredKeysConfig {
    const KIND: &'static str = "transit-config/1";
}

/// Kept because clients read it back: what is remembered here is bounded for all mounts together.
#[derive(Default, Serialize, Deserialize)]
struct StoredCacheConfig {
    size: i64,
}

impl Record for StoredCacheConfig {
    const KIND: &'static str = "transit-cache/1";
}

/// Whether encrypting with a name that no key has makes none.
pub(super) fn upsert_disabled(cx: &mut Cx) -> Result<bool, Fault> {
    Ok(cx.tx.load::<StoredKeysConfig>(KEYS_CONFIG)?.unwrap_or_default().disable_upsert)
}

pub(super) fn read_keys(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let disable_upsert = upsert_disabled(cx)?;
    Ok(Reply::data(json!({ "disable_upsert": disable_upsert })))
}

pub(super) fn write_keys(cx: &mut Cx, request: KeysConfig) -> Result<Reply, Fault> {
    if let Some(disable_upsert) = request.disable_upsert {
        cx.tx.save(KEYS_CONFIG, &StoredKeysConfig { disable_upsert })?;
    }
    read_keys(cx, ())
}

pub(super) fn read_cache(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let size = cx.tx.load::<StoredCacheConfig>(CACHE_CONFIG)?.unwrap_or_default().size;
    Ok(Reply::data(json!({ "size": size })))
}

pub(super) fn write_cache(cx: &mut Cx, request: CacheConfig) -> Result<Reply, Fault> {
    let size = request.size.unwrap_or_default();
    if size != 0 && size < CACHE_SIZE_MIN {
        return Err(Fault::invalid("size must be 0 or a value greater or equal to 10"));
    }
    cx.tx.save(CACHE_CONFIG, &StoredCacheConfig { size })?;
    read_cache(cx, ())
}
