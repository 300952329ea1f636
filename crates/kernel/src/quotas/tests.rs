use super::*;

fn rules(limits: &[(&str, bool)], namespaces: &[&str]) -> RateRules {
    let mut rules =
        RateRules { namespaces: namespaces.iter().map(|path| (*path).to_owned()).collect(), ..RateRules::default() };
    for (path, inheritable) in limits {
        let scope = Scope { path: (*path).to_owned(), inheritable: *inheritable };
        let rule = RateLimit { name: (*path).to_owned(), scope, rate: 1.0, interval: 1, block_interval: 0 };
        if path.ends_with('*') {
            rules.globs.push(rule);
        } else {
            rules.exact.insert((*path).to_owned(), rule);
        }
    }
    rules
}

#[test]
fn the_narrowest_rule_holds() {
    let rules = rules(
        &[
            ("", true),
            ("secret/", false),
            ("secret/data/hot", false),
            ("a/", false),
            ("c/", true),
            ("auth/userpass/login/*", false),
        ],
        &["a/", "a/b/", "c/", "c/d/"],
    );
    for (header, path, name) in [
        (None, "sys/mounts", Some("")),
        (None, "secret/data/x", Some("secret/")),
        (None, "secret", Some("secret/")),
        (None, "secret/data/hot", Some("secret/data/hot")),
        (None, "auth/userpass/login/u", Some("auth/userpass/login/*")),
        (Some("a"), "secret/x", Some("a/")),
        (None, "a/secret/x", Some("a/")),
        // Not inherited: what lies below falls back to the rule of everything.
        (Some("a/b"), "secret/x", Some("")),
        (Some("c/d"), "secret/x", Some("c/")),
        // Exempt by default.
        (None, "sys/health", None),
        // Exempt in the root only.
        (Some("c"), "sys/health", Some("c/")),
    ] {
        assert_eq!(rules.matching(header, path).map(|rule| rule.name.as_str()), name, "{header:?} {path}");
    }
}

#[test]
fn without_rules_nothing_is_limited() {
    assert!(RateRules::default().matching(None, "secret/x").is_none());
}
