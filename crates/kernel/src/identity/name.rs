//! Names of entities, groups and aliases: kept as they were written, compared without regard to case (row S02).

use engine::Fault;
use std::fmt;

/// Longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 1_024;

/// The one form in which names are compared. Made here only, so that nothing folds in another way.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Folded(String);

impl Folded {
    /// Folds any spelling. Refuses what has no place in a key: control characters, and names that are too long.
    pub fn new(spelling: &str) -> Result<Self, Fault> {
        if spelling.len() > NAME_BYTES_MAX {
            return Err(Fault::invalid(format!("name must not be longer than {NAME_BYTES_MAX} bytes")));
        }
        if spelling.chars().any(|c| c.is_control() || c == char::MAX) {
            return Err(Fault::invalid("name must not contain control characters"));
        }
        Ok(Self(spelling.to_lowercase()))
    }

    /// The name in a path, whose access rules were decided by its very spelling: it has to be the stored spelling or
    /// the folded one, so that a rule about `admin` cannot be passed by writing `AdMiN`.
    pub fn of_path(spelling: &str, stored: Option<&str>) -> Result<Self, Fault> {
        let folded = Self::new(spelling)?;
        let canonical = folded.0 == spelling && spelling.trim() == spelling;
        if canonical || stored == Some(spelling) {
            return Ok(folded);
        }
        Err(Fault::invalid("name in a path must be in lower case, or spelled as it is stored"))
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Folded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
