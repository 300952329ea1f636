//! Reading a listener's block: upstream's keys, with those that contradict each other refused.

use super::listener::{
    Address, ForwardedFor, HeaderRule, ListenerConfig, Others, ProxyProtocol, Statuses, TlsConfig, TlsVersions,
    UnixSocket,
};
use super::permissions;
use super::read::{ConfigError, bytes_of, duration, flag, refused, string, switched_off};
use crate::http::Limits;
use engine::{BoundCidrs, OpenCeremonies};
use hcl::{Block, Body};
use std::path::PathBuf;

/// Keys of a listener that are understood.
const KNOWN: [&str; 29] = [
    "address",
    "custom_response_headers",
    "disable_unauthed_generate_root_endpoints",
    "disable_unauthed_rekey_endpoints",
    "max_request_duration",
    "max_request_size",
    "profiling",
    "proxy_protocol_authorized_addrs",
    "proxy_protocol_behavior",
    "require_request_header",
    "socket_group",
    "socket_mode",
    "socket_user",
    "telemetry",
    "tls_cert_file",
    "tls_client_ca_file",
    "tls_disable",
    "tls_disable_client_certs",
    "tls_key_file",
    "tls_max_version",
    "tls_min_version",
    "tls_require_and_verify_client_cert",
    "unauthenticated_metrics_access",
    "x_forwarded_for_authorized_addrs",
    "x_forwarded_for_hop_skips",
    "x_forwarded_for_reject_not_authorized",
    "x_forwarded_for_reject_not_present",
    "type",
    "purpose",
];

/// Keys of a listener that are accepted and change nothing here: what they tune is fixed or does not exist.
const WITHOUT_EFFECT: [&str; 23] = [
    "cluster_address",
    "disable_replication_status_endpoints",
    "http_idle_timeout",
    "http_read_header_timeout",
    "http_read_timeout",
    "http_write_timeout",
    "max_request_json_array_element_count",
    "max_request_json_depth",
    "max_request_json_memory",
    "max_request_json_object_entry_count",
    "max_request_json_string_value_length",
    "max_request_json_strings",
    "max_json_array_element_count",
    "max_json_depth",
    "max_json_object_entry_count",
    "max_json_string_value_length",
    "redact_addresses",
    "redact_cluster_name",
    "redact_version",
    "tls_cipher_suites",
    "tls_prefer_server_cipher_suites",
    "role",
    "agent_api",
];

/// Keys of a listener that narrow or move trust in a way that is not built: without them the listener would be wider than
/// its owner thinks.
const REFUSED: [&str; 4] =
    ["chroot_namespace", "x_forwarded_for_client_cert_header", "tls_acme_ca_directory", "tls_acme_domains"];

/// Reads a listener; what is unknown or without effect goes to `warnings`.
pub fn listener(
    block: &Block<'_>,
    default_duration: Option<std::time::Duration>,
    warnings: &mut Vec<String>,
) -> Result<ListenerConfig, ConfigError> {
    check_keys(block, warnings)?;
    let address = address(block)?;
    let plain = flag(block, "tls_disable")?
        || (matches!(address, Address::Unix(_)) && block.body.attribute("tls_cert_file").is_none());
    let tls = if plain { None } else { Some(tls(block)?) };
    if let Some(tls) = &tls {
        permissions::check_tls_key(&tls.key_file, warnings)?;
    }
    if let (Address::Tcp(address), None) = (&address, &tls)
        && !is_loopback(address)
    {
        warnings.push(format!("listener {address} is reachable from outside and has TLS switched off"));
    }
    let (open_metrics, open_in_flight) = open_reports(block)?;
    Ok(ListenerConfig {
        address,
        tls,
        limits: limits(block, default_duration)?,
        open: OpenCeremonies {
            rekey: switched_off(block, "disable_unauthed_rekey_endpoints")?,
            generate_root: switched_off(block, "disable_unauthed_generate_root_endpoints")?,
        },
        proxy: proxy(block)?,
        forwarded: forwarded(block)?,
        headers: headers(block)?,
        open_metrics,
        open_in_flight,
    })
}

fn check_keys(block: &Block<'_>, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    for key in REFUSED {
        if block.body.item(key).is_some() {
            return Err(refused(format!(
                "listener: {key} is not supported, and leaving it out would open more than you want"
            )));
        }
    }
    for (key, position) in block.body.unknown_keys(&KNOWN) {
        let line = position.line;
        warnings.push(if WITHOUT_EFFECT.contains(&key) {
            format!("listener: {key} at line {line} has no effect here")
        } else {
            format!("listener: unknown configuration key {key:?} at line {line}")
        });
    }
    Ok(())
}

fn address(block: &Block<'_>) -> Result<Address, ConfigError> {
    match block.label() {
        "unix" => {
            let path = string(block, "address").ok_or_else(|| refused("listener \"unix\" needs an address"))?;
            let mode = match string(block, "socket_mode") {
                None => None,
                Some(text) => {
                    let mode = u32::from_str_radix(text.trim_start_matches("0o"), 8).ok().filter(|mode| *mode <= 0o777);
                    Some(mode.ok_or_else(|| refused("socket_mode must be permissions in octal, such as 0660"))?)
                }
            };
            Ok(Address::Unix(UnixSocket {
                path: PathBuf::from(path),
                mode,
                user: string(block, "socket_user"),
                group: string(block, "socket_group"),
            }))
        }
        "tcp" => Ok(Address::Tcp(with_port(string(block, "address").unwrap_or_else(|| "127.0.0.1:8200".to_owned())))),
        other => Err(refused(format!("unknown listener type {other:?}: use \"tcp\" or \"unix\""))),
    }
}

fn with_port(address: String) -> String {
    let bare_v6 = address.ends_with(']');
    let has_port = !bare_v6 && address.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let address = if has_port { address } else { format!("{address}:8200") };
    // An empty host listens everywhere, as Go reads it.
    if address.starts_with(':') { format!("[::]{address}") } else { address }
}

/// Whether only this machine reaches an address.
pub(super) fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn limits(block: &Block<'_>, default_duration: Option<std::time::Duration>) -> Result<Limits, ConfigError> {
    let mut limits = Limits::default();
    if let Some(value) = block.body.attribute("max_request_size") {
        let bytes = bytes_of(value).filter(|bytes| *bytes > 0);
        limits.body_bytes_max = bytes.ok_or_else(|| refused("max_request_size must be a positive number of bytes"))?;
    }
    if let Some(time) = duration(block, "max_request_duration")?.or(default_duration) {
        limits.request_time_max = time;
    }
    limits.require_request_header = flag(block, "require_request_header")?;
    Ok(limits)
}

fn tls(block: &Block<'_>) -> Result<TlsConfig, ConfigError> {
    let needed = |key: &str| {
        string(block, key).map(PathBuf::from).ok_or_else(|| refused(format!("'{key}' must be set, or 'tls_disable'")))
    };
    let version = |key: &str| match string(block, key).as_deref() {
        None => Ok(None),
        Some("tls12") => Ok(Some(12)),
        Some("tls13") => Ok(Some(13)),
        // Older versions cannot be spoken safely, so asking for them is refused rather than raised silently.
        Some(_) => Err(refused(format!("{key} must be tls12 or tls13"))),
    };
    let versions = match (version("tls_min_version")?, version("tls_max_version")?) {
        (Some(13), Some(12)) => return Err(refused("tls_min_version is above tls_max_version")),
        (Some(13), _) => TlsVersions::Only13,
        (_, Some(12)) => TlsVersions::Only12,
        _ => TlsVersions::Both,
    };
    let tls = TlsConfig {
        cert_file: needed("tls_cert_file")?,
        key_file: needed("tls_key_file")?,
        client_ca_file: string(block, "tls_client_ca_file").map(PathBuf::from),
        require_client_cert: flag(block, "tls_require_and_verify_client_cert")?,
        disable_client_certs: flag(block, "tls_disable_client_certs")?,
        versions,
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

fn proxy(block: &Block<'_>) -> Result<Option<ProxyProtocol>, ConfigError> {
    let authorized = networks(block, "proxy_protocol_authorized_addrs")?;
    let others = match string(block, "proxy_protocol_behavior").as_deref() {
        None => return Ok(None),
        Some("use_always") => Others::Believed,
        Some("allow_authorized") => Others::Ignored,
        Some("deny_unauthorized") => Others::Denied,
        Some(_) => {
            return Err(refused("proxy_protocol_behavior must be use_always, allow_authorized or deny_unauthorized"));
        }
    };
    if others != Others::Believed && authorized.is_empty() {
        return Err(refused("proxy_protocol_authorized_addrs must be set for this proxy_protocol_behavior"));
    }
    Ok(Some(ProxyProtocol { authorized, others }))
}

fn forwarded(block: &Block<'_>) -> Result<Option<ForwardedFor>, ConfigError> {
    let authorized = networks(block, "x_forwarded_for_authorized_addrs")?;
    let set = |key: &str| block.body.attribute(key).is_some();
    if authorized.is_empty() {
        let others = [
            "x_forwarded_for_hop_skips",
            "x_forwarded_for_reject_not_authorized",
            "x_forwarded_for_reject_not_present",
        ];
        return match others.into_iter().find(|key| set(key)) {
            Some(key) => Err(refused(format!("{key} needs x_forwarded_for_authorized_addrs"))),
            None => Ok(None),
        };
    }
    let hop_skips = match block.body.attribute("x_forwarded_for_hop_skips") {
        None => 0,
        Some(value) => value
            .as_i64()
            .and_then(|skips| usize::try_from(skips).ok())
            .ok_or_else(|| refused("x_forwarded_for_hop_skips must be a number of addresses"))?,
    };
    let on = |key: &str| if set(key) { flag(block, key) } else { Ok(true) };
    Ok(Some(ForwardedFor {
        authorized,
        hop_skips,
        reject_not_present: on("x_forwarded_for_reject_not_present")?,
        reject_not_authorized: on("x_forwarded_for_reject_not_authorized")?,
    }))
}

fn networks(block: &Block<'_>, key: &str) -> Result<BoundCidrs, ConfigError> {
    let Some(value) = block.body.attribute(key) else { return Ok(BoundCidrs::default()) };
    let texts =
        value.as_string_list().ok_or_else(|| refused(format!("{key} must be a list of addresses or CIDR blocks")))?;
    let blocks: Vec<String> = texts
        .iter()
        .flat_map(|text| text.split(','))
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect();
    BoundCidrs::parse(&blocks).map_err(|_| refused(format!("{key} must be a list of addresses or CIDR blocks")))
}

fn headers(block: &Block<'_>) -> Result<Vec<HeaderRule>, ConfigError> {
    let blocks = block.body.blocks("custom_response_headers", 0);
    let blocks = blocks.map_err(|error| refused(format!("custom_response_headers: {error}")))?;
    let mut rules = Vec::new();
    for item in blocks.iter().flat_map(|block| &block.body.items) {
        let statuses = statuses(&item.key).ok_or_else(|| {
            refused(format!("custom_response_headers: {:?} is neither default nor a status", item.key))
        })?;
        let body = item.value.as_body().ok_or_else(|| refused("custom_response_headers: headers must be an object"))?;
        rules.push(HeaderRule { statuses, headers: header_values(body)? });
    }
    rules.sort_by_key(|rule| rule.statuses);
    Ok(rules)
}

fn statuses(key: &str) -> Option<Statuses> {
    if key == "default" {
        return Some(Statuses::All);
    }
    if let Some(class) = key.strip_suffix("xx") {
        return class.parse().ok().filter(|class| (1..=5).contains(class)).map(Statuses::Class);
    }
    key.parse().ok().filter(|status| (100..=599).contains(status)).map(Statuses::One)
}

fn header_values(body: &Body) -> Result<Vec<(String, String)>, ConfigError> {
    let bad = |name: &str| refused(format!("custom_response_headers: {name:?} is not a header with values"));
    body.items
        .iter()
        .map(|item| {
            let name = item.key.to_ascii_lowercase();
            if name.starts_with("x-vault-") {
                return Err(refused("custom_response_headers: headers that begin with X-Vault- are the server's own"));
            }
            let values =
                item.value.as_string_list().filter(|values| !values.is_empty()).ok_or_else(|| bad(&item.key))?;
            let value = values.join("; ");
            let fits = http::HeaderName::try_from(name.as_str()).is_ok() && http::HeaderValue::from_str(&value).is_ok();
            if fits { Ok((name, value)) } else { Err(bad(&item.key)) }
        })
        .collect()
}

/// Whether metrics and requests in flight are shown without a token.
fn open_reports(block: &Block<'_>) -> Result<(bool, bool), ConfigError> {
    let inner = |name: &str, key: &str| -> Result<bool, ConfigError> {
        let inner = block.body.block(name).map_err(|error| refused(format!("listener: {name}: {error}")))?;
        inner.map_or(Ok(false), |inner| flag(&inner, key))
    };
    Ok((
        inner("telemetry", "unauthenticated_metrics_access")? || flag(block, "unauthenticated_metrics_access")?,
        inner("profiling", "unauthenticated_in_flight_request_access")?,
    ))
}
