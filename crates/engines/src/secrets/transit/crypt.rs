//! Encrypting and decrypting one text with one version of a key; `encrypt`, `decrypt`, `rewrap` and `datakey` are made of it.

use super::answers::Failure;
use super::base64;
use super::record::{Key, Material, Ready};
use engine::crypto::Zeroizing;
use engine::crypto::cipher::Nonces;
use engine::crypto::hash::Hash;
use engine::crypto::keypair::KeyPairError;
use engine::{Cx, Fault, Randomness};
use std::sync::Arc;

/// What a ciphertext or signature begins with; the number of the version comes next.
pub(super) const PREFIX: &str = "vault:v";

/// Bytes that were encrypted, or why not; the outer error is ours.
pub(super) type Outcome<T> = Result<Result<T, Failure>, Fault>;

/// A key that a request works with, and the version that it used last: most batches need one.
pub(super) struct Worker {
    pub(super) name: String,
    pub(super) key: Arc<Key>,
    last: Option<(i64, Arc<Material>)>,
}

impl Worker {
    /// The key of a name.
    pub(super) fn load(cx: &mut Cx, name: &str, missing: &str) -> Result<Self, Fault> {
        let key = Key::load(cx, name)?.ok_or_else(|| Fault::invalid(missing))?;
        Ok(Self::of(name, key))
    }

    /// A key that is at hand.
    pub(super) fn of(name: &str, key: Arc<Key>) -> Self {
        Self { name: name.to_owned(), key, last: None }
    }

    /// A version's material.
    pub(super) fn material(&mut self, cx: &mut Cx, version: i64) -> Result<Arc<Material>, Fault> {
        if let Some((known, material)) = &self.last
            && *known == version
        {
            return Ok(material.clone());
        }
        let material = Material::load(cx, &self.name, version)?;
        self.last = Some((version, material.clone()));
        Ok(material)
    }

    /// Encrypts a plaintext with the version asked for.
    pub(super) fn encrypt(
        &mut self,
        cx: &mut Cx,
        asked: i64,
        context: &[u8],
        associated: &[u8],
        plaintext: &[u8],
    ) -> Outcome<(String, i64)> {
        if let Err(failure) = self.key.usable() {
            return Ok(Err(failure));
        }
        if !self.key.kind.encrypts() {
            let kind = self.key.kind.name();
            return Ok(Err(Failure::of_client(format!("message encryption not supported for key type {kind}"))));
        }
        let version = match self.key.version_for(asked, "encryption") {
            Ok(version) => version,
            Err(text) => return Ok(Err(Failure::of_client(text))),
        };
        let material = self.material(cx, version)?;
        let sealed = if self.key.kind.is_rsa() {
            seal_rsa(&material, plaintext, cx.randomness.as_mut())?
        } else {
            Ready::of(&self.key, &material, context)?.map(|ready| {
                let nonces = match ready.nonces() {
                    Some(key) => Nonces::OfMessage(key),
                    None => Nonces::Random(cx.randomness.as_mut()),
                };
                ready.cipher().seal(nonces, associated, plaintext)
            })
        };
        Ok(sealed.map(|sealed| (format!("{PREFIX}{version}:{}", base64::encode(&sealed)), version)))
    }

    /// Decrypts a ciphertext.
    pub(super) fn decrypt(
        &mut self,
        cx: &mut Cx,
        context: &[u8],
        associated: &[u8],
        ciphertext: &str,
    ) -> Outcome<Zeroizing<Vec<u8>>> {
        if let Err(failure) = self.key.usable() {
            return Ok(Err(failure));
        }
        if !self.key.kind.encrypts() {
            let kind = self.key.kind.name();
            return Ok(Err(Failure::of_client(format!("message decryption not supported for key type {kind}"))));
        }
        let (version, sealed) = match parts(&self.key, ciphertext) {
            Ok(parts) => parts,
            Err(failure) => return Ok(Err(failure)),
        };
        let Ok(sealed) = base64::decode(sealed) else {
            return Ok(Err(Failure::of_client("invalid ciphertext: could not decode base64")));
        };
        let material = self.material(cx, version)?;
        if self.key.kind.is_rsa() {
            return open_rsa(&material, &sealed, cx.randomness.as_mut());
        }
        let ready = match Ready::of(&self.key, &material, context)? {
            Ok(ready) => ready,
            Err(failure) => return Ok(Err(failure)),
        };
        let Some(cipher) = self.key.kind.cipher() else { return Err(Fault::internal("a cipher is missing")) };
        if sealed.len() < cipher.nonce_length() {
            return Ok(Err(Failure::of_client("invalid ciphertext length")));
        }
        let family = if self.key.kind.name().contains("chacha") { "chacha20poly1305" } else { "cipher" };
        let failed = |_| Failure::of_client(format!("{family}: message authentication failed"));
        Ok(ready.cipher().open(associated, &sealed).map_err(failed))
    }
}

/// The version of a ciphertext, which has to be one that may be decrypted, and the rest.
fn parts<'a>(key: &Key, ciphertext: &'a str) -> Result<(i64, &'a str), Failure> {
    let rest = ciphertext.strip_prefix(PREFIX).ok_or_else(|| Failure::of_client("invalid ciphertext: no prefix"))?;
    let (version, rest) =
        rest.split_once(':').ok_or_else(|| Failure::of_client("invalid ciphertext: wrong number of fields"))?;
    let version: i64 =
        version.parse().map_err(|_| Failure::of_client("invalid ciphertext: version number could not be decoded"))?;
    // The first versions of upstream wrote 0.
    let version = if version == 0 { 1 } else { version };
    if version > key.latest_version {
        return Err(Failure::of_client("invalid ciphertext: version is too new"));
    }
    key.readable(version)?;
    Ok((version, rest))
}

fn seal_rsa(material: &Material, plaintext: &[u8], randomness: &mut dyn Randomness) -> Outcome<Vec<u8>> {
    let sealed = material.public()?.encrypt_oaep(Hash::Sha2_256, plaintext, randomness);
    Ok(sealed.map_err(|error| {
        let reason = match error {
            KeyPairError::TooLong => "crypto/rsa: message too long for RSA key size".to_owned(),
            other => other.to_string(),
        };
        Failure::internal(format!("failed to RSA encrypt the plaintext: {reason}"))
    }))
}

fn open_rsa(material: &Material, sealed: &[u8], randomness: &mut dyn Randomness) -> Outcome<Zeroizing<Vec<u8>>> {
    if material.is_public_only() {
        let text = "cannot decrypt ciphertext, key version does not have a private counterpart";
        return Ok(Err(Failure::internal(text)));
    }
    let opened = material.private()?.decrypt_oaep(Hash::Sha2_256, sealed, randomness);
    let failed = |_| Failure::internal("failed to RSA decrypt the ciphertext: crypto/rsa: decryption error");
    Ok(opened.map(|plaintext| Zeroizing::new(plaintext.expose().clone())).map_err(failed))
}
