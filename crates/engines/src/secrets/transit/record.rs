//! Keys as they are stored: at `key/<name>` the settings of a key, at `version/<name>/<number>` each version's material.
//!
//! Decoded records are remembered by revision, so that a key is parsed and prepared once. They are gone with the seal, and
//! what is secret in them is wiped when they are dropped.

use super::answers::{Failure, MISSING_CONTEXT, SOFT_DELETED, TOO_OLD};
use super::kind::KeyType;
use engine::crypto::cipher::CipherKey;
use engine::crypto::keypair::{PrivateKey, PublicKey};
use engine::crypto::{MacKey, Secret, Zeroizing};
use engine::{Cx, Fault, Record, Timestamp};
use serde::{Deserialize, Serialize};
use std::sync::{Arc, OnceLock};

/// Where the settings of keys are.
pub(super) const KEYS: &str = "key/";
const VERSIONS: &str = "version/";
/// Longest name of a key, in bytes.
pub(super) const NAME_BYTES_MAX: usize = 512;

/// How the key of a context is derived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Derivation {
    /// SP 800-108 counter mode with HMAC-SHA-256: what an imported key has.
    Counter,
    /// HKDF with SHA-256.
    Hkdf,
}

impl Derivation {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Counter => "hmac-sha256-counter",
            Self::Hkdf => "hkdf_sha256",
        }
    }
}

/// The settings of a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Key {
    pub(super) kind: KeyType,
    /// `Some` where each context has a key of its own.
    pub(super) derivation: Option<Derivation>,
    /// Whether equal plaintexts have equal ciphertexts.
    pub(super) convergent: bool,
    pub(super) exportable: bool,
    pub(super) allow_plaintext_backup: bool,
    pub(super) deletion_allowed: bool,
    pub(super) soft_deleted: bool,
    pub(super) imported: bool,
    pub(super) allow_imported_key_rotation: bool,
    /// Seconds after which a version is replaced; 0 is never.
    pub(super) auto_rotate_period: i64,
    /// When it next rotates by itself.
    #[serde(default)]
    pub(super) rotation_due: Option<Timestamp>,
    /// Bytes of the key, where the type leaves it open; else 0.
    pub(super) key_size: i64,
    pub(super) latest_version: i64,
    pub(super) min_available_version: i64,
    pub(super) min_decryption_version: i64,
    pub(super) min_encryption_version: i64,
    /// When it was last backed up, and up to which version.
    #[serde(default)]
    pub(super) backup: Option<Noted>,
    /// When it was last restored, and up to which version.
    #[serde(default)]
    pub(super) restore: Option<Noted>,
}

/// When something was done with a key, and which version was then the latest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Noted {
    pub(super) time: String,
    pub(super) version: i64,
}

impl Record for Key {
    const KIND: &'static str = "transit-key/1";
}

impl Key {
    /// A key before it has a version.
    pub(super) fn new(kind: KeyType) -> Self {
        Self {
            kind,
            derivation: None,
            convergent: false,
            exportable: false,
            allow_plaintext_backup: false,
            deletion_allowed: false,
            soft_deleted: false,
            imported: false,
            allow_imported_key_rotation: false,
            auto_rotate_period: 0,
            rotation_due: None,
            key_size: 0,
            latest_version: 0,
            min_available_version: 0,
            min_decryption_version: 1,
            min_encryption_version: 0,
            backup: None,
            restore: None,
        }
    }

    /// The key of a name.
    pub(super) fn load(cx: &mut Cx, name: &str) -> Result<Option<Arc<Self>>, Fault> {
        check_name(name)?;
        Ok(cx.tx.load_shared(&key_place(name))?)
    }

    /// Whether there is a key of this name.
    pub(super) fn exists(cx: &mut Cx, name: &str) -> Result<bool, Fault> {
        check_name(name)?;
        Ok(cx.tx.exists(&key_place(name))?)
    }

    /// Writes it.
    pub(super) fn save(&self, cx: &mut Cx, name: &str) -> Result<(), Fault> {
        Ok(cx.tx.save(&key_place(name), self)?)
    }

    /// Deletes it with all its versions.
    pub(super) fn delete(cx: &mut Cx, name: &str) -> Result<(), Fault> {
        cx.tx.delete(&key_place(name));
        cx.tx.delete_all(&format!("{VERSIONS}{name}/"))?;
        Ok(())
    }

    /// Adds a version, which becomes the latest.
    pub(super) fn add(&mut self, cx: &mut Cx, name: &str, material: &Material) -> Result<(), Fault> {
        self.latest_version += 1;
        cx.tx.save(&version_place(name, self.latest_version), material)?;
        Ok(())
    }

    /// Deletes the versions below one.
    pub(super) fn trim(&self, cx: &mut Cx, name: &str, below: i64) -> Result<(), Fault> {
        for version in self.lowest()..below {
            cx.tx.delete(&version_place(name, version));
        }
        Ok(())
    }

    /// The lowest version that there still is.
    pub(super) fn lowest(&self) -> i64 {
        self.min_available_version.max(1)
    }

    /// Refuses a key in the bin.
    pub(super) fn usable(&self) -> Result<(), Failure> {
        if self.soft_deleted { Err(Failure::of_client(SOFT_DELETED)) } else { Ok(()) }
    }

    /// The version that a client asks for to encrypt or sign with; 0 is the latest.
    pub(super) fn version_for(&self, asked: i64, purpose: &str) -> Result<i64, String> {
        match asked {
            0 => Ok(self.latest_version),
            ..0 => Err(format!("requested version for {purpose} is negative")),
            _ if asked > self.latest_version => {
                Err(format!("requested version for {purpose} is higher than the latest key version"))
            }
            _ if asked < self.min_encryption_version || asked < self.min_decryption_version => {
                Err(format!("requested version for {purpose} is less than the minimum encryption key version"))
            }
            _ => Ok(asked),
        }
    }

    /// Refuses a version that may not be decrypted or verified with any more.
    pub(super) fn readable(&self, version: i64) -> Result<(), Failure> {
        if version < self.min_decryption_version.max(self.lowest()) { Err(Failure::of_client(TOO_OLD)) } else { Ok(()) }
    }
}

/// One version of a key.
#[derive(Serialize, Deserialize)]
pub(super) struct Material {
    /// The symmetric key; empty for key pairs.
    #[serde(with = "secret_bytes")]
    pub(super) key: Secret<Vec<u8>>,
    /// What `hmac` uses.
    #[serde(with = "secret_bytes")]
    pub(super) hmac_key: Secret<Vec<u8>>,
    /// The private key in PKCS #8; empty where only the public half was imported.
    #[serde(with = "secret_bytes")]
    pub(super) private: Secret<Vec<u8>>,
    /// The public key as SubjectPublicKeyInfo, in base64.
    #[serde(default)]
    pub(super) public: String,
    /// Certificates in DER, in base64, leaf first.
    #[serde(default)]
    pub(super) certificate_chain: Vec<String>,
    /// When it was made.
    pub(super) created: Timestamp,
    #[serde(skip)]
    prepared: Prepared,
}

/// What the material is turned into when it is first used.
#[derive(Default)]
struct Prepared {
    cipher: OnceLock<Option<CipherKey>>,
    private: OnceLock<Option<PrivateKey>>,
    public: OnceLock<Option<PublicKey>>,
}

impl Record for Material {
    const KIND: &'static str = "transit-version/1";
}

impl Material {
    /// Material before it holds a key.
    pub(super) fn new(hmac_key: Secret<Vec<u8>>, created: Timestamp) -> Self {
        Self {
            key: Secret::new(Vec::new()),
            hmac_key,
            private: Secret::new(Vec::new()),
            public: String::new(),
            certificate_chain: Vec::new(),
            created,
            prepared: Prepared::default(),
        }
    }

    /// The version of a key; that it is there is known from the key's settings.
    pub(super) fn load(cx: &mut Cx, name: &str, version: i64) -> Result<Arc<Self>, Fault> {
        let found = cx.tx.load_shared(&version_place(name, version))?;
        found.ok_or_else(|| Fault::internal(format!("version {version} of a transit key is missing")))
    }

    /// Writes a changed version.
    pub(super) fn save(&self, cx: &mut Cx, name: &str, version: i64) -> Result<(), Fault> {
        Ok(cx.tx.save(&version_place(name, version), self)?)
    }

    /// A copy to change.
    pub(super) fn copied(&self) -> Self {
        Self {
            key: Secret::bytes(self.key.expose()),
            hmac_key: Secret::bytes(self.hmac_key.expose()),
            private: Secret::bytes(self.private.expose()),
            public: self.public.clone(),
            certificate_chain: self.certificate_chain.clone(),
            created: self.created,
            prepared: Prepared::default(),
        }
    }

    /// Takes a private key in, and its public half with it.
    pub(super) fn hold(&mut self, private: PrivateKey) -> Result<(), Fault> {
        let unusable = |_| Fault::internal("a new key pair cannot be written");
        self.private = private.to_pkcs8();
        self.public = super::base64::encode(&private.public().and_then(|public| public.to_spki()).map_err(unusable)?);
        self.prepared = Prepared::default();
        Ok(())
    }

    /// Whether it is a public key alone.
    pub(super) fn is_public_only(&self) -> bool {
        !self.public.is_empty() && self.private.expose().is_empty()
    }

    /// The private key of a pair.
    pub(super) fn private(&self) -> Result<&PrivateKey, Fault> {
        let prepare = || PrivateKey::from_pkcs8(self.private.expose()).ok();
        self.prepared.private.get_or_init(prepare).as_ref().ok_or_else(|| Fault::internal("a stored key is unreadable"))
    }

    /// The public key of a pair.
    pub(super) fn public(&self) -> Result<&PublicKey, Fault> {
        let prepare = || PublicKey::from_spki(&self.public_der()?).ok();
        self.prepared.public.get_or_init(prepare).as_ref().ok_or_else(|| Fault::internal("a stored key is unreadable"))
    }

    /// The public key as SubjectPublicKeyInfo.
    pub(super) fn public_der(&self) -> Option<Vec<u8>> {
        super::base64::decode(&self.public).ok().map(|bytes| bytes.to_vec())
    }

    /// The symmetric key as it is, for a key without contexts.
    fn cipher(&self, key: &Key) -> Result<&CipherKey, Fault> {
        let prepare = || CipherKey::new(key.kind.cipher()?, self.key.expose()).ok();
        self.prepared.cipher.get_or_init(prepare).as_ref().ok_or_else(|| Fault::internal("a stored key is unreadable"))
    }
}

/// A symmetric key that is ready for one context.
pub(super) enum Ready<'a> {
    Whole(&'a CipherKey),
    Derived(Box<(CipherKey, Option<MacKey>)>),
}

impl<'a> Ready<'a> {
    /// The key of a context. A key with equal ciphertexts for equal plaintexts has one for its nonces behind it.
    pub(super) fn of(key: &Key, material: &'a Material, context: &[u8]) -> Result<Result<Self, Failure>, Fault> {
        let Some(derivation) = key.derivation else { return Ok(Ok(Self::Whole(material.cipher(key)?))) };
        if context.is_empty() {
            return Ok(Err(Failure::of_client(MISSING_CONTEXT)));
        }
        let unreadable = || Fault::internal("a stored key is unreadable");
        let cipher = key.kind.cipher().ok_or_else(unreadable)?;
        let length = cipher.key_length();
        let derived = match derivation {
            Derivation::Hkdf => {
                let wanted = if key.convergent { length + 32 } else { length };
                engine::crypto::kdf::hkdf_sha256_bytes(material.key.expose(), context, wanted)
            }
            Derivation::Counter => {
                Zeroizing::new(engine::crypto::kdf::counter_sha256(material.key.expose(), context).to_vec())
            }
        };
        let (own, behind) = derived.split_at_checked(length).ok_or_else(unreadable)?;
        let prepared = CipherKey::new(cipher, own).map_err(|_| unreadable())?;
        let nonces = (key.convergent && behind.len() == 32).then(|| MacKey::new(behind));
        Ok(Ok(Self::Derived(Box::new((prepared, nonces)))))
    }

    pub(super) fn cipher(&self) -> &CipherKey {
        match self {
            Self::Whole(cipher) => cipher,
            Self::Derived(both) => &both.0,
        }
    }

    pub(super) fn nonces(&self) -> Option<&MacKey> {
        match self {
            Self::Whole(_) => None,
            Self::Derived(both) => both.1.as_ref(),
        }
    }
}

/// A name is what upstream's pattern takes: ASCII letters, digits and `_`, with `-` and `.` inside. Capitals count.
pub(super) fn check_name(name: &str) -> Result<(), Fault> {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = name.as_bytes();
    let shaped = bytes.first().is_some_and(word)
        && bytes.last().is_some_and(word)
        && bytes.iter().all(|byte| word(byte) || matches!(byte, b'-' | b'.'))
        && bytes.len() <= NAME_BYTES_MAX;
    if shaped { Ok(()) } else { Err(Fault::UnsupportedPath) }
}

fn key_place(name: &str) -> String {
    format!("{KEYS}{name}")
}

fn version_place(name: &str, version: i64) -> String {
    format!("{VERSIONS}{name}/{version:010}")
}

/// Secret bytes in a record: base64, wiped on the way.
pub(super) mod secret_bytes {
    use engine::crypto::{Secret, Zeroizing};
    use serde::{Deserialize, Deserializer, Serializer};

    pub(in super::super) fn serialize<S: Serializer>(bytes: &Secret<Vec<u8>>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(super::super::base64::encode(bytes.expose())))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Secret<Vec<u8>>, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = super::super::base64::decode(&text).map_err(|_| serde::de::Error::custom("not base64"))?;
        Ok(Secret::bytes(&bytes))
    }
}
