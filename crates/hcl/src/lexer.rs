//! Characters to tokens, for HCL 1.

use crate::error::{Error, ErrorKind};
use crate::tree::{Number, Position};

/// A piece of a text.
#[derive(Clone, PartialEq)]
pub(crate) enum Token {
    Identifier(String),
    String(String),
    Number(Number),
    Bool(bool),
    LeftBrace,
    RightBrace,
    LeftBracket,
    RightBracket,
    Assign,
    Comma,
    End,
}

impl Token {
    /// Its kind, for messages.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Token::Identifier(_) => "a name",
            Token::String(_) => "a string",
            Token::Number(_) => "a number",
            Token::Bool(_) => "a boolean",
            Token::LeftBrace => "'{'",
            Token::RightBrace => "'}'",
            Token::LeftBracket => "'['",
            Token::RightBracket => "']'",
            Token::Assign => "'='",
            Token::Comma => "','",
            Token::End => "end of text",
        }
    }
}

/// A reader of characters that knows where it is. Shared by both syntaxes.
pub(crate) struct Cursor<'a> {
    rest: &'a str,
    position: Position,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(text: &'a str) -> Self {
        Self { rest: text, position: Position::START }
    }

    pub(crate) const fn position(&self) -> Position {
        self.position
    }

    pub(crate) const fn rest(&self) -> &'a str {
        self.rest
    }

    pub(crate) fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub(crate) fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next()?;
        self.rest = characters.as_str();
        if character == '\n' {
            self.position.line = self.position.line.saturating_add(1);
            self.position.column = 1;
        } else {
            self.position.column = self.position.column.saturating_add(1);
        }
        Some(character)
    }

    /// Takes the next character if it is this one.
    pub(crate) fn take(&mut self, wanted: char) -> bool {
        let matches = self.peek() == Some(wanted);
        if matches {
            self.next();
        }
        matches
    }

    /// Takes as many characters as satisfy the condition.
    pub(crate) fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> &'a str {
        let start = self.rest;
        while self.peek().is_some_and(&mut wanted) {
            self.next();
        }
        start.get(..start.len() - self.rest.len()).unwrap_or_default()
    }

    pub(crate) const fn error(&self, kind: ErrorKind) -> Error {
        Error::new(self.position, kind)
    }

    /// `count` hexadecimal digits as a number.
    pub(crate) fn hexadecimal(&mut self, count: usize) -> Result<u32, Error> {
        self.digits(count, 16)
    }

    fn digits(&mut self, count: usize, radix: u32) -> Result<u32, Error> {
        let mut number = 0_u32;
        for _ in 0..count {
            let digit = self.peek().and_then(|c| c.to_digit(radix)).ok_or(self.error(ErrorKind::Escape))?;
            self.next();
            number = number.wrapping_mul(radix).wrapping_add(digit);
        }
        Ok(number)
    }
}

/// The next token and where it begins.
pub(crate) fn token(cursor: &mut Cursor<'_>) -> Result<(Token, Position), Error> {
    skip_blank(cursor)?;
    let position = cursor.position();
    let token = match cursor.peek() {
        None => Token::End,
        Some('"') => Token::String(string(cursor)?),
        Some('<') => Token::String(heredoc(cursor)?),
        Some(c) if starts_name(c) => name(cursor),
        Some(c) if c.is_ascii_digit() || matches!(c, '-' | '.') => Token::Number(number(cursor)?),
        Some(c) => {
            let token = match c {
                '{' => Token::LeftBrace,
                '}' => Token::RightBrace,
                '[' => Token::LeftBracket,
                ']' => Token::RightBracket,
                '=' => Token::Assign,
                ',' => Token::Comma,
                _ => return Err(cursor.error(ErrorKind::IllegalCharacter)),
            };
            cursor.next();
            token
        }
    };
    Ok((token, position))
}

/// Skips white space and comments.
fn skip_blank(cursor: &mut Cursor<'_>) -> Result<(), Error> {
    loop {
        cursor.take_while(|c| matches!(c, ' ' | '\t' | '\r' | '\n'));
        let position = cursor.position();
        if cursor.rest().starts_with('#') || cursor.rest().starts_with("//") {
            cursor.take_while(|c| c != '\n');
        } else if cursor.rest().starts_with("/*") {
            let unterminated = Error::new(position, ErrorKind::UnterminatedComment);
            cursor.next();
            cursor.next();
            while !cursor.rest().starts_with("*/") {
                cursor.next().ok_or_else(|| unterminated.clone())?;
            }
            cursor.next();
            cursor.next();
        } else {
            return Ok(());
        }
    }
}

fn starts_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn name(cursor: &mut Cursor<'_>) -> Token {
    let name = cursor.take_while(|c| starts_name(c) || c.is_numeric() || matches!(c, '-' | '.'));
    match name {
        "true" => Token::Bool(true),
        "false" => Token::Bool(false),
        _ => Token::Identifier(name.to_owned()),
    }
}

/// A quoted text. What stands in `${…}` is kept as written, quotes included, since HCL 1 leaves it to the application.
fn string(cursor: &mut Cursor<'_>) -> Result<String, Error> {
    let unterminated = cursor.error(ErrorKind::UnterminatedString);
    cursor.next();
    let mut text = String::new();
    let mut braces = 0_usize;
    loop {
        let at = cursor.position();
        let character = cursor.next().ok_or_else(|| unterminated.clone())?;
        match character {
            '$' if braces == 0 && cursor.peek() == Some('{') => {
                cursor.next();
                text.push_str("${");
                braces = 1;
                continue;
            }
            '{' if braces > 0 => braces += 1,
            '}' if braces > 0 => braces -= 1,
            _ if braces > 0 => {}
            '"' => return Ok(text),
            '\n' | '\0' => return Err(unterminated),
            '\\' => {
                text.push(escape(cursor, at)?);
                continue;
            }
            _ => {}
        }
        text.push(character);
    }
}

/// What a backslash stands for.
fn escape(cursor: &mut Cursor<'_>, at: Position) -> Result<char, Error> {
    let illegal = Error::new(at, ErrorKind::Escape);
    Ok(match cursor.next().ok_or_else(|| illegal.clone())? {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        '\\' => '\\',
        '"' => '"',
        'x' => one_byte(cursor.hexadecimal(2)?).ok_or(illegal)?,
        'u' => char::from_u32(cursor.hexadecimal(4)?).ok_or(illegal)?,
        'U' => char::from_u32(cursor.hexadecimal(8)?).ok_or(illegal)?,
        first @ '0'..='7' => {
            let high = first.to_digit(8).unwrap_or_default();
            one_byte(high * 64 + cursor.digits(2, 8)?).ok_or(illegal)?
        }
        _ => return Err(illegal),
    })
}

/// `\x` and octal escapes name bytes; above 127 a byte alone is not UTF-8.
fn one_byte(number: u32) -> Option<char> {
    char::from_u32(number).filter(char::is_ascii)
}

/// `<<MARK` up to a line that holds nothing but the mark. `<<-MARK` takes the closing mark's indentation off every line,
/// if every line has it.
fn heredoc(cursor: &mut Cursor<'_>) -> Result<String, Error> {
    let unterminated = cursor.error(ErrorKind::UnterminatedHeredoc);
    let no_mark = cursor.error(ErrorKind::HeredocMarker);
    cursor.next();
    if !cursor.take('<') {
        return Err(no_mark);
    }
    let indented = cursor.take('-');
    let mark = cursor.take_while(|c| c.is_alphanumeric() || c == '_');
    cursor.take('\r');
    if mark.is_empty() || !cursor.take('\n') {
        return Err(no_mark);
    }
    let mut lines = Vec::new();
    loop {
        let line = cursor.take_while(|c| c != '\n');
        let bare = line.trim_matches([' ', '\t', '\r']);
        if bare == mark {
            let indentation = line.split(mark).next().unwrap_or_default();
            return Ok(joined(&lines, if indented { indentation } else { "" }));
        }
        lines.push(line);
        if !cursor.take('\n') {
            return Err(unterminated);
        }
    }
}

fn joined(lines: &[&str], indentation: &str) -> String {
    let strip = if lines.iter().all(|line| line.starts_with(indentation)) { indentation } else { "" };
    let mut text = String::new();
    for line in lines {
        text.push_str(line.strip_prefix(strip).unwrap_or(line).trim_end_matches('\r'));
        text.push('\n');
    }
    text
}

fn number(cursor: &mut Cursor<'_>) -> Result<Number, Error> {
    let invalid = cursor.error(ErrorKind::Number);
    let mut previous = ' ';
    // A sign belongs to the number at its start and behind the exponent's letter, but `e` is a digit of hexadecimals.
    let hexadecimal =
        cursor.rest().trim_start_matches('-').get(..2).is_some_and(|head| head.eq_ignore_ascii_case("0x"));
    let text = cursor.take_while(|c| {
        let sign = matches!(c, '-' | '+') && (previous == ' ' || (!hexadecimal && matches!(previous, 'e' | 'E')));
        previous = c;
        sign || c.is_ascii_alphanumeric() || c == '.' || c == '_'
    });
    parse_number(text).ok_or(invalid)
}

/// Go's integer prefixes (`0x`, leading `0` for octal), then decimal floats.
pub(crate) fn parse_number(text: &str) -> Option<Number> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
    let integer = |digits: &str, radix: u32| {
        let unsigned = digits.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let number = i128::from(u64::from_str_radix(digits, radix).ok().filter(|_| unsigned)?);
        i64::try_from(if negative { -number } else { number }).ok().map(Number::Integer)
    };
    if let Some(digits) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return integer(digits, 16);
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return match digits.strip_prefix('0') {
            Some(octal) if !octal.is_empty() => integer(octal, 8),
            _ => integer(digits, 10),
        };
    }
    if !digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'+' | b'-')) {
        return None;
    }
    let number: f64 = text.parse().ok()?;
    number.is_finite().then_some(Number::Float(number))
}
