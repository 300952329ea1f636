//! Upstream's lenient scalars: a duration may be `"1h30m"`, `"3600"` or 3600, a list `"a,b"` or `["a","b"]`, a boolean
//! `true`, `"true"` or 1. Errors never repeat the value, since it may be a secret in the wrong field (S38).

use serde_json::Value;

/// A value of the wrong type or form; says what was wanted, never what came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {0}")]
pub struct ScalarError(pub &'static str);

/// Longest duration accepted, in seconds: 100 years of 366 days.
pub const SECONDS_MAX: i64 = 100 * 366 * 86_400;

/// Seconds from a number, a numeric string or a Go duration (`"1h30m"`, also `"1d"`). Fractions are cut.
pub fn seconds(value: &Value) -> Result<i64, ScalarError> {
    const WANTED: ScalarError = ScalarError("a duration");
    let seconds = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole)).ok_or(WANTED)?,
        Value::String(text) => parse_duration(text).ok_or(WANTED)?,
        _ => return Err(WANTED),
    };
    if seconds.abs() > SECONDS_MAX { Err(ScalarError("a duration of at most 100 years")) } else { Ok(seconds) }
}

/// Parses `"90"`, `"90s"`, `"1h30m"`, `"-5s"`, `"1.5h"`, `"2d"`; the empty string is zero, and one with blanks is none.
pub fn parse_duration(text: &str) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest.bytes().all(|byte| byte.is_ascii_digit()) {
        let seconds: i64 = rest.parse().ok()?;
        return Some(if sign < 0.0 { -seconds } else { seconds });
    }
    let mut total = 0.0_f64;
    let mut rest = rest;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest.get(..digits)?.parse().ok()?;
        rest = rest.get(digits..)?;
        let letters = rest.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(rest.len());
        total += number * unit_seconds(rest.get(..letters)?)?;
        rest = rest.get(letters..)?;
    }
    whole(sign * total)
}

fn unit_seconds(unit: &str) -> Option<f64> {
    Some(match unit {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => return None,
    })
}

fn whole(number: f64) -> Option<i64> {
    // The bound is exactly representable, so the conversion neither wraps nor saturates.
    #[expect(clippy::cast_possible_truncation, reason = "bounded by the condition")]
    (number.abs() <= 9e15).then_some(number.trunc() as i64)
}

/// An integer from a number or a numeric string.
pub fn integer(value: &Value) -> Result<i64, ScalarError> {
    const WANTED: ScalarError = ScalarError("an integer");
    match value {
        // `1e3` and `2.0` are integers that somebody's encoder wrote in another form; `1.5` is none.
        Value::Number(number) => {
            let exact = || number.as_f64().filter(|value| value.fract() == 0.0).and_then(whole);
            number.as_i64().or_else(exact).ok_or(WANTED)
        }
        Value::String(text) if text.is_empty() => Ok(0),
        Value::String(text) => text.parse().map_err(|_| WANTED),
        _ => Err(WANTED),
    }
}

/// A boolean from itself, a number or Go's spellings of it.
pub fn boolean(value: &Value) -> Result<bool, ScalarError> {
    const WANTED: ScalarError = ScalarError("a boolean");
    match value {
        Value::Bool(value) => Ok(*value),
        Value::Number(number) => Ok(number.as_i64().ok_or(WANTED)? != 0),
        Value::String(text) => match text.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
            "" | "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
            _ => Err(WANTED),
        },
        _ => Err(WANTED),
    }
}

/// A string from itself, a number or a boolean.
pub fn string(value: &Value) -> Result<String, ScalarError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(true) => Ok("1".to_owned()),
        Value::Bool(false) => Ok("0".to_owned()),
        _ => Err(ScalarError("a string")),
    }
}

/// A list of strings from an array or a comma-separated string; blanks around items and empty items are dropped.
pub fn comma_list(value: &Value) -> Result<Vec<String>, ScalarError> {
    match value {
        Value::Array(items) => Ok(trimmed(items.iter().map(string).collect::<Result<Vec<_>, _>>()?.iter())),
        other => Ok(trimmed(string(other)?.split(','))),
    }
}

/// A list of strings from an array, or one string as a list of one.
pub fn string_list(value: &Value) -> Result<Vec<String>, ScalarError> {
    match value {
        Value::Array(items) => items.iter().map(string).collect(),
        Value::String(text) if text.is_empty() => Ok(Vec::new()),
        other => Ok(vec![string(other)?]),
    }
}

/// String pairs from an object, a list of `k=v` or one `k=v` string.
pub fn pairs(value: &Value) -> Result<std::collections::BTreeMap<String, String>, ScalarError> {
    const WANTED: ScalarError = ScalarError("key=value pairs");
    let split = |text: &str| {
        let (key, value) = text.split_once('=').ok_or(WANTED)?;
        Ok((key.trim().to_owned(), value.trim().to_owned()))
    };
    match value {
        Value::Null => Ok(Default::default()),
        Value::Object(members) => {
            members.iter().map(|(key, value)| Ok((key.clone(), string(value).map_err(|_| WANTED)?))).collect()
        }
        Value::Array(items) => items.iter().map(|item| item.as_str().ok_or(WANTED).and_then(split)).collect(),
        Value::String(text) if text.trim().is_empty() => Ok(Default::default()),
        Value::String(text) => match serde_json::from_str::<Value>(text) {
            Ok(object @ Value::Object(_)) => pairs(&object),
            _ => text.split(',').map(split).collect(),
        },
        _ => Err(WANTED),
    }
}

fn trimmed<S: AsRef<str>>(items: impl Iterator<Item = S>) -> Vec<String> {
    items.map(|item| item.as_ref().trim().to_owned()).filter(|item| !item.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn durations_in_every_spelling() {
        for (text, wanted) in [
            ("", Some(0)),
            ("90", Some(90)),
            ("90s", Some(90)),
            ("1h30m", Some(5400)),
            ("1.5h", Some(5400)),
            ("-5s", Some(-5)),
            ("2d", Some(172_800)),
            ("500ms", Some(0)),
            ("h", None),
            ("5x", None),
            (" 5", None),
            ("5 ", None),
            ("1h 5m", None),
            ("-", None),
            ("1e9", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse_duration(text), wanted, "{text:?}");
        }
        assert_eq!(seconds(&json!(3600)), Ok(3600));
        assert_eq!(seconds(&json!("3600")), Ok(3600));
        assert!(seconds(&json!([1])).is_err());
        assert!(seconds(&json!(1e300)).is_err());
    }

    #[test]
    fn s38_an_error_never_repeats_the_value() {
        let canary = json!({"canary-3141": ["canary-3141"]});
        for text in [
            seconds(&canary).unwrap_err().to_string(),
            integer(&canary).unwrap_err().to_string(),
            boolean(&json!("canary-3141")).unwrap_err().to_string(),
            string(&canary).unwrap_err().to_string(),
            pairs(&json!("canary-3141")).unwrap_err().to_string(),
        ] {
            assert!(!text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn lists_and_pairs() {
        assert_eq!(comma_list(&json!("a, b,,c")).unwrap(), ["a", "b", "c"]);
        assert_eq!(comma_list(&json!(["a", 1])).unwrap(), ["a", "1"]);
        assert_eq!(pairs(&json!(["a=b", "c=d=e"])).unwrap().get("c").unwrap(), "d=e");
        assert_eq!(pairs(&json!({"a": 1})).unwrap().get("a").unwrap(), "1");
    }
}
