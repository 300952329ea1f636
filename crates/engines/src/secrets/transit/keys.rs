//! `keys/<name>` and what is below it: create, read, list, delete, configure, rotate, trim, and the bin.

use super::answers::{SOFT_DELETED};
use super::kind::KeyType;
use super::record::{Derivation, KEYS, Key, Material};
use super::wire::{ConfigureKey, CreateKey, ListRequest, Named, ReadKey, TrimKey};
use super::{base64, rotation};
use engine::crypto::keypair::{PairKind, PrivateKey, pem};
use engine::crypto::{Secret, Zeroizing};
use engine::{Cx, Fault, Randomness, Reply};
use serde_json::{Map, Value, json};

/// Bytes of an HMAC key.
const HMAC_KEY_BYTES_MIN: i64 = 32;
/// Bytes of an HMAC key.
const HMAC_KEY_BYTES_MAX: i64 = 512;
/// Shortest time after which a key rotates by itself, in seconds.
const ROTATION_SECONDS_MIN: i64 = 3_600;

/// What a lowest version of 0 is answered with.
const VERSIONS_FROM_ONE: &str =
    "since Vault 0.3 (prior to the OpenBao fork), transit key numbering starts at 1; forcing minimum to 1";

pub(super) fn list(cx: &mut Cx, _: ListRequest) -> Result<Reply, Fault> {
    let page = cx.page.clone();
    Ok(Reply::keys(cx.tx.list(KEYS, &page)?))
}

pub(super) fn create(cx: &mut Cx, request: CreateKey) -> Result<Reply, Fault> {
    let wanted = if request.r#type.is_empty() { "aes256-gcm96" } else { &request.r#type };
    check_rotation(request.auto_rotate_period.0)?;
    if !request.derived && request.convergent_encryption {
        return Err(Fault::invalid("convergent encryption requires derivation to be enabled"));
    }
    let kind = KeyType::parse(wanted).ok_or_else(|| Fault::invalid(format!("unknown key type {wanted}")))?;
    if request.key_size != 0 {
        if kind != KeyType::Hmac {
            return Err(Fault::invalid(format!("key_size is not valid for algorithm {wanted}")));
        }
        if !(HMAC_KEY_BYTES_MIN..=HMAC_KEY_BYTES_MAX).contains(&request.key_size) {
            return Err(Fault::invalid(format!("invalid key_size {}", request.key_size)));
        }
    }
    if let Some(known) = Key::load(cx, &request.name)? {
        // Creating a key that is there changes nothing.
        return shown(cx, &request.name, &known, &[]);
    }
    if request.derived && !kind.derives() {
        let text = format!("key derivation and convergent encryption not supported for keys of type {wanted}");
        return Err(Fault::upstream_error(text));
    }
    if request.convergent_encryption && kind.cipher().is_none() {
        return Err(Fault::upstream_error(format!("convergent encryption not supported for keys of type {wanted}")));
    }
    if kind == KeyType::Hmac && request.key_size == 0 {
        return Err(Fault::upstream_error("invalid key size for HMAC key, must be between 32 and 512 bytes"));
    }
    let mut key = Key::new(kind);
    key.derivation = request.derived.then_some(Derivation::Hkdf);
    key.convergent = request.convergent_encryption;
    key.exportable = request.exportable;
    key.allow_plaintext_backup = request.allow_plaintext_backup;
    key.key_size = request.key_size;
    add_version(cx, &request.name, &mut key)?;
    rotation::schedule(cx, &request.name, &mut key, request.auto_rotate_period.0)?;
    key.save(cx, &request.name)?;
    let context = context(&request.context)?;
    shown(cx, &request.name, &key, &context)
}

/// Makes a version, which becomes the latest.
pub(super) fn add_version(cx: &mut Cx, name: &str, key: &mut Key) -> Result<(), Fault> {
    let mut material = Material::new(drawn(32, cx.randomness.as_mut()), cx.now);
    if let Some(cipher) = key.kind.cipher() {
        material.key = drawn(cipher.key_length(), cx.randomness.as_mut());
    } else if let Some(pair) = key.kind.pair() {
        let made = PrivateKey::generate(pair, cx.randomness.as_mut());
        material.hold(made.map_err(|_| Fault::internal("no key pair was made"))?)?;
    } else {
        let length = usize::try_from(key.key_size).map_err(|_| Fault::internal("a key of negative size"))?;
        material.key = drawn(length, cx.randomness.as_mut());
        material.hmac_key = Secret::bytes(material.key.expose());
    }
    key.add(cx, name, &material)
}

/// Random bytes for a key.
pub(super) fn drawn(length: usize, randomness: &mut dyn Randomness) -> Secret<Vec<u8>> {
    let mut bytes = vec![0; length];
    randomness.fill(&mut bytes);
    Secret::new(bytes)
}

pub(super) fn read(cx: &mut Cx, request: ReadKey) -> Result<Reply, Fault> {
    let Some(key) = Key::load(cx, &request.name)? else { return Ok(Reply::empty()) };
    let context = context(&request.context)?;
    shown(cx, &request.name, &key, &context)
}

fn context(given: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    base64::decode(given).map_err(|_| Fault::invalid("failed to base64-decode context"))
}

pub(super) fn delete(cx: &mut Cx, request: Named) -> Result<Reply, Fault> {
    let failed = |why: &str| Fault::invalid(format!("error deleting policy {}: {why}", request.name));
    let Some(key) = Key::load(cx, &request.name)? else { return Err(failed("could not delete key; not found")) };
    if !key.deletion_allowed {
        return Err(failed("deletion is not allowed for this key"));
    }
    rotation::forget(cx, &request.name, &key);
    Key::delete(cx, &request.name)?;
    Ok(Reply::empty())
}

pub(super) fn soft_delete(cx: &mut Cx, request: Named) -> Result<Reply, Fault> {
    set_soft_deleted(cx, &request.name, true)
}

pub(super) fn soft_delete_restore(cx: &mut Cx, request: Named) -> Result<Reply, Fault> {
    set_soft_deleted(cx, &request.name, false)
}

fn set_soft_deleted(cx: &mut Cx, name: &str, soft_deleted: bool) -> Result<Reply, Fault> {
    let Some(key) = Key::load(cx, name)? else { return Ok(Reply::empty()) };
    let mut key = (*key).clone();
    key.soft_deleted = soft_deleted;
    key.save(cx, name)?;
    shown(cx, name, &key, &[])
}

pub(super) fn configure(cx: &mut Cx, request: ConfigureKey) -> Result<Reply, Fault> {
    let name = &request.name;
    let Some(known) = Key::load(cx, name)? else {
        return Err(Fault::invalid(format!("no existing key named {name} could be found")));
    };
    let mut key = (*known).clone();
    let mut warnings = Vec::new();
    set_versions(&mut key, &request, &mut warnings)?;
    if let Some(allowed) = request.deletion_allowed {
        key.deletion_allowed = allowed;
    }
    // Both only ever become true: what was once allowed may have been used.
    key.exportable |= request.exportable.unwrap_or_default();
    key.allow_plaintext_backup |= request.allow_plaintext_backup.unwrap_or_default();
    if let Some(period) = request.auto_rotate_period {
        check_rotation(period.0)?;
        rotation::schedule(cx, name, &mut key, period.0)?;
    }
    if key != *known {
        key.save(cx, name)?;
    }
    let reply = shown(cx, name, &key, &[])?;
    Ok(warnings.into_iter().fold(reply, Reply::warn))
}

fn set_versions(key: &mut Key, request: &ConfigureKey, warnings: &mut Vec<String>) -> Result<(), Fault> {
    let latest = key.latest_version;
    if let Some(lowest) = request.min_decryption_version {
        if lowest < 0 {
            return Err(Fault::invalid("min decryption version cannot be negative"));
        }
        if lowest == 0 {
            warnings.push(VERSIONS_FROM_ONE.to_owned());
        }
        let lowest = lowest.max(1);
        if lowest > latest {
            let text = format!("cannot set min decryption version of {lowest}, latest key version is {latest}");
            return Err(Fault::invalid(text));
        }
        key.min_decryption_version = lowest;
    }
    if let Some(lowest) = request.min_encryption_version {
        if lowest < 0 {
            return Err(Fault::invalid("min encryption version cannot be negative"));
        }
        if lowest > latest {
            let text = format!("cannot set min encryption version of {lowest}, latest key version is {latest}");
            return Err(Fault::invalid(text));
        }
        key.min_encryption_version = lowest;
    }
    let (encryption, decryption) = (key.min_encryption_version, key.min_decryption_version);
    if encryption > 0 && encryption < decryption {
        return Err(Fault::invalid(format!(
            "cannot set min encryption/decryption values; min encryption version of {encryption} must be greater than \
             or equal to min decryption version of {decryption}"
        )));
    }
    if decryption < key.min_available_version {
        return Err(Fault::invalid("min decryption version should not be less then min available version"));
    }
    Ok(())
}

/// Refuses a period that is shorter than an hour and not 0.
pub(super) fn check_rotation(period: i64) -> Result<(), Fault> {
    if period != 0 && period < ROTATION_SECONDS_MIN {
        return Err(Fault::invalid("auto rotate period must be 0 to disable or at least an hour"));
    }
    Ok(())
}

pub(super) fn rotate(cx: &mut Cx, request: Named) -> Result<Reply, Fault> {
    let name = &request.name;
    let Some(known) = Key::load(cx, name)? else { return Err(Fault::invalid("key not found")) };
    if known.soft_deleted {
        return Err(Fault::upstream_error(SOFT_DELETED));
    }
    if known.imported && !known.allow_imported_key_rotation {
        return Err(Fault::upstream_error(format!("imported key {name} does not allow rotation within Vault")));
    }
    let mut key = (*known).clone();
    rotation::rotate(cx, name, &mut key)?;
    shown(cx, name, &key, &[])
}

pub(super) fn trim(cx: &mut Cx, request: TrimKey) -> Result<Reply, Fault> {
    let Some(lowest) = request.min_available_version else {
        return Err(Fault::invalid("missing min_available_version"));
    };
    let Some(known) = Key::load(cx, &request.name)? else { return Err(Fault::invalid("invalid key name")) };
    let mut key = (*known).clone();
    let refusal = if lowest < key.min_available_version {
        Some("minimum available version cannot be decremented")
    } else if key.min_encryption_version == 0 {
        Some("minimum available version cannot be set when minimum encryption version is not set")
    } else if lowest > key.min_encryption_version {
        Some("minimum available version cannot be greater than minmum encryption version")
    } else if lowest > key.min_decryption_version {
        Some("minimum available version cannot be greater than minimum decryption version")
    } else {
        None
    };
    if let Some(text) = refusal {
        return Err(Fault::invalid(text));
    }
    key.trim(cx, &request.name, lowest)?;
    key.min_available_version = lowest;
    key.save(cx, &request.name)?;
    shown(cx, &request.name, &key, &[])
}

/// What a read shows.
pub(super) fn shown(cx: &mut Cx, name: &str, key: &Key, context: &[u8]) -> Result<Reply, Fault> {
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| drop(data.insert(name.into(), value));
    put("name", name.into());
    put("type", key.kind.name().into());
    put("derived", key.derivation.is_some().into());
    put("deletion_allowed", key.deletion_allowed.into());
    put("min_available_version", key.min_available_version.into());
    put("min_decryption_version", key.min_decryption_version.into());
    put("min_encryption_version", key.min_encryption_version.into());
    put("latest_version", key.latest_version.into());
    put("exportable", key.exportable.into());
    put("allow_plaintext_backup", key.allow_plaintext_backup.into());
    put("supports_encryption", key.kind.encrypts().into());
    put("supports_decryption", key.kind.encrypts().into());
    put("supports_signing", key.kind.signs().into());
    put("supports_derivation", key.kind.derives().into());
    put("auto_rotate_period", key.auto_rotate_period.into());
    put("imported_key", key.imported.into());
    put("soft_deleted", key.soft_deleted.into());
    if key.imported {
        put("imported_key_allow_rotation", key.allow_imported_key_rotation.into());
    }
    if key.key_size > 0 {
        put("key_size", key.key_size.into());
    }
    for (what, noted) in [("backup_info", &key.backup), ("restore_info", &key.restore)] {
        if let Some(noted) = noted {
            put(what, json!({ "time": noted.time, "version": noted.version }));
        }
    }
    if let Some(derivation) = key.derivation {
        put("kdf", derivation.name().into());
        if derivation == Derivation::Counter {
            put("kdf_mode", derivation.name().into());
        }
        put("convergent_encryption", key.convergent.into());
        if key.convergent {
            put("convergent_encryption_version", (-1).into());
        }
    }
    if key.kind != KeyType::Hmac {
        let mut versions = Map::new();
        for version in key.min_decryption_version.max(key.lowest())..=key.latest_version {
            let material = Material::load(cx, name, version)?;
            versions.insert(version.to_string(), version_shown(key, &material, context)?);
        }
        data.insert("keys".into(), Value::Object(versions));
    }
    Ok(Reply::data(Value::Object(data)))
}

fn version_shown(key: &Key, material: &Material, context: &[u8]) -> Result<Value, Fault> {
    let Some(pair) = key.kind.pair() else { return Ok(material.created.seconds().into()) };
    let (name, public) = match pair {
        PairKind::Curve(curve) => (curve.name(), public_pem(material)?),
        PairKind::Rsa(_) => (key.kind.name(), public_pem(material)?),
        PairKind::Ed25519 => (key.kind.name(), ed25519_shown(key, material, context)?),
    };
    Ok(json!({
        "name": name,
        "public_key": public,
        "creation_time": material.created.to_rfc3339(),
        "certificate_chain": chain_pem(material),
    }))
}

/// The public key in PEM with a last line end.
fn public_pem(material: &Material) -> Result<String, Fault> {
    let public = material.public_der().ok_or_else(|| Fault::internal("a stored key is unreadable"))?;
    Ok(pem::encode("PUBLIC KEY", &public) + "\n")
}

/// The public key as bytes; of a key with contexts that of the context, if one is given.
fn ed25519_shown(key: &Key, material: &Material, context: &[u8]) -> Result<String, Fault> {
    let unreadable = || Fault::internal("a stored key is unreadable");
    let bytes = if key.derivation.is_none() {
        material.public()?.ed25519_bytes()
    } else if context.is_empty() {
        return Ok(String::new());
    } else {
        let derived = super::sign::derived(key, material, context)?.map_err(Fault::from)?;
        derived.public().map_err(|_| unreadable())?.ed25519_bytes()
    };
    Ok(base64::encode(&bytes.ok_or_else(unreadable)?))
}

/// The certificates of a version in PEM, one after the other.
pub(super) fn chain_pem(material: &Material) -> String {
    let certificates = material.certificate_chain.iter().filter_map(|encoded| base64::decode(encoded).ok());
    certificates.map(|certificate| pem::encode("CERTIFICATE", &certificate) + "\n").collect()
}
