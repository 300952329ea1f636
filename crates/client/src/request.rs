//! What is asked: operation, path, parameters and body.

use serde_json::{Map, Value};

/// An operation of the API, as the verb it has on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Reads.
    Read,
    /// Lists one level.
    List,
    /// Lists all levels.
    Scan,
    /// Creates or updates.
    Write,
    /// Changes what is named, leaves the rest.
    Patch,
    /// Deletes.
    Delete,
}

impl Operation {
    /// The HTTP method. Lists are reads with a parameter: proxies do not know verbs of our own.
    pub fn method(self) -> &'static str {
        match self {
            Self::Read | Self::List | Self::Scan => "GET",
            Self::Write => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }

    /// The parameter that a list is asked for with.
    pub(crate) fn parameter(self) -> Option<&'static str> {
        match self {
            Self::List => Some("list"),
            Self::Scan => Some("scan"),
            Self::Read | Self::Write | Self::Patch | Self::Delete => None,
        }
    }

    /// Whether doing it twice is the same as doing it once, so that any failure of the server may be retried.
    pub(crate) fn is_safe(self) -> bool {
        matches!(self, Self::Read | Self::List | Self::Scan)
    }
}

/// A request.
#[derive(Clone)]
pub struct Request {
    /// What to do.
    pub operation: Operation,
    /// Where, without `/v1/`, not encoded.
    pub path: String,
    /// Parameters of the address.
    pub query: Vec<(String, String)>,
    /// Body.
    pub body: Option<Value>,
    /// Asks for a reply that is not JSON, and for the bytes as they came.
    pub raw: bool,
    /// Wants the reply itself, even where replies are wrapped.
    pub unwrapped: bool,
}

impl Request {
    fn new(operation: Operation, path: &str, body: Option<Value>) -> Self {
        Self { operation, path: path.to_owned(), query: Vec::new(), body, raw: false, unwrapped: false }
    }

    /// Reads a path.
    #[must_use]
    pub fn read(path: &str) -> Self {
        Self::new(Operation::Read, path, None)
    }

    /// Lists a path.
    #[must_use]
    pub fn list(path: &str) -> Self {
        Self::new(Operation::List, path, None)
    }

    /// Lists a path and everything below it.
    #[must_use]
    pub fn scan(path: &str) -> Self {
        Self::new(Operation::Scan, path, None)
    }

    /// Writes a path.
    #[must_use]
    pub fn write(path: &str, body: Value) -> Self {
        Self::new(Operation::Write, path, Some(body))
    }

    /// Writes a path without anything to say.
    #[must_use]
    pub fn act(path: &str) -> Self {
        Self::write(path, Value::Object(Map::new()))
    }

    /// Patches a path.
    #[must_use]
    pub fn patch(path: &str, body: Value) -> Self {
        Self::new(Operation::Patch, path, Some(body))
    }

    /// Deletes a path.
    #[must_use]
    pub fn delete(path: &str) -> Self {
        Self::new(Operation::Delete, path, None)
    }

    /// With a parameter of the address.
    #[must_use]
    pub fn with_query(mut self, name: &str, value: &str) -> Self {
        self.query.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With a reply that is never wrapped.
    #[must_use]
    pub fn unwrapped(mut self) -> Self {
        self.unwrapped = true;
        self
    }

    /// With a reply that is taken as bytes.
    #[must_use]
    pub fn raw(mut self) -> Self {
        self.raw = true;
        self
    }
}

/// Bodies hold secrets.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.operation.method(), self.path)
    }
}
