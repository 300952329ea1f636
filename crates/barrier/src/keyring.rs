//! The keyring: the terms whose keys encrypt, and the root of keys that outlive terms.

use crate::place::Moment;
use crate::record::Fields;
use crate::{BarrierError, place};
use crypto::{DataKey, RandomBytes, Randomness, Secret, hkdf_sha256};
use std::fmt;

const FORMAT: u8 = 1;
/// More terms than this are never kept: old ones are retired after re-encryption.
const TERM_COUNT_MAX: usize = 4096;

/// One random key and when it was installed.
pub(crate) struct Term {
    pub(crate) number: u32,
    pub(crate) installed: Moment,
    key: Secret<[u8; 32]>,
}

/// The terms in ascending order, of which the last is the active one, and the root of derived keys.
pub(crate) struct Keyring {
    terms: Vec<Term>,
    derivation: Secret<[u8; 32]>,
}

impl Keyring {
    /// A keyring with its first term.
    pub(crate) fn new(now: Moment, randomness: &mut dyn Randomness) -> Self {
        let first = Term { number: 1, installed: now, key: Secret::new(randomness.bytes()) };
        Self { terms: vec![first], derivation: Secret::new(randomness.bytes()) }
    }

    /// The term that new records are sealed under.
    pub(crate) fn active(&self) -> &Term {
        self.terms.last().expect("a keyring is made with a term and retiring keeps the last")
    }

    pub(crate) fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// A copy with one more term.
    pub(crate) fn rotated(&self, now: Moment, randomness: &mut dyn Randomness) -> Result<Self, BarrierError> {
        let number = self.active().number.checked_add(1).ok_or(BarrierError::KeyringFull)?;
        if self.terms.len() >= TERM_COUNT_MAX {
            return Err(BarrierError::KeyringFull);
        }
        let mut rotated = self.retired(0);
        rotated.terms.push(Term { number, installed: now, key: Secret::new(randomness.bytes()) });
        Ok(rotated)
    }

    /// A copy without the terms below `oldest`; the active one always stays.
    pub(crate) fn retired(&self, oldest: u32) -> Self {
        let active = self.active().number;
        let kept = self.terms.iter().filter(|term| term.number >= oldest || term.number == active);
        let terms = kept
            .map(|term| Term { number: term.number, installed: term.installed, key: Secret::new(*term.key.expose()) })
            .collect();
        Self { terms, derivation: Secret::new(*self.derivation.expose()) }
    }

    /// The record keys of a scope, one for each term (HKDF with the scope's secret as the salt).
    pub(crate) fn record_keys(&self, scope_secret: &[u8; 32]) -> RecordKeys {
        let keys = self.terms.iter().map(|term| {
            let info = [b"coffer record key".as_slice(), &term.number.to_be_bytes()].concat();
            (term.number, DataKey::new(&hkdf_sha256(term.key.expose(), scope_secret, &info)))
        });
        RecordKeys(keys.collect())
    }

    /// A key that stays the same through rotations, for one labelled use.
    pub(crate) fn derive(&self, cluster: &[u8; 16], label: &str) -> crypto::Zeroizing<[u8; 32]> {
        let info = [b"coffer derived key ".as_slice(), label.as_bytes()].concat();
        hkdf_sha256(self.derivation.expose(), cluster, &info)
    }

    /// The plaintext of the keyring's record.
    pub(crate) fn encode(&self) -> Vec<u8> {
        // Of its final length from the start, so that growing leaves no copy behind.
        let mut bytes = Vec::with_capacity(1 + 32 + self.terms.len() * (4 + 8 + 32));
        bytes.push(FORMAT);
        bytes.extend_from_slice(self.derivation.expose());
        for term in &self.terms {
            bytes.extend_from_slice(&term.number.to_be_bytes());
            bytes.extend_from_slice(&term.installed.0.to_be_bytes());
            bytes.extend_from_slice(term.key.expose());
        }
        bytes
    }

    /// Reads what [`Keyring::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, BarrierError> {
        Self::parse(Fields(bytes)).ok_or(BarrierError::Damaged(place::KEYRING))
    }

    fn parse(mut fields: Fields<'_>) -> Option<Self> {
        if fields.take::<1>()? != [FORMAT] {
            return None;
        }
        let derivation = Secret::new(fields.take()?);
        let mut terms: Vec<Term> = Vec::new();
        while !fields.0.is_empty() {
            let term = Term { number: fields.number()?, installed: fields.moment()?, key: Secret::new(fields.take()?) };
            if terms.last().is_some_and(|last| last.number >= term.number) || terms.len() >= TERM_COUNT_MAX {
                return None;
            }
            terms.push(term);
        }
        (!terms.is_empty()).then_some(Self { terms, derivation })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Keyring(term {})", self.active().number)
    }
}

/// Prepared keys of one scope by term, in ascending order.
pub(crate) struct RecordKeys(Vec<(u32, DataKey)>);

impl RecordKeys {
    pub(crate) fn of_term(&self, number: u32) -> Option<&DataKey> {
        self.0.iter().rev().find(|(term, _)| *term == number).map(|(_, key)| key)
    }
}
