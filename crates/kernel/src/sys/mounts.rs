//! `sys/mounts`, `sys/auth`: what is mounted where, and its tuning.

use super::mount_view::{entry_json, tune_json};
use crate::mounts::{MountConfig, MountEntry, MountTable};
use crate::{Kx, identity, keys, leases};
use engine::{Class, CommaList, Fault, Object, Pairs, Reply, Route, Seconds, StringList, TokenKind};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Mounts in one namespace.
const MOUNTS_MAX: usize = 20_000;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("mounts", "List secrets engines.").read(|kx: &mut Kx, (): ()| list(kx, Class::Secret)),
        Route::at("auth", "List login methods.").read(|kx: &mut Kx, (): ()| list(kx, Class::Auth)),
    ]
}

/// The routes with a rest in their path, which come after all others.
pub(super) fn rest_routes() -> Vec<Route<Kx>> {
    let mut routes = Vec::new();
    for class in [Class::Secret, Class::Auth] {
        let at = if class == Class::Auth { "auth/{path:path}" } else { "mounts/{path:path}" };
        let route = Route::at(at, "Manage a mount and, at its tune path, its tuning.")
            .read(move |kx: &mut Kx, request: MountPath| match request.path.strip_suffix("/tune") {
                Some(path) => {
                    let (class, path) = tuned(class, path);
                    read_tune(kx, class, path)
                }
                None => read(kx, class, &request.path),
            })
            .write(move |kx: &mut Kx, request: WriteMount| {
                match request.path.strip_suffix("/tune").map(str::to_owned) {
                    Some(path) => {
                        let (class, path) = tuned(class, &path);
                        tune(kx, class, path, request)
                    }
                    None => enable(kx, class, request),
                }
            })
            .delete(move |kx: &mut Kx, request: MountPath| match request.path.ends_with("/tune") {
                true => Err(Fault::UnsupportedOperation),
                false => disable(kx, class, &request.path),
            });
        routes.push(if class == Class::Auth { route.sudo() } else { route });
    }
    routes
}

engine::request! {
    /// Names a mount.
    pub struct MountPath {
        /// Path, without `auth/`.
        path: String,
    }
}

engine::request! {
    /// Mounts an engine, or tunes a mount.
    pub struct WriteMount {
        /// Path, without `auth/`.
        path: String,
        /// Engine type.
        r#type: Value,
        /// Older name of the type.
        plugin_name: String,
        /// For people.
        description: Option<String>,
        /// Tuning of a new mount.
        config: Object,
        /// Options such as `version`.
        options: Option<Pairs>,
        /// Accepted and shown.
        local: bool,
        /// Accepted and shown.
        seal_wrap: bool,
        /// Accepted and shown.
        external_entropy_access: bool,
    }
}

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

fn list(kx: &mut Kx, class: Class) -> Result<Reply, Fault> {
    let table = table(kx)?;
    let data: Map<String, Value> = table
        .entries()
        .filter(|entry| entry.class == class)
        .map(|entry| (bare(entry).to_owned(), entry_json(kx, entry)))
        .collect();
    Ok(Reply::legacy(data))
}

fn read(kx: &mut Kx, class: Class, path: &str) -> Result<Reply, Fault> {
    let what = if class == Class::Auth { "No auth engine at" } else { "No secret engine mount at" };
    let entry = find(kx, class, path)?.ok_or_else(|| Fault::invalid(format!("{what} {}", folder(path))))?;
    Ok(Reply::legacy(entry_json(kx, &entry)))
}

/// What a tune path names: `sys/mounts/auth/PATH/tune` is how upstream's command line tunes login methods.
fn tuned(class: Class, path: &str) -> (Class, &str) {
    match path.strip_prefix("auth/") {
        Some(path) if class == Class::Secret => (Class::Auth, path),
        _ => (class, path),
    }
}

fn read_tune(kx: &mut Kx, class: Class, path: &str) -> Result<Reply, Fault> {
    let (class, path) = of_login_method(class, path);
    let full = full_path(class, path);
    let entry =
        find(kx, class, path)?.ok_or_else(|| Fault::invalid(format!("cannot fetch sysview for path {full:?}")))?;
    Ok(Reply::legacy(tune_json(kx, &entry)))
}

fn enable(kx: &mut Kx, class: Class, request: WriteMount) -> Result<Reply, Fault> {
    let path = full_path(class, &request.path);
    let (kind, options) = kind_and_options(class, &request)?;
    check_kind(class, &kind)?;
    check_new_path(kx, class, &request.path, &path)?;
    if kx.kernel.engine(class, &kind).is_err() {
        return Err(Fault::invalid(format!("plugin not found in the catalog: {kind}")));
    }
    let tuning = <Tuning as engine::RequestBody>::parse(&engine::Input {
        fields: request.config.0.clone(),
        ..Default::default()
    })?;
    let mut config = MountConfig::default();
    apply(class, &mut config, tuning)?;
    check_ttls(kx, &config, true)?;
    let namespace = kx.namespace_id();
    let mut entry = MountEntry::new(&namespace, &path, class, &kind, kx.cx.randomness.as_mut());
    entry.description = request.description.unwrap_or_default();
    entry.options = options;
    entry.config = config;
    entry.local = request.local;
    entry.seal_wrap = request.seal_wrap;
    entry.external_entropy_access = request.external_entropy_access;
    entry.save(&mut kx.tx)?;
    kx.on_mount(&entry, |engine, cx| engine.mounted(cx))?;
    Ok(Reply::empty())
}

fn tune(kx: &mut Kx, class: Class, path: &str, request: WriteMount) -> Result<Reply, Fault> {
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

fn disable(kx: &mut Kx, class: Class, path: &str) -> Result<Reply, Fault> {
    let full = full_path(class, path);
    if full == "auth/token/" {
        return Err(Fault::invalid("token credential backend cannot be disabled"));
    }
    if matches!(full.as_str(), "sys/" | "identity/" | "cubbyhole/") {
        return Err(Fault::invalid(format!("cannot unmount {full:?}")));
    }
    if let Some(entry) = find(kx, class, path)? {
        remove(kx, &entry)?;
    }
    Ok(Reply::empty())
}

/// Removes a mount with its leases, its identity aliases and all it stored, in one transaction.
pub(crate) fn remove(kx: &mut Kx, entry: &Arc<MountEntry>) -> Result<(), Fault> {
    let namespace = entry.namespace.clone();
    leases::routes::revoke_below(kx, &namespace, &entry.path, false)?;
    identity::mount_removed(&mut kx.tx, &namespace, &entry.accessor)?;
    kx.tx.delete_all(&keys::mount_data(&namespace, &entry.uuid))?;
    kx.tx.delete_all(&format!("{namespace}/lockout/{}/", entry.accessor))?;
    kx.tx.delete(&keys::mount(&namespace, &entry.uuid));
    Ok(())
}

fn kind_and_options(class: Class, request: &WriteMount) -> Result<(String, engine::Options), Fault> {
    let wanted = || Fault::invalid("backend type must be specified as a string");
    let kind = match &request.r#type {
        Value::String(kind) if !kind.is_empty() => kind.clone(),
        Value::Null | Value::String(_) if !request.plugin_name.is_empty() => request.plugin_name.clone(),
        _ => return Err(wanted()),
    };
    let mut options = request.options.clone().map(|Pairs(options)| options).unwrap_or_default();
    let inner = request.config.0.get("options").and_then(|value| wire::scalar::pairs(value).ok());
    options.extend(inner.unwrap_or_default());
    let kind = match (class, kind.as_str()) {
        // Older and newer clients name the two versions of kv as types of their own.
        (Class::Secret, "kv-v2") => {
            options.insert("version".into(), "2".into());
            "kv".to_owned()
        }
        (Class::Secret, "kv-v1" | "generic") => {
            options.insert("version".into(), "1".into());
            "kv".to_owned()
        }
        _ => kind,
    };
    Ok((kind, options))
}

/// What every namespace has once cannot be mounted again.
fn check_kind(class: Class, kind: &str) -> Result<(), Fault> {
    match (class, kind) {
        (Class::Auth, "token") => Err(Fault::invalid("token credential backend cannot be instantiated")),
        (Class::Secret, "cubbyhole" | "identity" | "system") => {
            Err(Fault::invalid(format!("mount type of {kind:?} is not mountable")))
        }
        _ => Ok(()),
    }
}

fn check_new_path(kx: &mut Kx, class: Class, asked: &str, full: &str) -> Result<(), Fault> {
    let reserved = ["auth/", "sys/", "identity/", "cubbyhole/"];
    if class == Class::Secret && reserved.iter().any(|reserved| full.starts_with(reserved)) {
        return Err(Fault::invalid(format!("cannot mount {full:?}")));
    }
    let table = table(kx)?;
    if table.entries().count() >= MOUNTS_MAX {
        return Err(Fault::invalid("namespace has too many mounts"));
    }
    if let Some(entry) = table.collision(full) {
        return Err(Fault::invalid(format!("path is already in use at {}", bare(entry))));
    }
    check_namespaces(kx, asked, full)
}

/// S10: a mount must not take a path that a child namespace answers to.
pub(super) fn check_namespaces(kx: &mut Kx, asked: &str, full: &str) -> Result<(), Fault> {
    let kernel = kx.kernel.clone();
    let tree = crate::namespaces::NamespaceTree::load(&kernel.memo, &mut kx.tx)?;
    let taken = format!("{}{full}", kx.namespace.path);
    let below = |path: &str| {
        !path.is_empty() && path != kx.namespace.path && (taken.starts_with(path) || path.starts_with(&taken))
    };
    if tree.below(&kx.namespace.path).any(|namespace| below(&namespace.path)) {
        return Err(Fault::invalid(format!("path is already in use by a namespace: {}", folder(asked))));
    }
    Ok(())
}

/// Checks the times of a mount against each other, in the words for a new mount or for the tuning of one.
fn check_ttls(kx: &Kx, config: &MountConfig, new: bool) -> Result<(), Fault> {
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

fn apply(class: Class, config: &mut MountConfig, tuning: Tuning) -> Result<(), Fault> {
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

/// The mounts of the request's namespace.
pub(super) fn table(kx: &mut Kx) -> Result<Arc<MountTable>, Fault> {
    let kernel = kx.kernel.clone();
    let namespace = kx.namespace_id();
    Ok(MountTable::load(&kernel.memo, &mut kx.cx.tx, &namespace)?)
}

/// The mount of a class at a path as the routes name it.
pub(super) fn find(kx: &mut Kx, class: Class, path: &str) -> Result<Option<Arc<MountEntry>>, Fault> {
    let table = table(kx)?;
    Ok(table.at(&full_path(class, path)).filter(|entry| entry.class == class).cloned())
}

/// Login methods are tuned at `sys/mounts/auth/…` too. This is how clients tune them without the `sudo` that `sys/auth`
/// takes, with rights on this path.
fn of_login_method(class: Class, path: &str) -> (Class, &str) {
    match path.trim_start_matches('/').strip_prefix("auth/") {
        Some(below) if class == Class::Secret => (Class::Auth, below),
        _ => (class, path),
    }
}

/// The path in the mount table.
pub(super) fn full_path(class: Class, path: &str) -> String {
    if class == Class::Auth { format!("auth/{}", folder(path)) } else { folder(path) }
}

/// A path with one slash at its end.
pub(super) fn folder(path: &str) -> String {
    format!("{}/", path.trim_matches('/'))
}

/// The path as listings show it: without `auth/`.
pub(super) fn bare(entry: &MountEntry) -> &str {
    match entry.class {
        Class::Auth => entry.path.strip_prefix("auth/").unwrap_or(&entry.path),
        Class::Secret => &entry.path,
    }
}
