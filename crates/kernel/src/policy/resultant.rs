//! `sys/internal/ui/resultant-acl`: the compiled rules, for user interfaces that hide what would be refused.

use super::acl::Acl;
use super::constraints::Constraints;
use super::pattern::Shape;
use super::rule::Rule;
use serde_json::{Map, Value, json};

impl Acl {
    /// Upstream's view: rules by exact path and by prefix. Patterns with `+` have no place in it.
    pub fn resultant(&self) -> Value {
        if self.is_root() {
            return json!({ "root": true });
        }
        let (mut exact, mut glob) = (Map::new(), Map::new());
        if self.is_closed() {
            glob.insert(String::new(), json!({ "capabilities": ["deny"] }));
            return json!({ "exact_paths": exact, "glob_paths": glob, "root": false });
        }
        for rule in &self.rules {
            match rule.priority.shape() {
                Shape::Exact(path) => drop(exact.insert(path.to_owned(), view(rule))),
                Shape::Prefix(path) => drop(glob.insert(path.to_owned(), view(rule))),
                Shape::Segments => {}
            }
        }
        json!({ "exact_paths": exact, "glob_paths": glob, "root": false })
    }
}

fn view(rule: &Rule) -> Value {
    let mut view = Map::new();
    view.insert("capabilities".to_owned(), rule.capabilities.names().into());
    if let Some(constraints) = &rule.constraints {
        add_constraints(&mut view, constraints);
    }
    Value::Object(view)
}

fn add_constraints(view: &mut Map<String, Value>, constraints: &Constraints) {
    for (name, rules) in [("allowed_parameters", &constraints.allowed), ("denied_parameters", &constraints.denied)] {
        if !rules.is_empty() {
            view.insert(name.to_owned(), json!(rules));
        }
    }
    if !constraints.required.is_empty() {
        view.insert("required_parameters".to_owned(), json!(constraints.required));
    }
    for (name, number) in [
        ("min_wrapping_ttl", constraints.wrapping_seconds_min),
        ("max_wrapping_ttl", constraints.wrapping_seconds_max),
        ("pagination_limit", constraints.pagination_limit),
    ] {
        if number != 0 {
            view.insert(name.to_owned(), number.into());
        }
    }
}
