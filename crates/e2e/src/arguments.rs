//! Command-line words of the harness binaries: `--name value` pairs and bare `--flag`s.

use std::path::PathBuf;

use crate::failure::{Failure, Outcome};

/// The words after the program's name.
pub struct Arguments(Vec<String>);

impl Arguments {
    /// The words this process was started with.
    pub fn of_process() -> Arguments {
        Arguments(std::env::args().skip(1).collect())
    }

    /// Whether `--flag` was given.
    pub fn has(&self, flag: &str) -> bool {
        self.0.iter().any(|word| word.strip_prefix("--") == Some(flag))
    }

    /// The word after `--name`.
    pub fn value(&self, name: &str) -> Option<String> {
        let at = self.0.iter().position(|word| word.strip_prefix("--") == Some(name))?;
        self.0.get(at + 1).cloned()
    }

    /// The number after `--name`, or `otherwise`.
    ///
    /// # Errors
    /// If the word is not a number.
    pub fn number(&self, name: &str, otherwise: u64) -> Outcome<u64> {
        match self.value(name) {
            None => Ok(otherwise),
            Some(word) => word.parse().map_err(|_| Failure::new(format!("--{name} wants a number, not {word}"))),
        }
    }

    /// The binary after `--name`, which must exist.
    ///
    /// # Errors
    /// If the option is missing or names no file.
    pub fn binary(&self, name: &str) -> Outcome<PathBuf> {
        let word = self.value(name).ok_or_else(|| Failure::new(format!("--{name} PATH is missing")))?;
        let path = PathBuf::from(&word);
        if !path.is_file() {
            return Err(Failure::new(format!("--{name}: there is no file {word}")));
        }
        Ok(path.canonicalize()?)
    }
}
