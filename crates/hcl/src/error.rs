//! What can be wrong with a text, and where.

use crate::tree::Position;

/// A text that is not HCL 1 or JSON, or a value that is not what its reader asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("at {position}: {kind}")]
pub struct Error {
    position: Position,
    kind: ErrorKind,
}

impl Error {
    /// An error at a place.
    pub const fn new(position: Position, kind: ErrorKind) -> Self {
        Self { position, kind }
    }

    /// Where.
    pub const fn position(&self) -> Position {
        self.position
    }

    /// What.
    pub const fn kind(&self) -> &ErrorKind {
        &self.kind
    }
}

/// What is wrong. No variant carries text of the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Longer than [`crate::Options::bytes_max`].
    #[error("text is longer than {bytes_max} bytes")]
    TooLong {
        /// The limit.
        bytes_max: usize,
    },
    /// Nested deeper than [`crate::Options::depth_max`].
    #[error("nested deeper than {depth_max} levels")]
    TooDeep {
        /// The limit.
        depth_max: usize,
    },
    /// A character that starts nothing.
    #[error("illegal character")]
    IllegalCharacter,
    /// A quoted text without its closing quote on the line.
    #[error("literal not terminated")]
    UnterminatedString,
    /// A `/*` without `*/`.
    #[error("comment not terminated")]
    UnterminatedComment,
    /// A `<<MARK` whose closing mark is missing.
    #[error("heredoc not terminated")]
    UnterminatedHeredoc,
    /// A `<<` without a mark, or with something behind it on the line.
    #[error("heredoc marker is not valid")]
    HeredocMarker,
    /// A backslash that starts no escape.
    #[error("illegal escape sequence")]
    Escape,
    /// A number that is malformed or does not fit 64 bits.
    #[error("number is not valid")]
    Number,
    /// Something else stood where one thing was wanted.
    #[error("expected {expected}, found {found}")]
    Expected {
        /// What was wanted.
        expected: &'static str,
        /// The kind of what stood there.
        found: &'static str,
    },
    /// A key twice in one JSON object.
    #[error("duplicate key in object")]
    DuplicateKey,
    /// A value of another type than its reader asked for.
    #[error("expected {expected}")]
    Type {
        /// What was wanted.
        expected: &'static str,
    },
    /// A block with fewer or more labels than it takes.
    #[error("expected a block with {labels} labels")]
    Labels {
        /// How many it takes.
        labels: usize,
    },
}
