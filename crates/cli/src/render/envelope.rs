//! The reply envelope: as data for `-format`, as fields for `-field`, as tables for people.

use super::{duration, is_duration, or_none, pairs, text};
use client::Reply;
use serde_json::{Map, Value, json};

/// Keys and values of a table.
pub type Pairs = Vec<(String, String)>;

/// The members that clients print: those that are unset are left out where upstream leaves them out.
pub fn value(reply: &Reply) -> Value {
    let mut envelope = Map::new();
    let unset = [
        ("request_id", json!("")),
        ("lease_id", json!("")),
        ("lease_duration", json!(0)),
        ("renewable", json!(false)),
        ("data", Value::Null),
        ("warnings", Value::Null),
    ];
    for (name, unset) in unset {
        envelope.insert(name.to_owned(), reply.body.get(name).cloned().unwrap_or(unset));
    }
    for (name, member, unset) in
        [("auth", "identity_policies", Value::Null), ("wrap_info", "wrapped_accessor", json!(""))]
    {
        if let Some(Value::Object(value)) = reply.body.get(name) {
            let mut value = value.clone();
            value.entry(member).or_insert(unset);
            envelope.insert(name.to_owned(), Value::Object(value));
        }
    }
    Value::Object(envelope)
}

/// What `-field` can name.
pub fn fields(reply: &Reply) -> Value {
    let mut fields = Map::new();
    if let Some(data) = reply.data().as_object() {
        fields.extend(data.clone());
    }
    let member = |object: &str, name: &str| reply.body.pointer(&format!("/{object}/{name}")).cloned();
    let named = [
        ("token", "auth", "client_token"),
        ("token_accessor", "auth", "accessor"),
        ("token_renewable", "auth", "renewable"),
        ("token_policies", "auth", "token_policies"),
        ("identity_policies", "auth", "identity_policies"),
        ("policies", "auth", "policies"),
        ("wrapping_token", "wrap_info", "token"),
        ("wrapping_accessor", "wrap_info", "accessor"),
        ("wrapping_token_creation_time", "wrap_info", "creation_time"),
        ("wrapping_token_creation_path", "wrap_info", "creation_path"),
        ("wrapped_accessor", "wrap_info", "wrapped_accessor"),
    ];
    for (field, object, name) in named {
        if let Some(value) = member(object, name) {
            fields.insert(field.to_owned(), value);
        }
    }
    for (field, object, name) in
        [("token_duration", "auth", "lease_duration"), ("wrapping_token_ttl", "wrap_info", "ttl")]
    {
        if let Some(seconds) = member(object, name).as_ref().and_then(Value::as_i64) {
            fields.insert(field.to_owned(), duration(seconds).into());
        }
    }
    if let Some(lease) = reply.body.get("lease_id").filter(|lease| lease.as_str().is_some_and(|id| !id.is_empty())) {
        fields.insert("lease_id".to_owned(), lease.clone());
        for (field, name) in [("lease_duration", "lease_duration"), ("lease_renewable", "renewable")] {
            fields.insert(field.to_owned(), reply.body.get(name).cloned().unwrap_or(Value::Null));
        }
    }
    Value::Object(fields)
}

/// The table.
pub fn rows(reply: &Reply) -> String {
    if let Some(wrap) = reply.body.get("wrap_info").filter(|wrap| wrap.is_object()) {
        return pairs(&wrapped(wrap));
    }
    let mut rows = Pairs::new();
    if let Some(auth) = reply.body.get("auth").filter(|auth| auth.is_object()) {
        login(auth, &mut rows);
    }
    lease(&reply.body, &mut rows);
    if let Some(data) = reply.data().as_object() {
        rows.extend(data.iter().map(|(name, value)| (name.clone(), cell(name, value))));
    }
    pairs(&rows)
}

/// A value in its cell; seconds of a duration become a duration.
pub fn cell(name: &str, value: &Value) -> String {
    match value.as_i64().filter(|_| is_duration(name)) {
        Some(seconds) => duration(seconds),
        None => or_none(value),
    }
}

fn lease(body: &Value, rows: &mut Pairs) {
    let id = body.get("lease_id").and_then(Value::as_str).unwrap_or_default();
    let seconds = body.get("lease_duration").and_then(Value::as_i64).unwrap_or_default();
    if !id.is_empty() {
        rows.push(("lease_id".to_owned(), id.to_owned()));
        rows.push(("lease_duration".to_owned(), duration(seconds)));
        rows.push(("lease_renewable".to_owned(), text(body.get("renewable").unwrap_or(&Value::Null))));
    } else if seconds > 0 {
        rows.push(("refresh_interval".to_owned(), duration(seconds)));
    }
}

fn login(auth: &Value, rows: &mut Pairs) {
    let member = |name: &str| auth.get(name).cloned().unwrap_or(Value::Null);
    let list = |name: &str| match member(name) {
        Value::Null => "[]".to_owned(),
        list => serde_json::to_string(&list).unwrap_or_default().replace("\",\"", "\" \""),
    };
    let seconds = member("lease_duration").as_i64().unwrap_or_default();
    let life = if seconds == 0 { "∞".to_owned() } else { duration(seconds) };
    for (name, value) in [
        ("token", or_none(&member("client_token"))),
        ("token_accessor", or_none(&member("accessor"))),
        ("token_duration", life),
        ("token_renewable", text(&member("renewable"))),
        ("token_policies", list("token_policies")),
        ("identity_policies", list("identity_policies")),
        ("policies", list("policies")),
    ] {
        rows.push((name.to_owned(), value));
    }
    if let Some(metadata) = auth.get("metadata").and_then(Value::as_object) {
        rows.extend(metadata.iter().map(|(name, value)| (format!("token_meta_{name}"), text(value))));
    }
}

fn wrapped(wrap: &Value) -> Pairs {
    let member = |name: &str| wrap.get(name).cloned().unwrap_or(Value::Null);
    let mut rows = vec![
        ("wrapping_token:".to_owned(), text(&member("token"))),
        ("wrapping_accessor:".to_owned(), or_none(&member("accessor"))),
        ("wrapping_token_ttl:".to_owned(), duration(member("ttl").as_i64().unwrap_or_default())),
        ("wrapping_token_creation_time:".to_owned(), text(&member("creation_time"))),
        ("wrapping_token_creation_path:".to_owned(), text(&member("creation_path"))),
    ];
    if member("wrapped_accessor").as_str().is_some_and(|accessor| !accessor.is_empty()) {
        rows.push(("wrapped_accessor:".to_owned(), text(&member("wrapped_accessor"))));
    }
    rows
}

/// An envelope around data that did not come in one.
pub fn of_data(data: Value) -> Reply {
    Reply { status: 200, body: json!({ "data": data }), bytes: Vec::new() }
}

/// A value on its own; seconds of a duration become a duration, what is empty stays empty.
pub fn cell_text(name: &str, value: &Value) -> String {
    match value.as_i64().filter(|_| is_duration(name)) {
        Some(seconds) => duration(seconds),
        None => text(value),
    }
}
