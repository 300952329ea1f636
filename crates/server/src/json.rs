//! JSON (RFC 8259) written straight into a buffer. Of replies and audit entries almost nothing needs escaping, and each
//! request makes a few kilobytes of them.

use serde::Serialize;
use serde_json::Value;
use std::io::Write as _;

/// An object that is being written. Names of members are given by us and hold nothing to escape.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    empty: bool,
}

impl<'a> Object<'a> {
    /// Begins an object.
    pub(crate) fn begin(out: &'a mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, empty: true }
    }

    /// Goes on with an object that has members already.
    pub(crate) fn resume(out: &'a mut Vec<u8>) -> Self {
        Self { out, empty: false }
    }

    /// Begins a member; its value goes into what is returned.
    pub(crate) fn member(&mut self, name: &'static str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A member under a name that was not given by us.
    pub(crate) fn foreign_member(&mut self, name: &str) -> &mut Vec<u8> {
        if !self.empty {
            self.out.push(b',');
        }
        self.empty = false;
        text(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// A member that is a text.
    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        text(self.member(name), value);
    }

    /// A member that is a list of texts.
    pub(crate) fn texts<S: AsRef<str>>(&mut self, name: &'static str, values: impl IntoIterator<Item = S>) {
        let out = self.member(name);
        out.push(b'[');
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                out.push(b',');
            }
            text(out, value.as_ref());
        }
        out.push(b']');
    }

    /// A member that is a number.
    pub(crate) fn number(&mut self, name: &'static str, value: impl Into<i128>) {
        // Writing to memory does not fail.
        let _ = write!(self.member(name), "{}", value.into());
    }

    /// A member of any other kind.
    pub(crate) fn value<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) {
        // Writing to memory does not fail, and every value here has string keys.
        let _ = serde_json::to_writer(self.member(name), value);
    }

    /// A member that is an object.
    pub(crate) fn object(&mut self, name: &'static str, write: impl FnOnce(&mut Object<'_>)) {
        let mut inner = Object::begin(self.member(name));
        write(&mut inner);
        inner.end();
    }

    /// Ends the object.
    pub(crate) fn end(self) {
        self.out.push(b'}');
    }
}

/// A JSON string (RFC 8259 section 7).
pub(crate) fn text(out: &mut Vec<u8>, value: &str) {
    // Without an early end the compiler looks at many bytes at once.
    let escapes = value.bytes().fold(false, |any, byte| any | (byte < b' ') | (byte == b'"') | (byte == b'\\'));
    if escapes {
        // Writing to memory does not fail.
        let _ = serde_json::to_writer(out, value);
        return;
    }
    out.push(b'"');
    out.extend_from_slice(value.as_bytes());
    out.push(b'"');
}

/// Any value.
pub(crate) fn value(out: &mut Vec<u8>, any: &Value) {
    match any {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number(number) => out.extend_from_slice(number.as_str().as_bytes()),
        Value::String(string) => text(out, string),
        Value::Array(items) => {
            out.push(b'[');
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    out.push(b',');
                }
                value(out, item);
            }
            out.push(b']');
        }
        Value::Object(members) => {
            let mut object = Object::begin(out);
            for (name, member) in members {
                value(object.foreign_member(name), member);
            }
            object.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_what_a_json_parser_takes_them_for() {
        let mut out = Vec::new();
        let mut object = Object::begin(&mut out);
        object.text("plain", "é/x");
        object.text("escaped", "a\"b\\c\n\u{1}");
        object.number("number", -7_i64);
        object.texts("texts", ["a", "b\t"]);
        object.texts("none", Vec::<String>::new());
        object.object("inner", |inner| inner.value("value", &serde_json::json!([null, 1.50])));
        object.object("empty", |_| {});
        text(object.foreign_member("na\"me"), "");
        let any = serde_json::json!({ "a": [true, false, null, 1.50, -3, "x\ny", {}], "b\\": { "c": [] } });
        value(object.member("any"), &any);
        object.end();
        let expected = serde_json::json!({
            "plain": "é/x", "escaped": "a\"b\\c\n\u{1}", "number": -7, "texts": ["a", "b\t"], "none": [],
            "inner": { "value": [null, 1.50] }, "empty": {}, "na\"me": "", "any": any,
        });
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap(), expected);
    }
}
