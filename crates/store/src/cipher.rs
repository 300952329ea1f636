//! The seam between the store and the barrier: who turns plaintext into records and back.

use zeroize::Zeroizing;

/// Plaintext of a record; wiped when dropped.
pub type Plain = Zeroizing<Vec<u8>>;

/// A record does not open: wrong key, wrong place, wrong kind, or changed bytes. Which of them is not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("record does not open")]
pub struct CipherError;

/// Seals and opens records. The full key and the kind are bound into each record, so that one that was moved to another
/// place does not open there.
pub trait Cipher: Send + Sync {
    /// Encrypts a value for its place. `randomness` fills a buffer with random bytes.
    fn seal(
        &self,
        randomness: &mut dyn FnMut(&mut [u8]),
        key: &str,
        kind: &'static str,
        plain: &[u8],
    ) -> Result<Vec<u8>, CipherError>;

    /// Decrypts a value from its place.
    fn open(&self, key: &str, kind: &'static str, record: &[u8]) -> Result<Plain, CipherError>;
}
