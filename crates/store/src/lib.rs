//! The store: an ordered key space that transactions read at one revision and change through a log.
//!
//! A [`Snapshot`] answers reads synchronously, a [`Tx`] collects what a request read and wants to write, and a [`Log`]
//! decides in which order transactions commit, refuses those whose reads are no longer true, and makes the rest
//! durable. Values pass through a [`Cipher`], so that nothing below this crate's `Tx` ever sees plaintext.
//!
//! Keys are UTF-8 strings `namespace id/area/…`; their first two segments name an *area*, whose last change a snapshot
//! can tell without reading it ([`Snapshot::area_revision`]).
#![forbid(unsafe_code)]

mod cipher;
mod conflict;
#[cfg(test)]
mod conformance;
pub mod faulty;
pub mod local;
mod log;
pub mod memory;
mod snapshot;
mod tx;

pub use cipher::{Cipher, CipherError, Plain};
pub use log::{ChainMac, Commit, CommitError, Committed, GroupSizes, Log, ReadSet, WriteBatch};
pub use snapshot::{Page, Revision, Snapshot, StoreError, Stored, Visit, area_of, prefix_end};
pub use tx::{Mark, Recall, Record, ScopeMark, Tx};
pub use zeroize::Zeroizing;
