//! The path patterns of rules, and which of two is the more specific.

use std::cmp::Reverse;

/// A segment that matches any segment.
pub(super) const ANY_SEGMENT: &str = "+";

/// A rule's path, taken apart. The text before the first wildcard holds the namespace's path, in which `+` and `*` are
/// ordinary characters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Pattern {
    /// What a path must begin with, or be.
    pub(super) literal: String,
    /// What follows.
    pub(super) tail: Tail,
}

/// The part of a pattern from its first wildcard on.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tail {
    /// Nothing: the path is the literal.
    Exact,
    /// `*`: anything.
    Glob,
    /// Segments, the first of them `+`.
    Segments {
        /// All segments; if `glob`, all but the last.
        segments: Vec<String>,
        /// For a pattern that ends in `*`: what the rest of the path begins with.
        glob: Option<String>,
    },
}

impl Pattern {
    /// Of a rule's path in the namespace at `prefix`.
    pub(super) fn new(prefix: &str, path: &str) -> Self {
        let (body, glob) = path.strip_suffix('*').map_or((path, false), |body| (body, true));
        let Some(at) = first_wildcard_segment(body) else {
            let tail = if glob { Tail::Glob } else { Tail::Exact };
            return Self { literal: format!("{prefix}{body}"), tail };
        };
        let (literal, rest) = body.split_at(at);
        let mut segments: Vec<String> = rest.split('/').map(str::to_owned).collect();
        let glob = if glob { segments.pop() } else { None };
        Self { literal: format!("{prefix}{literal}"), tail: Tail::Segments { segments, glob } }
    }

    /// How specific it is among patterns that match one path: the greater is the one that counts.
    pub(super) fn priority(&self) -> Priority {
        let text = self.text();
        let (ends_in_glob, wildcards) = match &self.tail {
            Tail::Exact => (false, 0),
            Tail::Glob => (true, 0),
            Tail::Segments { segments, glob } => {
                (glob.is_some(), segments.iter().filter(|segment| *segment == ANY_SEGMENT).count())
            }
        };
        Priority {
            exact: self.tail == Tail::Exact,
            first_wildcard: self.literal.len(),
            complete: !ends_in_glob,
            wildcards: Reverse(wildcards),
            length: text.len(),
            text,
        }
    }

    /// The whole pattern as it would be written in the root namespace.
    pub(super) fn text(&self) -> String {
        match &self.tail {
            Tail::Exact => self.literal.clone(),
            Tail::Glob => format!("{}*", self.literal),
            Tail::Segments { segments, glob: None } => format!("{}{}", self.literal, segments.join("/")),
            Tail::Segments { segments, glob: Some(last) } => {
                format!("{}{}/{last}*", self.literal, segments.join("/"))
            }
        }
    }
}

/// The order of upstream's priority rules; fields are compared from the top.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Priority {
    exact: bool,
    first_wildcard: usize,
    complete: bool,
    wildcards: Reverse<usize>,
    length: usize,
    text: String,
}

/// What kind of pattern a rule has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape<'a> {
    /// This path only.
    Exact(&'a str),
    /// All paths that begin with this.
    Prefix(&'a str),
    /// Something with `+`.
    Segments,
}

impl Priority {
    /// The pattern's kind, and the text of the simple ones.
    pub(super) fn shape(&self) -> Shape<'_> {
        match self.text.get(..self.first_wildcard) {
            _ if self.exact => Shape::Exact(&self.text),
            Some(prefix) if !self.complete && self.length == self.first_wildcard + 1 => Shape::Prefix(prefix),
            _ => Shape::Segments,
        }
    }
}

/// Where the first segment that is `+` begins.
fn first_wildcard_segment(path: &str) -> Option<usize> {
    let mut start = 0;
    for segment in path.split('/') {
        if segment == ANY_SEGMENT {
            return Some(start);
        }
        start += segment.len() + 1;
    }
    None
}
