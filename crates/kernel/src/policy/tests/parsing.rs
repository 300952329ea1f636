//! The text of policies: what upstream 2.6.2 takes and refuses, with its words where the fault is the same.

use super::policy;
use crate::policy::{POLICY_BYTES_MAX, Policy};

#[track_caller]
fn fails(text: &str, message: &str) {
    match Policy::parse(text) {
        Ok(_) => panic!("{text}: was taken"),
        Err(error) => assert_eq!(error.to_string(), message, "{text}"),
    }
}

#[test]
fn what_upstream_takes_is_taken() {
    for text in [
        "",
        "  ",
        "{}",
        "name = \"zz\"",
        "name = 5",
        "path \"x\" {}",
        "path \"x\" { capabilities = [] }",
        "path \"x\" { policy = \"write\" }",
        "path \"x\" { policy = \"deny\" capabilities = [\"read\"] }",
        "path x { capabilities = [\"read\",] }",
        "\"path\" \"x\" { \"capabilities\" = [\"read\"], comment = 5 }",
        "path \"x*y\" { capabilities = [\"read\"] }",
        "path \"x/+a\" { capabilities = [\"read\"] }",
        "path \"/x\" { capabilities = [\"read\"] }",
        "path \"\" { capabilities = [\"read\"] }",
        "path \"a/../b\" { capabilities = [\"read\"] }",
        "path \"x\" { capabilities = [\"scan\", \"patch\", \"sudo\", \"create\", \"update\", \"delete\", \"list\", \"deny\"] }",
        "path \"x\" { capabilities = [\"read\"] capabilities = [\"list\"] }",
        "path \"x\" { capabilities = [\"read\"] min_wrapping_ttl = \"1s\" max_wrapping_ttl = 0x10 }",
        "path \"x\" { capabilities = [\"read\"] min_wrapping_ttl = 1e1 max_wrapping_ttl = \"1d\" }",
        "path \"x\" { capabilities = [\"read\"] allowed_parameters = { \"a\" = [1, true, \"b\", [\"c\"], { d = 1 }] } }",
        "path \"x\" { capabilities = [\"read\"] allowed_parameters { a = [] } required_parameters = [\"b\"] }",
        "path \"x\" { capabilities = [\"list\"] pagination_limit = \"5\" }",
        "path \"x\" { capabilities = [\"list\"] list_scan_response_keys_filter_path = \"x/{{ .key }}\" }",
        "path \"x\" { capabilities = [\"read\"] mfa_methods = [\"m\"] expiration = \"2220-01-01T00:00:00+02:00\" }",
        "path \"x\" { capabilities = [\"read\"] expiration = 12345678 }",
        "path \"x/{{identity.foo}}/{{ identity.entity.id }}\" { capabilities = [\"read\"] }",
        "{\"path\":{\"x\":{\"capabilities\":[\"read\"],\"comment\":null}}}",
        "{\"path\":[{\"x\":{\"capabilities\":[\"read\"]}}]}",
        "{\"path\":{\"x\":{\"capabilities\":[\"read\"],\"allowed_parameters\":[{\"a\":[\"b\"]}]}}}",
        // Vault has these two, upstream has not.
        "path \"x\" { capabilities = [\"subscribe\", \"recover\"] subscribe_event_types = [\"*\"] }",
    ] {
        policy(text);
    }
    assert!(policy("path \"x/{{identity.entity.id}}\" {}").is_templated());
    assert!(!policy("path \"x\" {}").is_templated());
    assert_eq!((policy("path \"x\" {} path \"y\" {}").len(), policy("").is_empty()), (2, true));
}

#[test]
fn faults_are_told_in_upstreams_words() {
    let read = |rest: &str| format!("path \"a/b\" {{ capabilities=[\"read\"] {rest} }}");
    for (text, message) in [
        ("path \"x\" { capabilities = [\"y\"] }".to_owned(), "path \"x\": invalid capability \"y\""),
        ("path \"x\" { capabilities = [\"READ\"] }".to_owned(), "path \"x\": invalid capability \"READ\""),
        ("path \"x\" { capabilities = [\"root\"] }".to_owned(), "path \"x\": invalid capability \"root\""),
        ("path \"x\" { capabilities = [\"\"] }".to_owned(), "path \"x\": invalid capability \"\""),
        ("path \"x\" { capabilities = [1] }".to_owned(), "path \"x\": invalid capability \"1\""),
        ("path \"x\" { policy = \"zzz\" }".to_owned(), "path \"x\": invalid policy \"zzz\""),
        ("path \"x\" { foo = 1 }".to_owned(), "1 error occurred:\n\t* path \"x\": invalid key \"foo\" on line 1\n\n"),
        ("foo = 1".to_owned(), "1 error occurred:\n\t* invalid key \"foo\" on line 1\n\n"),
        (
            "ttl = 1\n\nfoo \"x\" {}".to_owned(),
            "2 errors occurred:\n\t* invalid key \"ttl\" on line 1\n\t* invalid key \"foo\" on line 3\n\n",
        ),
        (read("control_group {}"), "1 error occurred:\n\t* path \"a/b\": invalid key \"control_group\" on line 1\n\n"),
        ("path \"x/+*\" {}".to_owned(), "path \"x/+*\": invalid use of wildcards ('+*' is forbidden)"),
        ("path \"a/+*/b\" {}".to_owned(), "path \"a/+*/b\": invalid use of wildcards ('+*' is forbidden)"),
        (read("min_wrapping_ttl=\"foo\""), "error parsing min_wrapping_ttl: time: invalid duration \"foo\""),
        (read("min_wrapping_ttl=5 max_wrapping_ttl=3"), "max_wrapping_ttl cannot be less than min_wrapping_ttl"),
        (read("expiration=\"1h\""), "path \"a/b\": invalid expiration time: could not parse string as date and time"),
        (
            read("list_scan_response_keys_filter_path=\"a/{{ .key }}\""),
            "list_scan_response_keys_filter_path needs to be used on a path with the list capability",
        ),
        (
            "path \"x\" { capabilities=[\"list\"] list_scan_response_keys_filter_path=\"{{ .foo }}\" }".to_owned(),
            "list_scan_response_keys_filter_path resulted in same path for two different keys",
        ),
        (
            "path \"x\" { capabilities=[\"list\"] list_scan_response_keys_filter_path=\"{{ key }}\" }".to_owned(),
            "unable to compile template for list_scan_response_keys_filter_path: unable to parse template: function \"key\" not defined",
        ),
        (
            "path \"x/{{identity.entity.id\" {}".to_owned(),
            "failed to validate policy templating: unbalanced templating characters",
        ),
        ("path \"x/}}\" {}".to_owned(), "failed to validate policy templating: unbalanced templating characters"),
    ] {
        fails(&text, message);
    }
}

#[test]
fn faults_of_our_own() {
    fails("path \"x\" {", "at 1:11: expected a key, found end of text");
    fails("path \"x\" { capabilities = \"read\" }", "path \"x\": capabilities must be a list");
    fails("path \"x\" \"y\" {}", "at 1:1: expected a block with 1 labels");
    fails("path = \"x\"", "at 1:1: expected a block");
    fails("path { capabilities = [\"read\"] }", "at 1:8: expected a block");
    fails("path \"x\" { allowed_parameters = [\"y\"] }", "path \"x\": allowed_parameters must be an object of lists");
    fails("path \"x\" { denied_parameters = { y = 5 } }", "path \"x\": denied_parameters must be an object of lists");
    fails("path \"x\" { required_parameters = \"y\" }", "path \"x\": required_parameters must be a list of names");
    fails("path \"x\" { pagination_limit = \"y\" }", "path \"x\": pagination_limit must be an integer");
    // Whether the first or the last counts is a matter of the reader: refused.
    fails(
        "{\"path\":{\"x\":{\"capabilities\":[\"deny\"]},\"x\":{\"capabilities\":[\"read\"]}}}",
        "at 1:40: duplicate key in object",
    );
    // Upstream takes half a JSON text for a policy without rules.
    fails("{\"path\":", "at 1:9: expected a value, found end of text");
    fails(&" ".repeat(POLICY_BYTES_MAX + 1), "at 1:1: text is longer than 4194304 bytes");
}

#[test]
fn s111_deep_nesting_is_refused() {
    for text in
        ["path \"a\" { a = ".to_owned() + &"[".repeat(100_000), "{\"path\":".repeat(100_000), "path {".repeat(100_000)]
    {
        let error = Policy::parse(&text).unwrap_err().to_string();
        assert!(error.contains("nested deeper than"), "{error}");
    }
    // As deep as patterns go: neither compiling nor dropping recurses.
    let deep: String = (1..1_500).map(|depth| super::rule(&"a".repeat(depth), &["read"])).collect();
    let plus = super::rule(&"+/".repeat(40_000), &["read"]);
    let acl = super::acl(&[&deep, &plus]);
    assert_eq!(acl.capabilities(&"a".repeat(1_499)), ["read"]);
    assert_eq!(acl.capabilities(&"x/".repeat(40_000)), ["read"]);
    assert_eq!(acl.capabilities(&"x/".repeat(39_999)), ["deny"]);
}
