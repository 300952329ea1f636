//! Password policies: how long a generated password is, and which characters it is made of.
//!
//! A password is drawn evenly from all characters of all rules together, and drawn again until every rule finds as many
//! of its characters as it wants: so every password that keeps the rules is equally likely.

use super::parse::errors_text;
use crypto::Randomness;
use std::collections::BTreeSet;

#[cfg(test)]
mod tests;

/// Longest text of a password policy.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// Shortest password.
const LENGTH_MIN: i64 = 4;
/// Longest password.
const LENGTH_MAX: i64 = 100;
/// Most characters to choose from, so that one random byte chooses one character.
const ALPHABET_MAX: usize = 256;
/// Passwords drawn before a policy counts as one that no password meets.
const TRIES_MAX: usize = 10_000;

/// A password policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// In characters.
    length: usize,
    /// All characters, each once.
    alphabet: Vec<char>,
    rules: Vec<CharsetRule>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct CharsetRule {
    charset: BTreeSet<char>,
    characters_min: usize,
}

/// Why a text is no password policy, or why it makes no password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordPolicyError {
    /// Not HCL or JSON.
    #[error("unable to decode: {0}")]
    Syntax(#[from] hcl::Error),
    /// A value of the wrong type.
    #[error("failed to decode configuration: {key} must be {expected}")]
    Type {
        /// The key.
        key: &'static str,
        /// What was wanted.
        expected: &'static str,
    },
    /// A rule of another kind than `charset`.
    #[error("unable to parse rules: unable to parse rule {0}: unrecognized rule type {0}")]
    RuleType(String),
    /// A length that is no password's.
    #[error("passwords must be between {LENGTH_MIN} and {LENGTH_MAX} characters")]
    Length,
    /// Contradictions.
    #[error("{}", errors_text(.0))]
    Invalid(Vec<String>),
    /// No password met the rules in [`TRIES_MAX`] tries.
    #[error("timed out generating string")]
    Exhausted,
}

impl PasswordPolicy {
    /// Reads HCL or JSON.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, PasswordPolicyError> {
        let document = hcl::parse_with(text, hcl::Options { bytes_max: TEXT_BYTES_MAX, ..hcl::Options::POLICY })?;
        let length = match document.attribute("length") {
            None => 0,
            Some(value) => integer(value).ok_or(PasswordPolicyError::Type { key: "length", expected: "an integer" })?,
        };
        let rules = document.blocks("rule", 1)?.iter().map(charset_rule).collect::<Result<Vec<_>, _>>()?;
        let alphabet: BTreeSet<char> = rules.iter().flat_map(|rule| rule.charset.iter().copied()).collect();
        let problems = problems(length, &rules, &alphabet);
        if !problems.is_empty() {
            return Err(PasswordPolicyError::Invalid(problems));
        }
        if !(LENGTH_MIN..=LENGTH_MAX).contains(&length) {
            return Err(PasswordPolicyError::Length);
        }
        let length = usize::try_from(length).map_err(|_| PasswordPolicyError::Length)?;
        Ok(Self { length, alphabet: alphabet.into_iter().collect(), rules })
    }

    /// A new password.
    ///
    /// # Errors
    /// [`PasswordPolicyError::Exhausted`] if the rules are so narrow that none was found in a bounded number of tries.
    pub fn generate(&self, randomness: &mut dyn Randomness) -> Result<String, PasswordPolicyError> {
        let mut letters = Letters { alphabet: &self.alphabet, randomness, bytes: Vec::new() };
        for _ in 0..TRIES_MAX {
            let password: String = (0..self.length).map(|_| letters.draw()).collect();
            if self.rules.iter().all(|rule| rule.admits(&password)) {
                return Ok(password);
            }
        }
        Err(PasswordPolicyError::Exhausted)
    }
}

impl CharsetRule {
    fn admits(&self, password: &str) -> bool {
        self.characters_min == 0 || password.chars().filter(|c| self.charset.contains(c)).count() >= self.characters_min
    }
}

/// Evenly drawn characters.
struct Letters<'a> {
    alphabet: &'a [char],
    randomness: &'a mut dyn Randomness,
    /// Random bytes not yet used.
    bytes: Vec<u8>,
}

impl Letters<'_> {
    fn draw(&mut self) -> char {
        let size = self.alphabet.len().max(1);
        // Bytes above the largest multiple of the alphabet's size would favour its first characters.
        let fair = ALPHABET_MAX - ALPHABET_MAX % size;
        loop {
            if self.bytes.is_empty() {
                self.bytes.resize(256, 0);
                self.randomness.fill(&mut self.bytes);
            }
            let drawn = usize::from(self.bytes.pop().unwrap_or_default());
            if drawn < fair
                && let Some(letter) = self.alphabet.get(drawn % size)
            {
                return *letter;
            }
        }
    }
}

fn charset_rule(block: &hcl::Block<'_>) -> Result<CharsetRule, PasswordPolicyError> {
    if block.label() != "charset" {
        return Err(PasswordPolicyError::RuleType(block.label().to_owned()));
    }
    let charset = match block.body.attribute("charset") {
        None => "",
        Some(value) => value.as_str().ok_or(PasswordPolicyError::Type { key: "charset", expected: "a string" })?,
    };
    let characters_min = match block.body.attribute("min-chars") {
        None => 0,
        Some(value) => integer(value).ok_or(PasswordPolicyError::Type { key: "min-chars", expected: "an integer" })?,
    };
    // A negative minimum is none; one that does not fit is more than any length.
    let characters_min = usize::try_from(characters_min.max(0)).unwrap_or(usize::MAX);
    Ok(CharsetRule { charset: charset.chars().collect(), characters_min })
}

fn integer(value: &hcl::Value) -> Option<i64> {
    match value {
        hcl::Value::Number(hcl::Number::Integer(number)) => Some(*number),
        _ => None,
    }
}

/// Everything that contradicts itself, in upstream's words.
fn problems(length: i64, rules: &[CharsetRule], alphabet: &BTreeSet<char>) -> Vec<String> {
    let mut problems = Vec::new();
    if length <= 0 {
        problems.push("length must be > 0".to_owned());
    }
    let wanted = rules.iter().fold(0_usize, |sum, rule| sum.saturating_add(rule.characters_min));
    if length > 0 && usize::try_from(length).is_ok_and(|length| wanted > length) {
        problems.push(format!("specified rules require at least {wanted} characters but {length} is specified"));
    }
    if alphabet.is_empty() {
        problems.push("no charset specified".to_owned());
    }
    if alphabet.len() > ALPHABET_MAX {
        problems.push(format!("charset must not have more than {ALPHABET_MAX} characters"));
    }
    if !alphabet.iter().copied().all(is_printable) {
        problems.push("non-printable character in charset".to_owned());
    }
    problems
}

/// Letters, marks, numbers, punctuation, symbols and the space; not what is invisible.
fn is_printable(character: char) -> bool {
    let invisible = matches!(character,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{fffb}' | '\u{e000}'..='\u{f8ff}' | '\u{e0000}'..='\u{10ffff}');
    !character.is_control() && !invisible && (character == ' ' || !character.is_whitespace())
}
