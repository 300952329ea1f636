//! `key=value` arguments: `key=@file`, `key=-` for standard input, `@file` and `-` alone for an object in JSON.

use crate::failure::{Failure, Outcome};
use crate::terminal::Terminal;
use serde_json::{Map, Value};

/// Names whose values nobody else on the machine should see.
const SECRET_NAMES: [&str; 10] = [
    "password",
    "passwd",
    "passphrase",
    "passcode",
    "bindpass",
    "token",
    "secret_id",
    "secret_key",
    "private_key",
    "client_secret",
];

/// The fields that arguments name; a key given twice becomes a list.
pub fn parse(terminal: &Terminal, arguments: &[String]) -> Outcome<Map<String, Value>> {
    let mut fields = Map::new();
    let mut input_is_taken = false;
    for argument in arguments {
        let wrong = |why: String| Failure::usage(format!("Failed to parse K=V data: {why}"));
        if argument == "-" || argument.ends_with("=-") {
            if input_is_taken {
                return Err(wrong("standard input can be used once only".to_owned()));
            }
            input_is_taken = true;
        }
        let object = match argument.as_str() {
            "-" => Some(terminal.input()?),
            text => match text.strip_prefix('@') {
                Some(path) => Some(terminal.file(path).map_err(|error| wrong(error.message))?),
                None => None,
            },
        };
        if let Some(object) = object {
            let object: Map<String, Value> = serde_json::from_str(&object)
                .map_err(|error| wrong(format!("{argument} is no object in JSON: line {}", error.line())))?;
            fields.extend(object);
            continue;
        }
        let Some((key, value)) = argument.split_once('=').filter(|(key, _)| !key.is_empty()) else {
            // What was typed here may be a secret, so only its place is told.
            return Err(wrong("an argument is no key=value pair".to_owned())
                .hint("Values look like key=value, key=@file, key=- (standard input), @file.json or -.".to_owned()));
        };
        warn_of_secret(terminal, key, value);
        add(&mut fields, key, value_of(terminal, key, value).map_err(|error| wrong(error.message))?);
    }
    Ok(fields)
}

fn value_of(terminal: &Terminal, key: &str, value: &str) -> Outcome<String> {
    match value {
        "-" => Ok(terminal.secret_input(&format!("Value of {key}"))?.to_string()),
        _ => match (value.strip_prefix('@'), value.strip_prefix("\\@")) {
            (Some(path), _) => Ok(terminal.file(path)?.to_string()),
            (None, Some(rest)) => Ok(format!("@{rest}")),
            (None, None) => Ok(value.to_owned()),
        },
    }
}

fn add(fields: &mut Map<String, Value>, key: &str, value: String) {
    match fields.get_mut(key) {
        None => {
            fields.insert(key.to_owned(), value.into());
        }
        Some(Value::Array(list)) => list.push(value.into()),
        Some(single) => *single = Value::Array(vec![single.take(), value.into()]),
    }
}

fn warn_of_secret(terminal: &Terminal, key: &str, value: &str) {
    let is_argument = !value.is_empty() && value != "-" && !value.starts_with('@');
    if is_argument && SECRET_NAMES.contains(&key.to_lowercase().as_str()) {
        terminal.warn(&format!(
            "The value of {key} is an argument: the shell's history keeps it, and other users of this machine can see it. \
             Give {key}=- or {key}=@file instead."
        ));
    }
}

/// Warns of a secret that stands alone among the arguments.
pub fn warn_of_argument(terminal: &Terminal, what: &str) {
    terminal.warn(&format!(
        "The {what} is an argument: the shell's history keeps it, and other users of this machine can see it. Leave it \
         out to be asked for it, or give - to read it from standard input."
    ));
}
