//! JSON (RFC 8259) as the second syntax of the same tree. An own reader, because repeated keys and positions must be kept.

use crate::Options;
use crate::error::{Error, ErrorKind};
use crate::lexer::{Cursor, parse_number};
use crate::tree::{Body, Document, Item, Number, Value};
use std::collections::BTreeSet;

pub(crate) fn parse(text: &str, options: Options) -> Result<Document, Error> {
    let mut parser = Parser { cursor: Cursor::new(text), options };
    parser.blank();
    let body = parser.object(1)?;
    parser.blank();
    match parser.cursor.peek() {
        None => Ok(body),
        Some(_) => Err(parser.expected("end of text")),
    }
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    options: Options,
}

impl Parser<'_> {
    fn blank(&mut self) {
        self.cursor.take_while(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
    }

    fn expected(&self, expected: &'static str) -> Error {
        let found = match self.cursor.peek() {
            None => "end of text",
            Some('"') => "a string",
            Some('{') => "'{'",
            Some('}') => "'}'",
            Some('[') => "'['",
            Some(']') => "']'",
            Some(',') => "','",
            Some(':') => "':'",
            Some('0'..='9' | '-') => "a number",
            Some(_) => "something else",
        };
        self.cursor.error(ErrorKind::Expected { expected, found })
    }

    fn check_depth(&self, depth: usize) -> Result<(), Error> {
        let depth_max = self.options.depth_max;
        if depth > depth_max { Err(self.cursor.error(ErrorKind::TooDeep { depth_max })) } else { Ok(()) }
    }

    fn object(&mut self, depth: usize) -> Result<Body, Error> {
        self.check_depth(depth)?;
        if !self.cursor.take('{') {
            return Err(self.expected("'{'"));
        }
        let mut items = Vec::new();
        let mut keys = BTreeSet::new();
        self.blank();
        if self.cursor.take('}') {
            return Ok(Body { items });
        }
        loop {
            self.blank();
            let position = self.cursor.position();
            let key = if self.cursor.peek() == Some('"') { self.string()? } else { return Err(self.expected("a key")) };
            if !self.options.json_duplicate_keys && !keys.insert(key.clone()) {
                return Err(Error::new(position, ErrorKind::DuplicateKey));
            }
            self.blank();
            if !self.cursor.take(':') {
                return Err(self.expected("':'"));
            }
            let value = self.value(depth)?;
            items.push(Item { key, labels: Vec::new(), value, position });
            if self.ends('}', "',' or '}'")? {
                return Ok(Body { items });
            }
        }
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Value>, Error> {
        self.check_depth(depth)?;
        self.cursor.take('[');
        let mut values = Vec::new();
        self.blank();
        if self.cursor.take(']') {
            return Ok(values);
        }
        loop {
            values.push(self.value(depth)?);
            if self.ends(']', "',' or ']'")? {
                return Ok(values);
            }
        }
    }

    /// After a member: whether the closing bracket came (or else a comma).
    fn ends(&mut self, end: char, expected: &'static str) -> Result<bool, Error> {
        self.blank();
        if self.cursor.take(end) {
            Ok(true)
        } else if self.cursor.take(',') {
            Ok(false)
        } else {
            Err(self.expected(expected))
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        self.blank();
        Ok(match self.cursor.peek() {
            Some('{') => Value::Body(self.object(depth + 1)?),
            Some('[') => Value::List(self.list(depth + 1)?),
            Some('"') => Value::String(self.string()?),
            Some('0'..='9' | '-') => Value::Number(self.number()?),
            Some('t') => self.word("true", Value::Bool(true))?,
            Some('f') => self.word("false", Value::Bool(false))?,
            Some('n') => self.word("null", Value::Null)?,
            _ => return Err(self.expected("a value")),
        })
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Error> {
        let error = self.expected("a value");
        let found = self.cursor.take_while(|c| c.is_ascii_alphanumeric());
        if found == word { Ok(value) } else { Err(error) }
    }

    fn number(&mut self) -> Result<Number, Error> {
        let invalid = self.cursor.error(ErrorKind::Number);
        let text = self.cursor.take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '+' | '.'));
        let digits = text.trim_start_matches('-');
        let leading_zero = digits.starts_with('0') && digits.get(1..2).is_some_and(|c| !matches!(c, "." | "e" | "E"));
        if leading_zero || digits.starts_with('.') || digits.ends_with('.') || digits.contains(".e") {
            return Err(invalid);
        }
        parse_number(text).ok_or(invalid)
    }

    fn string(&mut self) -> Result<String, Error> {
        let unterminated = self.cursor.error(ErrorKind::UnterminatedString);
        self.cursor.next();
        let mut text = String::new();
        loop {
            let illegal = self.cursor.error(ErrorKind::IllegalCharacter);
            match self.cursor.next().ok_or_else(|| unterminated.clone())? {
                '"' => return Ok(text),
                '\\' => text.push(self.escape()?),
                c if u32::from(c) < 0x20 => return Err(illegal),
                c => text.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, Error> {
        let illegal = self.cursor.error(ErrorKind::Escape);
        Ok(match self.cursor.next().ok_or_else(|| illegal.clone())? {
            '"' => '"',
            '\\' => '\\',
            '/' => '/',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode().and_then(|c| c.ok_or(illegal))?,
            _ => return Err(illegal),
        })
    }

    /// Four digits, or two times four for a surrogate pair; a surrogate alone is nothing.
    fn unicode(&mut self) -> Result<Option<char>, Error> {
        let first = self.cursor.hexadecimal(4)?;
        if !(0xd800..0xdc00).contains(&first) {
            return Ok(char::from_u32(first));
        }
        if !(self.cursor.take('\\') && self.cursor.take('u')) {
            return Ok(None);
        }
        let second = self.cursor.hexadecimal(4)?;
        let pair = (0xdc00..0xe000).contains(&second).then(|| 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00));
        Ok(pair.and_then(char::from_u32))
    }
}
