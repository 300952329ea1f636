//! What is kept of a named key where everybody may come by: its rules and its public keys. The private ones lie apart
//! ([`super::signer`]), so that what needs no token, and what only verifies, never opens them.

use super::jwt::Jwk;
use crate::Kx;
use crate::identity::keys;
use crypto::signing::SigningAlgorithm;
use engine::{Fault, Page, Record, Timestamp, Tx};
use serde::{Deserialize, Serialize};

/// The key that every namespace has.
pub(super) const DEFAULT: &str = "default";
/// Named keys in one namespace.
pub(super) const KEYS_MAX: usize = 1_000;
/// Public keys of one named key that no longer sign.
pub(super) const RETIRED_MAX: usize = 64;
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
    pub(super) signing: Option<Jwk>,
    /// What signs next.
    pub(super) next: Option<Jwk>,
    /// What signed before.
    retired: Vec<Retired>,
    /// When the next key takes over.
    pub(super) rotates: Timestamp,
}

impl Record for NamedKey {
    const KIND: &'static str = "oidc-key/1";
}

/// A public key that no longer signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Retired {
    public: Jwk,
    until: Timestamp,
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

    /// Whether it signs for a role.
    pub(super) fn allows(&self, client_id: &str) -> bool {
        self.allowed_client_ids.iter().any(|allowed| allowed == "*" || allowed == client_id)
    }

    /// Its algorithm.
    pub(super) fn algorithm(&self) -> Result<SigningAlgorithm, Fault> {
        SigningAlgorithm::parse(&self.algorithm)
            .ok_or_else(|| Fault::internal(format!("a key of an unknown algorithm {:?}", self.algorithm)))
    }

    /// Sets the algorithm of the keys that are made from now on.
    pub(super) fn set_algorithm(&mut self, algorithm: SigningAlgorithm) {
        algorithm.name().clone_into(&mut self.algorithm);
    }

    /// The public half of what signs now changes; the one before verifies until a moment.
    pub(super) fn replace_signing(&mut self, signing: Option<Jwk>, until: Timestamp) {
        if let Some(public) = std::mem::replace(&mut self.signing, signing) {
            self.retired.push(Retired { public, until });
        }
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
        self.signing
            .iter()
            .chain(&self.next)
            .chain(self.retired.iter().filter(move |retired| retired.until > now).map(|retired| &retired.public))
    }

    /// When there is something to do with it.
    pub(super) fn due(&self) -> Timestamp {
        self.retired.iter().map(|retired| retired.until).fold(self.rotates, Timestamp::min)
    }
}

/// The key of a name in the request's namespace. The default one is there before anything has used it.
pub(super) fn load(kx: &mut Kx, name: &str) -> Result<Option<NamedKey>, Fault> {
    let namespace = kx.namespace_id();
    load_in(&mut kx.tx, &namespace, name)
}

/// As [`load`], in a namespace of any request.
pub(super) fn load_in(tx: &mut Tx, namespace: &str, name: &str) -> Result<Option<NamedKey>, Fault> {
    let kept = tx.load(&keys::oidc_key(namespace, name))?;
    Ok(kept.or_else(|| (name == DEFAULT).then(|| NamedKey::new(DEFAULT))))
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
