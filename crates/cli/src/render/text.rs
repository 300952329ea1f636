//! Values as people read them in a cell of a table.

use serde_json::Value;

/// A value in one line: maps as `map[a:b c:d]`, lists as `[a b]`, nothing as `<nil>`.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(list) => format!("[{}]", list.iter().map(text).collect::<Vec<_>>().join(" ")),
        Value::Object(members) => {
            let members: Vec<String> = members.iter().map(|(name, value)| format!("{name}:{}", text(value))).collect();
            format!("map[{}]", members.join(" "))
        }
    }
}

/// The text of a value in a cell of its own: what is empty says so.
pub fn or_none(value: &Value) -> String {
    match value {
        Value::String(text) if text.is_empty() => "n/a".to_owned(),
        other => text(other),
    }
}

/// Whether a member of this name is a number of seconds.
pub fn is_duration(name: &str) -> bool {
    ["ttl", "period", "duration", "lease_max", "ttl_max"].iter().any(|end| {
        name == *end || (name.ends_with(end) && name.as_bytes().get(name.len() - end.len() - 1) == Some(&b'_'))
    })
}

/// Seconds as `768h`, `59m58s`, `0s`.
pub fn duration(seconds: i64) -> String {
    let (sign, rest) = if seconds < 0 { ("-", seconds.unsigned_abs()) } else { ("", seconds.unsigned_abs()) };
    let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
    let text = match (hours, minutes, seconds) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, 0) => format!("{minutes}m"),
        (0, minutes, seconds) => format!("{minutes}m{seconds}s"),
        (hours, 0, 0) => format!("{hours}h"),
        (hours, minutes, 0) => format!("{hours}h{minutes}m"),
        (hours, minutes, seconds) => format!("{hours}h{minutes}m{seconds}s"),
    };
    format!("{sign}{text}")
}
