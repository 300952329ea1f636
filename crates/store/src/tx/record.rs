//! What a transaction reads and writes as values of a type, and who remembers them decoded.

use crate::Revision;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::any::Any;
use std::sync::Arc;

/// A typed record. Its kind is bound into the sealed bytes; give a changed format a new kind (`"token/2"`).
pub trait Record: Serialize + DeserializeOwned {
    /// Name and format version, for example `"token/1"`.
    const KIND: &'static str;
}

/// Remembers decoded records by their place and revision, so that what is remembered is never stale. It is bounded, and
/// it is gone with the seal.
pub trait Recall: Send + Sync {
    /// What is remembered of a key.
    fn recall(&self, key: &str) -> Option<(Revision, Arc<dyn Any + Send + Sync>)>;

    /// Remembers what was decoded from so many bytes at a key.
    fn remember(&self, key: &str, revision: Revision, decoded: Arc<dyn Any + Send + Sync>, bytes: usize);
}
