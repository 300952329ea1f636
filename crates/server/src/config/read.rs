//! Reading files and folders: Vault's and OpenBao's own configuration files start as they are. What is unknown is
//! warned about; what contradicts itself or is unsafe is refused.

use super::read_listener::listener;
use super::{AuditBlock, Config, Storage, permissions, version};
use hcl::{Block, Body, Value};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bytes of one configuration file.
const FILE_BYTES_MAX: u64 = 8 << 20;

/// Why a configuration is refused.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file cannot be read.
    #[error("{path}: {error}")]
    Read {
        /// File or folder.
        path: String,
        /// The system's reason.
        error: std::io::Error,
    },
    /// A file is not HCL or JSON.
    #[error("{path}: {error}")]
    Syntax {
        /// File.
        path: String,
        /// Line, column and what was expected.
        error: hcl::Error,
    },
    /// What it says makes no sense together.
    #[error("{0}")]
    Refused(String),
}

pub(super) fn refused(text: impl Into<String>) -> ConfigError {
    ConfigError::Refused(text.into())
}

/// Keys at the top that are understood, or accepted in silence since what they ask is so anyway.
const KNOWN: [&str; 25] = [
    "api_addr",
    "audit",
    "backend",
    "cluster_addr",
    "cluster_name",
    "default_lease_ttl",
    "default_max_request_duration",
    "disable_clustering",
    "disable_mlock",
    "disable_performance_standby",
    "disable_sealwrap",
    "enable_response_header_hostname",
    "enable_ui",
    "listener",
    "log_format",
    "log_level",
    "max_lease_ttl",
    "pid_file",
    "raw_storage_endpoint",
    "reported_version",
    "seal",
    "storage",
    "telemetry",
    "ui",
    "unsafe_allow_api_audit_creation",
];

/// Keys at the top that are accepted and change nothing here; the log says so.
const WITHOUT_EFFECT: [&str; 25] = [
    "allow_audit_log_prefixing",
    "cache_size",
    "detect_deadlocks",
    "disable_cache",
    "disable_indexing",
    "disable_printable_check",
    "enable_response_header_raft_node_id",
    "entropy",
    "experiments",
    "ha_backend",
    "ha_storage",
    "imprecise_lease_role_tracking",
    "initialize",
    "introspection_endpoint",
    "license_path",
    "log_file",
    "log_requests_level",
    "log_rotate_bytes",
    "log_rotate_duration",
    "log_rotate_max_files",
    "plugin_directory",
    "plugin_file_permissions",
    "plugin_file_uid",
    "service_registration",
    "user_lockout",
];

/// Keys of `telemetry` that are understood.
const TELEMETRY: [&str; 1] = ["otlp_endpoint"];

/// Reads files and folders in order; a later file wins.
pub fn read(paths: &[PathBuf]) -> Result<Config, ConfigError> {
    let mut config = Config { version: version(), log_level: "info".to_owned(), ..Config::default() };
    let mut storage = None;
    for path in files(paths)? {
        let text = text(&path)?;
        let document =
            hcl::parse(&text).map_err(|error| ConfigError::Syntax { path: path.display().to_string(), error })?;
        apply(&mut config, &document, &mut storage)?;
    }
    config.storage = storage.ok_or_else(|| refused("A storage backend must be specified"))?;
    if config.listeners.is_empty() {
        return Err(refused("A listener must be specified"));
    }
    Ok(config)
}

fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>, ConfigError> {
    let mut files = Vec::new();
    for path in paths {
        let failed = |error| ConfigError::Read { path: path.display().to_string(), error };
        if !std::fs::metadata(path).map_err(failed)?.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries = std::fs::read_dir(path).map_err(failed)?;
        let mut inside: Vec<PathBuf> =
            entries.filter_map(|entry| entry.ok()).map(|entry| entry.path()).filter(|path| is_config(path)).collect();
        inside.sort();
        files.extend(inside);
    }
    Ok(files)
}

fn is_config(path: &Path) -> bool {
    path.is_file() && path.extension().is_some_and(|extension| extension == "hcl" || extension == "json")
}

fn text(path: &Path) -> Result<String, ConfigError> {
    let failed = |error| ConfigError::Read { path: path.display().to_string(), error };
    if std::fs::metadata(path).map_err(failed)?.len() > FILE_BYTES_MAX {
        return Err(refused(format!("{}: file is too large", path.display())));
    }
    permissions::check_config(path)?;
    std::fs::read_to_string(path).map_err(failed)
}

fn apply(config: &mut Config, body: &Body, storage: &mut Option<Storage>) -> Result<(), ConfigError> {
    for (key, position) in body.unknown_keys(&KNOWN) {
        if !WITHOUT_EFFECT.contains(&key) {
            config.warnings.push(format!("unknown configuration key {key:?} at line {}", position.line));
        }
    }
    for name in ["storage", "backend"] {
        for block in blocks(body, name, 1)? {
            *storage = Some(storage_of(config, &block)?);
        }
    }
    let default_duration = match body.attribute("default_max_request_duration") {
        None => None,
        Some(value) => Some(time(value).ok_or_else(|| refused("default_max_request_duration is not a duration"))?),
    };
    for block in blocks(body, "listener", 1)? {
        config.listeners.push(listener(&block, default_duration, &mut config.warnings)?);
    }
    for block in blocks(body, "seal", 1)? {
        seal(config, &block)?;
    }
    for block in blocks(body, "audit", 2)? {
        let audit = audit(&block)?;
        if config.audit.iter().any(|known| known.path == audit.path) {
            return Err(refused(format!("audit device {:?} is declared twice", audit.path)));
        }
        config.audit.push(audit);
    }
    for block in blocks(body, "telemetry", 0)? {
        telemetry(config, &block)?;
    }
    for key in WITHOUT_EFFECT.iter().filter(|key| body.items_of(key).next().is_some()) {
        config.warnings.push(format!("{key} has no effect here"));
    }
    scalars(config, body)
}

fn scalars(config: &mut Config, body: &Body) -> Result<(), ConfigError> {
    let text = |key: &str| body.attribute(key).and_then(Value::as_string).filter(|text| !text.is_empty());
    let set = |slot: &mut String, key: &str| {
        if let Some(value) = text(key) {
            *slot = value;
        }
    };
    set(&mut config.api_addr, "api_addr");
    set(&mut config.cluster_name, "cluster_name");
    set(&mut config.log_level, "log_level");
    set(&mut config.log_format, "log_format");
    if std::env::var_os("COFFER_REPORTED_VERSION").is_none() {
        set(&mut config.version, "reported_version");
    }
    config.pid_file = text("pid_file").map(PathBuf::from).or_else(|| config.pid_file.take());
    check_log(config)?;
    if let Some(value) = body.attribute("enable_response_header_hostname") {
        config.response_hostname =
            value.as_bool().ok_or_else(|| refused("enable_response_header_hostname is not a boolean"))?;
    }
    config.ui = body.attribute("ui").and_then(Value::as_bool).unwrap_or(config.ui);
    if let Some(allow) = body.attribute("unsafe_allow_api_audit_creation").and_then(Value::as_bool) {
        config.settings.allow_api_audit_creation = allow;
    }
    if let Some(allow) = body.attribute("introspection_endpoint").and_then(Value::as_bool) {
        config.settings.introspection = allow;
    }
    for (slot, key) in [
        (&mut config.settings.default_lease_ttl, "default_lease_ttl"),
        (&mut config.settings.max_lease_ttl, "max_lease_ttl"),
    ] {
        if let Some(value) = body.attribute(key) {
            let seconds = value.as_duration_seconds().and_then(|seconds| i64::try_from(seconds).ok());
            *slot =
                seconds.filter(|seconds| *seconds > 0).ok_or_else(|| refused(format!("{key} is not a duration")))?;
        }
    }
    if config.settings.default_lease_ttl > config.settings.max_lease_ttl {
        return Err(refused("default_lease_ttl is longer than max_lease_ttl"));
    }
    if body.attribute("raw_storage_endpoint").and_then(Value::as_bool) == Some(true) {
        return Err(refused("raw_storage_endpoint is not supported: it would be as good as root"));
    }
    Ok(())
}

/// What a log may be asked for.
fn check_log(config: &Config) -> Result<(), ConfigError> {
    let level = config.log_level.to_ascii_lowercase();
    if !matches!(level.as_str(), "trace" | "debug" | "info" | "warn" | "warning" | "err" | "error") {
        return Err(refused("log_level must be trace, debug, info, warn or error"));
    }
    if !matches!(config.log_format.as_str(), "" | "standard" | "json") {
        return Err(refused("log_format must be standard or json"));
    }
    Ok(())
}

fn telemetry(config: &mut Config, block: &Block<'_>) -> Result<(), ConfigError> {
    if let Some(endpoint) = string(block, "otlp_endpoint") {
        if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
            return Err(refused("otlp_endpoint must begin with http:// or https://"));
        }
        config.otlp_endpoint = Some(endpoint);
    }
    for (key, position) in block.body.unknown_keys(&TELEMETRY) {
        let line = position.line;
        config
            .warnings
            .push(format!("telemetry: {key} at line {line} has no effect here: metrics are read from sys/metrics"));
    }
    Ok(())
}

/// A time above zero: seconds, or a text such as `90s`.
fn time(value: &Value) -> Option<Duration> {
    value.as_duration_seconds().filter(|seconds| *seconds > 0).map(Duration::from_secs)
}

pub(super) fn duration(block: &Block<'_>, key: &str) -> Result<Option<Duration>, ConfigError> {
    let Some(value) = block.body.attribute(key) else { return Ok(None) };
    time(value).map(Some).ok_or_else(|| refused(format!("{key} is not a duration above zero")))
}

pub(super) fn bytes_of(value: &Value) -> Option<usize> {
    value.as_i64().and_then(|bytes| usize::try_from(bytes).ok())
}

fn blocks<'a>(body: &'a Body, name: &str, labels: usize) -> Result<Vec<Block<'a>>, ConfigError> {
    body.blocks(name, labels).map_err(|error| refused(format!("{name}: {error}")))
}

pub(super) fn string(block: &Block<'_>, key: &str) -> Option<String> {
    block.body.attribute(key).and_then(Value::as_string).filter(|text| !text.is_empty())
}

pub(super) fn flag(block: &Block<'_>, key: &str) -> Result<bool, ConfigError> {
    match block.body.attribute(key) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| refused(format!("{key} is not a boolean"))),
    }
}

/// Whether a protection that is on where nothing is said was switched off.
pub(super) fn switched_off(block: &Block<'_>, key: &str) -> Result<bool, ConfigError> {
    Ok(block.body.attribute(key).is_some() && !flag(block, key)?)
}

fn storage_of(config: &mut Config, block: &Block<'_>) -> Result<Storage, ConfigError> {
    let named = block.label().to_owned();
    match named.as_str() {
        "inmem" | "inmem_ha" | "inmem_transactional" => Ok(Storage::Memory),
        "file" | "raft" | "local" => {
            let path =
                string(block, "path").ok_or_else(|| refused(format!("'path' must be set for storage {named:?}")))?;
            if named != "local" {
                config.warnings.push(format!("storage {named:?} runs on the embedded store in {path}"));
            }
            Ok(Storage::Local { path: PathBuf::from(path), named })
        }
        _ => Err(refused(format!("unknown storage type {named:?}: use \"local\", \"raft\", \"file\" or \"inmem\""))),
    }
}

fn seal(config: &mut Config, block: &Block<'_>) -> Result<(), ConfigError> {
    if flag(block, "disabled")? {
        config.warnings.push(format!("seal {:?} is disabled: seals are not migrated here", block.label()));
        return Ok(());
    }
    match block.label() {
        "shamir" => Ok(()),
        "static" if config.seal_key.is_some() => Err(refused("more than one seal is configured")),
        "static" => {
            let text = string(block, "current_key").ok_or_else(|| refused("seal \"static\" needs current_key"))?;
            let key = barrier::static_key(&seal_key(&text)?).map_err(|error| refused(error.to_string()))?;
            config.seal_key = Some(key);
            Ok(())
        }
        other => Err(refused(format!("unknown seal type {other:?}: use \"shamir\" or \"static\""))),
    }
}

/// The key itself, or what a path or an environment variable holds, which keeps the key out of the configuration.
fn seal_key(text: &str) -> Result<Vec<u8>, ConfigError> {
    match (text.strip_prefix("file://"), text.strip_prefix("env://")) {
        (Some(path), _) => {
            permissions::check_secret(Path::new(path))?;
            std::fs::read(path).map_err(|error| ConfigError::Read { path: path.to_owned(), error })
        }
        (_, Some(name)) => std::env::var(name)
            .map(String::into_bytes)
            .map_err(|_| refused(format!("environment variable {name} is not set"))),
        _ => Ok(text.as_bytes().to_vec()),
    }
}

fn audit(block: &Block<'_>) -> Result<AuditBlock, ConfigError> {
    let [kind, path] = block.labels.as_slice() else {
        return Err(refused("audit devices are declared as: audit \"KIND\" \"NAME\" { options { … } }"));
    };
    let mut options = BTreeMap::new();
    if let Some(body) = block.body.attribute("options").and_then(Value::as_body) {
        for item in &body.items {
            let value = item.value.as_string();
            let value = value.ok_or_else(|| refused(format!("audit {path:?}: option {} must be a text", item.key)))?;
            options.insert(item.key.clone(), value);
        }
    }
    // A device that could never store anything would make every request fail.
    crate::audit::check_options(kind, &options).map_err(|error| refused(format!("audit {path:?}: {error}")))?;
    Ok(AuditBlock {
        kind: (*kind).to_owned(),
        path: format!("{}/", path.trim_end_matches('/')),
        description: string(block, "description").unwrap_or_default(),
        options,
    })
}
