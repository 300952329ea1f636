//! The one error of the harnesses: a sentence for the person who reads the test output.

use std::fmt;

/// What went wrong, in words. Harnesses stop at the first failure of their own machinery; findings about the server
/// under test are values, not failures.
#[derive(Debug, Clone)]
pub struct Failure(String);

/// A result whose error is a sentence.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure that says `text`.
    pub fn new(text: impl Into<String>) -> Failure {
        Failure(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure(error.to_string())
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Failure {
        Failure(error.to_string())
    }
}

/// Adds where it happened to an error.
pub trait Context<T> {
    /// Prefixes the error with `place`.
    ///
    /// # Errors
    /// The same error, with its place.
    fn at(self, place: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn at(self, place: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{place}: {error}")))
    }
}
