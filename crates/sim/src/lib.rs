//! The simulation: a whole node of the real kernel, engines, barrier and store, driven by one thread on a fake clock.
//!
//! A *seed* chooses everything: what clients ask, in which order their requests run and commit, when jobs run, when the
//! clock moves and when the node crashes. Requests run against the newest snapshot and commit some events later, so that
//! optimistic conflicts happen and are run again as `server/src/drive.rs` does. A crash forgets everything but the log;
//! what was handed to the log and not yet answered may or may not have become durable.
//!
//! [`model::Model`] says what each answer must be: it is applied in the order of commits, which is the order that clients
//! see. [`indexes::check`] opens the whole key space and checks every index against its record. The same seed gives the
//! same [`Trace`], down to the bytes of every commit. [`Planted`] bugs show that the judges see what they are for.
#![forbid(unsafe_code)]

mod accounts;
mod dice;
pub mod indexes;
pub mod model;
mod node;
mod operation;
mod plan;
mod plant;
mod prepared;
mod run;
#[cfg(test)]
mod tests;
mod trace;
mod view;

pub use plant::Planted;
pub use prepared::Prepared;
pub use run::{Passed, simulate};
pub use trace::Trace;

/// What a seed showed to be wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("seed {seed}, event {event}: {what}")]
pub struct Violation {
    /// The seed.
    pub seed: u64,
    /// Number of the event.
    pub event: u64,
    /// What was expected and what came.
    pub what: String,
    /// The events before.
    pub history: Vec<String>,
}
