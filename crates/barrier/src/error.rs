//! What can go wrong at the barrier. No message holds a key, a share or which of several shares was wrong.

use store::StoreError;

/// A record of the barrier's own cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BarrierError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A record opens but does not decode, or a record that has to be there is missing.
    #[error("barrier record {0} is missing or damaged")]
    Damaged(&'static str),
    /// A namespace of this id exists already, or the id cannot be one.
    #[error("namespace key exists already or has a reserved name")]
    NamespaceTaken,
    /// There is no more term number to give out.
    #[error("keyring is full")]
    KeyringFull,
}

/// Why a barrier could not follow a snapshot.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RefreshError {
    /// The unseal key changed and this barrier knows no successor that fits. Whoever holds it seals.
    #[error("unseal key was changed elsewhere")]
    Rekeyed,
    /// The store failed or holds what cannot be read.
    #[error(transparent)]
    Barrier(#[from] BarrierError),
}

impl From<StoreError> for RefreshError {
    fn from(error: StoreError) -> Self {
        Self::Barrier(error.into())
    }
}

/// Why a key did not unseal.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UnsealError {
    /// The key, or one of the shares it came from, is not the right one. Which one is not told.
    #[error("invalid key")]
    WrongKey,
    /// This seal is not opened that way.
    #[error("seal is of another type")]
    WrongType,
    /// The store failed or holds what cannot be read.
    #[error(transparent)]
    Barrier(#[from] BarrierError),
}

impl From<StoreError> for UnsealError {
    fn from(error: StoreError) -> Self {
        Self::Barrier(error.into())
    }
}
