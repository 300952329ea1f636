//! What upstream 2.6.2 answered when it was asked, rule by rule; where we differ, the test says so.

use super::{acl, acl_for, allowed, allowed_with, policy, rule, wrapped};
use crate::policy::{Acl, Attached, Check, Denial};
use serde_json::{Value, json};
use wire::{Operation, Timestamp};

#[track_caller]
fn capabilities(acl: &Acl, wanted: &[(&str, &[&str])]) {
    for (path, names) in wanted {
        assert_eq!(acl.capabilities(path), *names, "{path}");
    }
}

#[test]
fn old_style_policies() {
    let acl = acl(&[
        r#"path "foo" { policy="write" } path "r" { policy="read" } path "d" { policy="deny" } path "s" { policy="sudo" }
        path "m" { policy="read" capabilities=["update"] } path "n" { policy="write" capabilities=["deny"] }"#,
    ]);
    capabilities(
        &acl,
        &[
            ("foo", &["create", "delete", "list", "read", "update"]),
            ("r", &["list", "read"]),
            ("d", &["deny"]),
            ("s", &["create", "delete", "list", "read", "sudo", "update"]),
            ("m", &["list", "read", "update"]),
            ("n", &["deny"]),
        ],
    );
}

#[test]
fn patterns() {
    for (path, expected) in [
        ("zz", &[("zz", true), ("zz/", true), ("z", false), ("zzz", false)][..]),
        ("/kv/foo", &[("kv/foo", true), ("/kv/foo", false)]),
        ("kv/x*y", &[("kv/x*y", true), ("kv/xzy", false)]),
        ("kv/q**", &[("kv/qa", false), ("kv/q*", true), ("kv/q*a", true)]),
        ("kv/+a/b", &[("kv/+a/b", true), ("kv/za/b", false), ("kv/a/b", false)]),
        ("kv/a+/*", &[("kv/a+/x", true), ("kv/a/x", false)]),
        ("kv/+/b", &[("kv/a/b", true), ("kv//b", true), ("kv/b", false), ("kv/a/b/", true), ("kv/a/b/c", false)]),
        ("kv/+", &[("kv/x", true), ("kv/", true), ("kv", false), ("kv/x/", true), ("kv/x/y", false)]),
        ("kv/+/b*", &[("kv/a/b", true), ("kv/a/b/c", true), ("kv/a/bx/c/d", true), ("kv/a/c", false), ("kv/b", false)]),
        ("kv/+/*", &[("kv/a/b", true), ("kv/a", false), ("kv/a/", true), ("kv/a/b/c", true)]),
        ("*", &[("kv/a/b", true), ("x", true), ("", true)]),
        ("", &[("", true), ("x", false)]),
        ("+", &[("kv", true), ("kv/", true), ("kv/a", false)]),
        ("+/+", &[("kv/a", true), ("kv", false), ("kv/a/b", false)]),
        ("secret/zip-*", &[("secret/zip-zap/zong", true), ("secret/zip/zap", false)]),
    ] {
        let acl = acl(&[&rule(path, &["read"])]);
        for (asked, matches) in expected {
            let wanted: &[&str] = if *matches { &["read"] } else { &["deny"] };
            assert_eq!(acl.capabilities(asked), wanted, "{path:?} against {asked:?}");
        }
    }
}

#[test]
fn the_most_specific_pattern_counts() {
    for (path, winner, others) in [
        ("secret/a/b/foo/x", "secret/*", &["secret/+/+/foo/*"][..]),
        ("kv/a/b", "kv/a*", &["kv/+/b"]),
        ("kv/a/b", "kv/+/b", &["kv/*"]),
        ("kv/a/b", "kv/+/b", &["kv/+/+"]),
        ("kv/a/b", "kv/*", &["kv/+/*", "kv/+/b*"]),
        ("kv/a/b/c", "kv/+/b/+", &["kv/+/+/c"]),
        ("kv/a/b", "+/a/b", &["*"]),
        ("kv/a/b/c", "kv/+/+/c", &["kv/+/b*"]),
        ("kv/a/b/c", "kv/+/+/+", &["kv/*"]),
        ("kv/a/b", "kv/a/b", &["kv/a/b*", "kv/a/+", "kv/+/b", "*"]),
        ("kv/abc", "kv/ab*", &["kv/a*", "kv/*", "+/abc", "*"]),
    ] {
        let mut text = rule(winner, &["read"]);
        others.iter().for_each(|other| text.push_str(&rule(other, &["deny"])));
        assert_eq!(acl(&[&text]).capabilities(path), ["read"], "{winner} against {others:?} for {path}");
    }
}

#[test]
fn rules_of_one_pattern_add_up_and_deny_wins() {
    let read = rule("kv/a", &["read"]);
    let list = rule("kv/a", &["list"]);
    capabilities(&acl(&[&read, &list]), &[("kv/a", &["list", "read"])]);
    capabilities(&acl(&[&(read.clone() + &list)]), &[("kv/a", &["list", "read"])]);
    capabilities(
        &acl(&[r#"path "kv/a" { capabilities=["read"] capabilities=["list"] }"#]),
        &[("kv/a", &["list", "read"])],
    );
    for order in
        [[read.as_str(), "path \"kv/a\" { capabilities=[\"deny\"] }"], ["path \"kv/a\" { policy=\"deny\" }", &read]]
    {
        capabilities(&acl(&order), &[("kv/a", &["deny"])]);
    }
    capabilities(&acl(&[&rule("kv/a", &["read", "deny", "sudo"])]), &[("kv/a", &["deny"])]);
    let exact_beats_glob = acl(&[&(rule("kv/*", &["deny"]) + &rule("kv/foo", &["read"]))]);
    capabilities(&exact_beats_glob, &[("kv/foo", &["read"]), ("kv/bar", &["deny"])]);
}

/// Rules, then whether LIST of `kv/foo` and of `kv/foo/` (always the same) is allowed.
#[test]
fn listing() {
    for (rules, allowed_) in [
        (&[("kv/foo", "list")][..], true),
        (&[("kv/foo/", "list")], true),
        (&[("kv/+", "list")], true),
        (&[("kv/+/", "list")], true),
        (&[("kv/+/*", "list")], true),
        (&[("kv/fo*", "list")], true),
        (&[("kv/foo*", "list")], true),
        (&[("kv/foo/*", "list")], true),
        (&[("kv/", "list")], false),
        (&[("kv/foo/x*", "list")], false),
        // Exact paths first, the one with the slash before the one without.
        (&[("kv/foo", "read"), ("kv/*", "list")], false),
        (&[("kv/foo", "list"), ("kv/foo/*", "read")], true),
        (&[("kv/foo", "read"), ("kv/foo/", "list")], true),
        (&[("kv/foo", "read"), ("kv/+/", "list")], false),
        // Then the most specific pattern that matches either.
        (&[("kv/+", "read"), ("kv/foo/*", "list")], true),
        (&[("kv/+", "list"), ("kv/foo/*", "read")], false),
        (&[("kv/+", "deny"), ("kv/foo/*", "list")], true),
        // Denies.
        (&[("kv/foo", "deny"), ("kv/foo/*", "list")], false),
        (&[("kv/foo/", "deny"), ("kv/foo", "list")], false),
        (&[("kv/foo/", "list"), ("kv/foo/*", "deny")], true),
        // Upstream 2.6.2 allows this one, which is S03; and this, by the order of the exact paths.
        (&[("kv/foo", "list"), ("kv/foo/*", "deny")], false),
        (&[("kv/foo/", "list"), ("kv/foo", "deny")], false),
    ] {
        let text: String = rules.iter().map(|(path, capability)| rule(path, &[capability])).collect();
        let acl = acl(&[&text]);
        for path in ["kv/foo", "kv/foo/"] {
            assert_eq!(allowed(&acl, Operation::List, path), allowed_, "LIST {path} under {rules:?}");
        }
    }
    let root = acl(&[&rule("kv", &["list"])]);
    assert!(allowed(&root, Operation::List, "kv") && allowed(&root, Operation::List, "kv/"));
    let scan = acl(&[&rule("kv/*", &["scan"])]);
    assert!(allowed(&scan, Operation::Scan, "kv/foo") && allowed(&scan, Operation::Scan, "kv"));
    assert!(!allowed(&scan, Operation::List, "kv"));
}

#[test]
fn only_lists_look_past_the_slash() {
    let acl = acl(&[&rule("kv/foo", &["read", "list"])]);
    assert!(allowed(&acl, Operation::Read, "kv/foo"));
    assert!(!allowed(&acl, Operation::Read, "kv/foo/"));
    capabilities(&acl, &[("kv/foo", &["list", "read"]), ("kv/foo/", &["list", "read"])]);
}

#[test]
fn operations_need_their_capability() {
    for operation in Operation::ALL {
        for capability in
            ["create", "read", "update", "delete", "list", "scan", "patch", "sudo", "subscribe", "recover"]
        {
            let acl = acl(&[&rule("kv/foo", &[capability])]);
            assert_eq!(
                allowed(&acl, operation, "kv/foo"),
                operation.name() == capability,
                "{operation} with {capability}"
            );
        }
    }
    let deny = acl(&[&rule("kv/foo", &["deny"])]);
    assert!(allowed(&deny, Operation::Help, "kv/foo"), "upstream tells everyone what a path is for");
    let ask = |acl: &Acl| {
        let decision =
            acl.check(&Check { path: "sys/audit", operation: Operation::Read, parameters: None, wrap_ttl: None });
        (decision.allowed, decision.sudo, decision.denial)
    };
    assert_eq!(ask(&acl(&[&rule("sys/audit", &["read"])])), (true, false, None));
    assert_eq!(ask(&acl(&[&rule("sys/audit", &["read", "sudo"])])), (true, true, None));
    assert_eq!(ask(&acl(&[&rule("sys/audit", &["sudo"])])), (false, true, Some(Denial::NotGranted)));
    assert_eq!(ask(&acl(&[&rule("sys/audit", &["sudo", "read", "deny"])])), (false, false, Some(Denial::Denied)));
    assert_eq!(ask(&acl(&[])), (false, false, Some(Denial::NotGranted)));
    assert_eq!(ask(&Acl::root()), (true, true, None));
}

/// Rules on `kv/w`, one policy each, then parameters of a write and whether it is allowed.
#[test]
fn parameters() {
    let any = r#"allowed_parameters={bar=[]}"#;
    let values = r#"allowed_parameters={bar=["a",1,true,"g*","*h","*m*",1.5,["l"]]}"#;
    let denied = r#"denied_parameters={bar=[] baz=["x", false, 1]}"#;
    for (rules, given, allowed) in [
        (&[any][..], json!({"bar": 1}), true),
        (&[any], json!({"BAR": 1}), true),
        (&[any], json!({"bar": 1, "z": 2}), false),
        (&[any], json!({"z": 1}), false),
        (&[any], json!({}), true),
        (&[values], json!({"bar": "a"}), true),
        (&[values], json!({"bar": "A"}), false),
        (&[values], json!({"bar": "gxx"}), true),
        (&[values], json!({"bar": "xxh"}), true),
        (&[values], json!({"bar": "xmx"}), true),
        (&[values], json!({"bar": "*"}), false),
        (&[values], json!({"bar": true}), true),
        (&[values], json!({"bar": "true"}), false),
        (&[values], json!({"bar": null}), false),
        (&[values], json!({"bar": ["a"]}), false),
        (&[values], json!({"bar": ["l"]}), true),
        (&[values], json!({"bar": 1.5}), true),
        // Upstream never finds a number equal to one of the policy.
        (&[values], json!({"bar": 1}), true),
        (&[r#"allowed_parameters={"*"=[] bar=["a"]}"#], json!({"bar": "a", "z": "b"}), true),
        (&[r#"allowed_parameters={"*"=[] bar=["a"]}"#], json!({"bar": "b"}), false),
        (&[r#"allowed_parameters={"*"=["a"]}"#], json!({"z": "a"}), true),
        // Upstream reads any list of `*` as the empty one.
        (&[r#"allowed_parameters={"*"=["a"]}"#], json!({"z": "b"}), false),
        (&[r#"allowed_parameters={}"#], json!({"z": "b"}), true),
        (&[r#"allowed_parameters={BAR=[]}"#], json!({"bar": 1}), true),
        (&[denied], json!({"bar": "b"}), false),
        (&[denied], json!({"BAR": "b"}), false),
        (&[denied], json!({"z": "a"}), true),
        (&[denied], json!({"baz": "x"}), false),
        (&[denied], json!({"baz": "y"}), true),
        (&[denied], json!({"baz": false}), false),
        // Upstream lets these four pass, though an engine reads them as the denied value.
        (&[denied], json!({"baz": ["y", "x"]}), false),
        (&[denied], json!({"baz": "false"}), false),
        (&[denied], json!({"baz": "1"}), false),
        (&[denied], json!({"baz": 1}), false),
        (&[r#"denied_parameters={"*"=[]}"#], json!({"bar": 1}), false),
        (&[r#"denied_parameters={"*"=["a"]}"#], json!({"bar": "b"}), false),
        (&[r#"denied_parameters={"*"=[]}"#], json!({}), true),
        (&[r#"allowed_parameters={bar=[]} denied_parameters={bar=["x"]}"#], json!({"bar": "x"}), false),
        (&[r#"allowed_parameters={bar=[]} denied_parameters={bar=["x"]}"#], json!({"bar": "y"}), true),
        (&[r#"allowed_parameters={"*"=[]} denied_parameters={bar=[]}"#], json!({"bar": "x"}), false),
        (&[r#"required_parameters=["bar"]"#], json!({"bar": null}), true),
        (&[r#"required_parameters=["bar"]"#], json!({"BAR": 1}), false),
        (&[r#"required_parameters=["bar"]"#], json!({}), false),
        // Several policies.
        (
            &[r#"allowed_parameters={bar=["a"]}"#, r#"allowed_parameters={baz=["b"]}"#],
            json!({"bar": "a", "baz": "b"}),
            true,
        ),
        (&[r#"allowed_parameters={bar=["a"]}"#, r#"allowed_parameters={baz=["b"]}"#], json!({"z": 1}), false),
        (&[r#"allowed_parameters={bar=["a"]}"#, r#"allowed_parameters={bar=["b"]}"#], json!({"bar": "b"}), true),
        (&[r#"allowed_parameters={bar=["a"]}"#, r#"allowed_parameters={bar=["b"]}"#], json!({"bar": "c"}), false),
        (&[r#"allowed_parameters={bar=["a"]}"#, r#"allowed_parameters={bar=[]}"#], json!({"bar": "c"}), true),
        (&[r#"allowed_parameters={bar=["a"]}"#, ""], json!({"bar": "b"}), false),
        (&["", r#"allowed_parameters={bar=["a"]}"#], json!({"z": "b"}), false),
        (&[r#"allowed_parameters={bar=["a"]}"#, r#"allowed_parameters={"*"=[]}"#], json!({"bar": "b"}), false),
        (&[r#"allowed_parameters={bar=["a"]}"#, r#"allowed_parameters={"*"=[]}"#], json!({"z": "b"}), true),
        (&[r#"denied_parameters={bar=["x"]}"#, r#"denied_parameters={baz=[]}"#], json!({"bar": "y"}), true),
        (&[r#"denied_parameters={bar=["x"]}"#, r#"denied_parameters={baz=[]}"#], json!({"baz": "y"}), false),
        (&[r#"denied_parameters={bar=["x"]}"#, r#"denied_parameters={bar=["y"]}"#], json!({"bar": "y"}), false),
        (&[r#"denied_parameters={bar=["x"]}"#, r#"denied_parameters={bar=[]}"#], json!({"bar": "z"}), false),
        (&[r#"denied_parameters={bar=["x"]}"#, ""], json!({"bar": "x"}), false),
        (&[r#"denied_parameters={"*"=[]}"#, r#"denied_parameters={bar=["x"]}"#], json!({"z": "x"}), false),
        (&[r#"required_parameters=["a"]"#, r#"required_parameters=["b"]"#], json!({"a": 1}), false),
        (&[r#"required_parameters=["a"]"#, r#"required_parameters=["b"]"#], json!({"a": 1, "b": 1}), true),
        (&[r#"required_parameters=["a"]"#, ""], json!({"b": 1}), false),
    ] {
        let acl = on_w(rules);
        for operation in [Operation::Create, Operation::Update, Operation::Patch, Operation::Read] {
            assert_eq!(
                allowed_with(&acl, operation, "kv/w", given.clone()),
                allowed,
                "{operation} {given} under {rules:?}"
            );
        }
        for operation in [Operation::Delete, Operation::List, Operation::Scan] {
            assert!(allowed_with(&acl, operation, "kv/w", given.clone()), "{operation} {given} under {rules:?}");
        }
    }
}

/// One policy for each text, all with every capability on `kv/w`.
fn on_w(rules: &[&str]) -> Acl {
    let every = r#"["create", "update", "read", "list", "scan", "patch", "delete"]"#;
    let texts: Vec<String> =
        rules.iter().map(|rule| format!("path \"kv/w\" {{ capabilities = {every} {rule} }}")).collect();
    acl(&texts.iter().map(String::as_str).collect::<Vec<_>>())
}

#[test]
fn wrapping_bounds() {
    let asked = [None, Some(1), Some(5), Some(10), Some(15), Some(20), Some(25)];
    for (rules, expected) in [
        (&["min_wrapping_ttl=5"][..], [false, false, true, true, true, true, true]),
        (&["max_wrapping_ttl=20"], [false, true, true, true, true, true, false]),
        (&["min_wrapping_ttl=\"5s\" max_wrapping_ttl=\"20s\""], [false, false, true, true, true, true, false]),
        (&["min_wrapping_ttl=5", "min_wrapping_ttl=10"], [false, false, true, true, true, true, true]),
        (&["max_wrapping_ttl=10", "max_wrapping_ttl=20"], [false, true, true, true, false, false, false]),
        (&["min_wrapping_ttl=5", ""], [false, false, true, true, true, true, true]),
        (&["", "max_wrapping_ttl=10"], [false, true, true, true, false, false, false]),
        (&["min_wrapping_ttl=15", "max_wrapping_ttl=10"], [false; 7]),
        (&["min_wrapping_ttl=0"], [true; 7]),
    ] {
        let acl = on_w(rules);
        assert_eq!(asked.map(|seconds| wrapped(&acl, "kv/w", seconds)), expected, "{rules:?}");
    }
}

#[test]
fn s78_a_page_limit_cannot_be_evaded() {
    let limits = [json!({}), json!({"limit": "1"}), json!({"limit": 2}), json!({"limit": "3"}), json!({"after": "x"})];
    let evasions: [Value; 11] = [
        json!({"limit": 0}),
        json!({"limit": "0"}),
        json!({"limit": -1}),
        json!({"limit": "-1"}),
        json!({"limit": 2_147_483_648_u64}),
        json!({"limit": "9223372036854775808"}),
        json!({"limit": "1e9"}),
        json!({"limit": " 5"}),
        json!({"limit": "x"}),
        json!({"limit": [1]}),
        json!({"limit": null}),
    ];
    for (rules, expected) in [
        (&["pagination_limit=2"][..], [true, true, true, false, true]),
        (&["pagination_limit=\"2\"", ""], [true, true, true, false, true]),
        (&["pagination_limit=3", "pagination_limit=2"], [true, true, true, false, true]),
        (&["pagination_limit=2 required_parameters=[\"limit\"]"], [false, true, true, false, false]),
        (&["pagination_limit=0"], [true; 5]),
        (&["required_parameters=[\"limit\"]"], [true; 5]),
    ] {
        let acl = on_w(rules);
        for operation in [Operation::List, Operation::Scan] {
            let answers = limits.clone().map(|limit| allowed_with(&acl, operation, "kv/w", limit));
            assert_eq!(answers, expected, "{rules:?}");
            if rules[0].starts_with("pagination_limit=2") {
                for evasion in &evasions {
                    assert!(!allowed_with(&acl, operation, "kv/w", evasion.clone()), "{evasion}");
                }
            }
        }
    }
}

#[test]
fn lists_keep_only_keys_that_the_caller_may_use() {
    let filter = |template: &str, extra: &str, path: &str| {
        let text = format!(
            "path \"kv/lf/\" {{ capabilities=[\"list\", \"scan\"] list_scan_response_keys_filter_path={template:?} }} {extra}"
        );
        let acl = acl(&[&text]);
        let decision = acl.check(&Check { path, operation: Operation::List, parameters: None, wrap_ttl: None });
        let filter = decision.keys_filter.expect("the rule has a filter");
        ["a", "b", "c", "sub/"].into_iter().filter(|key| filter.retains(key)).collect::<Vec<_>>()
    };
    let some = rule("kv/lf/a", &["read"]) + &rule("kv/lf/b", &["list"]) + &rule("kv/lf/sub/", &["list"]);
    assert_eq!(filter("kv/lf/{{ .key }}", &some, "kv/lf/"), ["a", "sub/"]);
    assert_eq!(filter("{{ .path }}{{.key}}", &some, "kv/lf"), ["a", "sub/"]);
    let moved = rule("zz/lf/c", &["read"]);
    assert_eq!(filter(r#"{{ .path | replace "kv/" "zz/" }}{{ .key }}"#, &moved, "kv/lf/"), ["c"]);
    assert_eq!(filter(r#"X/{{ .key | uppercase }}"#, &rule("X/B", &["read"]), "kv/lf/"), ["b"]);
    assert_eq!(filter("kv/lf/{{ .key }}", "", "kv/lf/"), [""; 0]);

    let inner = policy(
        "path \"kv/*\" { capabilities=[\"list\"] list_scan_response_keys_filter_path=\"{{.path}}{{.key}}\" } path \"kv/x/a\" { capabilities=[\"read\"] }",
    );
    let acl = Acl::compile(&[Attached { name: "p", prefix: "team/", policy: &inner }], None);
    let decision =
        acl.check(&Check { path: "team/kv/x/", operation: Operation::List, parameters: None, wrap_ttl: None });
    let filter = decision.keys_filter.expect("the rule has a filter");
    assert_eq!((filter.retains("a"), filter.retains("b")), (true, false), "in a namespace, paths are relative to it");
}

#[test]
fn rules_expire() {
    let text = r#"
        path "kv/a" { capabilities=["read"] expiration="2026-01-01T00:00:00Z" }
        path "kv/b" { capabilities=["read"] expiration="2027-01-01T00:00:00Z" }
        path "kv/c" { capabilities=["deny"] expiration="2026-06-01T00:00:00Z" } path "kv/c" { capabilities=["read"] }"#;
    let policy = policy(text);
    let attached = [Attached { name: "p", prefix: "", policy: &policy }];
    let at = |moment: &str| {
        let now = Timestamp::parse_rfc3339(moment).unwrap();
        let acl = Acl::compile_at(&attached, None, now);
        let reads = ["kv/a", "kv/b", "kv/c"].map(|path| allowed(&acl, Operation::Read, path));
        (reads, acl.valid_until().map(Timestamp::to_rfc3339))
    };
    assert_eq!(at("2025-12-31T23:59:59Z"), ([true, true, false], Some("2026-01-01T00:00:00Z".to_owned())));
    assert_eq!(at("2026-01-01T00:00:00Z"), ([false, true, false], Some("2026-06-01T00:00:00Z".to_owned())));
    assert_eq!(at("2026-06-01T00:00:00Z"), ([false, true, true], Some("2027-01-01T00:00:00Z".to_owned())));
    assert_eq!(at("2027-01-01T00:00:00Z"), ([false, false, true], None));
    let timeless = acl_for(&[text], None);
    let reads = ["kv/a", "kv/b", "kv/c"].map(|path| allowed(&timeless, Operation::Read, path));
    assert_eq!(reads, [false, false, false], "who does not know the time takes a grant for ended and a deny for not");
}

#[test]
fn a_namespaces_policy_stays_in_it() {
    let inner = policy(&(rule("*", &["read"]) + &rule("+/x", &["list"]) + &rule("sys/mounts", &["update"])));
    let outer = policy(&rule("team/kv/*", &["create"]));
    let acl = Acl::compile(
        &[
            Attached { name: "inner", prefix: "team/", policy: &inner },
            Attached { name: "outer", prefix: "", policy: &outer },
        ],
        None,
    );
    capabilities(
        &acl,
        &[
            ("team/any", &["read"]),
            ("team/", &["read"]),
            ("team", &["deny"]),
            ("teams/any", &["deny"]),
            ("any", &["deny"]),
            ("team/a/x", &["list"]),
            ("team/kv/y", &["create"]),
            ("team/sys/mounts", &["update"]),
            ("sys/mounts", &["deny"]),
        ],
    );
    // In a namespace's path, `+` is a name and no wildcard.
    let acl = Acl::compile(&[Attached { name: "inner", prefix: "+/", policy: &inner }], None);
    capabilities(&acl, &[("+/any", &["read"]), ("team/any", &["deny"])]);
}

#[test]
fn the_audit_trail_learns_which_policies_allow_it() {
    let one = policy(&rule("kv/a", &["read", "list"]));
    let two = policy(&rule("kv/a", &["list"]));
    let three = policy(&rule("kv/*", &["read", "list"]));
    let attached = [("one", "", &one), ("two", "", &two), ("three", "", &three)];
    let acl = Acl::compile(&attached.map(|(name, prefix, policy)| Attached { name, prefix, policy }), None);
    let granting = |operation| {
        let decision = acl.check(&Check { path: "kv/a", operation, parameters: None, wrap_ttl: None });
        decision.granting_policies().map(|(name, _)| name).collect::<Vec<_>>()
    };
    assert_eq!(granting(Operation::Read), ["one"]);
    assert_eq!(granting(Operation::List), ["one", "two"]);
    assert_eq!(granting(Operation::Delete), [""; 0]);
}

#[test]
fn the_resultant_acl_as_upstream_prints_it() {
    let text = rule("kv/foo", &["read", "sudo"])
        + &rule("kv/*", &["list"])
        + &rule("kv/+/b", &["read"])
        + &rule("kv/+/c*", &["deny"])
        + &rule("kv/d", &["deny"])
        + r#"path "kv/e" { capabilities=["update"] allowed_parameters={a=[1]} denied_parameters={b=[]} required_parameters=["c"]
            min_wrapping_ttl=5 max_wrapping_ttl=10 }"#;
    let expected = json!({
        "exact_paths": {
            "kv/d": {"capabilities": ["deny"]},
            "kv/e": {
                "allowed_parameters": {"a": [1]}, "capabilities": ["update"], "denied_parameters": {"b": []},
                "max_wrapping_ttl": 10, "min_wrapping_ttl": 5, "required_parameters": ["c"],
            },
            "kv/foo": {"capabilities": ["read", "sudo"]},
        },
        "glob_paths": {"kv/": {"capabilities": ["list"]}},
        "root": false,
    });
    assert_eq!(acl(&[&text]).resultant(), expected);
    assert_eq!(Acl::root().resultant(), json!({"root": true}));
    assert_eq!(Acl::root().capabilities("any/thing"), ["root"]);
}

#[test]
fn who_touches_a_mount() {
    for (path, capability, touched) in [
        ("kv/a/b", "read", true),
        ("kv/", "list", true),
        ("kv", "list", true),
        ("kv/*", "read", true),
        ("kv*", "read", true),
        ("*", "read", true),
        ("+/a", "read", true),
        ("+/*", "read", true),
        ("+", "list", true),
        ("+/+/c", "read", true),
        ("kv/+/x", "read", true),
        ("kv/a/+", "read", true),
        ("kv/a", "deny", false),
        ("kv2/a", "read", false),
        ("k", "read", false),
        ("other/*", "read", false),
        ("+x/a", "read", false),
    ] {
        assert_eq!(acl(&[&rule(path, &[capability])]).touches("kv/"), touched, "{path}");
    }
    assert!(Acl::root().touches("kv/"));
    assert!(!acl(&[&rule("kv/+/data/*", &["read"])]).touches("kv/a/metadata/"));
    assert!(acl(&[&rule("kv/+/data/*", &["read"])]).touches("kv/a/data/"));
    assert!(acl(&[&rule("kv/+/data/x*", &["read"])]).touches("kv/a/data/"));
}
