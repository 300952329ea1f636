//! JSON values as YAML 1.2 that YAML 1.1 readers understand the same way.
//!
//! Written here because numbers keep their digits as JSON wrote them, which emitters that go through a generic number
//! type lose. A text stands bare only if no reader can take it for something else; any other is quoted as in JSON, which
//! YAML reads alike, and texts of several lines are blocks.

use serde_json::Value;

/// Indentation of a level.
const STEP: usize = 2;

/// A document.
pub fn yaml(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => mapping(members, 0, &mut text),
        Value::Array(list) if !list.is_empty() => sequence(list, 0, &mut text),
        other => text.push_str(&format!("{}\n", scalar(other))),
    }
    text
}

fn mapping(members: &serde_json::Map<String, Value>, indent: usize, text: &mut String) {
    for (name, value) in members {
        text.push_str(&format!("{:indent$}{}:", "", quoted(name)));
        match value {
            Value::Object(inner) if !inner.is_empty() => {
                text.push('\n');
                mapping(inner, indent + STEP, text);
            }
            Value::Array(list) if !list.is_empty() => {
                text.push('\n');
                sequence(list, indent, text);
            }
            Value::String(lines) if is_block(lines) => block(lines, indent + STEP, text),
            other => text.push_str(&format!(" {}\n", scalar(other))),
        }
    }
}

fn sequence(list: &[Value], indent: usize, text: &mut String) {
    for value in list {
        let (mut inner, deeper) = (String::new(), indent + STEP);
        match value {
            Value::Object(members) if !members.is_empty() => mapping(members, deeper, &mut inner),
            Value::Array(list) if !list.is_empty() => sequence(list, deeper, &mut inner),
            other => inner.push_str(&format!("{:deeper$}{}\n", "", scalar(other))),
        }
        text.push_str(&format!("{:indent$}- {}", "", inner.trim_start_matches(' ')));
    }
}

/// Whether a text is shown as a block: several lines that end in one line break and need no escape.
fn is_block(text: &str) -> bool {
    let printable = |letter: char| letter == '\n' || (!letter.is_control() && !is_special(letter));
    text.ends_with('\n')
        && !text.ends_with("\n\n")
        && text.len() > 1
        && !text.starts_with(char::is_whitespace)
        && text.chars().all(printable)
}

/// Line and paragraph separators and the byte order mark, which YAML treats as its own.
fn is_special(letter: char) -> bool {
    matches!(letter, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn block(lines: &str, indent: usize, text: &mut String) {
    text.push_str(" |\n");
    for line in lines.lines() {
        if line.is_empty() {
            text.push('\n');
        } else {
            text.push_str(&format!("{:indent$}{line}\n", ""));
        }
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        other => other.to_string(),
    }
}

fn quoted(text: &str) -> String {
    if is_bare(text) {
        return text.to_owned();
    }
    let mut quoted = String::new();
    for letter in Value::from(text).to_string().chars() {
        if is_special(letter) || letter == '\u{7f}' {
            quoted.push_str(&format!("\\u{:04x}", u32::from(letter)));
        } else {
            quoted.push(letter);
        }
    }
    quoted
}

/// Words that some reader takes for a truth or for nothing.
const WORDS: [&str; 12] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf", "~"];

fn is_bare(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || first == '/')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || "_./-".contains(letter))
        && !WORDS.contains(&text.to_ascii_lowercase().as_str())
}
