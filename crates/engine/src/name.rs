//! Names of stored resources in their one canonical form (security decision D2, rows S02 and S60).

use crate::Fault;
use std::fmt;

/// Longest name, in bytes.
pub const NAME_BYTES_MAX: usize = 512;

/// The name of a user or role in canonical form: ASCII letters in lower case, digits and `_`, with `-` and `.` inside.
///
/// Upstream folds capitals away after the access rules have seen the path, so that a rule about `role/admin` says
/// nothing about `role/AdMiN`, which is the same role. Here a path names a resource only by its canonical spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

impl Name {
    /// The name in a path that was authorised as it is spelled: another spelling of a name is a 400, and what is no
    /// name at all an unsupported path, as upstream's pattern has it.
    pub fn exact(spelling: &str) -> Result<Self, Fault> {
        let name = Self::folded(spelling).ok_or(Fault::UnsupportedPath)?;
        if name.0 == spelling { Ok(name) } else { Err(Fault::invalid("name must be in lower case")) }
    }

    /// Folds any spelling of a name, for a login, which no access rule covers: the lockout and the verifier then work
    /// on the same name. `None` if it is no name.
    pub fn folded(spelling: &str) -> Option<Self> {
        let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let bytes = spelling.as_bytes();
        let shaped = bytes.first().is_some_and(word)
            && bytes.last().is_some_and(word)
            && bytes.iter().all(|byte| word(byte) || matches!(byte, b'-' | b'.'))
            && bytes.len() <= NAME_BYTES_MAX;
        shaped.then(|| Self(spelling.to_ascii_lowercase()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s02_a_path_names_a_resource_by_one_spelling_only() {
        for name in ["admin", "a", "_", "a-b", "a.b_c", "0"] {
            assert_eq!(Name::exact(name).unwrap().as_str(), name);
        }
        for other in ["AdMiN", "ADMIN", "A"] {
            assert!(matches!(Name::exact(other), Err(Fault::Invalid(_))), "{other}");
        }
        for none in
            ["", " admin", "admin ", "\u{ff41}dmin", "admin\u{301}", "-a", "a.", "a b", "a@b", "a/b", "\u{212a}"]
        {
            assert!(matches!(Name::exact(none), Err(Fault::UnsupportedPath)), "{none:?}");
        }
        assert!(Name::exact(&"a".repeat(NAME_BYTES_MAX)).is_ok());
        assert!(Name::exact(&"a".repeat(NAME_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn s60_every_spelling_of_a_login_folds_to_one_name() {
        for spelling in ["admin", "Admin", "ADMIN"] {
            assert_eq!(Name::folded(spelling).unwrap().as_str(), "admin");
        }
        for none in [" admin", "admin ", "\u{ff41}dmin", "adm\u{131}n"] {
            assert_eq!(Name::folded(none), None, "{none:?}");
        }
    }
}
