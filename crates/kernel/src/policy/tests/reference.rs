//! F43: a tiny slow evaluator, written from the documentation, that the compiled ACL must agree with on random policies
//! and requests; and adding a deny never grants. A failure prints the seed that repeats it.

use super::policy;
use crate::policy::{Acl, Attached, Check};
use crypto::{Randomness, SeededRandomness};
use serde_json::{Map, Value, json};
use std::cmp::Ordering;
use wire::Operation;

/// A rule in plain sight.
#[derive(Debug, Clone)]
struct Plain {
    prefix: &'static str,
    path: String,
    capabilities: Vec<&'static str>,
    allowed: Option<(&'static str, Option<&'static str>)>,
    denied: Option<(&'static str, Option<&'static str>)>,
    required: Option<&'static str>,
    wrapping_min: u64,
}

impl Plain {
    fn text(&self) -> String {
        let mut text = format!("path {:?} {{ capabilities = {:?}", self.path, self.capabilities);
        for (key, rule) in [("allowed_parameters", self.allowed), ("denied_parameters", self.denied)] {
            if let Some((name, value)) = rule {
                text.push_str(&format!(" {key} = {{ {name:?} = {:?} }}", value.into_iter().collect::<Vec<_>>()));
            }
        }
        if let Some(name) = self.required {
            text.push_str(&format!(" required_parameters = [{name:?}]"));
        }
        text.push_str(&format!(" min_wrapping_ttl = {} }}\n", self.wrapping_min));
        text
    }

    /// Relative to its namespace, the leading slash dropped.
    fn relative(&self) -> &str {
        self.path.strip_prefix('/').unwrap_or(&self.path)
    }

    fn pattern(&self) -> String {
        format!("{}{}", self.prefix, self.relative())
    }

    fn is_exact(&self) -> bool {
        !self.relative().ends_with('*') && !self.relative().split('/').any(|segment| segment == "+")
    }

    fn matches(&self, path: &str) -> bool {
        let Some(path) = path.strip_prefix(self.prefix) else { return false };
        segments_match(self.relative(), path)
    }
}

fn segments_match(pattern: &str, path: &str) -> bool {
    let same = |pattern: &str, segment: &str| pattern == "+" || pattern == segment;
    match (pattern.split_once('/'), path.split_once('/')) {
        (Some((first, pattern)), Some((segment, path))) => same(first, segment) && segments_match(pattern, path),
        (Some(_), None) => false,
        (None, _) if pattern.ends_with('*') => path.starts_with(&pattern[..pattern.len() - 1]),
        (None, None) => same(pattern, path),
        (None, Some(_)) => false,
    }
}

/// Less means of lower priority: the documentation's list from its top.
fn priority(one: &str, other: &str) -> Ordering {
    let first_wildcard = |pattern: &str| {
        let mut at = 0;
        for segment in pattern.split('/') {
            if segment == "+" {
                return at;
            }
            at += segment.len() + 1;
        }
        pattern.len() - 1
    };
    let wildcards = |pattern: &str| pattern.split('/').filter(|segment| *segment == "+").count();
    first_wildcard(one)
        .cmp(&first_wildcard(other))
        .then(other.ends_with('*').cmp(&one.ends_with('*')))
        .then(wildcards(other).cmp(&wildcards(one)))
        .then(one.len().cmp(&other.len()))
        .then(one.cmp(other))
}

/// All rules of the pattern that counts for a path.
fn exact<'a>(rules: &'a [Plain], path: &str) -> Vec<&'a Plain> {
    rules.iter().filter(|rule| rule.is_exact() && rule.matches(path)).collect()
}

fn wildcard<'a>(rules: &'a [Plain], paths: &[&str]) -> Vec<&'a Plain> {
    let matching = rules.iter().filter(|rule| !rule.is_exact() && paths.iter().any(|path| rule.matches(path)));
    let Some(best) = matching.map(Plain::pattern).max_by(|one, other| priority(one, other)) else { return Vec::new() };
    rules.iter().filter(|rule| rule.pattern() == best).collect()
}

fn denies(rules: &[&Plain]) -> bool {
    rules.iter().any(|rule| rule.capabilities.contains(&"deny"))
}

fn first_found<'a>(one: Vec<&'a Plain>, other: Vec<&'a Plain>) -> Vec<&'a Plain> {
    if one.is_empty() { other } else { one }
}

fn decide(rules: &[Plain], check: &Check<'_>) -> bool {
    let counting = match check.operation {
        Operation::List | Operation::Scan => {
            let bare = check.path.strip_suffix('/').unwrap_or(check.path);
            let folder = format!("{bare}/");
            let of_folder = first_found(exact(rules, &folder), wildcard(rules, &[&folder]));
            if denies(&of_folder) || denies(&exact(rules, bare)) {
                return false;
            }
            let either = wildcard(rules, &[&folder, bare]);
            first_found(exact(rules, &folder), first_found(exact(rules, bare), either))
        }
        _ => first_found(exact(rules, check.path), wildcard(rules, &[check.path])),
    };
    if denies(&counting) || !counting.iter().any(|rule| rule.capabilities.contains(&check.operation.name())) {
        return false;
    }
    let wrapping_min = counting.iter().map(|rule| rule.wrapping_min).filter(|seconds| *seconds > 0).min();
    if wrapping_min.is_some_and(|seconds| check.wrap_ttl.is_none_or(|asked| asked < seconds)) {
        return false;
    }
    match check.operation {
        Operation::List | Operation::Scan | Operation::Delete => true,
        _ => parameters_fit(&counting, check.parameters.expect("always given here")),
    }
}

/// A parameter and the value it is held to, if any.
type Named = (&'static str, Option<&'static str>);

/// Whether a parameter is covered: `None` if no rule names it.
fn covered(rules: &[&Plain], of: fn(&Plain) -> Option<Named>, name: &str, value: Option<&Value>) -> Option<bool> {
    let values: Vec<_> = rules.iter().filter_map(|rule| of(rule)).filter(|(known, _)| *known == name).collect();
    let any = values.iter().any(|(_, wanted)| wanted.is_none());
    (!values.is_empty()).then(|| any || values.iter().any(|(_, wanted)| wanted.map(Value::from).as_ref() == value))
}

fn parameters_fit(rules: &[&Plain], parameters: &Map<String, Value>) -> bool {
    let has_all = rules.iter().filter_map(|rule| rule.required).all(|name| parameters.contains_key(name));
    let restricted = rules.iter().any(|rule| rule.allowed.is_some());
    has_all
        && parameters.iter().all(|(name, value)| {
            let denied = covered(rules, |rule| rule.denied, "*", None).is_some()
                || covered(rules, |rule| rule.denied, name, Some(value)) == Some(true);
            let allowed = covered(rules, |rule| rule.allowed, name, Some(value))
                .or_else(|| covered(rules, |rule| rule.allowed, "*", Some(value)))
                .unwrap_or(!restricted);
            !denied && allowed
        })
}

/// Random choices, reproducible from a seed.
struct Choice(SeededRandomness);

impl Choice {
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.0.below(bound as u64)).expect("below a usize")
    }

    fn of<T: Clone>(&mut self, options: &[T]) -> T {
        options[self.below(options.len())].clone()
    }

    fn one_in<T>(&mut self, chances: usize, value: T) -> Option<T> {
        (self.below(chances) == 0).then_some(value)
    }

    fn segments(&mut self, options: &[&str]) -> String {
        let count = 1 + self.below(4);
        (0..count).map(|_| self.of(options)).collect::<Vec<_>>().join("/")
    }

    fn pattern(&mut self) -> String {
        let mut path = self.segments(&["a", "b", "ab", "+", "+", "+a", "a*"]);
        path.push_str(self.of(&["", "", "/"]));
        if !path.ends_with('+') && self.below(3) == 0 {
            path.push('*');
        }
        if self.below(20) == 0 { format!("/{path}") } else { path }
    }

    fn rule(&mut self) -> Plain {
        let every = ["create", "read", "update", "delete", "list", "scan", "patch", "sudo"];
        let capabilities =
            if self.below(5) == 0 { vec!["deny"] } else { every.into_iter().filter(|_| self.below(2) == 0).collect() };
        let parameter = |choice: &mut Self| (choice.of(&["x", "y", "*"]), choice.of(&[None, Some("1"), Some("2")]));
        let (allowed, denied, required) = (parameter(self), parameter(self), self.of(&["x", "y"]));
        Plain {
            prefix: self.of(&["", "", "a/", "a/b/"]),
            path: self.pattern(),
            capabilities,
            allowed: self.one_in(8, allowed),
            denied: self.one_in(8, denied),
            required: self.one_in(12, required),
            wrapping_min: self.of(&[0, 0, 0, 0, 0, 0, 0, 0, 0, 5, 10]),
        }
    }

    fn path(&mut self) -> String {
        let mut path = self.segments(&["a", "a", "b", "b", "ab", "abc", "+a", "a*"]);
        path.push_str(self.of(&["", "", "/"]));
        path
    }

    fn parameters(&mut self) -> Map<String, Value> {
        let mut parameters = Map::new();
        for name in ["x", "y", "z"] {
            if self.below(4) == 0 {
                let value = self.of(&["1", "2"]);
                parameters.insert(name.to_owned(), json!(value));
            }
        }
        parameters
    }
}

/// One policy for each namespace prefix that occurs.
fn compiled(rules: &[Plain]) -> Acl {
    let policies: Vec<_> = rules.iter().map(|rule| (rule.prefix, policy(&rule.text()))).collect();
    let attached: Vec<_> = policies.iter().map(|(prefix, policy)| Attached { name: "p", prefix, policy }).collect();
    Acl::compile(&attached, None)
}

const POLICY_SETS: u64 = 4_000;
const REQUESTS: usize = 32;

#[test]
fn f43_the_compiled_acl_agrees_with_the_slow_one() {
    let (mut allowed, mut refused) = (0_u32, 0_u32);
    for seed in 0..POLICY_SETS {
        let mut choice = Choice(SeededRandomness::new(seed));
        let count = 1 + choice.below(12);
        let rules: Vec<Plain> = (0..count).map(|_| choice.rule()).collect();
        let acl = compiled(&rules);
        let deny = Plain { capabilities: vec!["deny"], ..choice.rule() };
        let stricter = compiled(&[rules.as_slice(), std::slice::from_ref(&deny)].concat());
        for _ in 0..REQUESTS {
            let (path, parameters) = (choice.path(), choice.parameters());
            let (operation, wrap_ttl) = (choice.of(&Operation::ALL), choice.of(&[None, Some(5), Some(20)]));
            let check = Check { path: &path, operation, parameters: Some(&parameters), wrap_ttl };
            let (ours, theirs) = (acl.check(&check).allowed, decide(&rules, &check));
            assert_eq!(ours, theirs, "seed {seed}: {check:?} under {rules:#?}");
            let still = stricter.check(&check).allowed;
            assert!(ours || !still, "seed {seed}: {deny:?} grants {check:?} under {rules:#?}");
            let folder = format!("{}/", path.trim_end_matches('/'));
            if matches!(operation, Operation::List | Operation::Scan) {
                let other = acl.check(&Check { path: &folder, ..check }).allowed;
                assert_eq!(ours, other, "seed {seed}: S03, {check:?} differs from {folder}");
            }
            if ours { allowed += 1 } else { refused += 1 }
        }
    }
    assert!(allowed > 9_000 && refused > 9_000, "{allowed} allowed, {refused} refused: the mix says little");
}

/// The same with many rules, so that the index has depth.
#[test]
fn f43_agreement_holds_for_large_policies() {
    for seed in 0..20 {
        let mut choice = Choice(SeededRandomness::new(1_000_000 + seed));
        let rules: Vec<Plain> = (0..300).map(|_| choice.rule()).collect();
        let acl = compiled(&rules);
        for _ in 0..200 {
            let (path, parameters) = (choice.path(), choice.parameters());
            let check = Check {
                path: &path,
                operation: choice.of(&Operation::ALL),
                parameters: Some(&parameters),
                wrap_ttl: None,
            };
            assert_eq!(acl.check(&check).allowed, decide(&rules, &check), "seed {seed}: {check:?}");
        }
    }
}
