//! HCL 1's own syntax: `key = value`, `key "label" { … }`, items separated by nothing or a comma.

use crate::Options;
use crate::error::{Error, ErrorKind};
use crate::lexer::{Cursor, Token, token};
use crate::tree::{Body, Document, Item, Position, Value};

pub(crate) fn parse(text: &str, options: Options) -> Result<Document, Error> {
    let mut parser = Parser::new(text, options)?;
    let body = parser.body(1, &Token::End)?;
    Ok(body)
}

struct Parser<'a> {
    cursor: Cursor<'a>,
    /// The token that comes next, and its place.
    ahead: (Token, Position),
    depth_max: usize,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str, options: Options) -> Result<Self, Error> {
        let mut cursor = Cursor::new(text);
        let ahead = token(&mut cursor)?;
        Ok(Self { cursor, ahead, depth_max: options.depth_max })
    }

    fn next(&mut self) -> Result<(Token, Position), Error> {
        let following = token(&mut self.cursor)?;
        Ok(std::mem::replace(&mut self.ahead, following))
    }

    fn check_depth(&self, depth: usize) -> Result<(), Error> {
        let kind = ErrorKind::TooDeep { depth_max: self.depth_max };
        if depth > self.depth_max { Err(Error::new(self.ahead.1, kind)) } else { Ok(()) }
    }

    /// Items up to the token that ends them. The end of the text is not consumed, since nothing follows it.
    fn body(&mut self, depth: usize, end: &Token) -> Result<Body, Error> {
        self.check_depth(depth)?;
        let mut items = Vec::new();
        while self.ahead.0 != *end {
            items.push(self.item(depth)?);
            if self.ahead.0 == Token::Comma {
                self.next()?;
            }
        }
        if *end != Token::End {
            self.next()?;
        }
        Ok(Body { items })
    }

    fn item(&mut self, depth: usize) -> Result<Item, Error> {
        let (key, position) = self.name("a key")?;
        let mut labels = Vec::new();
        loop {
            match self.ahead.0 {
                Token::Assign if labels.is_empty() => {
                    self.next()?;
                    let value = self.value(depth)?;
                    return Ok(Item { key, labels, value, position });
                }
                Token::LeftBrace => {
                    self.next()?;
                    let value = Value::Body(self.body(depth + 1, &Token::RightBrace)?);
                    return Ok(Item { key, labels, value, position });
                }
                _ => {
                    let expected = if labels.is_empty() { "'=', '{' or a label" } else { "'{' or a label" };
                    labels.push(self.name(expected)?.0);
                }
            }
        }
    }

    fn name(&mut self, expected: &'static str) -> Result<(String, Position), Error> {
        match self.next()? {
            (Token::Identifier(name) | Token::String(name), position) => Ok((name, position)),
            (other, position) => Err(Error::new(position, ErrorKind::Expected { expected, found: other.kind() })),
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, Error> {
        let (token, position) = self.next()?;
        Ok(match token {
            Token::String(text) => Value::String(text),
            Token::Number(number) => Value::Number(number),
            Token::Bool(flag) => Value::Bool(flag),
            Token::LeftBrace => Value::Body(self.body(depth + 1, &Token::RightBrace)?),
            Token::LeftBracket => Value::List(self.list(depth + 1)?),
            other => {
                let kind = ErrorKind::Expected { expected: "a value", found: other.kind() };
                return Err(Error::new(position, kind));
            }
        })
    }

    /// Values up to `]`, each followed by a comma, the last one maybe.
    fn list(&mut self, depth: usize) -> Result<Vec<Value>, Error> {
        self.check_depth(depth)?;
        let mut values = Vec::new();
        while self.ahead.0 != Token::RightBracket {
            values.push(self.value(depth)?);
            match &self.ahead.0 {
                Token::Comma => drop(self.next()?),
                Token::RightBracket => {}
                other => {
                    let kind = ErrorKind::Expected { expected: "',' or ']'", found: other.kind() };
                    return Err(Error::new(self.ahead.1, kind));
                }
            }
        }
        self.next()?;
        Ok(values)
    }
}
