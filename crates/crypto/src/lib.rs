//! Cryptography for the rest of Coffer, and the only crate that names a crypto library.
//!
//! Everything here is a pure function over its arguments: randomness comes in as [`Randomness`], there is no clock, no
//! I/O and no global state. Each module cites the standard it implements and is tested with that standard's vectors.
#![forbid(unsafe_code)]

pub mod aead;
pub mod cipher;
pub mod client_certificate;
pub mod digest;
mod elements;
pub mod hash;
mod hex;
pub mod jws;
pub mod kdf;
pub mod keypair;
pub mod keywrap;
pub mod mac;
pub mod openpgp;
pub mod password;
mod randomness;
mod secret;
pub mod shamir;
pub mod signing;
pub mod ssh;
pub mod totp;
pub mod x509;

pub use aead::{DataKey, OpenError};
pub use hex::{hex, hex_after, hex_onto};
pub use kdf::hkdf_sha256;
pub use mac::{MacKey, hmac_sha256};
pub use randomness::{RandomBytes, Randomness, SeededRandomness, SystemRandomness};
pub use secret::{Secret, same};
pub use zeroize::{Zeroize, Zeroizing};
