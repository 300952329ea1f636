//! The barrier: what lies between plaintext and the store, and who may lift it.
//!
//! Key hierarchy: a *seal* (the unseal key that shares combine to, or a static key) wraps the *root key*; the root key
//! wraps the *keyring*, which holds the *terms* (one random key each); a term's key and the random secret of a namespace
//! give the *record key* of that namespace and term, which encrypts records. Deleting a namespace's secret erases its
//! data. Every record is bound to its cluster, key, kind and format, so that a moved value does not open.
//!
//! Nothing here keeps state of its own: [`Sealed`] and [`Barrier`] are what a snapshot and a key give, ceremonies are
//! plain values that go in and come out, and changes are writes in the caller's transaction. The only thing that a
//! `Barrier` counts is how often it encrypted.
//!
//! # Records of this crate
//! | key | holds | protected by |
//! |---|---|---|
//! | `barrier/seal/config` | seal type, counts, wrapped root key | readable without a key; the wrapped key binds it |
//! | `barrier/keyring/current` | terms, root of derived keys | root key |
//! | `barrier/namespace/<id>` | namespace secret | active term |
//! | `barrier/shares/<seal or recovery>` | fingerprints of shares, recovery key check | active term |
//! | `barrier/backup/<seal or recovery>` | shares encrypted to their holders | active term |
//! | `barrier/rotation/config` | when to rotate by itself | active term |
//! | `barrier/usage/<term>` | encryptions counted | active term |
#![forbid(unsafe_code)]

mod barrier;
pub mod ceremony;
mod chain;
mod error;
#[cfg(test)]
mod fixture;
mod init;
mod keyring;
mod namespace;
mod place;
mod record;
mod reencrypt;
mod rotation;
mod seal;
mod shares;

pub use barrier::{Barrier, KeyStatus};
pub use error::{BarrierError, RefreshError, UnsealError};
pub use init::{InitError, Initialised, Initialiser, RecoveryRequest, initialise};
pub use place::Moment;
pub use record::open_record;
pub use reencrypt::{CleanPass, Pass, PassStep};
pub use rotation::{INTERVAL_SECONDS_MIN, OPERATIONS_MAX, OPERATIONS_MIN, RotationConfig, RotationConfigError};
pub use seal::{RecoveryInfo, SealInfo, SealType, Sealed, StaticKeyError, static_key};
pub use shares::{ShareFormatError, ShareRequest, ShareRequestError, SharesFor, SharesIssued, parse_share};
