//! The edge: bytes become a [`engine::Request`] under limits, and an answer becomes bytes. Nothing here decides policy.

mod body;
mod parse;
mod respond;
#[cfg(test)]
mod tests;

pub use body::{BodyBudget, BodyError, ReadBody, read_body, strict_json};
pub use parse::{Limits, Parts, parse};
pub use respond::{Rendered, error, fault, rendered};

use hyper::body::Bytes;

/// What goes out.
pub type Response = hyper::Response<http_body_util::Full<Bytes>>;
