//! `GET ?help=1`: what a path does and what it takes, from the route table.

use crate::mounts::MountEntry;
use crate::namespaces::Namespace;
use crate::sys::openapi;
use engine::{Fault, Reply, Route, Table};
use serde_json::json;
use std::fmt::Write as _;

/// The help page of a path, or of the whole mount for the empty path.
pub fn page<C: 'static>(
    namespace: &Namespace,
    mount: &MountEntry,
    table: &Table<C>,
    path: &str,
) -> Result<Reply, Fault> {
    let (text, pattern) = match (path, table.matched(path)) {
        ("", _) => (overview(table), None),
        (_, Some(matched)) => (of_path(table, matched.route.path), Some(matched.route.path)),
        (_, None) => return Err(Fault::UnsupportedPath),
    };
    let document = openapi::of_mount(namespace, mount, table, pattern);
    Ok(Reply::raw_json(json!({ "help": text, "see_also": null, "openapi": document })))
}

fn overview<C: 'static>(table: &Table<C>) -> String {
    let mut text = String::from("## PATHS\n\n");
    for route in table.routes() {
        // Writing to a string does not fail.
        let _ = write!(text, "    {}\n        {}\n\n", route.path, route.summary);
    }
    text
}

/// All routes of one pattern: what is heavy of it may be a route of its own.
fn of_path<C: 'static>(table: &Table<C>, pattern: &str) -> String {
    let routes: Vec<&Route<C>> = table.routes().iter().filter(|route| route.path == pattern).collect();
    let summary = routes.first().map_or("", |route| route.summary);
    let mut text = format!("Request:        {pattern}\n\n{summary}\n");
    for action in routes.iter().flat_map(|route| &route.actions) {
        let _ = write!(text, "\n## {}\n\n", action.operation.name().to_uppercase());
        for field in &action.fields {
            let _ = write!(text, "    {} ({:?})\n        {}\n\n", field.name, field.kind, field.description);
        }
    }
    text
}
