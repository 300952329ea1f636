//! The kernel decides everything: which namespace and mount a request means, who asks, whether they may, what the reply
//! holds and how long it lives. It is synchronous and pure: a request comes in with a transaction, a moment and
//! randomness, and an [`Outcome`] goes out. It never imports an engine; the shell hands engines in.
//!
//! One request: [`pipeline`]. One background job: [`jobs`]. Everything else is a stage that these two call.
#![forbid(unsafe_code)]

pub mod audit;
pub mod authenticate;
pub mod authorize;
pub mod bootstrap;
mod exchange;
pub mod heavy;
pub mod help;
pub mod identity;
pub mod issue;
pub mod jobs;
pub mod key_jobs;
pub mod keys;
mod kx;
pub mod leases;
pub mod lockout;
mod memo;
pub mod mounts;
pub mod namespace_lock;
pub mod namespaces;
mod node;
pub mod pipeline;
pub mod policies;
pub mod policy;
pub mod quotas;
pub mod registry;
pub mod sys;
pub mod tokens;
pub mod web;
pub mod wrapping;

pub use kx::Kx;
pub use memo::{Memo, Remembered};
pub use node::{Ceremonies, Effect, HealthCodes, Node, Report};
pub use pipeline::{Outcome, handle};
pub use registry::{Kernel, Settings};

/// Whether a field of a record need not be stored, since it is read back as this when it is missing.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
