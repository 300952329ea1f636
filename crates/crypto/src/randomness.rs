//! Randomness as a parameter, so that a simulation with the same seed makes the same keys, ids and nonces.

use crate::digest;
use aws_lc_rs::rand;

#[cfg(test)]
mod tests;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A source of random bytes. All methods but [`Randomness::fill`] are derived from it.
pub trait Randomness {
    /// Fills the buffer with bytes that nobody can predict.
    fn fill(&mut self, bytes: &mut [u8]);

    /// A number below `bound`, each equally likely. A bound of 0 is taken as 1.
    fn below(&mut self, bound: u64) -> u64 {
        let bound = bound.max(1);
        // The largest multiple of the bound that fits; what is drawn above it would favour small results.
        let fair = u64::MAX - (u64::MAX % bound);
        loop {
            let mut bytes = [0; 8];
            self.fill(&mut bytes);
            let drawn = u64::from_le_bytes(bytes);
            if drawn < fair {
                return drawn % bound;
            }
        }
    }

    /// A random UUID in text form (RFC 9562 version 4), for example `f81d4fae-7dec-41d0-a765-00a0c91e6bf6`.
    fn uuid(&mut self) -> String {
        let mut bytes = [0; 16];
        self.fill(&mut bytes);
        let number = (u128::from_be_bytes(bytes) & !(0xf << 76) & !(0b11 << 62)) | (4 << 76) | (0b10 << 62);
        let mut text = crate::hex(&number.to_be_bytes());
        for dash in [20, 16, 12, 8] {
            text.insert(dash, '-');
        }
        text
    }

    /// `length` characters of `0-9A-Za-z`, each equally likely (5.95 bits a character).
    fn base62(&mut self, length: usize) -> String {
        let mut text = String::with_capacity(length);
        let mut bytes = [0; 32];
        while text.len() < length {
            self.fill(&mut bytes);
            // 248 is the largest multiple of 62 in a byte.
            let fair = bytes.iter().filter(|byte| **byte < 248);
            let letters = fair.filter_map(|byte| BASE62.get(usize::from(byte % 62)));
            text.extend(letters.take(length - text.len()).map(|letter| char::from(*letter)));
        }
        zeroize::Zeroize::zeroize(&mut bytes);
        text
    }
}

/// Random arrays of a length known at compile time, from any [`Randomness`], also from a `dyn` one.
pub trait RandomBytes: Randomness {
    /// An array of random bytes.
    fn bytes<const LENGTH: usize>(&mut self) -> [u8; LENGTH] {
        let mut bytes = [0; LENGTH];
        self.fill(&mut bytes);
        bytes
    }
}

impl<T: Randomness + ?Sized> RandomBytes for T {}

impl<T: Randomness + ?Sized> Randomness for Box<T> {
    fn fill(&mut self, bytes: &mut [u8]) {
        (**self).fill(bytes);
    }
}

/// The randomness of the operating system through AWS-LC's generator (NIST SP 800-90A CTR_DRBG).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemRandomness;

impl Randomness for SystemRandomness {
    fn fill(&mut self, bytes: &mut [u8]) {
        rand::fill(bytes).expect("AWS-LC aborts the process rather than return without randomness");
    }
}

/// Reproducible bytes from a seed, for tests and the simulator: SHA-256 of seed and counter. Never for real keys.
#[derive(Clone, Debug)]
pub struct SeededRandomness {
    seed: u64,
    block: u64,
    left: Vec<u8>,
}

impl SeededRandomness {
    /// The stream of this seed, from its beginning.
    pub fn new(seed: u64) -> Self {
        Self { seed, block: 0, left: Vec::new() }
    }
}

impl Randomness for SeededRandomness {
    fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            if self.left.is_empty() {
                self.left = digest::sha256(&[&self.seed.to_be_bytes(), &self.block.to_be_bytes()]).to_vec();
                self.block = self.block.wrapping_add(1);
            }
            *byte = self.left.pop().unwrap_or_default();
        }
    }
}
