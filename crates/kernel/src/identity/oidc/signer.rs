//! A named key together with its private keys: what signs, and what turns. They are kept apart from the public ones and
//! opened only for these two.

use super::jwt::{self, Jwk};
use super::named_key::{self, NamedKey, RETIRED_MAX};
use crate::Kx;
use crate::identity::keys;
use crypto::signing::{SigningAlgorithm, SigningError, SigningKey};
use engine::{Fault, Randomness, Record, StoredPkcs8, Timestamp, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A key that can sign.
pub(super) struct Signer {
    /// Its rules and public keys.
    pub(super) key: NamedKey,
    private: PrivateKeys,
    /// What of it is in the store already.
    due_before: Option<Timestamp>,
}

/// The private halves of what signs now and next.
#[derive(Default, Serialize, Deserialize)]
struct PrivateKeys {
    signing: Option<StoredPkcs8>,
    next: Option<StoredPkcs8>,
}

impl Record for PrivateKeys {
    const KIND: &'static str = "oidc-private-key/1";
}

impl Signer {
    /// A new key, which has nothing to sign with before it turns for the first time.
    pub(super) fn new(name: &str) -> Self {
        Self { key: NamedKey::new(name), private: PrivateKeys::default(), due_before: None }
    }

    /// The key of a name in the request's namespace.
    pub(super) fn load(kx: &mut Kx, name: &str) -> Result<Option<Self>, Fault> {
        let namespace = kx.namespace_id();
        Self::load_in(&mut kx.cx.tx, &namespace, name)
    }

    /// As [`Signer::load`], with keys to sign with: a default key gets its own when something first needs them.
    pub(super) fn load_ready(kx: &mut Kx, name: &str) -> Result<Option<Self>, Fault> {
        let Some(mut signer) = Self::load(kx, name)? else { return Ok(None) };
        if signer.key.signing.is_none() {
            let (now, ttl) = (kx.now, signer.key.verification_ttl);
            signer.rotate(now, ttl, kx.cx.randomness.as_mut())?;
            signer.save(kx)?;
        }
        Ok(Some(signer))
    }

    /// As [`Signer::load`], in a namespace of any request.
    pub(super) fn load_in(tx: &mut Tx, namespace: &str, name: &str) -> Result<Option<Self>, Fault> {
        let Some(key) = named_key::load_in(tx, namespace, name)? else { return Ok(None) };
        let private = tx.load(&keys::oidc_private_key(namespace, name))?.unwrap_or_default();
        let due_before = Some(key.due());
        Ok(Some(Self { key, private, due_before }))
    }

    /// Writes it in the request's namespace.
    pub(super) fn save(&self, kx: &mut Kx) -> Result<(), Fault> {
        let namespace = kx.namespace_id();
        self.save_in(&mut kx.cx.tx, &namespace)
    }

    /// Writes it, and when it is due next instead of when it was before.
    pub(super) fn save_in(&self, tx: &mut Tx, namespace: &str) -> Result<(), Fault> {
        let name = &self.key.name;
        if let Some(before) = self.due_before {
            tx.delete(&keys::oidc_due(before, namespace, name));
        }
        tx.save(&keys::oidc_key(namespace, name), &self.key)?;
        tx.save(&keys::oidc_private_key(namespace, name), &self.private)?;
        tx.put(keys::OIDC_DUE_KIND, &keys::oidc_due(self.key.due(), namespace, name), Vec::new());
        Ok(())
    }

    /// Removes it from the request's namespace.
    pub(super) fn delete(&self, kx: &mut Kx) {
        let namespace = kx.namespace_id();
        let name = &self.key.name;
        kx.tx.delete(&keys::oidc_due(self.key.due(), &namespace, name));
        kx.tx.delete(&keys::oidc_key(&namespace, name));
        kx.tx.delete(&keys::oidc_private_key(&namespace, name));
    }

    /// Another algorithm needs other keys: those there are sign no more.
    pub(super) fn set_algorithm(
        &mut self,
        algorithm: SigningAlgorithm,
        now: Timestamp,
        randomness: &mut dyn Randomness,
    ) -> Result<(), Fault> {
        if self.key.algorithm_name() == algorithm.name() && self.key.signing.is_some() {
            return Ok(());
        }
        self.key.set_algorithm(algorithm);
        self.key.next = None;
        self.private.next = None;
        self.rotate(now, self.key.verification_ttl, randomness)
    }

    /// The next key takes over, and what signed before verifies for so many seconds more.
    pub(super) fn rotate(
        &mut self,
        now: Timestamp,
        verification_ttl: i64,
        randomness: &mut dyn Randomness,
    ) -> Result<(), Fault> {
        self.key.drop_ended(now);
        if self.key.is_full() {
            return Err(Fault::invalid(format!(
                "the key has {RETIRED_MAX} keys that still verify; wait until one of them has ended"
            )));
        }
        let algorithm = self.key.algorithm()?;
        let (public, private) = match (self.key.next.take(), self.private.next.take()) {
            (Some(public), Some(private)) => (public, private),
            _ => pair(algorithm, randomness)?,
        };
        self.key.replace_signing(Some(public), now.plus_seconds(verification_ttl));
        self.private.signing = Some(private);
        let (public, private) = pair(algorithm, randomness)?;
        self.key.next = Some(public);
        self.private.next = Some(private);
        self.key.rotates = now.plus_seconds(self.key.rotation_period);
        Ok(())
    }

    /// A token that says these claims.
    pub(super) fn sign(&self, claims: &Map<String, Value>) -> Result<String, Fault> {
        let nothing = || Fault::internal("a key without a signing key");
        let public = self.key.signing.as_ref().ok_or_else(nothing)?;
        let StoredPkcs8(private) = self.private.signing.as_ref().ok_or_else(nothing)?;
        let algorithm = public.algorithm().ok_or_else(nothing)?;
        let key = SigningKey::from_pkcs8(algorithm, private.as_slice()).map_err(internal)?;
        jwt::sign(&key, &public.kid, claims)
    }
}

fn pair(algorithm: SigningAlgorithm, randomness: &mut dyn Randomness) -> Result<(Jwk, StoredPkcs8), Fault> {
    let key = SigningKey::generate(algorithm, randomness).map_err(internal)?;
    let public = Jwk::new(randomness.uuid(), algorithm, &key.public().map_err(internal)?);
    Ok((public, StoredPkcs8(key.to_pkcs8().map_err(internal)?)))
}

fn internal(error: SigningError) -> Fault {
    Fault::internal(error.to_string())
}
