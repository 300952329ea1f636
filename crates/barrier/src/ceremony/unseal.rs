//! Unsealing by shares.

use super::{CeremonyError, Share, Step, contains};
use crate::barrier::Barrier;
use crate::error::UnsealError;
use crate::seal::{SealType, Sealed};
use crate::shares::combine;
use crypto::{Randomness, Secret};
use std::sync::Arc;
use store::Snapshot;

/// Shares given so far. Everybody may give one, so there is no owner and no time to live; it holds fewer shares than the
/// threshold, whatever is sent.
#[derive(Clone, Debug, Default)]
pub struct Unsealing {
    nonce: String,
    shares: Vec<Share>,
}

impl Unsealing {
    /// How many shares were given.
    pub fn progress(&self) -> usize {
        self.shares.len()
    }

    /// Identifies this attempt; empty before the first share.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Gives a share. `None` means that more are needed; the same share twice counts once. With the last one, either the
    /// barrier comes back, or an error that is the same for whatever was wrong, and the attempt starts over. `next` is
    /// always there, and empty when the attempt ended.
    pub fn submit(
        &self,
        sealed: &Sealed,
        snapshot: &dyn Snapshot,
        share: Secret<Vec<u8>>,
        randomness: &mut dyn Randomness,
    ) -> Step<Self, Option<Arc<Barrier>>> {
        let info = sealed.info();
        if info.seal_type != SealType::Shamir {
            return Step::on(self.clone(), Err(CeremonyError::Unsupported));
        }
        let mut next = self.clone();
        if next.shares.is_empty() {
            next.nonce = randomness.uuid();
        }
        if !contains(&next.shares, &share) {
            next.shares.push(Arc::new(share));
        }
        if next.shares.len() < usize::from(info.threshold) {
            return Step::on(next, Ok(None));
        }
        let Some(key) = combine(next.shares.iter().map(|share| share.as_slice())) else {
            return Step::on(Self::default(), Err(CeremonyError::WrongShares));
        };
        match sealed.unseal(snapshot, &key) {
            Ok(barrier) => Step::on(Self::default(), Ok(Some(barrier))),
            Err(UnsealError::Barrier(error)) => Step::on(self.clone(), Err(error.into())),
            Err(UnsealError::WrongKey | UnsealError::WrongType) => {
                Step::on(Self::default(), Err(CeremonyError::WrongShares))
            }
        }
    }
}
