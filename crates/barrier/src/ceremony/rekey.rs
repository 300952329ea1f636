//! New shares of the unseal key or the recovery key, with or without a new root key.
//!
//! Two phases: the quorum of old shares makes the new key, whose shares are combined and tried on the new seal record
//! before anything is written; with verification, the holders give the new shares back before anything is written.
//! Either way one commit replaces the old set by the new one, so that exactly one set is valid at any time.

use super::{Authority, CeremonyError, Collection, Step, authorised, is_quorum_key, quorum};
use crate::barrier::{Barrier, RootKey};
use crate::error::BarrierError;
use crate::place::{BACKUP, Moment, SEAL};
use crate::seal::{RecoveryInfo, SealKey, SealRecord, SealType};
use crate::shares::{NewKey, ShareRequest, SharesFor, SharesIssued, combine, name, to_hex};
use crypto::{RandomBytes, Randomness, Secret, same};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Cipher, Record, Tx};

/// What new shares are wanted.
#[derive(Clone, Debug)]
pub struct RekeyRequest {
    /// Of which key.
    pub shares_for: SharesFor,
    /// How many, and for whom.
    pub shares: ShareRequest,
    /// Whether the root key is replaced too (`sys/rotate/root`), as far as the shares are of the unseal key.
    pub new_root_key: bool,
    /// Whether a copy of the encrypted shares is kept in the store.
    pub backup: bool,
    /// Whether the new shares have to be given back before they count.
    pub require_verification: bool,
}

impl RekeyRequest {
    /// Whether there are no shares to change, but a root key: that of a seal that opens by itself, which the holders of
    /// its recovery shares replace.
    fn is_root_key_alone(&self, held: SharesFor) -> bool {
        held == SharesFor::Recovery && self.shares_for == SharesFor::Unseal && self.new_root_key
    }
}

/// A running change of shares.
#[derive(Clone, Debug)]
pub struct Rekey {
    request: Arc<RekeyRequest>,
    collection: Collection,
    verifying: Option<Verifying>,
}

#[derive(Clone)]
struct Verifying {
    new: Arc<NewKey>,
    collection: Collection,
}

/// What a share led to.
#[derive(Debug)]
pub enum RekeyProgress {
    /// More are needed.
    More,
    /// The new shares, for now or after verification.
    Issued {
        /// To hand out once the transaction is committed.
        shares: SharesIssued,
        /// Identifies the verification that has to follow, if one was asked for.
        verification_nonce: Option<String>,
        /// The barrier under the new key, if nothing has to follow. See [`Barrier::expecting`].
        barrier: Option<Arc<Barrier>>,
    },
}

/// What a new share led to.
#[derive(Debug)]
pub enum Verification {
    /// More are needed.
    More,
    /// All new shares fit: they are valid once the transaction is committed. See [`Barrier::expecting`].
    Complete(Arc<Barrier>),
}

/// What everybody may know of a running change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RekeyStatus {
    /// Identifies the change.
    pub nonce: String,
    /// Who started it.
    pub owner: String,
    /// New shares.
    pub shares: u8,
    /// New shares needed.
    pub threshold: u8,
    /// Old shares given.
    pub progress: usize,
    /// Whom the new shares will be encrypted to.
    pub fingerprints: Vec<String>,
    /// Whether a backup is kept.
    pub backup: bool,
    /// Whether new shares have to be given back.
    pub verification_required: bool,
    /// The verification, once it runs.
    pub verification: Option<VerificationStatus>,
}

/// What everybody may know of a running verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationStatus {
    /// Identifies the verification.
    pub nonce: String,
    /// New shares given back.
    pub progress: usize,
}

/// Encrypted shares, kept for holders who lost theirs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backup {
    /// The change of shares that they come from.
    pub nonce: String,
    /// OpenPGP messages in hex by the fingerprint of their recipient.
    pub keys: BTreeMap<String, Vec<String>>,
}

impl Record for Backup {
    const KIND: &'static str = "barrier-backup/1";
}

impl Backup {
    /// The backup of the latest shares, if one was kept.
    pub fn load(tx: &mut Tx, shares_for: SharesFor) -> Result<Option<Self>, BarrierError> {
        Ok(tx.load(&backup_key(shares_for))?)
    }

    /// Deletes the backup.
    pub fn delete(tx: &mut Tx, shares_for: SharesFor) {
        tx.delete(&backup_key(shares_for));
    }
}

impl Rekey {
    /// Starts a change of shares.
    pub fn start(
        current: Option<&Self>,
        barrier: &Barrier,
        tx: &mut Tx,
        authority: Authority<'_>,
        request: RekeyRequest,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Result<Self, CeremonyError> {
        let owner = authorised(barrier, tx, authority)?;
        let (held, _) = quorum(barrier)?;
        if held != request.shares_for && !request.is_root_key_alone(held) {
            return Err(CeremonyError::Unsupported);
        }
        if request.backup && request.shares.recipients().is_empty() {
            return Err(CeremonyError::BackupWithoutRecipients);
        }
        if current.is_some_and(|current| current.is_live(now)) {
            return Err(CeremonyError::AlreadyStarted);
        }
        let collection = Collection::new(&owner, now, randomness);
        Ok(Self { request: Arc::new(request), collection, verifying: None })
    }

    /// Whether it still runs.
    pub fn is_live(&self, now: Moment) -> bool {
        self.verifying.as_ref().map_or(&self.collection, |verifying| &verifying.collection).is_live(now)
    }

    /// Identifies the change.
    pub fn nonce(&self) -> &str {
        &self.collection.nonce
    }

    /// Whether this is one of the new shares that have to be given back.
    pub fn has_new_share(&self, share: &Secret<Vec<u8>>) -> bool {
        let new = self.verifying.iter().flat_map(|verifying| &verifying.new.shares);
        // Looks at all of them, so that the time does not tell which one it was.
        new.fold(false, |found, known| found | share.same_as(known))
    }

    /// Which shares it changes.
    pub fn shares_for(&self) -> SharesFor {
        self.request.shares_for
    }

    /// Whether it replaces the root key too.
    pub fn new_root_key(&self) -> bool {
        self.request.new_root_key
    }

    /// What everybody may know of it.
    pub fn status(&self) -> RekeyStatus {
        let shares = &self.request.shares;
        let verification = self.verifying.as_ref().map(|verifying| VerificationStatus {
            nonce: verifying.collection.nonce.clone(),
            progress: verifying.collection.shares.len(),
        });
        RekeyStatus {
            nonce: self.collection.nonce.clone(),
            owner: self.collection.owner.clone(),
            shares: shares.shares(),
            threshold: shares.threshold(),
            progress: if verification.is_some() { 0 } else { self.collection.shares.len() },
            fingerprints: shares.recipients().iter().map(|recipient| recipient.fingerprint().to_owned()).collect(),
            backup: self.request.backup,
            verification_required: self.request.require_verification,
            verification,
        }
    }

    /// Old shares needed with this barrier.
    pub fn required(barrier: &Barrier) -> Result<usize, CeremonyError> {
        quorum(barrier).map(|(_, required)| required)
    }

    /// Whether this authority may end it: any authorised caller, or a share holder.
    pub fn cancel(&self, barrier: &Barrier, tx: &mut Tx, authority: Authority<'_>) -> Result<(), CeremonyError> {
        authorised(barrier, tx, authority).map(|_| ())
    }

    /// Gives an old share. With the last one, and no verification wanted, the transaction replaces the shares.
    pub fn submit(
        &self,
        barrier: &Barrier,
        tx: &mut Tx,
        nonce: &str,
        share: Secret<Vec<u8>>,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Step<Self, RekeyProgress> {
        match self.submitted(barrier, tx, nonce, share, now, randomness) {
            Ok((next, progress)) => Step { next, result: Ok(progress) },
            Err(CeremonyError::WrongShares) => {
                let mut next = self.clone();
                next.collection.shares.clear();
                Step::on(next, Err(CeremonyError::WrongShares))
            }
            Err(error) => Step::on(self.clone(), Err(error)),
        }
    }

    /// Gives a new share back. With the last one, the transaction replaces the shares.
    pub fn verify(
        &self,
        barrier: &Barrier,
        tx: &mut Tx,
        nonce: &str,
        share: Secret<Vec<u8>>,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Step<Self, Verification> {
        match self.verified(barrier, tx, nonce, share, now, randomness) {
            Ok((next, verification)) => Step { next, result: Ok(verification) },
            Err(CeremonyError::WrongNewShares) => {
                Step::on(self.restart_verification(now, randomness), Err(CeremonyError::WrongNewShares))
            }
            Err(error) => Step::on(self.clone(), Err(error)),
        }
    }

    /// Begins the verification anew, under another nonce, with the same new shares.
    pub fn restart_verification(&self, now: Moment, randomness: &mut dyn Randomness) -> Self {
        let mut next = self.clone();
        if let Some(verifying) = &mut next.verifying {
            verifying.collection = Collection::new(&self.collection.owner, now, randomness);
        }
        next
    }

    fn submitted(
        &self,
        barrier: &Barrier,
        tx: &mut Tx,
        nonce: &str,
        share: Secret<Vec<u8>>,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Result<(Option<Self>, RekeyProgress), CeremonyError> {
        if self.verifying.is_some() {
            return Err(CeremonyError::NotStarted);
        }
        let mut next = self.clone();
        next.collection.add(nonce, share, now)?;
        let (shares_for, required) = quorum(barrier)?;
        if next.collection.shares.len() < required {
            return Ok((Some(next), RekeyProgress::More));
        }
        let key = next.collection.combined();
        if !is_quorum_key(barrier, tx, shares_for, key.as_ref().map(|key| key.as_slice()))? {
            return Err(CeremonyError::WrongShares);
        }
        let request = &self.request;
        if request.is_root_key_alone(shares_for) {
            let shares = SharesIssued { shares: Vec::new(), fingerprints: Vec::new() };
            let barrier = Some(barrier.rotate_root_key(tx, randomness)?);
            return Ok((None, RekeyProgress::Issued { shares, verification_nonce: None, barrier }));
        }
        let new = NewKey::make(&request.shares, randomness)?;
        let shares = new.issue(&request.shares, randomness)?;
        if request.backup {
            tx.save(&backup_key(shares_for), &backup(&self.collection.nonce, &shares))?;
        }
        if !request.require_verification {
            let barrier = Some(apply(barrier, tx, request, &new, randomness)?);
            return Ok((None, RekeyProgress::Issued { shares, verification_nonce: None, barrier }));
        }
        next.collection.shares.clear();
        let collection = Collection::new(&self.collection.owner, now, randomness);
        let verification_nonce = Some(collection.nonce.clone());
        next.verifying = Some(Verifying { new: Arc::new(new), collection });
        Ok((Some(next), RekeyProgress::Issued { shares, verification_nonce, barrier: None }))
    }

    fn verified(
        &self,
        barrier: &Barrier,
        tx: &mut Tx,
        nonce: &str,
        share: Secret<Vec<u8>>,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Result<(Option<Self>, Verification), CeremonyError> {
        let mut next = self.clone();
        let verifying = next.verifying.as_mut().ok_or(CeremonyError::NotStarted)?;
        verifying.collection.add(nonce, share, now)?;
        if verifying.collection.shares.len() < usize::from(self.request.shares.threshold()) {
            return Ok((Some(next), Verification::More));
        }
        let combined = verifying.collection.combined();
        if !combined.is_some_and(|key| same(&key, verifying.new.key.expose())) {
            return Err(CeremonyError::WrongNewShares);
        }
        let barrier = apply(barrier, tx, &self.request, &verifying.new, randomness)?;
        Ok((None, Verification::Complete(barrier)))
    }
}

/// Writes what makes the new shares valid and the old ones not.
fn apply(
    barrier: &Barrier,
    tx: &mut Tx,
    request: &RekeyRequest,
    new: &NewKey,
    randomness: &mut dyn Randomness,
) -> Result<Arc<Barrier>, CeremonyError> {
    let (shares, threshold) = (request.shares.shares(), request.shares.threshold());
    new.record(barrier, request.shares_for).save(tx, request.shares_for)?;
    let mut fresh = barrier.clone();
    if request.shares_for == SharesFor::Recovery {
        fresh.seal = Arc::new(barrier.seal.with_recovery(RecoveryInfo { shares, threshold }));
        fresh.seal.save(tx)?;
        return Ok(Arc::new(fresh));
    }
    let root = match request.new_root_key {
        true => Secret::new(randomness.bytes()),
        false => barrier.seal.unwrap(&barrier.seal_key).ok_or(BarrierError::Damaged(SEAL))?,
    };
    let seal_key = Arc::new(SealKey::new(new.key.expose(), barrier.cluster()));
    let kind = (SealType::Shamir, shares, threshold);
    let seal = SealRecord::new(barrier.cluster_id(), kind, None, |_| Arc::clone(&seal_key), &root, randomness);
    // Before the old shares die: do the new ones give a key that opens the new record?
    let tried = combine(new.shares.iter().take(usize::from(threshold)).map(|share| share.as_slice()))
        .and_then(|key| seal.unwrap(&SealKey::new(&key, barrier.cluster())))
        .is_some_and(|opened| same(opened.expose(), root.expose()));
    if !tried {
        return Err(BarrierError::Damaged("new shares").into());
    }
    seal.save(tx)?;
    fresh.seal = Arc::new(seal);
    fresh.seal_key = seal_key;
    if request.new_root_key {
        fresh.root = Arc::new(RootKey::new(root.expose(), barrier.cluster()));
        return Ok(barrier.install(tx, fresh)?);
    }
    let fresh = Arc::new(fresh);
    tx.replace_cipher(Arc::clone(&fresh) as Arc<dyn Cipher>);
    Ok(fresh)
}

fn backup(nonce: &str, issued: &SharesIssued) -> Backup {
    let mut keys: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (fingerprint, share) in issued.fingerprints.iter().zip(&issued.shares) {
        keys.entry(fingerprint.clone()).or_default().push(to_hex(share.as_slice()).to_string());
    }
    Backup { nonce: nonce.to_owned(), keys }
}

fn backup_key(shares_for: SharesFor) -> String {
    format!("{BACKUP}{}", name(shares_for))
}

impl std::fmt::Debug for Verifying {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.collection.fmt(formatter)
    }
}
