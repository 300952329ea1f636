//! Derived values, remembered by the revision of what they were derived from: never stale, never invalidated, bounded.

use crate::authenticate::KnownSession;
use crate::identity;
use crate::mounts::{KnownView, MountTable};
use crate::namespaces::NamespaceTree;
use crate::policies::ParsedPolicy;
use crate::policy::Acl;
use crate::quotas::LeaseRules;
use crate::tokens::Token;
use engine::{Record, StoreError, Tx};
use quick_cache::Weighter;
use quick_cache::sync::Cache;
use std::any::Any;
use std::sync::Arc;
use store::{Recall, Revision};

/// Mounts remembered as engines see them.
const VIEWS_MAX: usize = 4_096;
/// Tokens, sessions and identities remembered, each.
const TOKENS_MAX: usize = 4_096;
/// Mount tables remembered, one per namespace in use.
const MOUNT_TABLES_MAX: usize = 1_024;
/// Parsed policies remembered.
const POLICIES_MAX: usize = 4_096;
/// Compiled sets of policies remembered.
const ACLS_MAX: usize = 1_024;

/// Records that are expected to be remembered at once.
const RECORDS_COUNT: usize = 8_192;
/// Sealed bytes of the records that are remembered; decoded they take a small multiple.
const RECORD_BYTES_MAX: u64 = 4 << 20;

/// Records of one type, decoded once per revision.
pub struct Remembered<T> {
    cache: Cache<String, (Revision, Arc<T>)>,
}

impl<T> Remembered<T> {
    /// Remembers at most so many.
    pub fn new(entries_max: usize) -> Self {
        Self { cache: Cache::new(entries_max) }
    }

    /// The value derived from the record at a key, made anew when the record changed since. A record that this very
    /// transaction wrote is derived and not remembered, since it may never be committed.
    pub fn derive(
        &self,
        tx: &mut Tx,
        key: &str,
        derive: impl FnOnce(&mut Tx) -> Result<Option<T>, StoreError>,
    ) -> Result<Option<Arc<T>>, StoreError> {
        let Some(modified) = tx.modified(key)? else { return Ok(derive(tx)?.map(Arc::new)) };
        self.at(modified, key, || derive(tx))
    }

    /// The value derived from a whole area, made anew when anything in the area changed since.
    pub fn derive_from_area(
        &self,
        tx: &mut Tx,
        folder: &str,
        derive: impl FnOnce(&mut Tx) -> Result<T, StoreError>,
    ) -> Result<Arc<T>, StoreError> {
        let Some(modified) = tx.area_modified(folder) else { return derive(tx).map(Arc::new) };
        if let Some((at, value)) = self.cache.get(folder)
            && at == modified
        {
            return Ok(value);
        }
        let value = Arc::new(derive(tx)?);
        self.cache.insert(folder.to_owned(), (modified, value.clone()));
        Ok(value)
    }

    /// The value remembered under a name if it still fits, or a new one.
    pub fn fitting<E>(
        &self,
        name: &str,
        fits: impl FnOnce(&T) -> bool,
        derive: impl FnOnce() -> Result<T, E>,
    ) -> Result<Arc<T>, E> {
        if let Some((_, value)) = self.cache.get(name)
            && fits(&value)
        {
            return Ok(value);
        }
        let value = Arc::new(derive()?);
        self.cache.insert(name.to_owned(), (Revision::default(), value.clone()));
        Ok(value)
    }

    /// The value remembered under a name for a revision, or a new one.
    pub fn at(
        &self,
        revision: Revision,
        name: &str,
        derive: impl FnOnce() -> Result<Option<T>, StoreError>,
    ) -> Result<Option<Arc<T>>, StoreError> {
        if let Some((at, value)) = self.cache.get(name)
            && at == revision
        {
            return Ok(Some(value));
        }
        let Some(value) = derive()?.map(Arc::new) else { return Ok(None) };
        self.cache.insert(name.to_owned(), (revision, value.clone()));
        Ok(Some(value))
    }
}

impl<T: Record> Remembered<T> {
    /// The record at a key.
    pub fn load(&self, tx: &mut Tx, key: &str) -> Result<Option<Arc<T>>, StoreError> {
        self.derive(tx, key, |tx| tx.load(key))
    }
}

/// Decoded records of any kind, bounded by the bytes they were decoded from.
pub struct Records(Cache<String, Kept, ByBytes>);

#[derive(Clone)]
struct Kept {
    revision: Revision,
    decoded: Arc<dyn Any + Send + Sync>,
    bytes: usize,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<String, Kept> for ByBytes {
    fn weight(&self, key: &String, kept: &Kept) -> u64 {
        (key.len() + kept.bytes) as u64
    }
}

impl Default for Records {
    fn default() -> Self {
        Self(Cache::with_weighter(RECORDS_COUNT, RECORD_BYTES_MAX, ByBytes))
    }
}

impl Recall for Records {
    fn recall(&self, key: &str) -> Option<(Revision, Arc<dyn Any + Send + Sync>)> {
        self.0.get(key).map(|kept| (kept.revision, kept.decoded))
    }

    fn remember(&self, key: &str, revision: Revision, decoded: Arc<dyn Any + Send + Sync>, bytes: usize) {
        self.0.insert(key.to_owned(), Kept { revision, decoded, bytes });
    }
}

/// All that is remembered while unsealed; dropped with the seal.
pub struct Memo {
    /// All namespaces.
    pub namespaces: Remembered<NamespaceTree>,
    /// Mounts by namespace.
    pub mounts: Remembered<MountTable>,
    /// Mounts as engines see them, by uuid.
    pub views: Remembered<KnownView>,
    /// Tokens by key.
    pub tokens: Remembered<Token>,
    /// Sessions by the hash of their token.
    pub sessions: Remembered<KnownSession>,
    /// What follows from an entity in no group, by its key.
    pub identities: Remembered<identity::KnownView>,
    /// Parsed policies by key.
    pub policies: Remembered<ParsedPolicy>,
    /// Compiled policies by what went into them.
    pub acls: Remembered<Acl>,
    /// Decoded records that hold no secret.
    pub records: Arc<Records>,
    /// Limits of leases.
    pub lease_rules: Remembered<LeaseRules>,
}

impl Default for Memo {
    fn default() -> Self {
        Self {
            namespaces: Remembered::new(1),
            mounts: Remembered::new(MOUNT_TABLES_MAX),
            views: Remembered::new(VIEWS_MAX),
            tokens: Remembered::new(TOKENS_MAX),
            identities: Remembered::new(TOKENS_MAX),
            sessions: Remembered::new(TOKENS_MAX),
            policies: Remembered::new(POLICIES_MAX),
            acls: Remembered::new(ACLS_MAX),
            records: Arc::default(),
            lease_rules: Remembered::new(1),
        }
    }
}
