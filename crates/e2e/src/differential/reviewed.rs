//! The committed lists of differences that are meant, each with its reason; they only shrink.
//!
//! There is a file for each script, one for the command line, and one for entries that concern several scripts.
//! Columns: step (glob), what (glob), reason.

use std::fs;
use std::path::Path;

use super::compare::Difference;
use crate::failure::{Context, Failure, Outcome};

/// One accepted difference.
#[derive(Debug, Clone)]
pub struct Entry {
    /// A glob over step names.
    pub step: String,
    /// A glob over what differs.
    pub what: String,
    /// Why it is right.
    pub reason: String,
}

/// The list.
#[derive(Debug, Clone, Default)]
pub struct Reviewed(pub Vec<Entry>);

impl Reviewed {
    /// Reads the tables of a folder, in the order of their names.
    ///
    /// # Errors
    /// If a file cannot be read or a line has no reason.
    pub fn read(folder: &Path) -> Outcome<Reviewed> {
        let listing = fs::read_dir(folder).at(folder.display())?;
        let mut files = listing.map(|entry| Ok(entry.at(folder.display())?.path())).collect::<Outcome<Vec<_>>>()?;
        files.sort();
        let mut entries = Vec::new();
        for file in files.iter().filter(|file| file.extension().is_some_and(|extension| extension == "tsv")) {
            Self::read_file(file, &mut entries)?;
        }
        Ok(Reviewed(entries))
    }

    fn read_file(path: &Path, entries: &mut Vec<Entry>) -> Outcome<()> {
        let text = fs::read_to_string(path).at(path.display())?;
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let columns: Vec<&str> = line.split('\t').collect();
            match columns.as_slice() {
                [step, what, reason] if !reason.trim().is_empty() => entries.push(Entry {
                    step: (*step).to_owned(),
                    what: (*what).to_owned(),
                    reason: (*reason).to_owned(),
                }),
                _ => return Err(Failure::new(format!("{}: not step, what, reason: {line}", path.display()))),
            }
        }
        Ok(())
    }

    /// The first entry that accepts the difference.
    pub fn accepts(&self, difference: &Difference) -> Option<usize> {
        self.0.iter().position(|entry| {
            glob_matches(&entry.step, &difference.step) && glob_matches(&entry.what, &difference.what)
        })
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any characters.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        let Some(at) = rest.find(part) else { return false };
        rest = rest.get(at + part.len()..).unwrap_or_default();
    }
    true
}
