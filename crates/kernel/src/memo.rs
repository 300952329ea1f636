//! Derived values, remembered by the revision of what they were derived from: never stale, never invalidated, bounded.

use crate::mounts::MountTable;
use crate::namespaces::NamespaceTree;
use crate::policy::{Acl, Policy};
use crate::quotas::LeaseRules;
use crate::tokens::Token;
use engine::{Record, StoreError, Tx};
use quick_cache::sync::Cache;
use std::sync::Arc;
use store::Revision;

/// Tokens remembered.
const TOKENS_MAX: usize = 4_096;
/// Mount tables remembered, one per namespace in use.
const MOUNT_TABLES_MAX: usize = 1_024;
/// Parsed policies remembered.
const POLICIES_MAX: usize = 4_096;
/// Compiled sets of policies remembered.
const ACLS_MAX: usize = 1_024;

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

/// All that is remembered while unsealed; dropped with the seal.
pub struct Memo {
    /// All namespaces.
    pub namespaces: Remembered<NamespaceTree>,
    /// Mounts by namespace.
    pub mounts: Remembered<MountTable>,
    /// Tokens by key.
    pub tokens: Remembered<Token>,
    /// Parsed policies by key.
    pub policies: Remembered<Policy>,
    /// Compiled policies by what went into them.
    pub acls: Remembered<Acl>,
    /// Limits of leases.
    pub lease_rules: Remembered<LeaseRules>,
}

impl Default for Memo {
    fn default() -> Self {
        Self {
            namespaces: Remembered::new(1),
            mounts: Remembered::new(MOUNT_TABLES_MAX),
            tokens: Remembered::new(TOKENS_MAX),
            policies: Remembered::new(POLICIES_MAX),
            acls: Remembered::new(ACLS_MAX),
            lease_rules: Remembered::new(1),
        }
    }
}
