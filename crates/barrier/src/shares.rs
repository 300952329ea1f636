//! Shares: how many are asked for, how they are made and checked, and how they are read.

use crate::barrier::Barrier;
use crate::error::BarrierError;
use crate::place::SHARES;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::openpgp::Recipient;
use crypto::{RandomBytes, Randomness, Secret, Zeroizing, same, shamir};
use serde::{Deserialize, Serialize};
use store::{Record, Tx};

#[cfg(test)]
mod tests;

/// Length of an unseal or recovery key in bytes.
const KEY_LENGTH: usize = 32;
/// The shortest share that is looked at, in bytes.
const SHARE_BYTES_MIN: usize = 16;
/// The longest share, in bytes: the key and the point.
const SHARE_BYTES_MAX: usize = KEY_LENGTH + 1;

/// Which key the shares are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SharesFor {
    /// The key that unseals a Shamir seal.
    Unseal,
    /// The key that authorises ceremonies of a seal that unseals by itself.
    Recovery,
}

/// How many shares are wanted, and who gets them.
#[derive(Clone, Debug)]
pub struct ShareRequest {
    shares: u8,
    threshold: u8,
    recipients: Vec<Recipient>,
}

/// Why a number of shares is refused, in upstream's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareRequestError {
    /// No shares.
    #[error("shares must be at least one")]
    NoShares,
    /// No threshold.
    #[error("threshold must be at least one")]
    NoThreshold,
    /// One share of many would do.
    #[error("threshold must be greater than one for multiple shares")]
    ThresholdOfOne,
    /// More than a field element can number.
    #[error("shares must be less than 256")]
    TooManyShares,
    /// More needed than there are.
    #[error("threshold cannot be larger than shares")]
    ThresholdTooLarge,
    /// Each share needs its recipient, if there are any.
    #[error("count mismatch between number of provided PGP keys and number of shares")]
    Recipients,
}

impl ShareRequest {
    /// Checks what a request asks for. With `recipients` (none, or one for each share), each share is encrypted to one.
    pub fn new(shares: i64, threshold: i64, recipients: Vec<Recipient>) -> Result<Self, ShareRequestError> {
        if shares < 1 {
            return Err(ShareRequestError::NoShares);
        }
        if threshold < 1 {
            return Err(ShareRequestError::NoThreshold);
        }
        if shares > 1 && threshold == 1 {
            return Err(ShareRequestError::ThresholdOfOne);
        }
        let (Ok(shares), Ok(threshold)) = (u8::try_from(shares), u8::try_from(threshold)) else {
            return Err(ShareRequestError::TooManyShares);
        };
        if threshold > shares {
            return Err(ShareRequestError::ThresholdTooLarge);
        }
        if !recipients.is_empty() && recipients.len() != usize::from(shares) {
            return Err(ShareRequestError::Recipients);
        }
        Ok(Self { shares, threshold, recipients })
    }

    /// How many shares are made.
    pub fn shares(&self) -> u8 {
        self.shares
    }

    /// How many of them are needed.
    pub fn threshold(&self) -> u8 {
        self.threshold
    }

    /// To whom they are encrypted; may be empty.
    pub fn recipients(&self) -> &[Recipient] {
        &self.recipients
    }
}

/// Shares to hand out, once.
#[derive(Debug)]
pub struct SharesIssued {
    /// The shares; OpenPGP messages that hold the share in hex if there are recipients.
    pub shares: Vec<Secret<Vec<u8>>>,
    /// The recipients' fingerprints in the same order; empty without recipients.
    pub fingerprints: Vec<String>,
}

/// Not a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShareFormatError {
    /// Nothing there.
    #[error("'key' must be specified in request body as JSON")]
    Missing,
    /// Neither hex nor base64, or too short.
    #[error("'key' must be a valid hex or base64 string")]
    Encoding,
    /// Longer than any share.
    #[error("invalid key: key is longer than maximum 33 bytes")]
    TooLong,
}

/// Reads a share in hex or base64.
pub fn parse_share(text: &str) -> Result<Secret<Vec<u8>>, ShareFormatError> {
    if text.is_empty() {
        return Err(ShareFormatError::Missing);
    }
    let hex = from_hex(text.as_bytes()).map(Secret::new).filter(|share| share.expose().len() >= SHARE_BYTES_MIN);
    let base64 = || STANDARD.decode(text).ok().map(Secret::new).filter(|share| share.expose().len() >= SHARE_BYTES_MIN);
    let share = hex.or_else(base64).ok_or(ShareFormatError::Encoding)?;
    if share.expose().len() > SHARE_BYTES_MAX { Err(ShareFormatError::TooLong) } else { Ok(share) }
}

/// A new key, split.
pub(crate) struct NewKey {
    pub(crate) key: Secret<[u8; KEY_LENGTH]>,
    pub(crate) shares: Vec<Zeroizing<Vec<u8>>>,
}

impl NewKey {
    /// Makes a key and its shares, and tries them: every share is part of a set that is combined and gives the key.
    pub(crate) fn make(request: &ShareRequest, randomness: &mut dyn Randomness) -> Result<Self, BarrierError> {
        let key: Secret<[u8; KEY_LENGTH]> = Secret::new(randomness.bytes());
        let shares = match request.shares {
            // One share is the key itself, as upstream has it: there is no point to add.
            1 => vec![Zeroizing::new(key.expose().to_vec())],
            shares => shamir::split(key.expose(), randomness, shares, request.threshold)
                .map_err(|_| BarrierError::Damaged("new shares"))?,
        };
        let new = Self { key, shares };
        let threshold = usize::from(request.threshold);
        let last = new.shares.get(new.shares.len() - threshold..).unwrap_or_default();
        for set in new.shares.chunks_exact(threshold).chain([last]) {
            let combined = combine(set.iter().map(|share| share.as_slice()));
            if !combined.is_some_and(|combined| same(&combined, new.key.expose())) {
                return Err(BarrierError::Damaged("new shares"));
            }
        }
        Ok(new)
    }

    /// The shares as they are handed out.
    pub(crate) fn issue(
        &self,
        request: &ShareRequest,
        randomness: &mut dyn Randomness,
    ) -> Result<SharesIssued, BarrierError> {
        if request.recipients.is_empty() {
            let shares = self.shares.iter().map(|share| Secret::bytes(share)).collect();
            return Ok(SharesIssued { shares, fingerprints: Vec::new() });
        }
        let mut issued = SharesIssued { shares: Vec::new(), fingerprints: Vec::new() };
        for (share, recipient) in self.shares.iter().zip(&request.recipients) {
            let hex = to_hex(share);
            let message = recipient.encrypt(randomness, hex.as_bytes());
            issued.shares.push(Secret::new(message.map_err(|_| BarrierError::Damaged("recipient of a share"))?));
            issued.fingerprints.push(recipient.fingerprint().to_owned());
        }
        Ok(issued)
    }

    /// What is remembered of the key and its shares.
    pub(crate) fn record(&self, barrier: &Barrier, shares_for: SharesFor) -> ShareRecord {
        let fingerprint = |share: &Zeroizing<Vec<u8>>| STANDARD.encode(fingerprint(barrier, shares_for, share));
        ShareRecord {
            key_check: STANDARD.encode(key_check(barrier, shares_for, self.key.expose())),
            shares: self.shares.iter().map(fingerprint).collect(),
        }
    }
}

/// Keyed images of a key and of its shares, to recognise them by. Kept under the barrier.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ShareRecord {
    key_check: String,
    shares: Vec<String>,
}

impl Record for ShareRecord {
    const KIND: &'static str = "barrier-shares/1";
}

impl ShareRecord {
    pub(crate) fn load(tx: &mut Tx, shares_for: SharesFor) -> Result<Option<Self>, BarrierError> {
        Ok(tx.load(&key_of(shares_for))?)
    }

    pub(crate) fn save(&self, tx: &mut Tx, shares_for: SharesFor) -> Result<(), BarrierError> {
        Ok(tx.save(&key_of(shares_for), self)?)
    }

    /// Whether this is the key.
    pub(crate) fn is_key(&self, barrier: &Barrier, shares_for: SharesFor, key: &[u8]) -> bool {
        same(STANDARD.encode(key_check(barrier, shares_for, key)).as_bytes(), self.key_check.as_bytes())
    }

    /// Whether this is one of the shares.
    pub(crate) fn has_share(&self, barrier: &Barrier, shares_for: SharesFor, share: &[u8]) -> bool {
        let wanted = STANDARD.encode(fingerprint(barrier, shares_for, share));
        self.shares.iter().fold(false, |found, known| found | same(known.as_bytes(), wanted.as_bytes()))
    }
}

/// The key that shares combine to; `None` for whatever is wrong with them.
pub(crate) fn combine<'a>(shares: impl IntoIterator<Item = &'a [u8]>) -> Option<Zeroizing<Vec<u8>>> {
    let shares: Vec<&[u8]> = shares.into_iter().collect();
    match shares.as_slice() {
        [key] => (key.len() == KEY_LENGTH).then(|| Zeroizing::new(key.to_vec())),
        shares => shamir::combine(shares).ok().filter(|key| key.len() == KEY_LENGTH),
    }
}

/// Lower-case hex, wiped after use.
pub(crate) fn to_hex(bytes: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(bytes.len() * 2));
    for byte in bytes {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    text
}

/// Reads hex of either case.
pub(crate) fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}

fn key_of(shares_for: SharesFor) -> String {
    format!("{SHARES}{}", name(shares_for))
}

pub(crate) fn name(shares_for: SharesFor) -> &'static str {
    match shares_for {
        SharesFor::Unseal => "unseal",
        SharesFor::Recovery => "recovery",
    }
}

fn fingerprint(barrier: &Barrier, shares_for: SharesFor, share: &[u8]) -> [u8; 32] {
    barrier.derive("share fingerprint").mac(&[name(shares_for).as_bytes(), b"\0", share])
}

fn key_check(barrier: &Barrier, shares_for: SharesFor, key: &[u8]) -> [u8; 32] {
    barrier.derive("share key check").mac(&[name(shares_for).as_bytes(), b"\0", key])
}
