//! What readers of a document ask: the blocks of a kind, an attribute, and a value as the type they need.

use crate::duration::parse_duration_seconds;
use crate::error::{Error, ErrorKind};
use crate::tree::{Body, Item, Number, Position, Value};

/// A block with its labels, whichever syntax it was written in.
#[derive(Debug, Clone, PartialEq)]
pub struct Block<'a> {
    /// Its labels, as many as were asked for.
    pub labels: Vec<&'a str>,
    /// What stands in it.
    pub body: &'a Body,
    /// Where its key begins.
    pub position: Position,
}

impl<'a> Block<'a> {
    /// The first label, or nothing if it was asked for without labels.
    pub fn label(&self) -> &'a str {
        self.labels.first().copied().unwrap_or_default()
    }
}

impl Body {
    /// The last item of this key that has no labels: a later assignment wins, as upstream decodes it.
    pub fn attribute(&self, key: &str) -> Option<&Value> {
        self.item(key).map(|item| &item.value)
    }

    /// The last item of this key that has no labels, with its position.
    pub fn item(&self, key: &str) -> Option<&Item> {
        self.items.iter().rev().find(|item| item.key == key && item.labels.is_empty())
    }

    /// All items of this key, in order.
    pub fn items_of<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a Item> {
        self.items.iter().filter(move |item| item.key == key)
    }

    /// The blocks of a key that carry so many labels, in order. All of these are the same two blocks:
    /// `listener "tcp" {} listener "unix" {}`, `listener = { tcp = {}, unix = {} }`, `{"listener": {"tcp": {}, "unix": {}}}`
    /// and `{"listener": [{"tcp": {}}, {"unix": [{}]}]}`.
    ///
    /// # Errors
    /// An item of this key that is no block, or has fewer or more labels.
    pub fn blocks<'a>(&'a self, key: &str, labels: usize) -> Result<Vec<Block<'a>>, Error> {
        let mut blocks = Vec::new();
        for item in self.items.iter().filter(|item| item.key == key) {
            if item.labels.len() > labels {
                return Err(Error::new(item.position, ErrorKind::Labels { labels }));
            }
            let given: Vec<&str> = item.labels.iter().map(String::as_str).collect();
            expand(&item.value, given, labels, item.position, &mut blocks)?;
        }
        Ok(blocks)
    }

    /// The only body of a key without labels, `None` if there is none: `telemetry { … }`.
    ///
    /// # Errors
    /// More than one, or a value that is no object.
    pub fn block<'a>(&'a self, key: &str) -> Result<Option<Block<'a>>, Error> {
        let mut blocks = self.blocks(key, 0)?;
        match blocks.get(1) {
            Some(second) => Err(Error::new(second.position, ErrorKind::Type { expected: "only one such block" })),
            None => Ok(blocks.pop()),
        }
    }

    /// The keys that no entry of `known` names, with their places: what a reader warns about.
    pub fn unknown_keys<'a>(&'a self, known: &[&str]) -> Vec<(&'a str, Position)> {
        let unknown = self.items.iter().filter(|item| !known.contains(&item.key.as_str()));
        unknown.map(|item| (item.key.as_str(), item.position)).collect()
    }
}

/// Descends from a value to the bodies that stand `labels - given` objects below it. The depth of the recursion is the
/// depth of the tree, which the parser has bounded.
fn expand<'a>(
    value: &'a Value,
    given: Vec<&'a str>,
    labels: usize,
    position: Position,
    blocks: &mut Vec<Block<'a>>,
) -> Result<(), Error> {
    match value {
        Value::List(values) => {
            for value in values {
                expand(value, given.clone(), labels, position, blocks)?;
            }
        }
        Value::Body(body) if given.len() == labels => blocks.push(Block { labels: given, body, position }),
        Value::Body(body) => {
            for item in &body.items {
                let mut deeper = given.clone();
                deeper.push(&item.key);
                deeper.extend(item.labels.iter().map(String::as_str));
                if deeper.len() > labels {
                    return Err(Error::new(item.position, ErrorKind::Labels { labels }));
                }
                expand(&item.value, deeper, labels, item.position, blocks)?;
            }
        }
        _ => return Err(Error::new(position, ErrorKind::Type { expected: "a block" })),
    }
    Ok(())
}

impl Value {
    /// The name of its type, for messages.
    pub const fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::List(_) => "a list",
            Value::Body(_) => "an object",
        }
    }

    /// A string, or a number or boolean as text; nothing else.
    pub fn as_string(&self) -> Option<String> {
        match self {
            Value::String(text) => Some(text.clone()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }

    /// A string only.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Value::String(text) => Some(text),
            _ => None,
        }
    }

    /// `true`, `1`, or one of Go's spellings of a boolean as text (`"1"`, `"t"`, `"true"`, `"FALSE"`, …).
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(flag) => Some(*flag),
            Value::Number(Number::Integer(number)) => Some(*number != 0),
            Value::String(text) => match text.as_str() {
                "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
                "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
                _ => None,
            },
            _ => None,
        }
    }

    /// A whole number, or a text that is one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Number(Number::Integer(number)) => Some(*number),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    /// The elements of a list; anything else is a list of itself, since HCL 1 reads `a = "x"` and `a = ["x"]` alike.
    pub fn as_list(&self) -> &[Value] {
        match self {
            Value::List(values) => values,
            other => std::slice::from_ref(other),
        }
    }

    /// A list of texts; a single text is a list of one. `None` if an element is no text, number or boolean.
    pub fn as_string_list(&self) -> Option<Vec<String>> {
        self.as_list().iter().map(Value::as_string).collect()
    }

    /// The body of an object, or of a list that holds exactly one (JSON's other spelling of a block).
    pub fn as_body(&self) -> Option<&Body> {
        match self {
            Value::Body(body) => Some(body),
            Value::List(values) => match values.as_slice() {
                [Value::Body(body)] => Some(body),
                _ => None,
            },
            _ => None,
        }
    }

    /// Whole seconds from a number, a numeric text or a duration (`"768h"`, `"30s"`, `"1h30m"`, `"1d"`). Fractions of a
    /// second are cut. `None` for anything negative, malformed or longer than [`crate::duration::SECONDS_MAX`].
    pub fn as_duration_seconds(&self) -> Option<u64> {
        match self {
            Value::Number(Number::Integer(seconds)) => parse_duration_seconds(&seconds.to_string()),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded by the condition")]
            Value::Number(Number::Float(seconds)) => (0.0..=3e9).contains(seconds).then_some(*seconds as u64),
            Value::String(text) => parse_duration_seconds(text),
            _ => None,
        }
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Number::Integer(number) => number.fmt(f),
            Number::Float(number) => number.fmt(f),
        }
    }
}
