//! The shell: sockets, disks, time and tokio. It owns all I/O and decides no policy.
//!
//! A request comes in through [`listener`], becomes a typed request in [`http`], is driven through the kernel by
//! [`drive`], and is audited and committed on its way out.
#![forbid(unsafe_code)]

pub mod audit;
mod audit_config;
mod clock;
pub mod config;
mod cors;
mod dev;
mod drive;
pub mod http;
mod json;
mod limiter;
mod listener;
mod logging;
mod metrics;
mod node;
mod options;
mod outbound;
mod run;
mod seal;
mod sealed;
mod shell;
mod storage;
mod ticker;
mod tls;
mod traces;

pub use config::version_line;
pub use options::Options;
pub use run::run;

/// Fills bytes with the randomness of the system, for one-time passwords of the command line.
pub fn fill_random(bytes: &mut [u8]) {
    crypto::Randomness::fill(&mut crypto::SystemRandomness, bytes);
}
