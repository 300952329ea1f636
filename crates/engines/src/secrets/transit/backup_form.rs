//! The form of a backup: JSON, in upstream's member names, with numbers of key pairs as decimal digits.

use super::kind::KeyType;
use super::record::{Key, Material, Noted};
use super::{base64, decimal};
use engine::crypto::keypair::{OldForm, PairKind, PrivateKey, PublicKey, pem};
use engine::crypto::{Secret, Zeroize, Zeroizing};
use engine::{Fault, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Number;
use std::collections::BTreeMap;

/// A backup.
#[derive(Serialize, Deserialize)]
pub(super) struct Backup {
    pub(super) policy: Policy,
    #[serde(default)]
    pub(super) archived_keys: Archive,
}

/// All versions in order.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Archive {
    #[serde(default)]
    pub(super) keys: Vec<VersionForm>,
}

/// The settings of a key and the versions that may be decrypted with.
#[derive(Serialize, Deserialize)]
#[serde(default)]
#[derive(Default)]
pub(super) struct Policy {
    pub(super) name: String,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) key_size: i64,
    pub(super) keys: BTreeMap<String, VersionForm>,
    pub(super) derived: bool,
    pub(super) kdf: i64,
    pub(super) convergent_encryption: bool,
    pub(super) exportable: bool,
    pub(super) min_decryption_version: i64,
    pub(super) min_encryption_version: i64,
    pub(super) latest_version: i64,
    archive_version: i64,
    archive_min_version: i64,
    pub(super) min_available_version: i64,
    pub(super) deletion_allowed: bool,
    pub(super) convergent_version: i64,
    #[serde(rename = "type")]
    pub(super) kind: i64,
    pub(super) backup_info: Option<Noted>,
    restore_info: Option<Noted>,
    pub(super) allow_plaintext_backup: bool,
    version_template: String,
    storage_prefix: String,
    pub(super) auto_rotate_period: i64,
    #[serde(rename = "Imported")]
    pub(super) imported: bool,
    #[serde(rename = "AllowImportedKeyRotation")]
    pub(super) allow_imported_key_rotation: bool,
    pub(super) soft_deleted: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references to its conditions")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// A version.
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub(super) struct VersionForm {
    key: Option<Text>,
    hmac_key: Option<Text>,
    time: String,
    ec_x: Option<Number>,
    ec_y: Option<Number>,
    ec_d: Option<Number>,
    rsa_key: Option<RsaForm>,
    rsa_public_key: Option<RsaPublicForm>,
    public_key: String,
    convergent_version: i64,
    creation_time: i64,
    certificate_chain: Option<Vec<String>>,
}

/// Base64 of secret bytes, wiped when it is dropped.
#[derive(Serialize, Deserialize)]
#[serde(transparent)]
struct Text(String);

impl Drop for Text {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Default for VersionForm {
    fn default() -> Self {
        Self {
            key: None,
            hmac_key: None,
            time: "0001-01-01T00:00:00Z".to_owned(),
            ec_x: None,
            ec_y: None,
            ec_d: None,
            rsa_key: None,
            rsa_public_key: None,
            public_key: String::new(),
            convergent_version: 0,
            creation_time: 0,
            certificate_chain: None,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RsaForm {
    n: Number,
    e: Number,
    d: Number,
    primes: Vec<Number>,
    #[serde(default)]
    precomputed: Option<Precomputed>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Precomputed {
    dp: Option<Number>,
    dq: Option<Number>,
    qinv: Option<Number>,
    #[serde(rename = "CRTValues", default)]
    crt_values: Vec<serde_json::Value>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RsaPublicForm {
    n: Number,
    e: Number,
}

impl Policy {
    /// A key's.
    pub(super) fn of(name: &str, key: &Key, keys: BTreeMap<String, VersionForm>) -> Self {
        Self {
            name: name.to_owned(),
            key_size: key.key_size,
            keys,
            derived: key.derivation.is_some(),
            kdf: i64::from(key.derivation == Some(super::record::Derivation::Hkdf)),
            convergent_encryption: key.convergent,
            exportable: key.exportable,
            min_decryption_version: key.min_decryption_version,
            min_encryption_version: key.min_encryption_version,
            latest_version: key.latest_version,
            archive_version: key.latest_version,
            archive_min_version: key.min_available_version,
            min_available_version: key.min_available_version,
            deletion_allowed: key.deletion_allowed,
            convergent_version: if key.convergent { -1 } else { 0 },
            kind: key.kind.number(),
            backup_info: key.backup.clone(),
            restore_info: key.restore.clone(),
            allow_plaintext_backup: key.allow_plaintext_backup,
            version_template: String::new(),
            storage_prefix: String::new(),
            auto_rotate_period: key.auto_rotate_period.saturating_mul(1_000_000_000),
            imported: key.imported,
            allow_imported_key_rotation: key.allow_imported_key_rotation,
            soft_deleted: key.soft_deleted,
        }
    }
}

impl Backup {
    /// A version: from the archive, where the first place is that of the lowest version, or of version 0; or else from the
    /// versions beside the settings.
    pub(super) fn version(&self, version: i64, lowest: i64) -> Option<&VersionForm> {
        let first = if self.policy.min_available_version == 0 { 0 } else { lowest };
        let archived = usize::try_from(version - first).ok().and_then(|at| self.archived_keys.keys.get(at));
        self.policy.keys.get(&version.to_string()).or(archived)
    }
}

impl VersionForm {
    /// A version of a key.
    pub(super) fn of(key: &Key, material: &Material) -> Result<Self, Fault> {
        let unreadable = || Fault::internal("a stored key is unreadable");
        let mut form = Self {
            hmac_key: Some(text(material.hmac_key.expose())),
            time: material.created.to_rfc3339(),
            creation_time: material.created.seconds(),
            convergent_version: if key.convergent { 3 } else { 0 },
            certificate_chain: (!material.certificate_chain.is_empty()).then(|| material.certificate_chain.clone()),
            ..Self::default()
        };
        match key.kind.pair() {
            None => form.key = Some(text(material.key.expose())),
            Some(pair) => form.hold(pair, material)?.ok_or_else(unreadable)?,
        }
        Ok(form)
    }

    fn hold(&mut self, pair: PairKind, material: &Material) -> Result<Option<()>, Fault> {
        let public = material.public()?;
        let private = if material.is_public_only() { None } else { Some(material.private()?) };
        Ok(match pair {
            PairKind::Ed25519 => self.hold_edwards(public, private),
            PairKind::Curve(_) => self.hold_curve(public, private),
            PairKind::Rsa(_) => self.hold_rsa(public, private),
        })
    }

    fn hold_edwards(&mut self, public: &PublicKey, private: Option<&PrivateKey>) -> Option<()> {
        self.public_key = base64::encode(&public.ed25519_bytes()?);
        if let Some(private) = private {
            let OldForm::Bytes(bytes) = private.to_old_form().ok()? else { return None };
            self.key = Some(text(bytes.expose()));
        }
        Some(())
    }

    fn hold_curve(&mut self, public: &PublicKey, private: Option<&PrivateKey>) -> Option<()> {
        let (x, y) = public.coordinates()?;
        (self.ec_x, self.ec_y) = (Some(number(x)?), Some(number(y)?));
        self.public_key = pem::encode("PUBLIC KEY", &public.to_spki().ok()?) + "\n";
        if let Some(private) = private {
            self.ec_d = Some(number(private.curve_number().ok()?.expose())?);
        }
        Some(())
    }

    fn hold_rsa(&mut self, public: &PublicKey, private: Option<&PrivateKey>) -> Option<()> {
        let Some(private) = private else {
            let (n, e) = public.rsa_numbers()?;
            self.rsa_public_key = Some(RsaPublicForm { n: number(&n)?, e: number(&e)? });
            return Some(());
        };
        let numbers = private.rsa_numbers().ok()?;
        let [dp, dq] = &numbers.exponents;
        let precomputed = Precomputed {
            dp: number(dp.expose()),
            dq: number(dq.expose()),
            qinv: number(numbers.coefficient.expose()),
            crt_values: Vec::new(),
        };
        self.rsa_key = Some(RsaForm {
            n: number(&numbers.modulus)?,
            e: number(&numbers.exponent)?,
            d: number(numbers.private.expose())?,
            primes: numbers.primes.iter().map(|prime| number(prime.expose())).collect::<Option<_>>()?,
            precomputed: Some(precomputed),
        });
        Some(())
    }

    /// The material of a version; `None` where it is no key of its type.
    pub(super) fn material(&self, key: &Key, hmac_key: Secret<Vec<u8>>) -> Option<Material> {
        let hmac_key = match &self.hmac_key {
            Some(stored) => Secret::bytes(&base64::decode(&stored.0).ok()?),
            None => hmac_key,
        };
        let created = Timestamp::parse_rfc3339(&self.time).unwrap_or(Timestamp::from_seconds(self.creation_time));
        let mut material = Material::new(hmac_key, created);
        material.certificate_chain = self.certificate_chain.clone().unwrap_or_default();
        let Some(pair) = key.kind.pair() else {
            let bytes = base64::decode(&self.key.as_ref()?.0).ok()?;
            let fits = key.kind.cipher().map_or((32..=512).contains(&bytes.len()), |cipher| cipher.key_length() == bytes.len());
            material.key = Secret::bytes(&bytes);
            let of_mac = key.kind == KeyType::Hmac;
            material.hmac_key = if of_mac { Secret::bytes(&bytes) } else { material.hmac_key };
            return fits.then_some(material);
        };
        match self.private(pair) {
            Some(private) if private.kind() == pair => material.hold(private).ok()?,
            Some(_) => return None,
            None => {
                let public = self.public(pair).filter(|public| public.kind() == pair)?;
                material.public = base64::encode(&public.to_spki().ok()?);
            }
        }
        Some(material)
    }

    fn private(&self, pair: PairKind) -> Option<PrivateKey> {
        match pair {
            PairKind::Ed25519 => {
                let bytes = base64::decode(&self.key.as_ref()?.0).ok()?;
                PrivateKey::ed25519_from_seed(bytes.get(..32)?).ok()
            }
            PairKind::Curve(curve) => {
                let width = match curve.name() {
                    "P-256" => 32,
                    "P-384" => 48,
                    _ => 66,
                };
                let bytes = bytes(self.ec_d.as_ref()?)?;
                let mut wide = Zeroizing::new(vec![0; width]);
                let start = width.checked_sub(bytes.len())?;
                wide.get_mut(start..)?.copy_from_slice(&bytes);
                PrivateKey::from_curve_number(curve, &wide).ok()
            }
            PairKind::Rsa(_) => {
                let form = self.rsa_key.as_ref()?;
                let [one, other] = form.primes.as_slice() else { return None };
                let primes = (bytes(one)?, bytes(other)?);
                PrivateKey::from_rsa_numbers(
                    &bytes(&form.n)?,
                    &bytes(&form.e)?,
                    &bytes(&form.d)?,
                    [&primes.0, &primes.1],
                )
                .ok()
            }
        }
    }

    fn public(&self, pair: PairKind) -> Option<PublicKey> {
        match pair {
            PairKind::Rsa(_) => {
                let form = self.rsa_public_key.as_ref()?;
                PublicKey::from_rsa_numbers(&bytes(&form.n)?, &bytes(&form.e)?).ok()
            }
            PairKind::Curve(_) => PublicKey::from_spki(&pem::decode(&self.public_key)?.0.bytes).ok(),
            PairKind::Ed25519 => {
                let bytes = base64::decode(&self.public_key).ok()?;
                PublicKey::from_ed25519_bytes(&bytes).ok()
            }
        }
    }
}

fn text(bytes: &[u8]) -> Text {
    Text(base64::encode(bytes))
}

fn number(bytes: &[u8]) -> Option<Number> {
    serde_json::from_str(&decimal::from_bytes(bytes)).ok()
}

fn bytes(number: &Number) -> Option<Zeroizing<Vec<u8>>> {
    decimal::to_bytes(&Zeroizing::new(number.to_string()))
}
