//! Initialisation: the first keys, their shares, and the first records.

use crate::barrier::{Barrier, RootKey};
use crate::error::BarrierError;
use crate::keyring::Keyring;
use crate::place::{Moment, SEAL};
use crate::seal::{RecoveryInfo, SealKey, SealRecord, SealType};
use crate::shares::{NewKey, ShareRecord, ShareRequest, SharesFor, SharesIssued};
use crypto::{RandomBytes, Randomness, Secret};
use std::sync::Arc;
use store::{Cipher, Snapshot, StoreError, Tx};

#[cfg(test)]
mod tests;

/// How a new store is to be sealed.
pub enum Initialiser {
    /// By shares.
    Shamir(ShareRequest),
    /// By a key from the configuration, with recovery shares.
    Static {
        /// The key.
        key: Secret<[u8; 32]>,
        /// The recovery shares that are asked for; may be none.
        recovery: RecoveryRequest,
    },
}

/// Recovery shares of a seal that unseals by itself, if any are wanted.
pub type RecoveryRequest = Option<ShareRequest>;

/// Why a store cannot be initialised.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InitError {
    /// It has a seal already.
    #[error("Vault is already initialized")]
    AlreadyInitialised,
    /// The store failed, or shares could not be made.
    #[error(transparent)]
    Barrier(#[from] BarrierError),
}

impl From<StoreError> for InitError {
    fn from(error: StoreError) -> Self {
        Self::Barrier(error.into())
    }
}

/// A new barrier and what has to be handed out once its transaction is committed.
#[derive(Debug)]
pub struct Initialised {
    /// The unsealed barrier, which the transaction uses already. It knows the namespaces that were asked for.
    pub barrier: Arc<Barrier>,
    /// Unseal shares (Shamir) or recovery shares (static).
    pub issued: SharesIssued,
}

/// Makes all keys of a new store and the transaction that writes them. Nothing is valid before the transaction is
/// committed; of two at once at most one commits. `namespace` is the id of the root namespace, which is usable in the
/// transaction that comes back.
pub fn initialise(
    snapshot: Arc<dyn Snapshot>,
    how: &Initialiser,
    namespace: &str,
    now: Moment,
    randomness: &mut dyn Randomness,
) -> Result<(Tx, Initialised), InitError> {
    let root = Secret::new(randomness.bytes());
    let cluster_id = randomness.uuid();
    let (request, shares_for) = match how {
        Initialiser::Shamir(request) => (Some(request), SharesFor::Unseal),
        Initialiser::Static { recovery, .. } => (recovery.as_ref(), SharesFor::Recovery),
    };
    let new = request.map(|request| NewKey::make(request, randomness)).transpose()?;
    let (unseal_key, kind, recovery) = match (how, &new) {
        (Initialiser::Static { key, recovery }, _) => {
            let info =
                |request: &ShareRequest| RecoveryInfo { shares: request.shares(), threshold: request.threshold() };
            (key, (SealType::Static, 1, 1), recovery.as_ref().map(info))
        }
        (Initialiser::Shamir(request), Some(new)) => {
            (&new.key, (SealType::Shamir, request.shares(), request.threshold()), None)
        }
        (Initialiser::Shamir(_), None) => return Err(BarrierError::Damaged("new shares").into()),
    };
    let seal_key = |cluster: &[u8; 16]| Arc::new(SealKey::new(unseal_key.expose(), cluster));
    let seal = SealRecord::new(&cluster_id, kind, recovery, seal_key, &root, randomness);
    let seal_key = seal_key(seal.cluster());
    let root = Arc::new(RootKey::new(root.expose(), seal.cluster()));
    let barrier = Barrier::assemble(Arc::new(seal), seal_key, root, Arc::new(Keyring::new(now, randomness)));
    let mut tx = Tx::new(snapshot, Arc::new(barrier.clone()) as Arc<dyn Cipher>);
    if tx.exists(SEAL)? {
        return Err(InitError::AlreadyInitialised);
    }
    barrier.seal.save(&mut tx)?;
    let barrier = barrier.install(&mut tx, barrier.clone())?;
    let mut issued = SharesIssued { shares: Vec::new(), fingerprints: Vec::new() };
    if let (Some(new), Some(request)) = (&new, request) {
        let record: ShareRecord = new.record(&barrier, shares_for);
        record.save(&mut tx, shares_for)?;
        issued = new.issue(request, randomness)?;
    }
    let barrier = barrier.create_namespace(&mut tx, randomness, namespace)?;
    Ok((tx, Initialised { barrier, issued }))
}
