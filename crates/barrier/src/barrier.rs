//! The lifted barrier: prepared keys, and records sealed and opened with them.

use crate::chain::Chain;
use crate::error::{BarrierError, RefreshError};
use crate::keyring::{Keyring, RecordKeys};
use crate::place::{KEYRING, KEYRING_AREA, KEYRING_KIND, NAMESPACES_AREA, SCOPE, SEAL, SEAL_AREA, SEAL_KIND, scope_of};
use crate::record::{FORMAT_CLEAR, Filled, Header, kind_tag};
use crate::rotation::Usage;
use crate::seal::{SealInfo, SealKey, SealRecord};
use crate::{Moment, namespace};
use crypto::{DataKey, MacKey, Randomness, Secret, hkdf_sha256, same};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use store::{ChainMac, Cipher, CipherError, Plain, Revision, Snapshot};

#[cfg(test)]
mod tests;

/// The unsealed state: everything that is needed to read and write records, as of one snapshot. It never changes; a new
/// term or namespace makes another `Barrier`, which shares what stayed the same. Keys are wiped when the last one that
/// holds them is dropped, which is what sealing is.
#[derive(Clone)]
pub struct Barrier {
    pub(crate) seal: Arc<SealRecord>,
    pub(crate) seal_key: Arc<SealKey>,
    pub(crate) root: Arc<RootKey>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) namespaces: BTreeMap<Arc<str>, Arc<NamespaceKeys>>,
    pub(crate) usage: Arc<Usage>,
    own: Arc<RecordKeys>,
    loaded: Loaded,
    successor: Option<Arc<Barrier>>,
}

/// What the root key is used for, without the root key.
pub(crate) struct RootKey {
    keyring_key: DataKey,
    /// A one-way image, to recognise the root key by.
    check: [u8; 32],
}

/// One namespace's prepared keys, and the revision of the secret that they were made from.
pub(crate) struct NamespaceKeys {
    pub(crate) modified: Option<Revision>,
    pub(crate) secret: Secret<[u8; 32]>,
    keys: RecordKeys,
}

/// The revisions of the areas that the keys were read at.
#[derive(Clone, Copy, Debug, Default)]
struct Loaded {
    seal: Revision,
    keyring: Revision,
    namespaces: Revision,
}

/// The active term, for `sys/key-status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyStatus {
    /// Number of the active term, from 1.
    pub term: u32,
    /// When it was installed.
    pub installed: Moment,
    /// Encryptions under it: those recorded in the store and those of this process since.
    pub encryptions: u64,
}

impl Barrier {
    /// The cluster's id, a UUID that is made at init and bound into every record.
    pub fn cluster_id(&self) -> &str {
        self.seal.cluster_id()
    }

    /// The seal as `sys/seal-status` shows it.
    pub fn seal_info(&self) -> SealInfo {
        self.seal.info()
    }

    /// The active term.
    pub fn key_status(&self) -> KeyStatus {
        let active = self.keyring.active();
        KeyStatus { term: active.number, installed: active.installed, encryptions: self.usage.total() }
    }

    /// A MAC key for one labelled use (the hashes that tokens are found by, the salt of an audit device …). It depends on
    /// label and cluster only and stays the same through rotations of terms, root key and shares (HKDF, RFC 5869, in the
    /// role of a KDF with a label as in NIST SP 800-108). Prepare it once and keep it.
    pub fn derive(&self, label: &str) -> MacKey {
        MacKey::new(self.keyring.derive(self.cluster(), &format!("mac {label}")).as_slice())
    }

    /// Like [`Barrier::derive`], but a key that encrypts (batch tokens …).
    pub fn derive_data_key(&self, label: &str) -> DataKey {
        DataKey::new(&self.keyring.derive(self.cluster(), &format!("data {label}")))
    }

    /// The key that chains the batches of the store's log.
    pub fn chain_mac(&self) -> Arc<dyn ChainMac> {
        Arc::new(Chain::new(self.derive("journal chain")))
    }

    /// Whether a namespace's key is usable.
    pub fn has_namespace(&self, id: &str) -> bool {
        self.namespaces.contains_key(id)
    }

    /// The barrier that fits a snapshot: `None` if this one does. Costs two comparisons as long as no term, namespace or
    /// seal changed; call it for each snapshot before use and keep what it returns for later requests. A snapshot older
    /// than the barrier is no reason to go back: newer keys open older records.
    pub fn refresh(&self, snapshot: &dyn Snapshot) -> Result<Option<Arc<Barrier>>, RefreshError> {
        let now = Loaded::at(snapshot);
        let root_changed = now.keyring > self.loaded.keyring || now.seal > self.loaded.seal;
        if !root_changed && now.namespaces <= self.loaded.namespaces {
            return Ok(None);
        }
        if !root_changed {
            let mut fresh = self.clone();
            fresh.load_namespaces(snapshot)?;
            fresh.loaded.namespaces = now.namespaces;
            return Ok(Some(Arc::new(fresh)));
        }
        let candidates = [Some(self), self.successor.as_deref()];
        for candidate in candidates.into_iter().flatten() {
            if let Some(fresh) = candidate.reloaded(snapshot)? {
                return Ok(Some(Arc::new(fresh)));
            }
        }
        Err(RefreshError::Rekeyed)
    }

    /// This barrier, prepared for a commit that changes the unseal key. Hold it from before the commit is handed in:
    /// [`Barrier::refresh`] then follows into `next` if the commit came through, and stays if it did not.
    pub fn expecting(&self, next: Arc<Barrier>) -> Arc<Barrier> {
        Arc::new(Self { successor: Some(next), ..self.clone() })
    }

    /// Reads keyring and namespaces with a root key that is known to be right for this seal record.
    pub(crate) fn load(
        seal: Arc<SealRecord>,
        seal_key: Arc<SealKey>,
        root: Arc<RootKey>,
        snapshot: &dyn Snapshot,
    ) -> Result<Self, BarrierError> {
        let loaded = Loaded::at(snapshot);
        let keyring = Arc::new(root.keyring(seal.cluster(), snapshot)?.ok_or(BarrierError::Damaged(KEYRING))?);
        let mut barrier = Self::assemble(seal, seal_key, root, keyring);
        barrier.loaded = loaded;
        barrier.load_namespaces(snapshot)?;
        barrier.usage = Arc::new(Usage::load(&barrier, snapshot)?);
        Ok(barrier)
    }

    /// Puts keys together that are not, or not yet, in a snapshot.
    pub(crate) fn assemble(
        seal: Arc<SealRecord>,
        seal_key: Arc<SealKey>,
        root: Arc<RootKey>,
        keyring: Arc<Keyring>,
    ) -> Self {
        let own = Arc::new(keyring.record_keys(&own_secret(seal.cluster())));
        let usage = Arc::new(Usage::new(keyring.active().number));
        let (namespaces, loaded) = (BTreeMap::new(), Loaded::default());
        Self { seal, seal_key, root, keyring, namespaces, usage, own, loaded, successor: None }
    }

    /// A copy with another keyring, whose keys are made anew.
    pub(crate) fn with_keyring(&self, keyring: Keyring) -> Self {
        let keyring = Arc::new(keyring);
        let mut fresh = self.clone();
        fresh.own = Arc::new(keyring.record_keys(&own_secret(self.cluster())));
        if keyring.active().number != self.keyring.active().number {
            fresh.usage = Arc::new(Usage::new(keyring.active().number));
        }
        let prepare = |(id, old): (&Arc<str>, &Arc<NamespaceKeys>)| {
            let keys = NamespaceKeys::new(&keyring, *old.secret.expose(), old.modified);
            (Arc::clone(id), Arc::new(keys))
        };
        fresh.namespaces = self.namespaces.iter().map(prepare).collect();
        fresh.keyring = keyring;
        fresh
    }

    /// The sixteen bytes of the cluster's id.
    pub(crate) fn cluster(&self) -> &[u8; 16] {
        self.seal.cluster()
    }

    /// What a snapshot gives with the same unseal key, or `None` if the unseal key is not the snapshot's.
    fn reloaded(&self, snapshot: &dyn Snapshot) -> Result<Option<Self>, BarrierError> {
        let loaded = Loaded::at(snapshot);
        let seal = SealRecord::load(snapshot)?.ok_or(BarrierError::Damaged(SEAL))?;
        let Some(root) = seal.unwrap(&self.seal_key) else { return Ok(None) };
        let root = RootKey::new(root.expose(), self.cluster());
        let keyring = root.keyring(self.cluster(), snapshot)?.ok_or(BarrierError::Damaged(KEYRING))?;
        let terms = |keyring: &Keyring| keyring.terms().iter().map(|term| term.number).collect::<Vec<_>>();
        let mut fresh = if terms(&keyring) == terms(&self.keyring) { self.clone() } else { self.with_keyring(keyring) };
        fresh.root = Arc::new(root);
        fresh.seal = Arc::new(seal);
        fresh.loaded = loaded;
        fresh.successor = None;
        fresh.load_namespaces(snapshot)?;
        if !Arc::ptr_eq(&fresh.usage, &self.usage) {
            fresh.usage = Arc::new(Usage::load(&fresh, snapshot)?);
        }
        Ok(Some(fresh))
    }

    /// Whether a key unwraps the root key that is in use.
    pub(crate) fn is_unseal_key(&self, key: &[u8]) -> bool {
        let root = self.seal.unwrap(&SealKey::new(key, self.cluster()));
        root.is_some_and(|root| self.root.is(root.expose(), self.cluster()))
    }

    /// Whether records at this key can be opened at all.
    pub(crate) fn is_open(&self, key: &str) -> bool {
        self.keys_of(key).is_ok()
    }

    /// The record under the active term, or `None` if it is not of a term below `term`.
    pub(crate) fn renewed(
        &self,
        term: u32,
        key: &str,
        record: &[u8],
        randomness: &mut dyn Randomness,
    ) -> Result<Option<Vec<u8>>, CipherError> {
        let (header, sealed) = Header::split(record)?;
        if header.term >= term {
            return Ok(None);
        }
        let keys = self.keys_of(key)?;
        let old = keys.of_term(header.term).ok_or(CipherError)?;
        let plain = header.open(old, self.cluster(), key, sealed)?;
        let header = Header { term: self.keyring.active().number, ..header };
        let new = keys.of_term(header.term).ok_or(CipherError)?;
        self.usage.count()?;
        Ok(Some(header.seal(new, self.cluster(), randomness, key, &plain)))
    }

    fn load_namespaces(&mut self, snapshot: &dyn Snapshot) -> Result<(), BarrierError> {
        self.namespaces = namespace::load(self, snapshot)?;
        Ok(())
    }

    fn keys_of(&self, key: &str) -> Result<&RecordKeys, CipherError> {
        match scope_of(key) {
            SCOPE => Ok(&self.own),
            id => self.namespaces.get(id).map(|namespace| &namespace.keys).ok_or(CipherError),
        }
    }
}

impl Cipher for Barrier {
    fn seal(
        &self,
        randomness: &mut dyn FnMut(&mut [u8]),
        key: &str,
        kind: &'static str,
        plain: &[u8],
    ) -> Result<Vec<u8>, CipherError> {
        let randomness = &mut Filled(randomness);
        match key {
            SEAL if kind == SEAL_KIND => Ok([&[FORMAT_CLEAR], plain].concat()),
            KEYRING if kind == KEYRING_KIND => {
                let header = Header { term: 0, kind: kind_tag(kind) };
                Ok(header.seal(&self.root.keyring_key, self.cluster(), randomness, key, plain))
            }
            SEAL | KEYRING => Err(CipherError),
            _ => {
                let header = Header { term: self.keyring.active().number, kind: kind_tag(kind) };
                let data_key = self.keys_of(key)?.of_term(header.term).ok_or(CipherError)?;
                self.usage.count()?;
                Ok(header.seal(data_key, self.cluster(), randomness, key, plain))
            }
        }
    }

    fn open(&self, key: &str, kind: &'static str, record: &[u8]) -> Result<Plain, CipherError> {
        if key == SEAL {
            let (format, plain) = record.split_first().ok_or(CipherError)?;
            let ours = kind == SEAL_KIND && *format == FORMAT_CLEAR;
            return if ours { Ok(Plain::new(plain.to_vec())) } else { Err(CipherError) };
        }
        let (header, sealed) = Header::split(record)?;
        if header.kind != kind_tag(kind) {
            return Err(CipherError);
        }
        let data_key = match (key, header.term) {
            (KEYRING, 0) => &self.root.keyring_key,
            (KEYRING, _) => return Err(CipherError),
            (_, term) => self.keys_of(key)?.of_term(term).ok_or(CipherError)?,
        };
        header.open(data_key, self.cluster(), key, sealed)
    }
}

impl RootKey {
    pub(crate) fn new(root: &[u8; 32], cluster: &[u8; 16]) -> Self {
        let check = *hkdf_sha256(root, cluster, b"coffer root key check");
        Self { keyring_key: DataKey::new(&hkdf_sha256(root, cluster, b"coffer keyring key")), check }
    }

    /// Whether this is that root key.
    pub(crate) fn is(&self, root: &[u8; 32], cluster: &[u8; 16]) -> bool {
        same(hkdf_sha256(root, cluster, b"coffer root key check").as_slice(), &self.check)
    }

    #[cfg(test)]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        same(&self.check, &other.check)
    }

    /// The snapshot's keyring, or `None` if there is none that this root key opens.
    fn keyring(&self, cluster: &[u8; 16], snapshot: &dyn Snapshot) -> Result<Option<Keyring>, BarrierError> {
        let Some(stored) = snapshot.get(KEYRING)? else { return Ok(None) };
        let Ok((header, sealed)) = Header::split(&stored.value) else { return Ok(None) };
        if (header != Header { term: 0, kind: kind_tag(KEYRING_KIND) }) {
            return Ok(None);
        }
        match header.open(&self.keyring_key, cluster, KEYRING, sealed) {
            Ok(plain) => Keyring::decode(&plain).map(Some),
            Err(CipherError) => Ok(None),
        }
    }
}

impl NamespaceKeys {
    pub(crate) fn new(keyring: &Keyring, secret: [u8; 32], modified: Option<Revision>) -> Self {
        let secret = Secret::new(secret);
        let keys = keyring.record_keys(secret.expose());
        Self { modified, secret, keys }
    }
}

impl Loaded {
    fn at(snapshot: &dyn Snapshot) -> Self {
        Self {
            seal: snapshot.area_revision(SEAL_AREA),
            keyring: snapshot.area_revision(KEYRING_AREA),
            namespaces: snapshot.area_revision(NAMESPACES_AREA),
        }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Barrier({}, {:?})", self.cluster_id(), self.keyring)
    }
}

/// The salt in the place of a namespace's secret for this crate's own records. Not a secret: they are protected by the
/// term keys alone.
fn own_secret(cluster: &[u8; 16]) -> [u8; 32] {
    *hkdf_sha256(b"coffer barrier scope", cluster, b"")
}
