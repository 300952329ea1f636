//! Black-box judgement of the one binary: it is started as a user starts it, spoken to over loopback and killed.
//!
//! Nothing here links the product. Each harness takes the path of a server binary, so the same code judges Coffer and
//! the peer (`bao`): a harness that finds faults in the peer compared with itself is a broken harness.
//!
//! - [`differential`]: one script of requests against both, and the differences.
//! - [`operations`]: how many of the peer's published operations are served.
//! - [`crash`]: kill −9 at every sync and at random, then look for what was acknowledged.
//! - [`bench`]: speed and memory as ratios to the peer, alternating on the same machine.

#![forbid(unsafe_code)]

pub mod arguments;
pub mod bench;
pub mod crash;
pub mod differential;
pub mod failure;
pub mod http;
pub mod operations;
pub mod process;
pub mod random;
pub mod server;
