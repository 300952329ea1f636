//! The secrets of namespaces, which make their records' keys, and whose deletion erases their data.

use crate::barrier::{Barrier, NamespaceKeys};
use crate::error::BarrierError;
use crate::place::{NAMESPACE_KIND, NAMESPACES, SCOPE};
use crypto::{RandomBytes, Randomness};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use store::{Cipher, Snapshot, Tx, prefix_end};

#[cfg(test)]
mod tests;

impl Barrier {
    /// Makes the secret of a new namespace, whose id is the first segment of its keys. `tx` has to be unscoped; it uses
    /// the returned barrier from here on, so that the same transaction can write into the namespace.
    pub fn create_namespace(
        &self,
        tx: &mut Tx,
        randomness: &mut dyn Randomness,
        id: &str,
    ) -> Result<Arc<Barrier>, BarrierError> {
        let key = format!("{NAMESPACES}{id}");
        if id.is_empty() || id == SCOPE || id.contains('/') || tx.exists(&key)? {
            return Err(BarrierError::NamespaceTaken);
        }
        let secret: [u8; 32] = randomness.bytes();
        tx.put(NAMESPACE_KIND, &key, secret.to_vec());
        let mut fresh = self.clone();
        let keys = NamespaceKeys::new(&self.keyring, secret, None);
        fresh.namespaces.insert(Arc::from(id), Arc::new(keys));
        let fresh = Arc::new(fresh);
        tx.replace_cipher(Arc::clone(&fresh) as Arc<dyn Cipher>);
        Ok(fresh)
    }

    /// Deletes a namespace's secret. Once the transaction is committed, nothing in the namespace opens any more,
    /// whether its records are still there or not; the caller deletes those too, to free their space.
    pub fn delete_namespace(&self, tx: &mut Tx, id: &str) {
        tx.delete(&format!("{NAMESPACES}{id}"));
    }
}

/// The keys of all namespaces of a snapshot. Those that did not change since are taken over from the barrier.
pub(crate) fn load(
    barrier: &Barrier,
    snapshot: &dyn Snapshot,
) -> Result<BTreeMap<Arc<str>, Arc<NamespaceKeys>>, BarrierError> {
    let mut loaded = BTreeMap::new();
    let mut damaged = false;
    snapshot.visit(NAMESPACES, &prefix_end(NAMESPACES), &mut |key, record, modified| {
        let id = key.get(NAMESPACES.len()..).unwrap_or_default();
        let known = barrier.namespaces.get_key_value(id).filter(|(_, keys)| keys.modified == Some(modified));
        if let Some((id, keys)) = known {
            loaded.insert(Arc::clone(id), Arc::clone(keys));
            return ControlFlow::Continue(());
        }
        let plain = barrier.open(key, NAMESPACE_KIND, record).ok();
        let Some(secret) = plain.and_then(|plain| <[u8; 32]>::try_from(plain.as_slice()).ok()) else {
            damaged = true;
            return ControlFlow::Break(());
        };
        loaded.insert(Arc::from(id), Arc::new(NamespaceKeys::new(&barrier.keyring, secret, Some(modified))));
        ControlFlow::Continue(())
    })?;
    if damaged { Err(BarrierError::Damaged(NAMESPACES)) } else { Ok(loaded) }
}
