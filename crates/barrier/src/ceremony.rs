//! Ceremonies: what several share holders do together (security decision D22).
//!
//! A ceremony is a plain value. Each call takes it by reference and returns what it becomes, so that nothing is advanced
//! before the caller has committed and audited. A running one has an owner, a nonce and a time to live that each share
//! extends; starting and cancelling takes a caller whom the kernel authorised, or one valid share. Whatever is wrong
//! with a set of shares gives one error and starts the collection over.

mod generate_root;
mod rekey;
mod unseal;

pub use generate_root::{Disclosure, EncodedToken, GenerateRoot, GenerateRootRequest, GenerateRootStarted, Granted};
pub use rekey::{Backup, Rekey, RekeyProgress, RekeyRequest, RekeyStatus, Verification, VerificationStatus};
pub use unseal::Unsealing;

use crate::barrier::Barrier;
use crate::error::BarrierError;
use crate::place::Moment;
use crate::seal::SealType;
use crate::shares::{ShareRecord, ShareRequestError, SharesFor, combine};
use crypto::{Randomness, Secret, Zeroizing, same};
use std::sync::Arc;
use store::{StoreError, Tx};

#[cfg(test)]
mod tests;

/// How long a ceremony lives after its start and after each share, in seconds.
pub const TIME_TO_LIVE_SECONDS: i64 = 600;

/// Who starts or cancels a ceremony.
#[derive(Clone, Copy)]
pub enum Authority<'a> {
    /// A caller whom the kernel authorised, by a name for the status and the log.
    Caller(&'a str),
    /// Anyone who shows one valid share.
    Share(&'a Secret<Vec<u8>>),
}

/// Why a step of a ceremony was refused. Never says which share was wrong.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CeremonyError {
    /// None is running.
    #[error("no operation in progress")]
    NotStarted,
    /// One is running already.
    #[error("operation already in progress")]
    AlreadyStarted,
    /// Neither an authorised caller nor a valid share.
    #[error("permission denied")]
    Denied,
    /// The nonce is not the running one's.
    #[error("incorrect nonce supplied")]
    Nonce,
    /// This share was given before.
    #[error("given key has already been provided during this generation operation")]
    ShareRepeated,
    /// The shares given do not give the key.
    #[error("invalid key")]
    WrongShares,
    /// The new shares given do not give the new key.
    #[error("rekey verification failed; incorrect key shares supplied")]
    WrongNewShares,
    /// The seal has no shares of that sort.
    #[error("not supported by this seal")]
    Unsupported,
    /// The new shares are not wanted in a possible number.
    #[error(transparent)]
    Shares(#[from] ShareRequestError),
    /// A backup holds encrypted shares only.
    #[error("cannot request a backup of the new keys without providing PGP keys for encryption")]
    BackupWithoutRecipients,
    /// A one-time password has to be as long as the token.
    #[error("OTP string has incorrect length")]
    OtpLength,
    /// The store failed or holds what cannot be read.
    #[error(transparent)]
    Barrier(#[from] BarrierError),
}

impl From<StoreError> for CeremonyError {
    fn from(error: StoreError) -> Self {
        Self::Barrier(error.into())
    }
}

/// What a call made of a ceremony: what it is from now on (also when the call failed), and the call's result.
#[derive(Debug)]
#[must_use]
pub struct Step<C, T> {
    /// The ceremony afterwards; `None` if it is over.
    pub next: Option<C>,
    /// What the call answers.
    pub result: Result<T, CeremonyError>,
}

impl<C, T> Step<C, T> {
    fn on(next: C, result: Result<T, CeremonyError>) -> Self {
        Self { next: Some(next), result }
    }

    fn end(value: T) -> Self {
        Self { next: None, result: Ok(value) }
    }
}

/// A share that was given. Cloning a ceremony does not copy it.
type Share = Arc<Secret<Vec<u8>>>;

/// Shares of one key on their way to the threshold.
#[derive(Clone, Debug)]
struct Collection {
    nonce: String,
    owner: String,
    expires: Moment,
    shares: Vec<Share>,
}

impl Collection {
    fn new(owner: &str, now: Moment, randomness: &mut dyn Randomness) -> Self {
        let expires = now.plus_seconds(TIME_TO_LIVE_SECONDS);
        Self { nonce: randomness.uuid(), owner: owner.to_owned(), expires, shares: Vec::new() }
    }

    fn is_live(&self, now: Moment) -> bool {
        now < self.expires
    }

    /// Takes a share of the running ceremony.
    fn add(&mut self, nonce: &str, share: Secret<Vec<u8>>, now: Moment) -> Result<(), CeremonyError> {
        if !self.is_live(now) {
            return Err(CeremonyError::NotStarted);
        }
        if !same(nonce.as_bytes(), self.nonce.as_bytes()) {
            return Err(CeremonyError::Nonce);
        }
        if contains(&self.shares, &share) {
            return Err(CeremonyError::ShareRepeated);
        }
        self.shares.push(Arc::new(share));
        self.expires = now.plus_seconds(TIME_TO_LIVE_SECONDS);
        Ok(())
    }

    fn combined(&self) -> Option<Zeroizing<Vec<u8>>> {
        combine(self.shares.iter().map(|share| share.as_slice()))
    }
}

fn contains(shares: &[Share], share: &Secret<Vec<u8>>) -> bool {
    shares.iter().fold(false, |found, known| found | known.same_as(share.as_slice()))
}

/// Which shares authorise a ceremony of this seal, and how many of them.
fn quorum(barrier: &Barrier) -> Result<(SharesFor, usize), CeremonyError> {
    let info = barrier.seal_info();
    match (info.seal_type, info.recovery) {
        (SealType::Shamir, _) => Ok((SharesFor::Unseal, usize::from(info.threshold))),
        (SealType::Static, Some(recovery)) => Ok((SharesFor::Recovery, usize::from(recovery.threshold))),
        (SealType::Static, None) => Err(CeremonyError::Unsupported),
    }
}

/// Who a ceremony belongs to, if the authority is one.
pub fn authorised(barrier: &Barrier, tx: &mut Tx, authority: Authority<'_>) -> Result<String, CeremonyError> {
    match authority {
        Authority::Caller(name) => Ok(name.to_owned()),
        Authority::Share(share) => {
            let (shares_for, _) = quorum(barrier)?;
            let record = ShareRecord::load(tx, shares_for)?.ok_or(CeremonyError::Denied)?;
            let valid = record.has_share(barrier, shares_for, share.as_slice());
            if valid { Ok("share holder".to_owned()) } else { Err(CeremonyError::Denied) }
        }
    }
}

/// Whether a key authorises ceremonies: the unseal key has to unwrap the root key in use, a recovery key has to be the
/// one that is remembered.
fn is_quorum_key(
    barrier: &Barrier,
    tx: &mut Tx,
    shares_for: SharesFor,
    key: Option<&[u8]>,
) -> Result<bool, CeremonyError> {
    let Some(key) = key else { return Ok(false) };
    match shares_for {
        SharesFor::Unseal => Ok(barrier.is_unseal_key(key)),
        SharesFor::Recovery => {
            let record = ShareRecord::load(tx, shares_for)?.ok_or(CeremonyError::Unsupported)?;
            Ok(record.is_key(barrier, shares_for, key))
        }
    }
}
