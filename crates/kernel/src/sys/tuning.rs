//! Tuning of mounts: `sys/mounts/PATH/tune`, `sys/auth/PATH/tune`.

use super::mount_view::tune_json;
use super::mounts::{WriteMount, find, folder, full_path};
use crate::Kx;
use crate::mounts::{MountConfig, MountEntry};
use engine::{Class, CommaList, Fault, Object, Pairs, Reply, Seconds, StringList, TokenKind};
use serde_json::Value;

engine::request! {
    /// What tuning may set.
    pub struct Tuning {
        /// Default TTL of leases and tokens; `system` for the system's.
        default_lease_ttl: Option<TuneSeconds>,
        /// Maximum TTL of leases and tokens; `system` for the system's.
        max_lease_ttl: Option<TuneSeconds>,
        /// Accepted and shown.
        force_no_cache: Option<bool>,
        /// Request fields that audit shows in clear.
        audit_non_hmac_request_keys: Option<CommaList>,
        /// Reply fields that audit shows in clear.
        audit_non_hmac_response_keys: Option<CommaList>,
        /// `unauth`, `hidden` or empty.
        listing_visibility: Option<String>,
        /// Headers the engine may see.
        passthrough_request_headers: Option<CommaList>,
        /// Headers the engine may set.
        allowed_response_headers: Option<CommaList>,
        /// Kind of tokens a login method issues.
        token_type: Option<String>,
        /// Lockout of users.
        user_lockout_config: Option<Object>,
        /// Accepted and shown.
        plugin_version: Option<String>,
        /// Accepted: deprecated options of upstream.
        passthrough: Option<StringList>,
    }
}

/// A duration, or `system` for none of its own.
pub struct TuneSeconds(i64);

impl engine::FieldType for TuneSeconds {
    const KIND: engine::FieldKind = engine::FieldKind::Seconds;
    fn take(value: Option<&Value>) -> Result<Self, wire::scalar::ScalarError> {
        match value {
            Some(Value::String(text)) if text == "system" => Ok(Self(0)),
            other => Seconds::take(other).map(|Seconds(seconds)| Self(seconds)),
        }
    }
}

/// The tuning of a mount.
pub(super) fn read(kx: &mut Kx, class: Class, path: &str) -> Result<Reply, Fault> {
    let (class, path) = of_login_method(class, path);
    let full = full_path(class, path);
    let entry =
        find(kx, class, path)?.ok_or_else(|| Fault::invalid(format!("cannot fetch sysview for path {full:?}")))?;
    Ok(Reply::legacy(tune_json(kx, &entry)))
}

/// Tunes a mount.
pub(super) fn tune(kx: &mut Kx, class: Class, path: &str, request: WriteMount) -> Result<Reply, Fault> {
    let (class, path) = of_login_method(class, path);
    let failed = |why: &str| Fault::invalid(format!("tune of path {:?} failed: {why}", folder(path)));
    let entry = find(kx, class, path)?.ok_or_else(|| failed("no mount entry found"))?;
    let tuning = <Tuning as engine::RequestBody>::parse(&engine::Input {
        fields: kx.request.input.body.clone(),
        ..Default::default()
    })?;
    let mut entry = MountEntry::clone(&entry);
    let before = entry.options.get("version").cloned().unwrap_or_else(|| "1".to_owned());
    apply(class, &mut entry.config, tuning)?;
    check_ttls(kx, &entry.config, false)?;
    if let Some(description) = request.description {
        entry.description = description;
    }
    if let Some(Pairs(options)) = request.options {
        let version = options.get("version").map(String::as_str);
        if entry.kind == "kv"
            && version.is_some_and(|version| {
                version != "2" && Some(version) != entry.options.get("version").map(String::as_str)
            })
        {
            return Err(failed("cannot downgrade mount from \"2\" to \"1\""));
        }
        entry.options.extend(options);
    }
    entry.save(&mut kx.tx)?;
    if entry.built_in().is_none() {
        kx.on_mount(&entry, |engine, cx| engine.mounted(cx))?;
    }
    let upgraded = entry.kind == "kv" && before == "1" && entry.options.get("version").is_some_and(|now| now == "2");
    Ok(if upgraded { Reply::empty().warn("Upgraded mount from version 1 to version 2.") } else { Reply::empty() })
}

/// Login methods are tuned at `sys/mounts/auth/…` too. This is how clients tune them without the `sudo` that `sys/auth`
/// takes, with rights on this path.
fn of_login_method(class: Class, path: &str) -> (Class, &str) {
    match path.trim_start_matches('/').strip_prefix("auth/") {
        Some(below) if class == Class::Secret => (Class::Auth, below),
        _ => (class, path),
    }
}

/// Checks the times of a mount against each other, in the words for a new mount or for the tuning of one.
pub(super) fn check_ttls(kx: &Kx, config: &MountConfig, new: bool) -> Result<(), Fault> {
    let own = config.max_lease_ttl > 0;
    let max = if own { config.max_lease_ttl } else { kx.kernel.settings.max_lease_ttl };
    let default = config.default_lease_ttl;
    if default <= max {
        return Ok(());
    }
    Err(Fault::invalid(match (own, new) {
        (true, true) => "given default lease TTL greater than given max lease TTL".to_owned(),
        (true, false) => {
            format!("backend max lease TTL of {max} would be less than backend default lease TTL of {default}")
        }
        (false, _) => "given default lease TTL greater than system max lease TTL".to_owned(),
    }))
}

/// Sets what tuning asks for.
pub(super) fn apply(class: Class, config: &mut MountConfig, tuning: Tuning) -> Result<(), Fault> {
    if let Some(TuneSeconds(seconds)) = tuning.default_lease_ttl {
        config.default_lease_ttl = positive(seconds, "default_lease_ttl")?;
    }
    if let Some(TuneSeconds(seconds)) = tuning.max_lease_ttl {
        config.max_lease_ttl = positive(seconds, "max_lease_ttl")?;
    }
    if let Some(visibility) = tuning.listing_visibility {
        if !matches!(visibility.as_str(), "" | "unauth" | "hidden") {
            return Err(Fault::invalid(format!("invalid listing_visibility {visibility}")));
        }
        config.listing_visibility = visibility;
    }
    if let Some(name) = tuning.token_type {
        if class != Class::Auth {
            return Err(Fault::invalid("'token_type' can only be modified on auth mounts"));
        }
        config.token_type = TokenKind::parse(&name).ok_or_else(|| Fault::invalid("invalid value for 'token_type'"))?;
    }
    if let Some(Object(lockout)) = tuning.user_lockout_config {
        config.user_lockout_config = Some(lockout);
    }
    let set = |slot: &mut Vec<String>, sent: Option<CommaList>| {
        if let Some(CommaList(items)) = sent {
            *slot = items;
        }
    };
    set(&mut config.audit_non_hmac_request_keys, tuning.audit_non_hmac_request_keys);
    set(&mut config.audit_non_hmac_response_keys, tuning.audit_non_hmac_response_keys);
    set(&mut config.passthrough_request_headers, tuning.passthrough_request_headers);
    set(&mut config.allowed_response_headers, tuning.allowed_response_headers);
    config.force_no_cache = tuning.force_no_cache.unwrap_or(config.force_no_cache);
    config.plugin_version = tuning.plugin_version.unwrap_or_else(|| config.plugin_version.clone());
    Ok(())
}

fn positive(seconds: i64, name: &str) -> Result<i64, Fault> {
    if seconds < 0 { Err(Fault::invalid(format!("{name} must not be negative"))) } else { Ok(seconds) }
}
