//! Password policies: upstream's answers, and that nothing is favoured.

use super::*;
use crypto::SeededRandomness;
use std::collections::BTreeMap;

fn charset(charset: &str, rest: &str) -> String {
    format!("rule \"charset\" {{ charset = {charset:?} {rest} }}\n")
}

#[track_caller]
fn fails(text: &str, message: &str) {
    assert_eq!(PasswordPolicy::parse(text).unwrap_err().to_string(), message, "{text}");
}

#[test]
fn passwords_keep_the_rules() {
    let policy = PasswordPolicy::parse(&format!(
        "length = 20\n{}{}{}{}",
        charset("abcdefghijklmnopqrstuvwxyz", "min-chars = 1"),
        charset("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "min-chars = 2"),
        charset("0123456789", "min-chars = 3"),
        charset("é€😀-", ""),
    ))
    .unwrap();
    let mut randomness = SeededRandomness::new(1);
    for _ in 0..200 {
        let password = policy.generate(&mut randomness).unwrap();
        let count = |wanted: fn(&char) -> bool| password.chars().filter(wanted).count();
        assert_eq!(password.chars().count(), 20);
        assert!(count(char::is_ascii_lowercase) >= 1, "{password}");
        assert!(count(char::is_ascii_uppercase) >= 2, "{password}");
        assert!(count(char::is_ascii_digit) >= 3, "{password}");
    }
}

#[test]
fn no_character_is_favoured() {
    // 10 does not divide 256, and `a` stands in both rules.
    let policy =
        PasswordPolicy::parse(&format!("length = 100\n{}{}", charset("abcdef", ""), charset("aghij", ""))).unwrap();
    let mut randomness = SeededRandomness::new(2);
    let mut counts = BTreeMap::new();
    for _ in 0..1_000 {
        for letter in policy.generate(&mut randomness).unwrap().chars() {
            *counts.entry(letter).or_insert(0_i32) += 1;
        }
    }
    assert_eq!(counts.len(), 10);
    // 100,000 draws: 10,000 each, with a standard deviation of 95.
    assert!(counts.values().all(|count| (count - 10_000).abs() < 600), "{counts:?}");
}

#[test]
fn json_and_lenience_as_upstream() {
    for text in [
        r#"{"length":20,"rule":[{"charset":[{"charset":"abcde","min-chars":1}]}]}"#.to_owned(),
        r#"{"length":20,"rule":{"charset":{"charset":"abcde","min-chars":1}}}"#.to_owned(),
        format!("length=20 foo=1 {}", charset("abc", "foo=1 min-chars=-1")),
        format!("length=30 length=20 {}", charset("aaaa", "")),
        format!("length=20 {}{}", charset("abc", ""), charset("abc", "min-chars=1")),
    ] {
        let policy = PasswordPolicy::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(policy.generate(&mut SeededRandomness::new(3)).unwrap().len(), 20, "{text}");
    }
}

#[test]
fn faults_are_told_in_upstreams_words() {
    let one = |problem: &str| format!("1 error occurred:\n\t* {problem}\n\n");
    fails("  ", "2 errors occurred:\n\t* length must be > 0\n\t* no charset specified\n\n");
    fails("length=20", &one("no charset specified"));
    fails(&format!("length=20 {}", charset("", "")), &one("no charset specified"));
    fails("length=20 rule \"charset\" {}", &one("no charset specified"));
    fails(&charset("abc", ""), &one("length must be > 0"));
    fails(&format!("length=-4 {}", charset("abc", "")), &one("length must be > 0"));
    fails(
        &format!("length=4 {}{}", charset("abc", "min-chars=3"), charset("def", "min-chars=3")),
        &one("specified rules require at least 6 characters but 4 is specified"),
    );
    fails(&format!("length=20 {}", charset("a\n", "")), &one("non-printable character in charset"));
    fails("length=20 rule \"charset\" { charset = \"a\u{200b}\" }", &one("non-printable character in charset"));
    fails("length=20 rule \"foo\" {}", "unable to parse rules: unable to parse rule foo: unrecognized rule type foo");
    for length in ["3", "101", "100000"] {
        fails(&format!("length={length} {}", charset("abc", "")), "passwords must be between 4 and 100 characters");
    }
    // Upstream stores this one, and fails later.
    let many: String = (0x4e00..0x4e00 + 300).filter_map(char::from_u32).collect();
    fails(&format!("length=20 {}", charset(&many, "")), &one("charset must not have more than 256 characters"));
    fails("length=\"20\"", "failed to decode configuration: length must be an integer");
    fails("length=20 rule \"charset\" { charset=5 }", "failed to decode configuration: charset must be a string");
    fails("length=20 rule", "unable to decode: at 1:15: expected '=', '{' or a label, found end of text");
}

#[test]
fn a_policy_that_hardly_any_password_meets_gives_up() {
    let narrow = format!("length=64 {}{}", charset("a", "min-chars=64"), charset("bcdefghijklmnopqrstuvwxyz", ""));
    let policy = PasswordPolicy::parse(&narrow).unwrap();
    let error = policy.generate(&mut SeededRandomness::new(4)).unwrap_err();
    assert_eq!(error.to_string(), "timed out generating string");
}
