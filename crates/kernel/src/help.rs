//! `GET ?help=1`: what a path does and what it takes, from the route table.

use engine::{Fault, Reply, Route, Table};
use serde_json::json;
use std::fmt::Write as _;

/// The help page of a path, or of the whole mount for the empty path.
pub fn page<C: 'static>(table: &Table<C>, path: &str) -> Result<Reply, Fault> {
    let text = match (path, table.matched(path)) {
        ("", _) => overview(table),
        (_, Some(matched)) => route(matched.route),
        (_, None) => return Err(Fault::UnsupportedPath),
    };
    Ok(Reply::raw_json(json!({ "help": text, "see_also": null, "openapi": null })))
}

fn overview<C: 'static>(table: &Table<C>) -> String {
    let mut text = String::from("## PATHS\n\n");
    for route in table.routes() {
        // Writing to a string does not fail.
        let _ = write!(text, "    {}\n        {}\n\n", route.path, route.summary);
    }
    text
}

fn route<C: 'static>(route: &Route<C>) -> String {
    let mut text = format!("Request:        {}\n\n{}\n", route.path, route.summary);
    for action in &route.actions {
        let _ = write!(text, "\n## {}\n\n", action.operation.name().to_uppercase());
        for field in &action.fields {
            let _ = write!(text, "    {} ({:?})\n        {}\n\n", field.name, field.kind, field.description);
        }
    }
    text
}
