//! What is kept of a named key, and how it turns.

use super::jwt::Jwk;
use crate::Kx;
use crate::identity::keys;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::Zeroizing;
use crypto::signing::{SigningAlgorithm, SigningError, SigningKey};
use engine::{Fault, Page, Randomness, Record, Secret, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The key that every namespace has.
pub(super) const DEFAULT: &str = "default";
/// Named keys in one namespace.
pub(super) const KEYS_MAX: usize = 1_000;
/// Public keys of one named key that no longer sign.
const RETIRED_MAX: usize = 64;
const DAY: i64 = 86_400;

/// A named key. Durations are seconds.
#[derive(Serialize, Deserialize)]
pub(super) struct NamedKey {
    /// Name.
    pub(super) name: String,
    /// JWS name of the algorithm.
    algorithm: String,
    /// How long a key signs.
    pub(super) rotation_period: i64,
    /// How long it verifies after that.
    pub(super) verification_ttl: i64,
    /// Roles it signs for, by client id; `*` for all.
    pub(super) allowed_client_ids: Vec<String>,
    /// What signs now; `None` only of a default key that nothing has used.
    pub(super) signing: Option<PrivateKey>,
    /// What signs next.
    next: Option<PrivateKey>,
    /// What signed before.
    retired: Vec<Retired>,
    /// When the next key takes over.
    pub(super) rotates: Timestamp,
}

impl Record for NamedKey {
    const KIND: &'static str = "oidc-key/1";
}

/// A private key.
#[derive(Serialize, Deserialize)]
pub(super) struct PrivateKey {
    pkcs8: Pkcs8,
    /// Its public half.
    pub(super) public: Jwk,
}

/// A public key that no longer signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Retired {
    public: Jwk,
    until: Timestamp,
}

/// The encoding of a private key. It is serialised for the barrier, and for nobody else.
struct Pkcs8(Secret<Vec<u8>>);

impl Serialize for Pkcs8 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(STANDARD.encode(self.0.as_slice())))
    }
}

impl<'de> Deserialize<'de> for Pkcs8 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = STANDARD.decode(text.as_bytes()).map_err(|_| serde::de::Error::custom("not base64"))?;
        Ok(Self(Secret::new(bytes)))
    }
}

impl PrivateKey {
    fn generate(algorithm: SigningAlgorithm, randomness: &mut dyn Randomness) -> Result<Self, Fault> {
        let key = SigningKey::generate(algorithm, randomness).map_err(internal)?;
        let public = Jwk::new(randomness.uuid(), algorithm, &key.public().map_err(internal)?);
        Ok(Self { pkcs8: Pkcs8(key.to_pkcs8().map_err(internal)?), public })
    }

    /// The key, ready to sign.
    pub(super) fn open(&self) -> Result<SigningKey, Fault> {
        let algorithm = self.public.algorithm().ok_or_else(|| Fault::internal("a key of an unknown algorithm"))?;
        SigningKey::from_pkcs8(algorithm, self.pkcs8.0.as_slice()).map_err(internal)
    }
}

fn internal(error: SigningError) -> Fault {
    Fault::internal(error.to_string())
}

impl NamedKey {
    /// A key that has not signed yet, with what holds where nothing else is said.
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            algorithm: SigningAlgorithm::Rs256.name().to_owned(),
            rotation_period: DAY,
            verification_ttl: DAY,
            allowed_client_ids: if name == DEFAULT { vec!["*".to_owned()] } else { Vec::new() },
            signing: None,
            next: None,
            retired: Vec::new(),
            rotates: Timestamp::EPOCH,
        }
    }

    /// JWS name of the algorithm.
    pub(super) fn algorithm_name(&self) -> &str {
        &self.algorithm
    }

    /// Another algorithm needs other keys: those there are sign no more.
    pub(super) fn set_algorithm(
        &mut self,
        algorithm: SigningAlgorithm,
        now: Timestamp,
        randomness: &mut dyn Randomness,
    ) -> Result<(), Fault> {
        if self.algorithm == algorithm.name() && self.signing.is_some() {
            return Ok(());
        }
        algorithm.name().clone_into(&mut self.algorithm);
        self.next = None;
        self.rotate(now, self.verification_ttl, randomness)
    }

    /// Whether it signs for a role.
    pub(super) fn allows(&self, client_id: &str) -> bool {
        self.allowed_client_ids.iter().any(|allowed| allowed == "*" || allowed == client_id)
    }

    /// The next key takes over, and what signed before verifies for so many seconds more.
    pub(super) fn rotate(
        &mut self,
        now: Timestamp,
        verification_ttl: i64,
        randomness: &mut dyn Randomness,
    ) -> Result<(), Fault> {
        self.drop_ended(now);
        if self.is_full() {
            return Err(Fault::invalid(format!(
                "the key has {RETIRED_MAX} keys that still verify; wait until one of them has ended"
            )));
        }
        let algorithm = SigningAlgorithm::parse(&self.algorithm)
            .ok_or_else(|| Fault::internal(format!("a key of an unknown algorithm {:?}", self.algorithm)))?;
        let next = match self.next.take() {
            Some(next) => next,
            None => PrivateKey::generate(algorithm, randomness)?,
        };
        self.next = Some(PrivateKey::generate(algorithm, randomness)?);
        if let Some(old) = self.signing.replace(next) {
            self.retired.push(Retired { public: old.public, until: now.plus_seconds(verification_ttl) });
        }
        self.rotates = now.plus_seconds(self.rotation_period);
        Ok(())
    }

    /// Whether it holds as many public keys as it may, so that none can be added.
    pub(super) fn is_full(&self) -> bool {
        self.retired.len() >= RETIRED_MAX
    }

    /// Forgets public keys whose time is over.
    pub(super) fn drop_ended(&mut self, now: Timestamp) {
        self.retired.retain(|retired| retired.until > now);
    }

    /// The public keys that verify at this moment, or will: whether one has ended is asked here, not left to the job.
    pub(super) fn public_keys(&self, now: Timestamp) -> impl Iterator<Item = &Jwk> {
        let own = self.signing.iter().chain(&self.next).map(|key| &key.public);
        own.chain(self.retired.iter().filter(move |retired| retired.until > now).map(|retired| &retired.public))
    }

    /// When there is something to do with it.
    pub(super) fn due(&self) -> Timestamp {
        self.retired.iter().map(|retired| retired.until).fold(self.rotates, Timestamp::min)
    }
}

/// The key of a name in the request's namespace. The default one is there before anything has used it.
pub(super) fn load(kx: &mut Kx, name: &str) -> Result<Option<NamedKey>, Fault> {
    let key = keys::oidc_key(&kx.namespace_id(), name);
    let kept = kx.tx.load(&key)?;
    Ok(kept.or_else(|| (name == DEFAULT).then(|| NamedKey::new(DEFAULT))))
}

/// As [`load`], with keys to sign with: a default key gets its own when something first needs them.
pub(super) fn load_ready(kx: &mut Kx, name: &str) -> Result<Option<NamedKey>, Fault> {
    let Some(mut key) = load(kx, name)? else { return Ok(None) };
    if key.signing.is_none() {
        let (now, ttl) = (kx.now, key.verification_ttl);
        key.rotate(now, ttl, kx.cx.randomness.as_mut())?;
        save(kx, None, &key)?;
    }
    Ok(Some(key))
}

/// Writes a key in the request's namespace, and when it is due next instead of `due_before`.
pub(super) fn save(kx: &mut Kx, due_before: Option<Timestamp>, key: &NamedKey) -> Result<(), Fault> {
    let namespace = kx.namespace_id();
    save_in(&mut kx.tx, &namespace, due_before, key)
}

/// As [`save`], in a namespace of any request.
pub(super) fn save_in(
    tx: &mut engine::Tx,
    namespace: &str,
    due_before: Option<Timestamp>,
    key: &NamedKey,
) -> Result<(), Fault> {
    if let Some(before) = due_before {
        tx.delete(&keys::oidc_due(before, namespace, &key.name));
    }
    tx.save(&keys::oidc_key(namespace, &key.name), key)?;
    tx.put(keys::OIDC_DUE_KIND, &keys::oidc_due(key.due(), namespace, &key.name), Vec::new());
    Ok(())
}

/// Removes a key with its due entry.
pub(super) fn delete(kx: &mut Kx, key: &NamedKey) {
    let namespace = kx.namespace_id();
    kx.tx.delete(&keys::oidc_due(key.due(), &namespace, &key.name));
    kx.tx.delete(&keys::oidc_key(&namespace, &key.name));
}

/// Names of all keys of the request's namespace, the default one among them.
pub(super) fn names(kx: &mut Kx) -> Result<Vec<String>, Fault> {
    let folder = keys::oidc_key(&kx.namespace_id(), "");
    let mut names = kx.tx.list(&folder, &Page::all())?;
    if let Err(at) = names.binary_search_by(|name| name.as_str().cmp(DEFAULT)) {
        names.insert(at, DEFAULT.to_owned());
    }
    Ok(names)
}
