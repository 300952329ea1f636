//! What may differ between two right servers is replaced by a name: identifiers, tokens, accessors, times, addresses.

use std::collections::BTreeMap;

use serde_json::Value;

/// Replaces captured values and everything that looks generated.
pub(super) fn text(text: &str, captures: &BTreeMap<String, String>) -> String {
    let mut replaced = text.to_owned();
    let mut by_length: Vec<(&String, &String)> = captures.iter().filter(|(_, value)| value.len() >= 6).collect();
    by_length.sort_by_key(|(_, value)| std::cmp::Reverse(value.len()));
    for (name, value) in by_length {
        replaced = replaced.replace(value.as_str(), &format!("<{name}>"));
    }
    let mut normal = String::new();
    let mut word = String::new();
    for character in replaced.chars() {
        if character.is_ascii_alphanumeric() || "-_.:+".contains(character) {
            word.push(character);
        } else {
            normal.push_str(&classify(&word));
            word.clear();
            normal.push(character);
        }
    }
    normal.push_str(&classify(&word));
    normal
}

/// The JSON value with every string and key normalised.
pub(super) fn value(value: &Value, captures: &BTreeMap<String, String>) -> Value {
    match value {
        Value::String(string) => Value::String(text(string, captures)),
        Value::Array(items) => Value::Array(items.iter().map(|item| self::value(item, captures)).collect()),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, item)| (text(key, captures), self::value(item, captures))).collect())
        }
        other => other.clone(),
    }
}

fn classify(word: &str) -> String {
    let bare = word.trim_end_matches(['.', ':']);
    let end = word.get(bare.len()..).unwrap_or_default();
    let class = if is_uuid(bare) {
        "<uuid>"
    } else if is_time(bare) {
        "<time>"
    } else if is_token(bare) {
        "<token>"
    } else if bare.len() >= 32 && bare.chars().all(|character| character.is_ascii_hexdigit()) {
        "<hex>"
    } else if is_accessor(bare) {
        "<accessor>"
    } else if bare.starts_with("127.0.0.1:") {
        "<address>"
    } else if let Some((kind, tail)) = bare.rsplit_once('_')
        && tail.len() == 8
        && tail.chars().all(|character| character.is_ascii_hexdigit())
    {
        return format!("{kind}_<id>{end}");
    } else {
        return word.to_owned();
    };
    format!("{class}{end}")
}

fn is_uuid(word: &str) -> bool {
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && word.chars().all(|character| character.is_ascii_hexdigit() || character == '-')
}

fn is_time(word: &str) -> bool {
    let date = word.get(..11).unwrap_or_default();
    word.len() >= 20
        && date.ends_with('T')
        && date.chars().filter(|character| *character == '-').count() == 2
        && date.chars().take(4).all(|character| character.is_ascii_digit())
}

/// A token's accessor: 24 characters of all three kinds.
fn is_accessor(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().any(|character| kind(&character));
    word.len() == 24
        && word.chars().all(|character| character.is_ascii_alphanumeric())
        && has(char::is_ascii_uppercase)
        && has(char::is_ascii_lowercase)
        && has(char::is_ascii_digit)
}

fn is_token(word: &str) -> bool {
    ["hvs.", "hvb.", "hvr.", "s.", "b.", "r."]
        .iter()
        .any(|prefix| word.strip_prefix(prefix).is_some_and(|rest| rest.len() >= 20))
}
