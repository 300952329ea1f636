//! `backup/<name>` and `restore[/<name>]`: a whole key in plaintext, in the form that upstream writes and reads, so that a key
//! moves between the two with all its versions.

use super::answers::{SOFT_DELETED};
use super::backup_form::{Archive, Backup, Policy, VersionForm};
use super::keys::drawn;
use super::kind::KeyType;
use super::record::{Derivation, Key, Material, Noted, check_name};
use super::wire::{Named, RestoreRequest};
use super::{base64, rotation};
use engine::crypto::Zeroizing;
use engine::{Cx, Fault, Reply};
use serde_json::json;
use std::collections::BTreeMap;

/// Most versions that a backup may hold.
pub(super) const BACKUP_VERSIONS_MAX: i64 = 10_000;

pub(super) fn backup(cx: &mut Cx, request: Named) -> Result<Reply, Fault> {
    let name = &request.name;
    let Some(known) = Key::load(cx, name)? else { return Err(Fault::upstream_error(format!("key {name:?} not found"))) };
    let refusal = if known.soft_deleted {
        Some(SOFT_DELETED)
    } else if !known.exportable {
        Some("exporting is disallowed on the policy")
    } else if !known.allow_plaintext_backup {
        Some("plaintext backup is disallowed on the policy")
    } else {
        None
    };
    if let Some(text) = refusal {
        return Err(Fault::upstream_error(text));
    }
    let mut key = (*known).clone();
    key.backup = Some(Noted { time: cx.now.to_rfc3339(), version: key.latest_version });
    key.save(cx, name)?;
    let form = form_of(cx, name, &key)?;
    let text = Zeroizing::new(serde_json::to_vec(&form).map_err(|_| Fault::internal("a key cannot be written"))?);
    Ok(Reply::data(json!({ "backup": base64::encode(&text) })))
}

fn form_of(cx: &mut Cx, name: &str, key: &Key) -> Result<Backup, Fault> {
    let mut keys = BTreeMap::new();
    let mut archived = Vec::new();
    // The archive begins with the lowest version that there still is; a place before the first is empty.
    if key.min_available_version == 0 {
        archived.push(VersionForm::default());
    }
    for version in key.lowest()..=key.latest_version {
        let material = Material::load(cx, name, version)?;
        archived.push(VersionForm::of(key, &material)?);
        if version >= key.min_decryption_version {
            keys.insert(version.to_string(), VersionForm::of(key, &material)?);
        }
    }
    Ok(Backup { policy: Policy::of(name, key, keys), archived_keys: Archive { keys: archived } })
}

pub(super) fn restore(cx: &mut Cx, request: RestoreRequest) -> Result<Reply, Fault> {
    if request.backup.is_empty() {
        return Err(Fault::invalid("'backup' must be supplied"));
    }
    if request.name.contains('/') {
        return Err(Fault::upstream_error("key names cannot be paths"));
    }
    let text = base64::decode(&request.backup).map_err(|failure| Fault::upstream_error(failure.text))?;
    let form: Backup = serde_json::from_slice(&text).map_err(|_| Fault::upstream_error("the backup is not one of a key"))?;
    let name = if request.name.is_empty() { form.policy.name.clone() } else { request.name };
    check_name(&name).map_err(|_| Fault::upstream_error("key names cannot be paths"))?;
    if let Some(known) = Key::load(cx, &name)? {
        if !request.force {
            return Err(Fault::upstream_error(format!("key {name:?} already exists")));
        }
        rotation::forget(cx, &name, &known);
        Key::delete(cx, &name)?;
    }
    let mut key = key_of(&form.policy).ok_or_else(|| Fault::upstream_error("the backup is not one of a key"))?;
    let latest = key.latest_version;
    key.latest_version = key.lowest() - 1;
    for version in key.lowest()..=latest {
        let stored = form.version(version, key.lowest());
        let hmac_key = drawn(32, cx.randomness.as_mut());
        let read = stored.and_then(|stored| stored.material(&key, hmac_key));
        let material = read.ok_or_else(|| Fault::upstream_error(format!("version {version} of the backup cannot be read")))?;
        key.add(cx, &name, &material)?;
    }
    key.restore = Some(Noted { time: cx.now.to_rfc3339(), version: latest });
    let period = key.auto_rotate_period;
    rotation::schedule(cx, &name, &mut key, period)?;
    key.save(cx, &name)?;
    Ok(Reply::empty())
}

/// The settings of a key in a backup; `None` where they contradict themselves.
fn key_of(policy: &Policy) -> Option<Key> {
    let mut key = Key::new(KeyType::by_number(policy.kind)?);
    key.derivation = match (policy.derived, policy.kdf) {
        (false, _) => None,
        (true, 0) => Some(Derivation::Counter),
        (true, 1) => Some(Derivation::Hkdf),
        _ => return None,
    };
    key.convergent = policy.convergent_encryption;
    key.exportable = policy.exportable;
    key.allow_plaintext_backup = policy.allow_plaintext_backup;
    key.deletion_allowed = policy.deletion_allowed;
    key.soft_deleted = policy.soft_deleted;
    key.imported = policy.imported;
    key.allow_imported_key_rotation = policy.allow_imported_key_rotation;
    // Upstream counts durations in nanoseconds.
    key.auto_rotate_period = policy.auto_rotate_period / 1_000_000_000;
    key.key_size = policy.key_size;
    key.latest_version = policy.latest_version;
    key.min_available_version = policy.min_available_version;
    key.min_decryption_version = policy.min_decryption_version.max(1);
    key.min_encryption_version = policy.min_encryption_version;
    key.backup = policy.backup_info.clone();
    let derives = key.derivation.is_none() || key.kind.derives();
    let converges = !key.convergent || (key.derivation == Some(Derivation::Hkdf) && key.kind.cipher().is_some());
    let ordered = (1..=BACKUP_VERSIONS_MAX).contains(&key.latest_version)
        && (0..=key.latest_version).contains(&key.min_available_version)
        && (key.lowest()..=key.latest_version).contains(&key.min_decryption_version)
        && (0..=key.latest_version).contains(&key.min_encryption_version)
        && key.auto_rotate_period >= 0;
    // Convergent keys of upstream's first two ways derive their nonces differently, and are not made since 2018.
    let known = !key.convergent || policy.convergent_version == -1 || policy.convergent_version == 3;
    (derives && converges && ordered && known).then_some(key)
}
