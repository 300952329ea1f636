//! One script of requests against two servers, and every difference between their answers.
//!
//! The scripts are the JSON files of `crates/e2e/differential/`; each runs on a fresh pair of servers. From every step
//! that holds a token, further steps are derived (no token, wrong token, wrong method, missing object, broken and
//! mistyped bodies), so that a script names only what must be named: see [`variants`]. Compared are status, the deep set of
//! keys, JSON types, error and warning texts; identifiers, tokens and times are normalised first: see [`normal`].

mod commands;
mod compare;
mod normal;
mod reviewed;
mod run;
mod script;
mod table;
#[cfg(test)]
mod tests;
mod variants;

pub use commands::run_commands;
pub use compare::Difference;
pub use reviewed::{Reviewed, glob_matches};
pub use run::{Report, Sides, run};
pub use script::{Script, Step};
pub use table::{Operation, Operations};
