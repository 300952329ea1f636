//! `list_scan_response_keys_filter_path`: keeps in the reply of a list only the names that the caller may read or list.
//!
//! The template holds `{{ .key }}` (a name of the reply), maybe `{{ .path }}` (the folder that was listed, with a slash at
//! its end), and the functions `replace "from" "to"`, `lowercase` and `uppercase` behind `|`. The functions are pure
//! (S117).

use super::acl::{Acl, Check};
use wire::Operation;

/// Longest path that a template may make; keys that make a longer one are left out.
const RENDERED_BYTES_MAX: usize = 16 * 1024;

/// Tells which names of a list the caller may see.
#[derive(Debug, Clone)]
pub struct KeysFilter<'a> {
    pub(super) acl: &'a Acl,
    pub(super) template: &'a KeysTemplate,
    /// Path of the namespace that the rule stands in.
    pub(super) prefix: &'a str,
    /// The folder that was listed, relative to that namespace.
    pub(super) folder: String,
}

impl KeysFilter<'_> {
    /// Whether a name stays: a folder if the caller may list it, anything else if the caller may read it.
    pub fn retains(&self, key: &str) -> bool {
        let Some(path) = self.template.render(&self.folder, key) else { return false };
        let operation = if key.ends_with('/') { Operation::List } else { Operation::Read };
        let path = format!("{}{path}", self.prefix);
        self.acl.check(&Check { path: &path, operation, parameters: None, wrap_ttl: None }).allowed
    }
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct KeysTemplate {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Expression(Source, Vec<Function>),
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Source {
    Key,
    Path,
    /// Any other field has no value.
    Nothing,
}

#[derive(Debug, Clone, PartialEq)]
enum Function {
    Replace(String, String),
    Lowercase,
    Uppercase,
}

impl KeysTemplate {
    /// Parses, and makes sure that two keys make two paths.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |what: String| {
            format!(
                "unable to compile template for list_scan_response_keys_filter_path: unable to parse template: {what}"
            )
        };
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (expression, after) = after.split_once("}}").ok_or_else(|| wrong("unclosed action".to_owned()))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(parse_expression(expression).map_err(wrong)?);
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        let template = Self { parts };
        if template.render("folder/", "one") == template.render("folder/", "other") {
            return Err("list_scan_response_keys_filter_path resulted in same path for two different keys".to_owned());
        }
        Ok(template)
    }

    fn render(&self, folder: &str, key: &str) -> Option<String> {
        let mut path = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Expression(source, functions) => {
                    let value = match source {
                        Source::Key => key,
                        Source::Path => folder,
                        Source::Nothing => "<no value>",
                    };
                    path.push_str(&functions.iter().try_fold(value.to_owned(), apply)?);
                }
            }
            if path.len() > RENDERED_BYTES_MAX {
                return None;
            }
        }
        Some(path)
    }
}

fn apply(value: String, function: &Function) -> Option<String> {
    let value = match function {
        Function::Replace(from, to) => value.replace(from.as_str(), to),
        Function::Lowercase => value.to_lowercase(),
        Function::Uppercase => value.to_uppercase(),
    };
    (value.len() <= RENDERED_BYTES_MAX).then_some(value)
}

/// `.key`, `.path | replace "a" "b" | lowercase`.
fn parse_expression(text: &str) -> Result<Part, String> {
    let words = words(text)?;
    let mut stages = words.split(|word| *word == Word::Pipe);
    let source = match stages.next() {
        Some([Word::Name(name)]) if name == ".key" => Source::Key,
        Some([Word::Name(name)]) if name == ".path" => Source::Path,
        Some([Word::Name(name)]) if name.starts_with('.') => Source::Nothing,
        Some([Word::Name(name), ..]) if !name.starts_with('.') => return Err(undefined(name)),
        _ => return Err("expected a field".to_owned()),
    };
    let functions = stages.map(parse_function).collect::<Result<_, _>>()?;
    Ok(Part::Expression(source, functions))
}

fn parse_function(stage: &[Word]) -> Result<Function, String> {
    match stage {
        [Word::Name(name), Word::Text(from), Word::Text(to)] if name == "replace" && !from.is_empty() => {
            Ok(Function::Replace(from.clone(), to.clone()))
        }
        [Word::Name(name)] if name == "lowercase" => Ok(Function::Lowercase),
        [Word::Name(name)] if name == "uppercase" => Ok(Function::Uppercase),
        [Word::Name(name), ..] if matches!(name.as_str(), "replace" | "lowercase" | "uppercase") => {
            Err(format!("wrong arguments for {name}"))
        }
        [Word::Name(name), ..] => Err(undefined(name)),
        _ => Err("expected a function".to_owned()),
    }
}

fn undefined(name: &str) -> String {
    format!("function {name:?} not defined")
}

#[derive(Debug, PartialEq)]
enum Word {
    Name(String),
    Text(String),
    Pipe,
}

fn words(mut rest: &str) -> Result<Vec<Word>, String> {
    let mut words = Vec::new();
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Ok(words) };
        if first == '|' {
            words.push(Word::Pipe);
            rest = rest.strip_prefix('|').unwrap_or_default();
        } else if let Some(text) = rest.strip_prefix('"') {
            let (text, after) = text.split_once('"').ok_or("unterminated quoted string")?;
            words.push(Word::Text(text.to_owned()));
            rest = after;
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || matches!(c, '|' | '"')).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            words.push(Word::Name(name.to_owned()));
            rest = after;
        }
    }
}
