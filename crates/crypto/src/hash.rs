//! The hash functions that a client may choose from, and HMAC (RFC 2104) with each: SHA-1 (FIPS 180-4, for old signatures and
//! checksums only), SHA-2 (FIPS 180-4) and SHA-3 (FIPS 202).

use aws_lc_rs::digest as fast;
use aws_lc_rs::hmac as fast_mac;
use hmac::digest::block_api::BlockSizeUser;
use hmac::{KeyInit, Mac, SimpleHmac};

#[cfg(test)]
mod tests;

/// A hash function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-1. Collisions can be made; kept for what was signed with it.
    Sha1,
    /// SHA-224.
    Sha2_224,
    /// SHA-256.
    Sha2_256,
    /// SHA-384.
    Sha2_384,
    /// SHA-512.
    Sha2_512,
    /// SHA3-224.
    Sha3_224,
    /// SHA3-256.
    Sha3_256,
    /// SHA3-384.
    Sha3_384,
    /// SHA3-512.
    Sha3_512,
}

/// Runs an expression with `$digest` standing for the RustCrypto type of a hash.
macro_rules! with_digest {
    ($hash:expr, $digest:ident => $work:expr) => {
        match $hash {
            $crate::hash::Hash::Sha1 => {
                type $digest = sha1::Sha1;
                $work
            }
            $crate::hash::Hash::Sha2_224 => {
                type $digest = sha2::Sha224;
                $work
            }
            $crate::hash::Hash::Sha2_256 => {
                type $digest = sha2::Sha256;
                $work
            }
            $crate::hash::Hash::Sha2_384 => {
                type $digest = sha2::Sha384;
                $work
            }
            $crate::hash::Hash::Sha2_512 => {
                type $digest = sha2::Sha512;
                $work
            }
            $crate::hash::Hash::Sha3_224 => {
                type $digest = sha3::Sha3_224;
                $work
            }
            $crate::hash::Hash::Sha3_256 => {
                type $digest = sha3::Sha3_256;
                $work
            }
            $crate::hash::Hash::Sha3_384 => {
                type $digest = sha3::Sha3_384;
                $work
            }
            $crate::hash::Hash::Sha3_512 => {
                type $digest = sha3::Sha3_512;
                $work
            }
        }
    };
}
pub(crate) use with_digest;

impl Hash {
    /// Bytes of a digest.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha2_224 | Self::Sha3_224 => 28,
            Self::Sha2_256 | Self::Sha3_256 => 32,
            Self::Sha2_384 | Self::Sha3_384 => 48,
            Self::Sha2_512 | Self::Sha3_512 => 64,
        }
    }

    /// The digest of a message.
    pub fn digest(self, message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => &fast::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha2_224 => &fast::SHA224,
            Self::Sha2_256 => &fast::SHA256,
            Self::Sha2_384 => &fast::SHA384,
            Self::Sha2_512 => &fast::SHA512,
            Self::Sha3_224 => return crate::digest::sha3_224(&[message]).to_vec(),
            Self::Sha3_256 => &fast::SHA3_256,
            Self::Sha3_384 => &fast::SHA3_384,
            Self::Sha3_512 => &fast::SHA3_512,
        };
        fast::digest(algorithm, message).as_ref().to_vec()
    }

    /// The HMAC of a message. Any length of key is allowed.
    pub fn hmac(self, key: &[u8], message: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => fast_mac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha2_224 => fast_mac::HMAC_SHA224,
            Self::Sha2_256 => fast_mac::HMAC_SHA256,
            Self::Sha2_384 => fast_mac::HMAC_SHA384,
            Self::Sha2_512 => fast_mac::HMAC_SHA512,
            Self::Sha3_224 => return general_mac::<sha3::Sha3_224>(key, message),
            Self::Sha3_256 => return general_mac::<sha3::Sha3_256>(key, message),
            Self::Sha3_384 => return general_mac::<sha3::Sha3_384>(key, message),
            Self::Sha3_512 => return general_mac::<sha3::Sha3_512>(key, message),
        };
        fast_mac::sign(&fast_mac::Key::new(algorithm, key), message).as_ref().to_vec()
    }
}

/// HMAC with a hash that AWS-LC's interface has none with.
fn general_mac<D: sha3::Digest + BlockSizeUser>(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = SimpleHmac::<D>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}
