//! Configuration, roles, and logins with a token.

use super::*;
use engine::{LoginRecord, Operation};

#[test]
fn configurations_are_checked_kept_and_read_without_the_secret() {
    let signer = Signer::new("k", 1);
    let one = "exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs', 'oidc_discovery_url', or \
               'provider_config' must be set";
    let both = "both 'oidc_client_id' and 'oidc_client_secret' must be set for OIDC";
    let pem = signer.pem();
    for (sent, wanted) in [
        (json!({}), one),
        (json!({ "jwt_validation_pubkeys": [pem], "jwks_url": "http://p/k" }), one),
        (
            json!({ "jwt_validation_pubkeys": "nope" }),
            "error parsing public key: data does not contain any valid public keys",
        ),
        (json!({ "jwt_validation_pubkeys": [pem], "oidc_client_id": "a" }), both),
        (
            json!({ "jwt_validation_pubkeys": [pem], "oidc_client_id": "a", "oidc_client_secret": "b" }),
            "'oidc_discovery_url' must be set for OIDC",
        ),
        (
            json!({ "jwt_validation_pubkeys": [pem], "jwt_supported_algs": ["HS256"] }),
            "invalid jwt_supported_algs: unsupported signing algorithm \"HS256\"",
        ),
        (
            json!({ "jwt_validation_pubkeys": [pem], "jwt_supported_algs": "none" }),
            "invalid jwt_supported_algs: unsupported signing algorithm \"none\"",
        ),
        (json!({ "jwt_validation_pubkeys": [pem], "oidc_response_mode": "x" }), "invalid response_mode: \"x\""),
        (
            json!({ "jwt_validation_pubkeys": [pem], "oidc_response_types": "foo" }),
            "invalid response_types [foo]. 'code' and 'id_token' are allowed",
        ),
        (
            json!({ "jwt_validation_pubkeys": [pem], "oidc_response_types": "id_token" }),
            "query response_mode may not be used with an id_token response_type",
        ),
        (
            json!({ "jwt_validation_pubkeys": [pem], "provider_config": { "provider": "foo" } }),
            "invalid provider_config: provider \"foo\" not found in custom providers",
        ),
        (json!({ "jwks_url": "http://p/k" }), "error checking jwks URL"),
        (json!({ "oidc_discovery_url": "http://p" }), "error checking oidc discovery URL"),
    ] {
        let mut bench = bench();
        assert_eq!(fault(bench.write("config", sent.clone())), wanted, "{sent}");
        assert!(bench.stored().is_empty(), "{sent}");
    }
    let mut bench = bench();
    let sent = json!({ "oidc_discovery_url": "http://p", "oidc_client_id": "a", "oidc_client_secret": "hidden",
                       "skip_jwks_validation": true, "default_role": "R" });
    assert_eq!(bench.write("config", sent).unwrap().warnings, ["error checking oidc discovery URL"]);
    let read = bench.read("config").unwrap();
    let shown = read.value().unwrap().clone();
    assert!(!shown.to_string().contains("hidden"));
    assert_eq!([&shown["status"], &shown["default_role"]], ["invalid", "r"]);
    assert_eq!(shown["namespace_in_state"], true);
}

#[test]
fn roles_are_checked_kept_and_listed() {
    let mut bench = bench();
    let some = "must have at least one bound constraint when creating/updating a role";
    let redirect = "'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified.";
    for (sent, wanted) in [
        (json!({}), "a user claim must be defined on the role"),
        (json!({ "role_type": "foo" }), "invalid 'role_type': foo"),
        (json!({ "role_type": "jwt", "user_claim": "sub" }), some),
        (json!({ "user_claim": "sub" }), redirect),
        (json!({ "user_claim": "sub", "allowed_redirect_uris": "x", "callback_mode": "y" }), "invalid 'callback_mode': y"),
        (json!({ "user_claim": "sub", "bound_claims_type": "y" }), "invalid 'bound_claims_type': y"),
        (
            json!({ "role_type": "jwt", "user_claim": "sub", "bound_claims_type": "glob", "bound_claims": { "a": 1 } }),
            "claim is not a string: 1",
        ),
        (
            json!({ "role_type": "jwt", "user_claim": "sub", "bound_subject": "s", "claim_mappings": { "a": "role" } }),
            "metadata key \"role\" is reserved and may not be a mapping destination",
        ),
        (
            json!({ "user_claim": "sub", "allowed_redirect_uris": "x", "oauth2_metadata": "foo" }),
            "Unrecognized oauth2 metadata name foo",
        ),
        (
            json!({ "user_claim": "sub", "allowed_redirect_uris": "x", "max_age": -5 }),
            "error converting input for field \"max_age\": cannot provide negative value '-5'",
        ),
        (json!({ "user_claim": "sub", "token_policies": "root" }), "policies cannot contain the root policy"),
    ] {
        assert_eq!(fault(bench.write("role/r", sent.clone())), wanted, "{sent}");
    }
    bench.write("role/a", json!({ "role_type": "jwt", "user_claim": "sub", "bound_subject": "s", "ttl": 5 })).unwrap();
    bench.write("role/b", json!({ "user_claim": "sub", "allowed_redirect_uris": "u,v", "poll_interval": 7 })).unwrap();
    assert_eq!(bench.list("role").unwrap(), ["a", "b"]);
    let [a, b] = ["role/a", "role/b"].map(|path| bench.data(path).unwrap());
    assert_eq!([&a["ttl"], &a["token_ttl"], &b["poll_interval"]], [5, 5, 7]);
    assert_eq!([&a["role_type"], &b["role_type"], &a["callback_mode"]], ["jwt", "oidc", "client"]);
    assert_eq!([&a["bound_claims"], &a["allowed_redirect_uris"]], [&Value::Null, &Value::Null]);
    assert_eq!(b["allowed_redirect_uris"], json!(["u", "v"]));
    bench.delete("role/a").unwrap();
    assert_eq!(bench.list("role").unwrap(), ["b"]);
}

#[test]
fn a_token_logs_in_and_its_role_renews_it_until_the_role_is_gone() {
    let signer = Signer::new("k", 1);
    let mut bench = with_role(&signer, json!({ "token_policies": "p", "token_ttl": 30 }));
    let login = login(&mut bench, &signer.sign(&claims(json!({})))).unwrap();
    assert_eq!((login.alias.name.as_str(), login.display_name.as_str()), ("me", "me"));
    assert_eq!(login.metadata, [("role".to_owned(), "r".to_owned())].into());
    assert_eq!((login.token.policies.clone(), login.token.ttl), (vec!["p".to_owned()], 30));
    let record = LoginRecord {
        alias: login.alias.name,
        binding: login.binding,
        policies: login.token.policies,
        metadata: login.metadata,
    };
    assert_eq!(bench.renew_login(&record).unwrap().ttl, 30);
    bench.delete("role/r").unwrap();
    let gone = bench.renew_login(&record).unwrap_err().to_string();
    assert!(gone.contains("role r does not exist during renewal"), "{gone}");
    let again = bench.write("login", json!({ "role": "r", "jwt": signer.sign(&claims(json!({}))) }));
    assert_eq!(fault(again), "role \"r\" could not be found");
}

#[test]
fn no_token_logs_in_that_a_trusted_key_has_not_signed() {
    let (signer, other) = (Signer::new("k", 1), Signer::new("k", 2));
    let mut bench = with_role(&signer, json!({}));
    let good = signer.sign(&claims(json!({})));
    assert!(login(&mut bench, &good).is_ok());
    assert!(login(&mut bench, &format!(" {good}\n")).is_ok());
    let (body, signature) = good.rsplit_once('.').unwrap();
    let header = |header: Value| signer.sign_as(&header, &claims(json!({})));
    let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
    let payload = good.split('.').nth(1).unwrap();
    for token in [
        other.sign(&claims(json!({}))),
        format!("{body}."),
        body.to_owned(),
        format!("{none}.{payload}."),
        format!("{none}.{payload}.{signature}"),
        header(json!({ "alg": "HS256" })),
        header(json!({ "alg": "RS256" })),
        header(json!({ "alg": "ES384" })),
        header(json!({ "alg": "es256" })),
        header(json!({ "alg": ["ES256"] })),
        header(json!({})),
        header(json!({ "alg": "ES256", "crit": ["b64"], "b64": false })),
        other.sign_as(&json!({ "alg": "ES256", "jwk": other.jwk() }), &claims(json!({}))),
        format!("{good}.x"),
        format!("{good}="),
        json!({ "payload": payload, "signatures": [] }).to_string(),
        "x".repeat(70_000),
        signer.sign(&json!([1])),
    ] {
        let text = refused(&mut bench, &token);
        assert!(text.starts_with("error validating token: error verifying token signature: "), "{token}: {text}");
    }
    assert_eq!(refused(&mut bench, ""), "missing token");
    bench.write("config", json!({ "jwt_validation_pubkeys": [signer.pem()], "jwt_supported_algs": "RS256" })).unwrap();
    let unexpected = "error validating token: invalid algorithm (alg) header parameter: token signed with unexpected algorithm";
    assert_eq!(refused(&mut bench, &good), unexpected);
}

/// RFC 7519 section 4.1.3.
#[test]
fn s53_the_truth_table_of_audiences() {
    let signer = Signer::new("k", 1);
    let mismatch = "error validating token: invalid audience (aud) claim: audience claim does not match any expected audience";
    let shape = "error validating token: expected string or array value to unmarshal to Audience";
    let unbound = "audience claim found in JWT but no audiences bound to the role";
    let table = [
        (json!("x"), "login", unbound),
        (json!(["x"]), "login", unbound),
        (json!(["y", "x"]), "login", unbound),
        (json!("X"), mismatch, unbound),
        (json!("x "), mismatch, unbound),
        (json!("y"), mismatch, unbound),
        (json!("x,y"), mismatch, unbound),
        (json!(["y"]), mismatch, unbound),
        (json!([]), mismatch, "login"),
        (json!(""), mismatch, unbound),
        (json!([""]), mismatch, unbound),
        (json!(1), shape, shape),
        (json!(true), shape, shape),
        (json!([1]), shape, shape),
        (json!(["x", 1]), shape, shape),
        (json!({ "x": "x" }), shape, shape),
    ];
    for (role, bound) in [(json!({}), true), (json!({ "bound_audiences": [], "bound_subject": "me" }), false)] {
        let mut bench = with_role(&signer, role);
        let mut outcome = |claims: &Value| match login(&mut bench, &signer.sign(claims)) {
            Ok(_) => "login".to_owned(),
            Err(text) => text,
        };
        for (audience, with, without) in &table {
            let wanted = if bound { with } else { without };
            assert_eq!(outcome(&claims(json!({ "aud": audience }))), *wanted, "{audience} bound {bound}");
        }
        let mut null = claims(json!({}));
        null["aud"] = Value::Null;
        assert_eq!(outcome(&null), shape);
        let missing = if bound { mismatch } else { "login" };
        assert_eq!(outcome(&claims(json!({ "aud": null }))), missing);
    }
}

#[test]
fn times_have_the_leeways_of_the_role() {
    let signer = Signer::new("k", 1);
    let expired = "error validating token: invalid expiration time (exp) claim: token is expired";
    let early = "error validating token: invalid not before (nbf) claim: token not yet valid";
    let future = "error validating token: invalid issued at (iat) claim: token issued in the future";
    let none = "error validating token: no issued at (iat), not before (nbf), or expiration time (exp) claims in token";
    let shape = "error validating token: expected number value to unmarshal NumericDate";
    let off = json!({ "expiration_leeway": -1, "not_before_leeway": -1, "clock_skew_leeway": -1 });
    let short = json!({ "expiration_leeway": 20, "not_before_leeway": 20, "clock_skew_leeway": 10 });
    for (role, over, wanted) in [
        (json!({}), json!({ "exp": NOW - 59 }), "login"),
        (json!({}), json!({ "exp": NOW - 60 }), expired),
        (json!({}), json!({ "nbf": NOW + 60 }), "login"),
        (json!({}), json!({ "nbf": NOW + 61 }), early),
        (json!({}), json!({ "iat": NOW + 61 }), early),
        (json!({}), json!({ "iat": NOW + 61, "nbf": NOW }), future),
        (json!({}), json!({ "iat": null, "exp": null }), none),
        (json!({}), json!({ "iat": 0, "exp": 0, "nbf": 0 }), none),
        (json!({}), json!({ "iat": NOW - 209, "exp": null }), "login"),
        (json!({}), json!({ "iat": NOW - 211, "exp": null }), expired),
        (json!({}), json!({ "exp": "soon" }), shape),
        (json!({}), json!({ "exp": 1e300 }), expired),
        (json!({}), json!({ "exp": -1 }), expired),
        (json!({}), json!({ "exp": NOW as f64 + 0.5 }), "login"),
        (off.clone(), json!({ "exp": NOW + 1 }), "login"),
        (off.clone(), json!({ "exp": NOW }), expired),
        (off, json!({ "nbf": NOW + 1 }), early),
        (short.clone(), json!({ "exp": null, "iat": NOW - 29 }), "login"),
        (short.clone(), json!({ "exp": null, "iat": NOW - 31 }), expired),
        (short.clone(), json!({ "exp": NOW + 30, "iat": null }), "login"),
        (short, json!({ "exp": NOW + 31, "iat": null }), early),
    ] {
        let mut bench = with_role(&signer, role.clone());
        let result = login(&mut bench, &signer.sign(&claims(over.clone())));
        assert_eq!(result.err().unwrap_or_else(|| "login".to_owned()), wanted, "{role} {over}");
    }
}

#[test]
fn claims_are_those_that_the_role_is_bound_to() {
    let signer = Signer::new("k", 1);
    let differs = |name: &str| format!("error validating claims: claim {name:?} does not match any associated bound claim values");
    let missing = |name: &str| format!("error validating claims: claim {name:?} is missing");
    let odd = "error validating claims: received claim is not a string, bool, int or list".to_owned();
    let yes = || "login".to_owned();
    let glob = |pattern: &str| json!({ "bound_claims_type": "glob", "bound_claims": { "c": pattern } });
    let bound = |claims: Value| json!({ "bound_claims": claims });
    for (role, over, wanted) in [
        (bound(json!({ "c": "v" })), json!({ "c": "v" }), yes()),
        (bound(json!({ "c": "v" })), json!({ "c": ["w", "v"] }), yes()),
        (bound(json!({ "c": ["v", "w"] })), json!({ "c": "w" }), yes()),
        (bound(json!({ "c": "v" })), json!({ "c": "V" }), differs("c")),
        (bound(json!({ "c": "v" })), json!({ "c": [] }), differs("c")),
        (bound(json!({ "c": "v" })), json!({}), missing("c")),
        (bound(json!({ "c": "v" })), json!({ "c": { "v": "v" } }), odd),
        (bound(json!({ "c": "1" })), json!({ "c": 1 }), differs("c")),
        (bound(json!({ "c": 1 })), json!({ "c": 1.0 }), yes()),
        (bound(json!({ "c": 1 })), json!({ "c": 1.5 }), differs("c")),
        (bound(json!({ "c": true })), json!({ "c": true }), yes()),
        (bound(json!({ "c": true })), json!({ "c": "true" }), differs("c")),
        (bound(json!({ "c": [] })), json!({ "c": "v" }), differs("c")),
        (bound(json!({ "/a/b": "v" })), json!({ "a": { "b": "v" } }), yes()),
        (bound(json!({ "/a/0": "v" })), json!({ "a": ["v"] }), yes()),
        (bound(json!({ "/a~1b": "v" })), json!({ "a/b": "v" }), yes()),
        (bound(json!({ "/a/b": "v" })), json!({ "/a/b": "v" }), missing("/a/b")),
        (bound(json!({ "a.b": "v" })), json!({ "a": { "b": "v" } }), missing("a.b")),
        (bound(json!({ "c": "v*" })), json!({ "c": "vv" }), differs("c")),
        (glob("a*z"), json!({ "c": "abz" }), yes()),
        (glob("a*z"), json!({ "c": "az" }), yes()),
        (glob("a*z"), json!({ "c": "abzq" }), differs("c")),
        (glob("*"), json!({ "c": "" }), yes()),
        (glob("*"), json!({ "c": 1 }), differs("c")),
        (glob("a*b*c"), json!({ "c": "a-b-b-c" }), yes()),
        (glob("a*b*c"), json!({ "c": "a-c-b" }), differs("c")),
        (glob("ab*ba"), json!({ "c": "aba" }), differs("c")),
        (json!({ "bound_subject": "me" }), json!({}), yes()),
        (
            json!({ "bound_subject": "you" }),
            json!({}),
            "error validating token: invalid subject (sub) claim".to_owned(),
        ),
    ] {
        let mut bench = with_role(&signer, role.clone());
        let result = login(&mut bench, &signer.sign(&claims(over.clone())));
        assert_eq!(result.err().unwrap_or_else(yes), wanted, "{role} {over}");
    }
}

#[test]
fn users_groups_metadata_and_policies_come_from_claims() {
    let signer = Signer::new("k", 1);
    let mut bench = with_role(
        &signer,
        json!({ "user_claim": "/u/name", "user_claim_json_pointer": true, "groups_claim": "/u/groups",
                "claim_mappings": { "/u/mail": "mail", "absent": "absent" }, "token_policies": "base,team-{{.team}}",
                "token_policies_template_claims": true }),
    );
    let full = json!({ "u": { "name": "ann", "groups": ["b", "a", ""], "mail": "a@x" }, "team": "red" });
    let made = login(&mut bench, &signer.sign(&claims(full.clone()))).unwrap();
    assert_eq!((made.alias.name.as_str(), made.groups), ("ann", vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(made.metadata, [("mail".to_owned(), "a@x".to_owned()), ("role".to_owned(), "r".to_owned())].into());
    assert_eq!(made.token.policies, ["base", "team-red"]);
    for (pointer, value, wanted) in [
        ("/u/name", json!(1), "claim \"/u/name\" could not be converted to string"),
        ("/u/name", json!(""), "missing name in alias"),
        ("/u/name", json!("a\nb"), "claim \"/u/name\" is too long or holds control characters"),
        ("/u/name", json!(null), "claim \"/u/name\" not found in token"),
        ("/u/groups", json!(null), "failed to fetch groups: \"/u/groups\" claim not found in token"),
        ("/u/groups", json!({}), "\"/u/groups\" claim could not be converted to string list"),
        ("/u/groups", json!([1]), "a value in groups claim could not be parsed as string"),
        ("/u/mail", json!(["x"]), "error converting claim '/u/mail' to string"),
        ("/team", json!(["x"]), "failed to template policy [1]: a claim is not a single value"),
        ("/team", json!(null), "failed to template policy [1]: a claim is missing"),
    ] {
        let mut claims = claims(full.clone());
        *claims.pointer_mut(pointer).unwrap() = value;
        assert_eq!(refused(&mut bench, &signer.sign(&claims)), wanted, "{claims}");
    }
    set_role(&mut bench, json!({ "token_policies": "{{.team}}", "token_policies_template_claims": true }));
    for root in ["root", "ROOT", " root "] {
        let text = refused(&mut bench, &signer.sign(&claims(json!({ "team": root }))));
        assert_eq!(text, "auth methods cannot create root tokens");
    }
}

#[test]
fn a_key_set_is_fetched_kept_and_fetched_again_when_it_must_be() {
    let (old, new) = (Signer::new("old", 1), Signer::new("new", 2));
    let mut bench = bench();
    let keys = Rc::new(RefCell::new(vec![json!({ "kty": "odd", "x": 5 }), old.jwk()]));
    let shown = keys.clone();
    let calls = provide(&mut bench, move |url, _| {
        (url == "https://p/keys").then(|| (200, json!({ "keys": *shown.borrow() })))
    });
    bench.write("config", json!({ "jwks_url": "https://p/keys" })).unwrap();
    set_role(&mut bench, json!({}));
    let fetches = || calls.borrow().len();
    assert_eq!(fetches(), 1);
    let token = |signer: &Signer, now: i64| signer.sign(&claims(json!({ "iat": now, "exp": now + 100 })));
    for _ in 0..3 {
        assert!(login(&mut bench, &token(&old, NOW)).is_ok());
    }
    assert_eq!(fetches(), 1, "kept");
    // A stranger's tokens have it fetched once in ten seconds, although their logins fail.
    keys.borrow_mut().push(new.jwk());
    assert!(login(&mut bench, &token(&new, NOW)).is_err());
    assert_eq!(fetches(), 1, "fetched a moment ago");
    bench.now = Timestamp::from_seconds(NOW + 10);
    let stranger = Signer::new("none", 3);
    for _ in 0..5 {
        assert!(login(&mut bench, &token(&stranger, NOW)).is_err());
    }
    assert_eq!(fetches(), 2);
    assert!(login(&mut bench, &token(&new, NOW)).is_ok());
    // A key that the server no longer shows stops to count when the set is old.
    keys.borrow_mut().remove(1);
    assert!(login(&mut bench, &token(&old, NOW)).is_ok());
    bench.now = Timestamp::from_seconds(NOW + 10 + 600);
    assert!(login(&mut bench, &token(&old, NOW + 600)).is_err());
    assert!(login(&mut bench, &token(&new, NOW + 600)).is_ok());
    assert_eq!(fetches(), 3);
}

#[test]
fn keys_that_cannot_be_fetched_verify_nothing_and_are_not_asked_for_by_each_login() {
    let signer = Signer::new("k", 1);
    let mut bench = bench();
    let reachable = Rc::new(RefCell::new(false));
    let (now, jwk) = (reachable.clone(), signer.jwk());
    let calls = provide(&mut bench, move |_, _| now.borrow().then(|| (200, json!({ "keys": [jwk] }))));
    bench.write("config", json!({ "jwks_url": "https://p/keys", "skip_jwks_validation": true })).unwrap();
    set_role(&mut bench, json!({}));
    for _ in 0..3 {
        assert!(login(&mut bench, &signer.sign(&claims(json!({})))).is_err());
    }
    assert_eq!(calls.borrow().len(), 1);
    *reachable.borrow_mut() = true;
    bench.now = Timestamp::from_seconds(NOW + 10);
    assert!(login(&mut bench, &signer.sign(&claims(json!({})))).is_ok());
}

#[test]
fn a_key_that_names_its_algorithm_or_use_is_for_that_alone() {
    let signer = Signer::new("k", 1);
    for (change, wanted) in [
        (json!({}), true),
        (json!({ "alg": "ES256" }), true),
        (json!({ "alg": "ES384" }), false),
        (json!({ "use": "enc" }), false),
        (json!({ "kid": "other" }), false),
        (json!({ "crv": "P-384" }), false),
        (json!({ "kty": "OKP" }), false),
    ] {
        let mut bench = bench();
        let mut jwk = signer.jwk();
        merge(&mut jwk, change.clone());
        provide(&mut bench, move |_, _| Some((200, json!({ "keys": [jwk] }))));
        bench.write("config", json!({ "jwks_url": "https://p/keys" })).unwrap();
        set_role(&mut bench, json!({}));
        assert_eq!(login(&mut bench, &signer.sign(&claims(json!({})))).is_ok(), wanted, "{change}");
    }
}

/// S110: what is behind the path of a login is no login.
#[test]
fn s110_no_further_segment_of_a_path_reaches_a_login() {
    let signer = Signer::new("k", 1);
    let mut bench = with_role(&signer, json!({}));
    let body = json!({ "role": "r", "jwt": signer.sign(&claims(json!({}))) });
    for path in ["login/me", "login/r/me", "oidc/callback/x", "oidc/auth_url/x", "oidc/poll/x", "oidc", "config/x", "role/a/b"] {
        for operation in [Operation::Read, Operation::Update] {
            let result = bench.call(operation, path, body.clone());
            assert!(matches!(result, Err(Fault::UnsupportedPath)), "{path}");
        }
    }
}
