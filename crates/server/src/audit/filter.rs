//! A device's filter: which entries it takes. `mount_type == "kv" and not (operation == "list" or path != "a b")`.

use engine::Request;
use kernel::pipeline::Facts;

/// Bytes of a filter.
const TEXT_BYTES_MAX: usize = 4_096;
/// Nesting of a filter.
const DEPTH_MAX: usize = 16;

/// A condition over an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// A field has, or has not, a value.
    Compare {
        /// Which field.
        field: Field,
        /// Whether equal or not equal.
        equal: bool,
        /// The value.
        value: String,
    },
    /// All of them.
    All(Vec<Filter>),
    /// One of them.
    Any(Vec<Filter>),
    /// Not it.
    Not(Box<Filter>),
}

/// The fields of an entry that can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// Path of the mount, with its slash.
    MountPoint,
    /// Kind of its engine.
    MountType,
    /// Path of the namespace; empty for the root.
    Namespace,
    /// Operation.
    Operation,
    /// Path below the namespace.
    Path,
}

/// A filter that does not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "filter is not valid: expected comparisons such as mount_type == \"kv\" joined by and, or, not and parentheses"
)]
pub struct FilterError;

impl Filter {
    /// Reads a filter.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(FilterError);
        }
        let words = words(text)?;
        let mut rest = words.as_slice();
        let filter = any(&mut rest, 0)?;
        if rest.is_empty() { Ok(filter) } else { Err(FilterError) }
    }

    /// Whether an entry is let through.
    pub fn admits(&self, request: &Request, facts: &Facts) -> bool {
        self.holds(&|field| {
            let mount = facts.mount.as_deref();
            match field {
                Field::MountPoint => mount.map_or("", |mount| &mount.path),
                Field::MountType => mount.map_or("", |mount| &mount.kind),
                Field::Namespace => facts.namespace.as_ref().map_or("", |namespace| &namespace.path),
                Field::Operation => facts.operation.unwrap_or(request.operation).name(),
                Field::Path => &facts.path,
            }
        })
    }

    fn holds<'a>(&self, value_of: &dyn Fn(Field) -> &'a str) -> bool {
        match self {
            Self::Compare { field, equal, value } => (value_of(*field) == value) == *equal,
            Self::All(parts) => parts.iter().all(|part| part.holds(value_of)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(value_of)),
            Self::Not(part) => !part.holds(value_of),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    Plain(String),
    Quoted(String),
    Open,
    Close,
    Equal,
    Unequal,
}

fn words(text: &str) -> Result<Vec<Word>, FilterError> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, after) = match first {
            '(' => (Word::Open, rest.get(1..)),
            ')' => (Word::Close, rest.get(1..)),
            '"' | '`' => {
                let (inside, after) = rest.get(1..).and_then(|rest| rest.split_once(first)).ok_or(FilterError)?;
                (Word::Quoted(inside.to_owned()), Some(after))
            }
            _ if rest.starts_with("==") => (Word::Equal, rest.get(2..)),
            _ if rest.starts_with("!=") => (Word::Unequal, rest.get(2..)),
            _ => {
                let ends = |character: char| character.is_whitespace() || "()\"`=!".contains(character);
                let end = rest.find(ends).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                if word.is_empty() {
                    return Err(FilterError);
                }
                (Word::Plain(word.to_owned()), Some(after))
            }
        };
        words.push(word);
        rest = after.unwrap_or_default().trim_start();
    }
    Ok(words)
}

fn take_word(rest: &mut &[Word], word: &str) -> bool {
    match rest.split_first() {
        Some((Word::Plain(text), after)) if text == word => {
            *rest = after;
            true
        }
        _ => false,
    }
}

fn any(rest: &mut &[Word], depth: usize) -> Result<Filter, FilterError> {
    let mut parts = vec![all(rest, depth)?];
    while take_word(rest, "or") {
        parts.push(all(rest, depth)?);
    }
    Ok(if parts.len() > 1 { Filter::Any(parts) } else { parts.remove(0) })
}

fn all(rest: &mut &[Word], depth: usize) -> Result<Filter, FilterError> {
    let mut parts = vec![one(rest, depth)?];
    while take_word(rest, "and") {
        parts.push(one(rest, depth)?);
    }
    Ok(if parts.len() > 1 { Filter::All(parts) } else { parts.remove(0) })
}

fn one(rest: &mut &[Word], depth: usize) -> Result<Filter, FilterError> {
    if depth > DEPTH_MAX {
        return Err(FilterError);
    }
    if take_word(rest, "not") {
        return one(rest, depth + 1).map(|part| Filter::Not(Box::new(part)));
    }
    match *rest {
        [Word::Open, inside @ ..] => {
            *rest = inside;
            let filter = any(rest, depth + 1)?;
            let [Word::Close, after @ ..] = *rest else { return Err(FilterError) };
            *rest = after;
            Ok(filter)
        }
        [Word::Plain(field), comparison, Word::Plain(value) | Word::Quoted(value), after @ ..] => {
            let equal = match comparison {
                Word::Equal => true,
                Word::Unequal => false,
                _ => return Err(FilterError),
            };
            let field = match field.as_str() {
                "mount_point" => Field::MountPoint,
                "mount_type" => Field::MountType,
                "namespace" => Field::Namespace,
                "operation" => Field::Operation,
                "path" => Field::Path,
                _ => return Err(FilterError),
            };
            let filter = Filter::Compare { field, equal, value: value.clone() };
            *rest = after;
            Ok(filter)
        }
        _ => Err(FilterError),
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Filter};

    fn holds(text: &str, path: &str) -> bool {
        let filter = Filter::parse(text).unwrap();
        filter.holds(&|field| match field {
            Field::MountPoint => "secret/",
            Field::MountType => "kv",
            Field::Namespace => "",
            Field::Operation => "read",
            Field::Path => path,
        })
    }

    #[test]
    fn filters_compare_fields() {
        for (text, expected) in [
            ("mount_type == kv", true),
            ("mount_type==\"kv\"", true),
            ("mount_type != kv", false),
            ("mount_type == kv and operation == list", false),
            ("mount_type == pki or operation == read", true),
            ("mount_type == pki or operation == read and path == \"a and b\"", true),
            ("not (mount_type == pki or namespace != \"\")", true),
            ("path == `a and b`", true),
        ] {
            assert_eq!(holds(text, "a and b"), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        let deep = format!("{}path == a{}", "(".repeat(100), ")".repeat(100));
        for text in
            ["", "path", "path ==", "password == x", "path == a b", "(path == a", "path = a", "path == \"a", &deep]
        {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
