//! `coffer audit verify`: reads an audit file and names the first line that was removed, added or edited.

use super::chain::{link, parse};
use std::io::{self, BufRead};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Every line follows from the one before; so many lines, from this number on.
    Whole {
        /// Lines read.
        lines: u64,
        /// Number of the first.
        first: u64,
    },
    /// The chain breaks at this line of the file, counted from 1.
    Broken {
        /// Line of the file.
        line: u64,
        /// What is wrong with it.
        why: Breach,
    },
}

/// How a chain can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Not an entry at all.
    #[error("is not an audit entry")]
    NoEntry,
    /// Its own hash does not fit it.
    #[error("was edited")]
    Edited,
    /// Lines before it are missing.
    #[error("does not follow the line before: lines were removed")]
    Removed,
    /// It repeats or precedes a number already seen.
    #[error("does not follow the line before: lines were added or moved")]
    Added,
}

/// Checks the lines of an audit file. The first line is taken as the beginning, since files are rotated; with
/// `expect_start` it has to be the first of its device.
pub fn verify(lines: impl BufRead, expect_start: bool) -> io::Result<Verdict> {
    let mut last: Option<(u64, String)> = expect_start.then(|| (0, String::new()));
    let (mut number, mut first) = (0, 0);
    for line in lines.lines() {
        let line = line?;
        number += 1;
        let broken = |why| Ok(Verdict::Broken { line: number, why });
        let Some(entry) = parse(&line) else { return broken(Breach::NoEntry) };
        if link(entry.count, entry.previous, &entry.object) != entry.hash {
            return broken(Breach::Edited);
        }
        match &last {
            Some((count, _)) if entry.count > count + 1 => return broken(Breach::Removed),
            Some((count, hash)) if entry.count <= *count || entry.previous != hash => return broken(Breach::Added),
            Some(_) => {}
            None => first = entry.count,
        }
        last = Some((entry.count, entry.hash.to_owned()));
    }
    Ok(Verdict::Whole { lines: number, first: first.max(u64::from(number > 0)) })
}
