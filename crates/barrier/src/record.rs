//! The one format of a stored record.
//!
//! `format (1) | term (4, big-endian) | kind tag (4) | nonce (12) | ciphertext | tag (16)`
//!
//! Associated data are cluster id, format, term, kind tag and the full key. The kind tag stands for the record's kind:
//! it is a short non-cryptographic hash of a constant of our own, is itself authenticated, and lets a job that knows no
//! kinds rewrite a record under a newer term.

use crate::place::Moment;
use crypto::{DataKey, Randomness, Zeroizing};
use store::CipherError;

/// Sealed with a key.
pub(crate) const FORMAT: u8 = 1;
/// Readable by anyone; only the seal record is.
pub(crate) const FORMAT_CLEAR: u8 = 0;
pub(crate) const HEADER_LENGTH: usize = 9;

/// The authenticated but readable front of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) term: u32,
    pub(crate) kind: [u8; 4],
}

impl Header {
    /// Splits a record; refuses any other format.
    pub(crate) fn split(record: &[u8]) -> Result<(Self, &[u8]), CipherError> {
        let (header, sealed) = record.split_first_chunk::<HEADER_LENGTH>().ok_or(CipherError)?;
        let [format, t0, t1, t2, t3, kind @ ..] = *header;
        if format != FORMAT {
            return Err(CipherError);
        }
        Ok((Self { term: u32::from_be_bytes([t0, t1, t2, t3]), kind }, sealed))
    }

    fn bytes(self) -> [u8; HEADER_LENGTH] {
        let [t0, t1, t2, t3] = self.term.to_be_bytes();
        let [k0, k1, k2, k3] = self.kind;
        [FORMAT, t0, t1, t2, t3, k0, k1, k2, k3]
    }

    fn associated(self, cluster: &[u8; 16], key: &str) -> Vec<u8> {
        let mut associated = Vec::with_capacity(cluster.len() + HEADER_LENGTH + key.len());
        // Only the last part varies in length, so no two different places give the same bytes.
        associated.extend_from_slice(cluster);
        associated.extend_from_slice(&self.bytes());
        associated.extend_from_slice(key.as_bytes());
        associated
    }

    /// Makes the record of `plain` at `key`.
    pub(crate) fn seal(
        self,
        data_key: &DataKey,
        cluster: &[u8; 16],
        randomness: &mut dyn Randomness,
        key: &str,
        plain: &[u8],
    ) -> Vec<u8> {
        let mut record = Vec::with_capacity(HEADER_LENGTH + plain.len() + crypto::aead::OVERHEAD);
        record.extend_from_slice(&self.bytes());
        data_key.seal_onto(randomness, &self.associated(cluster, key), plain, &mut record);
        record
    }

    /// Opens what follows the header.
    pub(crate) fn open(
        self,
        data_key: &DataKey,
        cluster: &[u8; 16],
        key: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, CipherError> {
        data_key.open(&self.associated(cluster, key), sealed).map_err(|_| CipherError)
    }
}

/// Opens a record of any kind with its record key, given the sixteen bytes of its cluster's id and its place: what is left
/// of reading a record once the keys are known. Bytes are taken for hostile; this is what `fuzz` feeds.
///
/// # Errors
/// If the record is not one that this key made for this place.
pub fn open_record(
    record_key: &DataKey,
    cluster: &[u8; 16],
    place: &str,
    record: &[u8],
) -> Result<Zeroizing<Vec<u8>>, CipherError> {
    let (header, sealed) = Header::split(record)?;
    header.open(record_key, cluster, place, sealed)
}

/// FNV-1a of a kind's name. Not a secret and not a proof: the header that holds it is authenticated.
pub(crate) fn kind_tag(kind: &str) -> [u8; 4] {
    let hash = kind.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    hash.to_be_bytes()
}

/// Reads fixed-length fields off the front of a plaintext of this crate's own binary records.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    pub(crate) fn take<const LENGTH: usize>(&mut self) -> Option<[u8; LENGTH]> {
        let (field, rest) = self.0.split_first_chunk::<LENGTH>()?;
        self.0 = rest;
        Some(*field)
    }

    pub(crate) fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    pub(crate) fn moment(&mut self) -> Option<Moment> {
        self.take().map(i64::from_be_bytes).map(Moment)
    }
}

/// The store hands randomness in as a closure.
pub(crate) struct Filled<'a>(pub(crate) &'a mut dyn FnMut(&mut [u8]));

impl Randomness for Filled<'_> {
    fn fill(&mut self, bytes: &mut [u8]) {
        (self.0)(bytes);
    }
}
