//! Go's flag syntax: one or two dashes, `-flag=value` or `-flag value`, switches alone or with `=true`.
//!
//! A flag is a typed constant: its name stands once, and reading it from the arguments gives its type.

use crate::failure::Failure;
use crate::nearest;
use std::collections::BTreeMap;
use std::marker::PhantomData;

/// What help and parser know of a flag.
#[derive(Debug)]
pub struct FlagAbout {
    /// Name, without dashes.
    pub name: &'static str,
    /// Another name for the same.
    pub alias: Option<&'static str>,
    /// What the value is, for help; empty for a switch.
    pub placeholder: &'static str,
    /// What it does.
    pub help: &'static str,
    /// The variable that says the same, without prefix.
    pub variable: Option<&'static str>,
    check: fn(&[&str]) -> Result<(), String>,
}

impl FlagAbout {
    /// Whether it stands without a value.
    pub fn is_switch(&self) -> bool {
        self.placeholder.is_empty()
    }

    fn answers_to(&self, name: &str) -> bool {
        self.name == name || self.alias == Some(name)
    }
}

/// A flag whose value is a `T`.
#[derive(Debug)]
pub struct Flag<T> {
    /// What is known of it.
    pub about: FlagAbout,
    value: PhantomData<fn() -> T>,
}

/// A value that flags can have.
pub trait FlagValue: Default {
    /// From the texts given, in order; never none.
    fn decode(texts: &[&str]) -> Result<Self, String>;
}

impl<T: FlagValue> Flag<T> {
    /// A flag with a value that help calls `placeholder`.
    pub const fn new(name: &'static str, placeholder: &'static str, help: &'static str) -> Self {
        let check = |texts: &[&str]| T::decode(texts).map(drop);
        let about = FlagAbout { name, alias: None, placeholder, help, variable: None, check };
        Self { about, value: PhantomData }
    }

    /// That may also be written so.
    #[must_use]
    pub const fn alias(mut self, alias: &'static str) -> Self {
        self.about.alias = Some(alias);
        self
    }

    /// That a variable may say as well.
    #[must_use]
    pub const fn variable(mut self, variable: &'static str) -> Self {
        self.about.variable = Some(variable);
        self
    }
}

impl Flag<bool> {
    /// A switch.
    pub const fn switch(name: &'static str, help: &'static str) -> Self {
        Self::new(name, "", help)
    }
}

/// A duration, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seconds(pub i64);

fn last<'a>(texts: &[&'a str]) -> &'a str {
    texts.last().copied().unwrap_or_default()
}

impl FlagValue for bool {
    fn decode(texts: &[&str]) -> Result<Self, String> {
        match last(texts) {
            "false" | "FALSE" | "False" | "f" | "F" | "0" => Ok(false),
            text if client::is_true(text) => Ok(true),
            _ => Err("expected true or false".to_owned()),
        }
    }
}

impl FlagValue for Option<bool> {
    fn decode(texts: &[&str]) -> Result<Self, String> {
        bool::decode(texts).map(Some)
    }
}

impl FlagValue for Option<String> {
    fn decode(texts: &[&str]) -> Result<Self, String> {
        Ok(Some(last(texts).to_owned()))
    }
}

impl FlagValue for Vec<String> {
    fn decode(texts: &[&str]) -> Result<Self, String> {
        Ok(texts.iter().map(|text| (*text).to_owned()).collect())
    }
}

impl FlagValue for Option<i64> {
    fn decode(texts: &[&str]) -> Result<Self, String> {
        last(texts).parse().map(Some).map_err(|_| "expected a whole number".to_owned())
    }
}

impl FlagValue for Option<Seconds> {
    fn decode(texts: &[&str]) -> Result<Self, String> {
        let text = last(texts);
        let seconds = wire::scalar::parse_duration(text).filter(|_| !text.is_empty());
        seconds
            .map(|seconds| Some(Seconds(seconds)))
            .ok_or_else(|| "expected a duration such as 90s, 30m or 1h30m".into())
    }
}

impl FlagValue for BTreeMap<String, String> {
    fn decode(texts: &[&str]) -> Result<Self, String> {
        let pair = |text: &&str| text.split_once('=').map(|(key, value)| (key.to_owned(), value.to_owned()));
        texts.iter().map(|text| pair(text).ok_or_else(|| "expected key=value".to_owned())).collect()
    }
}

/// Parsed arguments of a command.
#[derive(Debug, Default)]
pub struct Arguments {
    given: Vec<(&'static str, String)>,
    /// What is no flag, in order.
    pub positional: Vec<String>,
}

impl Arguments {
    /// The value of a flag; its default if it was not given.
    pub fn get<T: FlagValue>(&self, flag: &Flag<T>) -> T {
        let texts: Vec<&str> = self.texts(flag.about.name);
        // Parsing has checked the texts, so the default only stands for what was not given.
        if texts.is_empty() { T::default() } else { T::decode(&texts).unwrap_or_default() }
    }

    /// Whether a flag was given.
    pub fn has<T>(&self, flag: &Flag<T>) -> bool {
        self.given.iter().any(|(name, _)| *name == flag.about.name)
    }

    /// The argument at a place, counted from 0; empty if there is none.
    pub fn at(&self, place: usize) -> &str {
        self.positional.get(place).map(String::as_str).unwrap_or_default()
    }

    /// The arguments from a place on.
    pub fn from(&self, place: usize) -> &[String] {
        self.positional.get(place..).unwrap_or_default()
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        self.given.iter().filter(|(given, _)| *given == name).map(|(_, text)| text.as_str()).collect()
    }
}

/// What parsing found.
#[derive(Debug)]
pub enum Parsed {
    /// Arguments to run with.
    Run(Arguments),
    /// Somebody asks for help.
    Help,
}

/// Takes flags and arguments apart. Flags may stand anywhere; `--` ends them, and `-` alone is an argument.
pub fn parse(flags: &[&'static FlagAbout], words: &[String]) -> Result<Parsed, Failure> {
    let mut arguments = Arguments::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            arguments.positional.extend(words.cloned());
            break;
        }
        let Some((name, value)) = flag(word) else {
            arguments.positional.push(word.clone());
            continue;
        };
        let Some(about) = flags.iter().find(|about| about.answers_to(name)) else {
            if matches!(name, "h" | "help") {
                return Ok(Parsed::Help);
            }
            return Err(unknown(flags, name));
        };
        let value = match value {
            Some(value) => value.to_owned(),
            None if about.is_switch() => "true".to_owned(),
            None => words.next().cloned().ok_or_else(|| Failure::usage(format!("flag needs an argument: -{name}")))?,
        };
        arguments.given.push((about.name, value));
    }
    for about in flags {
        let texts = arguments.texts(about.name);
        if !texts.is_empty() {
            (about.check)(&texts)
                .map_err(|why| Failure::usage(format!("invalid value for flag -{}: {why}", about.name)))?;
        }
    }
    Ok(Parsed::Run(arguments))
}

/// Name and value of a word that is a flag.
pub fn flag(word: &str) -> Option<(&str, Option<&str>)> {
    let bare = word.strip_prefix("--").or_else(|| word.strip_prefix('-')).filter(|bare| !bare.is_empty())?;
    Some(bare.split_once('=').map_or((bare, None), |(name, value)| (name, Some(value))))
}

fn unknown(flags: &[&'static FlagAbout], name: &str) -> Failure {
    let failure = Failure::usage(format!("flag provided but not defined: -{name}"));
    match nearest::of(name, flags.iter().map(|about| about.name)) {
        Some(near) => failure.hint(format!("Did you mean -{near}? The flag -h lists all of them.")),
        None => failure.hint("The flag -h lists those that there are.".to_owned()),
    }
}
