//! Mounts as replies show them.

use crate::Kx;
use crate::mounts::{BuiltIn, MountEntry};
use engine::{Class, TokenKind};
use serde_json::{Map, Value, json};

/// A mount as listings show it.
pub(super) fn entry_json(kx: &Kx, entry: &MountEntry) -> Value {
    let built_in = entry.built_in().is_some() || entry.kind == "cubbyhole";
    let kind = if built_in && entry.namespace != crate::keys::ROOT {
        format!("ns_{}", entry.kind)
    } else {
        entry.kind.clone()
    };
    let options = if entry.options.is_empty() && built_in { Value::Null } else { json!(entry.options) };
    let mut view = json!({
        "accessor": entry.accessor,
        "config": config_json(entry),
        "description": entry.description,
        "external_entropy_access": entry.external_entropy_access,
        "local": entry.local || entry.kind == "cubbyhole",
        "options": options,
        "plugin_version": entry.config.plugin_version,
        "running_plugin_version": running_version(),
        "running_sha256": "",
        "seal_wrap": entry.seal_wrap || entry.kind == "system",
        "type": kind,
        "uuid": entry.uuid,
    });
    if !built_in && let Some(members) = view.as_object_mut() {
        members.insert("deprecation_status".into(), "supported".into());
    }
    let _ = kx;
    view
}

/// The version of built-in engines.
pub(super) fn running_version() -> &'static str {
    concat!("v", env!("CARGO_PKG_VERSION"), "+builtin.coffer")
}

fn config_json(entry: &MountEntry) -> Value {
    let config = &entry.config;
    let mut view = Map::new();
    view.insert("default_lease_ttl".into(), config.default_lease_ttl.into());
    view.insert("force_no_cache".into(), config.force_no_cache.into());
    view.insert("max_lease_ttl".into(), config.max_lease_ttl.into());
    if entry.class == Class::Auth {
        view.insert("token_type".into(), token_type(entry).into());
    }
    set_keys(entry, &mut view);
    // What upstream's built-in mounts say of themselves.
    let shown = match entry.built_in() {
        Some(BuiltIn::System) => Some("Accept"),
        Some(BuiltIn::Identity) => Some("Authorization"),
        _ => None,
    };
    if let Some(header) = shown {
        view.insert("passthrough_request_headers".into(), json!([header]));
    }
    if let Some(lockout) = &config.user_lockout_config {
        let of = |name: &str| lockout.get(name);
        let integer = |name: &str| of(name).and_then(|value| wire::scalar::integer(value).ok()).unwrap_or_default();
        let seconds = |name: &str| of(name).and_then(|value| wire::scalar::seconds(value).ok()).unwrap_or_default();
        let disabled = of("lockout_disable").is_some_and(|value| wire::scalar::boolean(value) == Ok(true));
        view.insert(
            "user_lockout_config".into(),
            json!({
                "user_lockout_counter_reset_duration": seconds("lockout_counter_reset"),
                "user_lockout_disable": disabled,
                "user_lockout_duration": seconds("lockout_duration"),
                "user_lockout_threshold": integer("lockout_threshold"),
            }),
        );
    }
    Value::Object(view)
}

fn token_type(entry: &MountEntry) -> &'static str {
    match entry.config.token_type {
        TokenKind::Default => "default-service",
        other => other.name(),
    }
}

fn set_keys(entry: &MountEntry, view: &mut Map<String, Value>) {
    let config = &entry.config;
    let lists = [
        ("audit_non_hmac_request_keys", &config.audit_non_hmac_request_keys),
        ("audit_non_hmac_response_keys", &config.audit_non_hmac_response_keys),
        ("passthrough_request_headers", &config.passthrough_request_headers),
        ("allowed_response_headers", &config.allowed_response_headers),
    ];
    for (name, list) in lists.into_iter().filter(|(_, list)| !list.is_empty()) {
        view.insert(name.to_owned(), list.clone().into());
    }
    if !config.listing_visibility.is_empty() {
        view.insert("listing_visibility".into(), config.listing_visibility.clone().into());
    }
}

/// The tuning of a mount, with the bounds that are in force.
pub(super) fn tune_json(kx: &Kx, entry: &MountEntry) -> Value {
    let bounds = kx.kernel.view(entry);
    let mut view = Map::new();
    view.insert("default_lease_ttl".into(), bounds.default_lease_ttl.into());
    view.insert("description".into(), entry.description.clone().into());
    view.insert("force_no_cache".into(), entry.config.force_no_cache.into());
    view.insert("max_lease_ttl".into(), bounds.max_lease_ttl.into());
    if entry.class == Class::Auth {
        view.insert("token_type".into(), token_type(entry).into());
    }
    set_keys(entry, &mut view);
    if !entry.options.is_empty() {
        view.insert("options".into(), json!(entry.options));
    }
    if let Value::Object(config) = config_json(entry)
        && let Some(Value::Object(lockout)) = config.get("user_lockout_config")
    {
        view.extend(lockout.clone());
    }
    Value::Object(view)
}
