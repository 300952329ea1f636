//! The peer's own list of operations, as templates that concrete paths are matched against.

use std::fs;
use std::path::Path;

use crate::failure::{Context, Failure, Outcome};

/// One operation: a verb on a path template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// `GET`, `POST`, `PATCH` or `DELETE`.
    pub method: String,
    /// The template with its leading slash and `{variables}`.
    pub template: String,
    /// Answered only as a list (`LIST`, or `GET` with `?list=true`).
    pub list_only: bool,
    /// Answered as a list too.
    pub lists: bool,
    /// Needs no token.
    pub unauthenticated: bool,
}

/// All operations.
#[derive(Debug, Clone, Default)]
pub struct Operations(pub Vec<Operation>);

impl Operations {
    /// Reads the table of method, template and marks.
    ///
    /// # Errors
    /// If the file cannot be read or a line has not three columns.
    pub fn read(path: &Path) -> Outcome<Operations> {
        let text = fs::read_to_string(path).at(path.display())?;
        let mut operations = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let columns: Vec<&str> = line.split('\t').collect();
            let [method, template, marks] = columns.as_slice() else {
                return Err(Failure::new(format!("not three columns: {line}")));
            };
            operations.push(Operation {
                method: (*method).to_owned(),
                template: (*template).to_owned(),
                list_only: marks.contains("list!"),
                lists: marks.contains("list"),
                unauthenticated: marks.contains("unauthenticated"),
            });
        }
        Ok(Operations(operations))
    }

    /// The template that `path` (after `/v1/`, without query) belongs to: the one with the most literal segments.
    pub fn template_of(&self, path: &str) -> Option<&str> {
        let path = format!("/{}", path.split('?').next().unwrap_or_default().trim_end_matches('/'));
        let matching = self.0.iter().filter(|operation| template_matches(&operation.template, &path));
        matching.map(|operation| operation.template.as_str()).max_by_key(|template| literal_segments(template))
    }

    /// Whether the peer says that it serves `method` on `template`.
    pub fn serves(&self, template: &str, method: &str) -> bool {
        self.0.iter().filter(|operation| operation.template == template).any(|operation| match method {
            "LIST" => operation.lists,
            "GET" => operation.method == "GET" && !operation.list_only,
            "PUT" => operation.method == "POST",
            other => operation.method == other,
        })
    }
}

/// Whether the segment is a `{variable}`.
pub(super) fn is_variable(segment: &str) -> bool {
    segment.starts_with('{') && segment.ends_with('}')
}

fn literal_segments(template: &str) -> usize {
    template.split('/').filter(|segment| !is_variable(segment)).count()
}

/// A last `{path}`-like variable takes all that is left; others take one segment.
fn template_matches(template: &str, path: &str) -> bool {
    let mut segments = path.split('/');
    let mut pattern = template.trim_end_matches('/').split('/').peekable();
    while let Some(expected) = pattern.next() {
        let Some(segment) = segments.next() else { return false };
        if is_variable(expected) {
            let takes_rest = matches!(expected, "{path}" | "{prefix}" | "{url_lease_id}" | "{name}");
            if takes_rest && pattern.peek().is_none() {
                return true;
            }
        } else if expected != segment {
            return false;
        }
    }
    segments.next().is_none()
}
