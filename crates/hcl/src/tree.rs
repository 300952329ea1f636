//! The tree that both syntaxes are read into.

use std::fmt;

/// A place in a text, both parts counted from 1; the column counts characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

impl Position {
    /// The first character.
    pub const START: Position = Position { line: 1, column: 1 };
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// A whole text.
pub type Document = Body;

/// Attributes and blocks, in the order of the text.
#[derive(Clone, PartialEq, Default)]
pub struct Body {
    /// What stands in it; a key may occur more than once.
    pub items: Vec<Item>,
}

/// One attribute (`key = value`, no labels) or block (`key "label" { … }`).
#[derive(Clone, PartialEq)]
pub struct Item {
    /// Its name, unquoted.
    pub key: String,
    /// The names between key and body. Always empty in JSON, where labels are the keys of nested objects:
    /// [`Body::blocks`] sees through the difference.
    pub labels: Vec<String>,
    /// What it holds; a block holds a [`Value::Body`].
    pub value: Value,
    /// Where its key begins.
    pub position: Position,
}

/// What an attribute holds.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// JSON's `null`; HCL 1 has none.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A quoted text or a heredoc.
    String(String),
    /// `[a, b]`.
    List(Vec<Value>),
    /// `{ … }`.
    Body(Body),
}

/// A number as written: whole ones (decimal, `0x` hexadecimal, `0` octal) keep all 64 bits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// Without fraction or exponent.
    Integer(i64),
    /// With fraction or exponent; always finite.
    Float(f64),
}

/// Keys and shape only: a configuration holds secrets.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.items).finish()
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.key)?;
        for label in &self.labels {
            write!(f, "{label:?} ")?;
        }
        fmt::Debug::fmt(&self.value, f)
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Body(body) => fmt::Debug::fmt(body, f),
            Value::List(values) => f.debug_list().entries(values).finish(),
            other => f.write_str(other.kind()),
        }
    }
}
