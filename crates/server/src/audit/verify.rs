//! `coffer audit verify`: reads an audit file and names the first line that was removed, added or edited.
//!
//! The chain shows what was done to some lines. Whoever can write the whole file can also write a whole new chain; that
//! shows against the last hash of the file as it was noted elsewhere, or against a second device.

use super::chain::{Link, link, parse};
use std::collections::VecDeque;
use std::io::{self, BufRead, Read};

/// Bytes of one line; longer ones are no entries of ours.
const LINE_BYTES_MAX: u64 = 64 << 20;

/// A file whose chain is whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines read.
    pub lines: u64,
    /// Number of the first line in its device's chain: 1 unless the file begins after a rotation. 0 without lines.
    pub first: u64,
    /// Number of the last line.
    pub last: u64,
    /// Hash of the last line, which the first line of the next file repeats as `prev`.
    pub hash: String,
}

/// Where a chain breaks first.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} {kind}")]
pub struct Broken {
    /// Line of the file, counted from 1.
    pub line: u64,
    /// What is wrong with it.
    pub kind: BrokenKind,
}

/// How a chain can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BrokenKind {
    /// Not an entry at all, so that it was added, or edited until it was none.
    #[error("is not an audit entry: it was added or edited")]
    NotAnEntry,
    /// Its hash does not fit it, or the hash that the line after it was made with is another.
    #[error("was edited")]
    Edited,
    /// Lines that stood before it are missing.
    #[error("does not follow the line before it: {missing} line(s) between them were removed")]
    Removed {
        /// How many.
        missing: u64,
    },
    /// Its number was there before: it was added, copied or moved.
    #[error("was added, or moved from another place")]
    Added,
    /// The file could not be read on.
    #[error("cannot be read: {0}")]
    Unreadable(io::ErrorKind),
}

/// Checks the lines of an audit file and names the first that is wrong. Its first line may have any number, since files
/// are rotated: [`Summary::first`] tells, and a file that should begin with 1 and does not has lost its beginning.
pub fn verify(mut file: impl BufRead) -> Result<Summary, Broken> {
    let mut chain = Checked::default();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let read = file.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line);
        let read = read.map_err(|error| Broken { line: number, kind: BrokenKind::Unreadable(error.kind()) })?;
        if read == 0 {
            break;
        }
        let text = str::from_utf8(line.strip_suffix(b"\n").unwrap_or(&line)).ok();
        let Some(entry) = text.and_then(parse) else {
            return Err(Broken { line: number, kind: BrokenKind::NotAnEntry });
        };
        chain.follow(number, &entry)?;
    }
    Ok(chain.summary)
}

/// What was read so far.
#[derive(Default)]
struct Checked {
    summary: Summary,
    /// Number and hash of the line before the last, which tells an added line from the one it pushed away.
    earlier: VecDeque<(u64, String)>,
}

impl Checked {
    fn follow(&mut self, line: u64, entry: &Link<'_>) -> Result<(), Broken> {
        let broken = |line, kind| Err(Broken { line, kind });
        if link(entry.count, entry.previous, &entry.object) != entry.hash {
            return broken(line, BrokenKind::Edited);
        }
        let follows = |before: &(u64, String)| entry.count == before.0 + 1 && entry.previous == before.1;
        match self.earlier.back() {
            // The first line of a chain follows nothing; another one begins a file after a rotation.
            None if (entry.count == 1) != entry.previous.is_empty() => return broken(line, BrokenKind::Edited),
            None => self.summary.first = entry.count,
            Some(before) if follows(before) => {}
            Some((count, _)) if entry.count > count + 1 => {
                return broken(line, BrokenKind::Removed { missing: entry.count - count - 1 });
            }
            // It names another hash of the line before: that line was written anew, hash and all.
            Some((count, _)) if entry.count == count + 1 => return broken(line - 1, BrokenKind::Edited),
            // It follows the line before the last: the last was put in between.
            Some((_, hash))
                if entry.hash != hash && self.earlier.len() > 1 && self.earlier.front().is_some_and(follows) =>
            {
                return broken(line - 1, BrokenKind::Added);
            }
            Some(_) => return broken(line, BrokenKind::Added),
        }
        self.summary.lines = line;
        self.summary.last = entry.count;
        entry.hash.clone_into(&mut self.summary.hash);
        self.earlier.push_back((entry.count, entry.hash.to_owned()));
        if self.earlier.len() > 2 {
            self.earlier.pop_front();
        }
        Ok(())
    }
}
