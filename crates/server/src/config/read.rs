//! Reading files and folders: Vault's and OpenBao's own configuration files start as they are. What is unknown is
//! warned about; what contradicts itself or is unsafe is refused.

use super::{Address, AuditBlock, Config, ListenerConfig, Storage, TlsConfig, version};
use crate::http::Limits;
use engine::OpenCeremonies;
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

fn refused(text: impl Into<String>) -> ConfigError {
    ConfigError::Refused(text.into())
}

/// Keys at the top that are understood or knowingly without effect here.
const KNOWN: [&str; 46] = [
    "storage",
    "backend",
    "ha_storage",
    "ha_backend",
    "listener",
    "seal",
    "telemetry",
    "audit",
    "initialize",
    "api_addr",
    "cluster_addr",
    "cluster_name",
    "disable_mlock",
    "ui",
    "plugin_directory",
    "default_lease_ttl",
    "max_lease_ttl",
    "log_level",
    "log_format",
    "raw_storage_endpoint",
    "pid_file",
    "cache_size",
    "disable_cache",
    "disable_clustering",
    "disable_sealwrap",
    "disable_performance_standby",
    "disable_indexing",
    "disable_printable_check",
    "enable_ui",
    "plugin_file_uid",
    "plugin_file_permissions",
    "introspection_endpoint",
    "default_max_request_duration",
    "log_requests_level",
    "user_lockout",
    "service_registration",
    "reported_version",
    "unsafe_allow_api_audit_creation",
    "allow_audit_log_prefixing",
    "enable_response_header_hostname",
    "enable_response_header_raft_node_id",
    "log_file",
    "log_rotate_bytes",
    "log_rotate_duration",
    "log_rotate_max_files",
    "imprecise_lease_role_tracking",
];

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
    std::fs::read_to_string(path).map_err(failed)
}

fn apply(config: &mut Config, body: &Body, storage: &mut Option<Storage>) -> Result<(), ConfigError> {
    for (key, position) in body.unknown_keys(&KNOWN) {
        config.warnings.push(format!("unknown configuration key {key:?} at line {}", position.line));
    }
    for name in ["storage", "backend"] {
        for block in blocks(body, name, 1)? {
            *storage = Some(storage_of(config, &block)?);
        }
    }
    for block in blocks(body, "listener", 1)? {
        config.listeners.push(listener(&block, &mut config.warnings)?);
    }
    for block in blocks(body, "seal", 1)? {
        seal(config, &block)?;
    }
    for block in blocks(body, "audit", 2)? {
        config.audit.push(audit(&block));
    }
    for key in ["ha_storage", "ha_backend", "service_registration", "initialize"] {
        if body.item(key).is_some() {
            config.warnings.push(format!("{key} is not used here"));
        }
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

fn blocks<'a>(body: &'a Body, name: &str, labels: usize) -> Result<Vec<Block<'a>>, ConfigError> {
    body.blocks(name, labels).map_err(|error| refused(format!("{name}: {error}")))
}

fn string(block: &Block<'_>, key: &str) -> Option<String> {
    block.body.attribute(key).and_then(Value::as_string).filter(|text| !text.is_empty())
}

fn flag(block: &Block<'_>, key: &str) -> Result<bool, ConfigError> {
    match block.body.attribute(key) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| refused(format!("{key} is not a boolean"))),
    }
}

/// Whether a protection that is on where nothing is said was switched off.
fn switched_off(block: &Block<'_>, key: &str) -> Result<bool, ConfigError> {
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

fn listener(block: &Block<'_>, warnings: &mut Vec<String>) -> Result<ListenerConfig, ConfigError> {
    let address = match block.label() {
        "unix" => Address::Unix(PathBuf::from(
            string(block, "address").ok_or_else(|| refused("listener \"unix\" needs an address"))?,
        )),
        "tcp" => Address::Tcp(with_port(string(block, "address").unwrap_or_else(|| "127.0.0.1:8200".to_owned()))),
        other => return Err(refused(format!("unknown listener type {other:?}"))),
    };
    let plain = flag(block, "tls_disable")?
        || (matches!(address, Address::Unix(_)) && block.body.attribute("tls_cert_file").is_none());
    let tls = if plain { None } else { Some(tls(block)?) };
    if let (Address::Tcp(address), None) = (&address, &tls)
        && !address.starts_with("127.")
        && !address.starts_with("[::1]")
        && !address.starts_with("localhost")
    {
        warnings.push(format!("listener {address} is reachable from outside and has TLS switched off"));
    }
    let mut limits = Limits::default();
    if let Some(value) = block.body.attribute("max_request_size") {
        let bytes =
            value.as_i64().or_else(|| value.as_string()?.parse().ok()).and_then(|bytes| usize::try_from(bytes).ok());
        limits.body_bytes_max =
            bytes.filter(|bytes| *bytes > 0).ok_or_else(|| refused("max_request_size is not a positive number"))?;
    }
    if let Some(value) = block.body.attribute("max_request_duration") {
        let seconds = value.as_duration_seconds().filter(|seconds| *seconds > 0);
        limits.request_time_max =
            Duration::from_secs(seconds.ok_or_else(|| refused("max_request_duration is not a duration"))?);
    }
    limits.require_request_header = flag(block, "require_request_header")?;
    let open = OpenCeremonies {
        rekey: switched_off(block, "disable_unauthed_rekey_endpoints")?,
        generate_root: switched_off(block, "disable_unauthed_generate_root_endpoints")?,
    };
    Ok(ListenerConfig { address, tls, limits, open })
}

fn with_port(address: String) -> String {
    let bare_v6 = address.ends_with(']');
    let has_port = !bare_v6 && address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { address } else { format!("{address}:8200") };
    // An empty host listens everywhere, as Go reads it.
    if address.starts_with(':') { format!("[::]{address}") } else { address }
}

fn tls(block: &Block<'_>) -> Result<TlsConfig, ConfigError> {
    let needed = |key: &str| {
        string(block, key).map(PathBuf::from).ok_or_else(|| refused(format!("'{key}' must be set, or 'tls_disable'")))
    };
    let tls13_only = match string(block, "tls_min_version").as_deref() {
        None | Some("tls12") => false,
        Some("tls13") => true,
        Some(_) => return Err(refused("tls_min_version must be tls12 or tls13")),
    };
    let tls = TlsConfig {
        cert_file: needed("tls_cert_file")?,
        key_file: needed("tls_key_file")?,
        client_ca_file: string(block, "tls_client_ca_file").map(PathBuf::from),
        require_client_cert: flag(block, "tls_require_and_verify_client_cert")?,
        disable_client_certs: flag(block, "tls_disable_client_certs")?,
        tls13_only,
    };
    if tls.require_client_cert && tls.disable_client_certs {
        return Err(refused(
            "'tls_disable_client_certs' and 'tls_require_and_verify_client_cert' are mutually exclusive",
        ));
    }
    if tls.require_client_cert && tls.client_ca_file.is_none() {
        return Err(refused("'tls_require_and_verify_client_cert' needs 'tls_client_ca_file'"));
    }
    Ok(tls)
}

fn seal(config: &mut Config, block: &Block<'_>) -> Result<(), ConfigError> {
    match block.label() {
        "shamir" => Ok(()),
        "static" => {
            let text = string(block, "current_key").ok_or_else(|| refused("seal \"static\" needs current_key"))?;
            // A path or an environment variable keeps the key out of the configuration.
            let bytes = match (text.strip_prefix("file://"), text.strip_prefix("env://")) {
                (Some(path), _) => {
                    std::fs::read(path).map_err(|error| ConfigError::Read { path: path.to_owned(), error })?
                }
                (_, Some(name)) => std::env::var(name)
                    .map_err(|_| refused(format!("environment variable {name} is not set")))?
                    .into_bytes(),
                _ => text.into_bytes(),
            };
            let key = barrier::static_key(&bytes).map_err(|error| refused(error.to_string()))?;
            config.seal_key = Some(key);
            Ok(())
        }
        other => Err(refused(format!("unknown seal type {other:?}: use \"shamir\" or \"static\""))),
    }
}

fn audit(block: &Block<'_>) -> AuditBlock {
    let (kind, path) = match block.labels.as_slice() {
        [kind, path, ..] => ((*kind).to_owned(), format!("{}/", path.trim_end_matches('/'))),
        [kind] => ((*kind).to_owned(), format!("{kind}/")),
        [] => Default::default(),
    };
    let options = block.body.attribute("options").and_then(Value::as_body).map(|options| {
        let pairs = options.items.iter().filter_map(|item| Some((item.key.clone(), item.value.as_string()?)));
        pairs.collect::<BTreeMap<String, String>>()
    });
    AuditBlock {
        kind,
        path,
        description: string(block, "description").unwrap_or_default(),
        options: options.unwrap_or_default(),
    }
}
