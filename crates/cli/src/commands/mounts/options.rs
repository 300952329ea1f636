//! Flags of mounts, and what they become in a request.

use crate::flags::{Arguments, Flag, FlagAbout, Seconds};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Where to mount.
pub static PATH: Flag<Option<String>> = Flag::new("path", "PATH", "Where to mount it, if not at the name of its type.");
static DESCRIPTION: Flag<Option<String>> = Flag::new("description", "TEXT", "What it is for.");
static DEFAULT_TTL: Flag<Option<Seconds>> =
    Flag::new("default-lease-ttl", "DURATION", "How long leases and tokens live if nobody says how long.");
static MAX_TTL: Flag<Option<Seconds>> = Flag::new("max-lease-ttl", "DURATION", "How long they live at most.");
static LISTING: Flag<Option<String>> = Flag::new(
    "listing-visibility",
    "WHERE",
    "unauth shows the mount to people who have not logged in; hidden does not.",
);
static HMAC_REQUEST: Flag<Vec<String>> =
    Flag::new("audit-non-hmac-request-keys", "KEY", "Field of requests that audit shows in clear; may be repeated.");
static HMAC_RESPONSE: Flag<Vec<String>> =
    Flag::new("audit-non-hmac-response-keys", "KEY", "Field of replies that audit shows in clear; may be repeated.");
static PASSTHROUGH: Flag<Vec<String>> =
    Flag::new("passthrough-request-headers", "NAME", "Header that is handed to it; may be repeated.");
static ALLOWED_HEADERS: Flag<Vec<String>> =
    Flag::new("allowed-response-headers", "NAME", "Header that it may set; may be repeated.");
static OPTIONS: Flag<BTreeMap<String, String>> =
    Flag::new("options", "KEY=VALUE", "Option of its type; may be repeated.");
static VERSION: Flag<Option<i64>> = Flag::new("version", "NUMBER", "Version of its type; for kv 1 or 2.");
static LOCAL: Flag<bool> = Flag::switch("local", "Is not replicated to other clusters.");
static SEAL_WRAP: Flag<bool> = Flag::switch("seal-wrap", "Is encrypted by the seal as well.");
static NO_CACHE: Flag<bool> = Flag::switch("force-no-cache", "Taken for compatibility.");
static ENTROPY: Flag<bool> = Flag::switch("external-entropy-access", "Taken for compatibility.");
static PLUGIN_NAME: Flag<Option<String>> = Flag::new("plugin-name", "NAME", "Name of the plugin, if it is one.");
static PLUGIN_VERSION: Flag<Option<String>> = Flag::new("plugin-version", "VERSION", "Version of the plugin.");
static TOKEN_TYPE: Flag<Option<String>> =
    Flag::new("token-type", "TYPE", "default-service, default-batch, service or batch.");
static LOCKOUT_THRESHOLD: Flag<Option<i64>> =
    Flag::new("user-lockout-threshold", "COUNT", "Failed logins after which a user is locked.");
static LOCKOUT_DURATION: Flag<Option<Seconds>> =
    Flag::new("user-lockout-duration", "DURATION", "How long a user is locked.");
static LOCKOUT_RESET: Flag<Option<Seconds>> =
    Flag::new("user-lockout-counter-reset-duration", "DURATION", "When failed logins are forgotten.");
static LOCKOUT_DISABLE: Flag<Option<bool>> = Flag::new("user-lockout-disable", "", "Locks nobody.");

/// Flags of `secrets enable`.
pub static ENABLE_SECRETS: [&FlagAbout; 17] = [
    &PATH.about,
    &DESCRIPTION.about,
    &DEFAULT_TTL.about,
    &MAX_TTL.about,
    &LISTING.about,
    &HMAC_REQUEST.about,
    &HMAC_RESPONSE.about,
    &PASSTHROUGH.about,
    &ALLOWED_HEADERS.about,
    &OPTIONS.about,
    &VERSION.about,
    &LOCAL.about,
    &SEAL_WRAP.about,
    &NO_CACHE.about,
    &ENTROPY.about,
    &PLUGIN_NAME.about,
    &PLUGIN_VERSION.about,
];
/// Flags of `secrets tune`.
pub static TUNE_SECRETS: [&FlagAbout; 11] = [
    &DESCRIPTION.about,
    &DEFAULT_TTL.about,
    &MAX_TTL.about,
    &LISTING.about,
    &HMAC_REQUEST.about,
    &HMAC_RESPONSE.about,
    &PASSTHROUGH.about,
    &ALLOWED_HEADERS.about,
    &OPTIONS.about,
    &VERSION.about,
    &PLUGIN_VERSION.about,
];
/// Flags of `auth enable`.
pub static ENABLE_AUTH: [&FlagAbout; 18] = [
    &PATH.about,
    &DESCRIPTION.about,
    &DEFAULT_TTL.about,
    &MAX_TTL.about,
    &LISTING.about,
    &HMAC_REQUEST.about,
    &HMAC_RESPONSE.about,
    &PASSTHROUGH.about,
    &ALLOWED_HEADERS.about,
    &OPTIONS.about,
    &VERSION.about,
    &LOCAL.about,
    &SEAL_WRAP.about,
    &NO_CACHE.about,
    &ENTROPY.about,
    &PLUGIN_NAME.about,
    &PLUGIN_VERSION.about,
    &TOKEN_TYPE.about,
];
/// Flags of `auth tune`.
pub static TUNE_AUTH: [&FlagAbout; 16] = [
    &DESCRIPTION.about,
    &DEFAULT_TTL.about,
    &MAX_TTL.about,
    &LISTING.about,
    &HMAC_REQUEST.about,
    &HMAC_RESPONSE.about,
    &PASSTHROUGH.about,
    &ALLOWED_HEADERS.about,
    &OPTIONS.about,
    &VERSION.about,
    &PLUGIN_VERSION.about,
    &TOKEN_TYPE.about,
    &LOCKOUT_THRESHOLD.about,
    &LOCKOUT_DURATION.about,
    &LOCKOUT_RESET.about,
    &LOCKOUT_DISABLE.about,
];

/// What `tune` sends, and `enable` as the mount's configuration: only what was said.
pub fn config(arguments: &Arguments) -> Map<String, Value> {
    let mut config = Map::new();
    for flag in [&DEFAULT_TTL, &MAX_TTL] {
        if let Some(Seconds(seconds)) = arguments.get(flag) {
            config.insert(flag.about.name.replace('-', "_"), format!("{seconds}s").into());
        }
    }
    for flag in [&HMAC_REQUEST, &HMAC_RESPONSE, &PASSTHROUGH, &ALLOWED_HEADERS] {
        if arguments.has(flag) {
            config.insert(flag.about.name.replace('-', "_"), json!(arguments.get(flag)));
        }
    }
    for flag in [&LISTING, &PLUGIN_VERSION, &TOKEN_TYPE] {
        if let Some(text) = arguments.get(flag) {
            config.insert(flag.about.name.replace('-', "_"), text.into());
        }
    }
    if arguments.get(&NO_CACHE) {
        config.insert("force_no_cache".to_owned(), true.into());
    }
    let lockout = lockout(arguments);
    if !lockout.is_empty() {
        config.insert("user_lockout_config".to_owned(), Value::Object(lockout));
    }
    config
}

fn lockout(arguments: &Arguments) -> Map<String, Value> {
    let mut lockout = Map::new();
    if let Some(count) = arguments.get(&LOCKOUT_THRESHOLD) {
        lockout.insert("lockout_threshold".to_owned(), count.to_string().into());
    }
    for (name, flag) in [("lockout_duration", &LOCKOUT_DURATION), ("lockout_counter_reset_duration", &LOCKOUT_RESET)] {
        if let Some(Seconds(seconds)) = arguments.get(flag) {
            lockout.insert(name.to_owned(), format!("{seconds}s").into());
        }
    }
    if let Some(disable) = arguments.get(&LOCKOUT_DISABLE) {
        lockout.insert("lockout_disable".to_owned(), disable.into());
    }
    lockout
}

/// What both say outside of the configuration.
pub fn outside(arguments: &Arguments) -> Map<String, Value> {
    let mut body = Map::new();
    if let Some(description) = arguments.get(&DESCRIPTION) {
        body.insert("description".to_owned(), description.into());
    }
    let mut options = arguments.get(&OPTIONS);
    if let Some(version) = arguments.get(&VERSION) {
        options.insert("version".to_owned(), version.to_string());
    }
    if !options.is_empty() {
        body.insert("options".to_owned(), json!(options));
    }
    body
}

/// What only `enable` says.
pub fn kind(arguments: &Arguments, kind: &str) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("type".to_owned(), arguments.get(&PLUGIN_NAME).unwrap_or_else(|| kind.to_owned()).into());
    for flag in [&LOCAL, &SEAL_WRAP, &ENTROPY] {
        body.insert(flag.about.name.replace('-', "_"), arguments.get(flag).into());
    }
    body
}
