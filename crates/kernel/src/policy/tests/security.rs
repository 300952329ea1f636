//! Security rows S02, S03, S25 and S72, and the cost of many rules.

use super::{acl, allowed, policy, rule};
use crate::policy::{Acl, Attached};
use crypto::{Randomness, SeededRandomness};
use std::time::{Duration, Instant};
use wire::Operation;

#[test]
fn s02_nothing_folds_a_path() {
    let acl = acl(&[&(rule("auth/cert/certs/*", &["update"]) + &rule("auth/cert/certs/admin", &["deny"]))]);
    assert_eq!(acl.capabilities("auth/cert/certs/admin"), ["deny"]);
    // Other names are other names here, so that a handler that folded one would be the only one to do so.
    for other in ["AdMiN", "ADMIN", "admin%20", "admin ", "ａdmin", "admin\u{301}", "./admin", "x/../admin"] {
        assert_eq!(acl.capabilities(&format!("auth/cert/certs/{other}")), ["update"], "{other}");
    }
    for other in
        ["Auth/cert/certs/x", "auth//cert/certs/x", "auth/Cert/certs/x", " auth/cert/certs/x", "AUTH/CERT/CERTS/X"]
    {
        assert_eq!(acl.capabilities(other), ["deny"], "{other}");
    }
}

#[test]
fn s03_a_list_cannot_drop_its_slash_to_escape_a_deny() {
    for deny in ["foo/metadata/private/*", "foo/metadata/private*", "foo/metadata/+/*", "foo/+/private/*"] {
        // The broad rule has its wildcard first, so that the narrow one counts (upstream's priority rules).
        let broad = if deny.starts_with("foo/m") { "foo/*" } else { "*" };
        let acl = acl(&[&(rule(broad, &["list", "scan"]) + &rule(deny, &["deny"]))]);
        for path in ["private", "private/", "private/x", "private/x/"] {
            for operation in [Operation::List, Operation::Scan] {
                let path = format!("foo/metadata/{path}");
                assert!(!allowed(&acl, operation, &path), "{operation} {path} under deny {deny}");
            }
        }
        assert!(allowed(&acl, Operation::List, "foo/other") && allowed(&acl, Operation::List, "foo/other/"), "{deny}");
    }
}

#[test]
fn s25_deciding_leaves_nothing_behind() {
    let acl = acl(&[&(rule("secret/*", &["read"]) + &rule("kv/+/x", &["list"]) + &rule("a", &["read"]))]);
    let before = format!("{acl:?}");
    let mut randomness = SeededRandomness::new(25);
    for _ in 0..100_000 {
        let path = format!("secret/{}", randomness.below(u64::MAX));
        assert!(allowed(&acl, Operation::Read, &path));
        assert!(!allowed(&acl, Operation::List, path.trim_start_matches("secret/")));
    }
    assert_eq!(format!("{acl:?}"), before);
}

#[test]
fn s72_no_policy_is_root() {
    let everything = policy(&rule("*", &["create", "read", "update", "delete", "list", "sudo"]));
    for name in ["root", " root", "ROOT", "root\0"] {
        let acl = Acl::compile(&[Attached { name, prefix: "", policy: &everything }], None);
        assert!(!acl.is_root());
        assert_ne!(acl.capabilities("sys/raw"), ["root"]);
    }
    assert!(Acl::root().is_root());
}

/// Ten thousand rules of each kind, of which one matches: not the time of ten thousand comparisons, and not even nearly.
/// A lookup that walked the rules would take about a thousand times as long as with ten.
#[test]
fn many_rules_cost_a_request_what_few_cost() {
    let kinds: [fn(usize) -> String; 4] = [
        |number| format!("secret/data/app-{number:05}/config"),
        |number| format!("secret/data/app-{number:05}/*"),
        |number| format!("secret/+/app-{number:05}/config"),
        |number| format!("secret/+/app-{number:05}/*"),
    ];
    for kind in kinds {
        let compiled =
            |count: usize| acl(&[&(0..count).map(|number| rule(&kind(number), &["read"])).collect::<String>()]);
        let (few, many) = (compiled(10), compiled(10_000));
        let (few, many) = (fastest(&few), fastest(&many));
        assert!(many < few * 30 + Duration::from_millis(1), "{}: {few:?} became {many:?}", kind(0));
    }
}

/// The least time of several rounds, which a busy machine disturbs least.
fn fastest(acl: &Acl) -> Duration {
    let round = |_| {
        let start = Instant::now();
        for _ in 0..500 {
            assert!(allowed(acl, Operation::Read, "secret/data/app-00007/config"));
            assert!(!allowed(acl, Operation::Read, "secret/data/app-99999/config"));
        }
        start.elapsed()
    };
    (0..5).map(round).min().expect("five rounds")
}
