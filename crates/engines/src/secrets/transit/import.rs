//! `wrapping_key`, `keys/<name>/import` and `keys/<name>/import_version`: keys from outside. A private key comes wrapped: an AES
//! key, encrypted by OAEP for the mount's wrapping key, and behind it the key wrapped with the AES key (RFC 5649).

use super::keys::drawn;
use super::kind::KeyType;
use super::record::{Derivation, Key, Material};
use super::wire::{ImportRequest, ImportVersionRequest};
use super::{base64, hashes, rotation};
use engine::crypto::hash::Hash;
use engine::crypto::keypair::{PairKind, PrivateKey, PublicKey, pem};
use engine::crypto::{Secret, Zeroizing, keywrap};
use engine::{Cx, Fault, Record, Reply};
use serde::{Deserialize, Serialize};
use serde_json::json;

const WRAPPING_KEY: &str = "wrapping-key";
const WRAPPING_KEY_BITS: u32 = 4096;
/// Shortest wrapping of a key of at least nine bytes.
const WRAPPED_BYTES_MIN: usize = 24;
/// Bytes of an HMAC key.
const HMAC_KEY_BYTES: std::ops::RangeInclusive<usize> = 32..=512;

/// The mount's wrapping key, in PKCS #8.
#[derive(Serialize, Deserialize)]
struct WrappingKey {
    #[serde(with = "super::record::secret_bytes")]
    private: Secret<Vec<u8>>,
}

impl Record for WrappingKey {
    const KIND: &'static str = "transit-wrapping-key/1";
}

pub(super) fn wrapping_key(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let unusable = |_| Fault::internal("the wrapping key cannot be used");
    let key = match load_wrapping_key(cx)? {
        Some(key) => key,
        None => {
            let made = PrivateKey::generate(PairKind::Rsa(WRAPPING_KEY_BITS), cx.randomness.as_mut());
            let made = made.map_err(unusable)?;
            cx.tx.save(WRAPPING_KEY, &WrappingKey { private: made.to_pkcs8() })?;
            made
        }
    };
    let public = key.public().and_then(|public| public.to_spki()).map_err(unusable)?;
    Ok(Reply::data(json!({ "public_key": pem::encode("PUBLIC KEY", &public) + "\n" })))
}

fn load_wrapping_key(cx: &mut Cx) -> Result<Option<PrivateKey>, Fault> {
    let Some(stored) = cx.tx.load::<WrappingKey>(WRAPPING_KEY)? else { return Ok(None) };
    let key = PrivateKey::from_pkcs8(stored.private.expose());
    key.map(Some).map_err(|_| Fault::internal("the wrapping key cannot be used"))
}

pub(super) fn import(cx: &mut Cx, request: ImportRequest) -> Result<Reply, Fault> {
    let wanted = hashes::first(&[&request.r#type], "aes256-gcm96");
    let kind = KeyType::parse(wanted).ok_or_else(|| Fault::invalid(format!("unknown key type: {wanted}")))?;
    let hash = hash_function(&request.hash_function)?;
    if Key::load(cx, &request.name)?.is_some() {
        let text = "the import path cannot be used with an existing key; use import-version to rotate an existing \
            imported key";
        return Err(Fault::upstream_error(text));
    }
    let period = request.auto_rotate_period.0;
    if period != 0 && !request.allow_rotation {
        return Err(Fault::upstream_error("allow_rotation must be set to true if auto-rotation is enabled"));
    }
    super::keys::check_rotation(period)?;
    if request.derived && !kind.derives() {
        let text = format!("key derivation and convergent encryption not supported for keys of type {wanted}");
        return Err(Fault::upstream_error(text));
    }
    let mut material = Material::new(drawn(32, cx.randomness.as_mut()), cx.now);
    let given = given(cx, kind, hash, request.ciphertext.as_deref(), request.public_key.as_deref())?;
    take_in(kind, &mut material, &given).map_err(|text| Fault::upstream_error(format!("error importing key: {text}")))?;
    let mut key = Key::new(kind);
    key.derivation = request.derived.then_some(Derivation::Counter);
    key.exportable = request.exportable;
    key.allow_plaintext_backup = request.allow_plaintext_backup;
    key.imported = true;
    key.allow_imported_key_rotation = request.allow_rotation;
    if kind == KeyType::Hmac {
        key.key_size = i64::try_from(material.key.expose().len()).unwrap_or_default();
    }
    key.add(cx, &request.name, &material)?;
    rotation::schedule(cx, &request.name, &mut key, period)?;
    key.save(cx, &request.name)?;
    Ok(Reply::empty())
}

pub(super) fn import_version(cx: &mut Cx, request: ImportVersionRequest) -> Result<Reply, Fault> {
    let hash = hash_function(&request.hash_function)?;
    let name = &request.name;
    let Some(known) = Key::load(cx, name)? else {
        let text = format!("no key found with name {name}; to import a new key, use the import/ endpoint");
        return Err(Fault::upstream_error(text));
    };
    if !known.imported {
        return Err(Fault::upstream_error("the import_version endpoint can only be used with an imported key"));
    }
    if let Some(version) = request.version
        && !(known.lowest()..=known.latest_version).contains(&version)
    {
        return Err(Fault::upstream_error("no such key version"));
    }
    if request.version.is_some() && known.kind.pair().is_none() {
        return Err(Fault::upstream_error("provided type does not support importing key versions"));
    }
    let given = given(cx, known.kind, hash, request.ciphertext.as_deref(), request.public_key.as_deref())?;
    let mut material = Material::new(drawn(32, cx.randomness.as_mut()), cx.now);
    take_in(known.kind, &mut material, &given).map_err(Fault::upstream_error)?;
    if let Some(version) = completed_version(cx, name, &known, request.version, &material)? {
        let mut completed = Material::load(cx, name, version)?.copied();
        completed.private = Secret::bytes(material.private.expose());
        completed.save(cx, name, version)?;
        return Ok(Reply::empty());
    }
    let mut key = (*known).clone();
    key.add(cx, name, &material)?;
    key.save(cx, name)?;
    Ok(Reply::empty())
}

/// The version whose missing private half this is: the one asked for, which then has to fit, or the latest if it fits.
fn completed_version(
    cx: &mut Cx,
    name: &str,
    key: &Key,
    asked: Option<i64>,
    material: &Material,
) -> Result<Option<i64>, Fault> {
    let version = asked.unwrap_or(key.latest_version);
    let known = Material::load(cx, name, version)?;
    let fits = !material.is_public_only() && known.is_public_only() && known.public == material.public;
    match asked {
        None => Ok(fits.then_some(version)),
        Some(_) if fits => Ok(Some(version)),
        Some(_) if material.is_public_only() => {
            Err(Fault::upstream_error("cannot add a public key to a key version that already has a public key set"))
        }
        Some(_) if !known.is_public_only() => Err(Fault::upstream_error("private key imported, key version cannot be updated")),
        Some(_) => Err(Fault::upstream_error("cannot import key, key pair does not match")),
    }
}

/// What a client brings.
enum Given {
    /// A symmetric key, or a private key in PKCS #8.
    Secret(Zeroizing<Vec<u8>>),
    /// A public key in PEM.
    Public(String),
}

fn given(
    cx: &mut Cx,
    kind: KeyType,
    hash: Hash,
    ciphertext: Option<&str>,
    public_key: Option<&str>,
) -> Result<Given, Fault> {
    if let Some(ciphertext) = ciphertext {
        return unwrapped(cx, hash, ciphertext).map(Given::Secret);
    }
    if kind.pair().is_none() {
        return Err(Fault::upstream_error("provided type does not support public_key import"));
    }
    Ok(Given::Public(public_key.unwrap_or_default().to_owned()))
}

fn unwrapped(cx: &mut Cx, hash: Hash, ciphertext: &str) -> Result<Zeroizing<Vec<u8>>, Fault> {
    let ciphertext = base64::decode(ciphertext).map_err(|failure| Fault::upstream_error(failure.text))?;
    let length = usize::try_from(WRAPPING_KEY_BITS / 8).unwrap_or_default();
    let split = ciphertext.split_at_checked(length).filter(|(_, wrapped)| !wrapped.is_empty());
    let (encrypted, wrapped) = split.ok_or_else(|| Fault::upstream_error("provided ciphertext is too short"))?;
    let failed = || Fault::upstream_error("crypto/rsa: decryption error");
    let wrapping = load_wrapping_key(cx)?.ok_or_else(failed)?;
    let ephemeral = wrapping.decrypt_oaep(hash, encrypted, cx.randomness.as_mut()).map_err(|_| failed())?;
    if wrapped.len() < WRAPPED_BYTES_MIN {
        return Err(Fault::upstream_error("kwp: wrapped key size too small"));
    }
    keywrap::unwrap(ephemeral.expose(), wrapped).map_err(|_| Fault::upstream_error("kwp: integrity check failed"))
}

fn take_in(kind: KeyType, material: &mut Material, given: &Given) -> Result<(), String> {
    match (given, kind.pair()) {
        (Given::Secret(bytes), None) => take_symmetric(kind, material, bytes),
        (Given::Secret(bytes), Some(pair)) => {
            let key = PrivateKey::from_pkcs8(bytes).map_err(|_| "error parsing asymmetric key".to_owned())?;
            check_pair(kind, pair, key.kind(), "PrivateKey")?;
            material.hold(key).map_err(|_| "error parsing asymmetric key".to_owned())
        }
        (Given::Public(text), pair) => {
            let (block, _) = pem::decode(text).ok_or("error parsing public key: not in PEM format")?;
            let key = PublicKey::from_spki(&block.bytes).map_err(|_| "error parsing public key: not a known key")?;
            if let Some(pair) = pair {
                check_pair(kind, pair, key.kind(), "PublicKey")?;
            }
            let encoded = key.to_spki().map_err(|_| "error parsing public key: not a known key")?;
            material.public = base64::encode(&encoded);
            Ok(())
        }
    }
}

fn take_symmetric(kind: KeyType, material: &mut Material, bytes: &[u8]) -> Result<(), String> {
    let fits = match kind.cipher() {
        Some(cipher) => bytes.len() == cipher.key_length(),
        None => HMAC_KEY_BYTES.contains(&bytes.len()),
    };
    if !fits {
        return Err(format!("invalid key size {} bytes for key type {}", bytes.len(), kind.name()));
    }
    material.key = Secret::bytes(bytes);
    if kind == KeyType::Hmac {
        material.hmac_key = Secret::bytes(bytes);
    }
    Ok(())
}

/// Whether a key is of the kind that was announced; if not, what it is, in upstream's words.
fn check_pair(kind: KeyType, wanted: PairKind, got: PairKind, half: &str) -> Result<(), String> {
    if wanted == got {
        return Ok(());
    }
    Err(match (wanted, got) {
        (PairKind::Rsa(wanted), PairKind::Rsa(got)) => {
            format!("invalid key size: expected {} bytes, got {} bytes", wanted / 8, got / 8)
        }
        (PairKind::Curve(wanted), PairKind::Curve(got)) => {
            format!("invalid curve: expected {}, got {}", wanted.name(), got.name())
        }
        (_, got) => {
            let got = match got {
                PairKind::Rsa(_) => format!("*rsa.{half}"),
                PairKind::Curve(_) => format!("*ecdsa.{half}"),
                PairKind::Ed25519 => format!("ed25519.{half}"),
            };
            format!("invalid key type: expected {}, got {got}", kind.name())
        }
    })
}

fn hash_function(name: &str) -> Result<Hash, Fault> {
    hashes::of_oaep(name).ok_or_else(|| Fault::invalid(format!("unknown hash function: {name}")))
}
