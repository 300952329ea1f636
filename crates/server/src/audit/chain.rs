//! The hash chain over the lines of a device: each line ends in its number, the hash of the line before and its own, so
//! that a removed, added or edited line shows (SHA-256, FIPS 180-4).

use engine::crypto::digest::sha256;
use engine::crypto::hex;
use std::io::Write as _;

/// Where a line's chain member begins.
pub(super) const MEMBER: &str = ",\"chain\":{";

/// The end of the chain so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chain {
    /// Lines so far.
    pub(super) count: u64,
    /// Hash of the last line in hexadecimal; empty before the first.
    pub(super) last: String,
}

impl Chain {
    /// Appends a JSON object (without its line end) to `out` as the next line.
    pub(super) fn append(&mut self, object: &[u8], out: &mut Vec<u8>) {
        let count = self.count + 1;
        let hash = link(count, &self.last, object);
        out.extend_from_slice(object.strip_suffix(b"}").unwrap_or(object));
        // Writing to memory does not fail.
        let _ = writeln!(out, "{MEMBER}\"seq\":{count},\"prev\":\"{}\",\"hash\":\"{hash}\"}}}}", self.last);
        self.count = count;
        self.last = hash;
    }
}

/// The hash of a line: over its number, the hash before and its object.
pub(super) fn link(count: u64, previous: &str, object: &[u8]) -> String {
    hex(&sha256(&[&count.to_be_bytes(), previous.as_bytes(), object]))
}

/// A line taken apart: its object, number, hash before and own hash.
pub(super) struct Link<'a> {
    pub(super) object: Vec<u8>,
    pub(super) count: u64,
    pub(super) previous: &'a str,
    pub(super) hash: &'a str,
}

/// Takes a line apart; `None` if it is not one of ours.
pub(super) fn parse(line: &str) -> Option<Link<'_>> {
    // Nothing stands outside what is hashed.
    line.strip_prefix('{')?;
    let at = line.rfind(MEMBER)?;
    let member = line.get(at + MEMBER.len()..)?.strip_suffix("\"}}")?;
    let member = member.strip_prefix("\"seq\":")?;
    let (count, rest) = member.split_once(",\"prev\":\"")?;
    let (previous, hash) = rest.split_once("\",\"hash\":\"")?;
    let mut object = line.get(..at)?.as_bytes().to_vec();
    object.push(b'}');
    let number: u64 = count.parse().ok()?;
    // One number has one spelling.
    (number.to_string() == count).then_some(Link { object, count: number, previous, hash })
}
