//! Speed and memory as ratios to the peer.
//!
//! Both servers are up together, each with its durable store and a file audit device on the same disk; loads alternate
//! A B A B, the server on one core and the client on another, and what counts is the median of the pairwise ratios. A
//! bare hyper server is measured in the same run, so that each figure also says how far it is from what HTTP costs.

mod cases;
mod fill;
mod load;
mod memory;
mod report;
mod subject;

pub use cases::speed;
pub use load::Loads;
pub use memory::{Amounts, memory};
pub use report::{Line, Report};
pub use subject::Subject;

/// The core of the servers.
pub(crate) const SERVER_CORE: &str = "0";
/// The core of the client.
pub(crate) const CLIENT_CORE: &str = "1";

/// The median, or 0 of nothing.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
    if sorted.len() % 2 == 1 { at(middle) } else { f64::midpoint(at(middle.saturating_sub(1)), at(middle)) }
}
