use super::login::{Verifier, verified};
use super::record::User;
use engine::bench::Bench;
use engine::{Fault, LoginRecord, Name, Reply, TokenParams};
use serde_json::{Value, json};
use std::cell::Cell;

/// `pw`, hashed by bcrypt elsewhere.
const BCRYPT_PW: &str = "$2b$04$abcdefghijklmnopqrstuuyvPXIbu7xe6/CED2DzX8z6Si09MlzlW";

fn bench() -> Bench {
    Bench::new(super::engine(), &[])
}

fn with_user(name: &str, body: Value) -> Bench {
    let mut bench = bench();
    bench.write(&format!("users/{name}"), body).unwrap();
    bench
}

fn fault(result: Result<Reply, Fault>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(Fault::Status(status, texts)) => format!("{status} {}", texts.join("; ")),
        Err(Fault::LoginFailed(text)) => format!("login failed: {text}"),
        Err(fault) => fault.to_string(),
    }
}

fn login(bench: &mut Bench, name: &str, password: Value) -> Result<engine::Login, Fault> {
    let reply = bench.write(&format!("login/{name}"), json!({ "password": password }))?;
    Ok(*reply.login.expect("a login without a fault has an identity"))
}

fn record(login: &engine::Login) -> LoginRecord {
    LoginRecord {
        alias: login.alias.name.clone(),
        binding: login.binding.clone(),
        policies: engine::canonical_policies(login.token.policies.iter().cloned().chain(["default".to_owned()])),
        metadata: login.metadata.clone(),
    }
}

fn renew(bench: &mut Bench, record: &LoginRecord) -> Result<TokenParams, Fault> {
    let engine = super::engine();
    bench.with(engine::Operation::Update, "", engine::Input::default(), |cx, _| {
        engine::Engine::renew_login(&engine, cx, record)
    })
}

#[test]
fn a_user_is_created_changed_read_listed_and_deleted() {
    let mut bench = bench();
    assert!(bench.data("users/a").unwrap().is_null());
    bench.write("users/a", json!({"password": "pw"})).unwrap();
    let plain = json!({
        "token_bound_cidrs": [], "token_explicit_max_ttl": 0, "token_max_ttl": 0, "token_no_default_policy": false,
        "token_num_uses": 0, "token_period": 0, "token_policies": [], "token_strictly_bind_ip": false,
        "token_ttl": 0, "token_type": "default",
    });
    assert_eq!(bench.data("users/a").unwrap(), plain);
    bench.write("users/b", json!({"password": "pw"})).unwrap();
    assert_eq!(bench.list("users/").unwrap(), ["a", "b"]);
    assert_eq!(keys(&mut bench, json!({"limit": 1})), ["a"]);
    assert_eq!(keys(&mut bench, json!({"after": "a"})), ["b"]);
    bench.delete("users/a").unwrap();
    bench.delete("users/a").unwrap();
    assert_eq!(bench.list("users").unwrap(), ["b"]);
}

fn keys(bench: &mut Bench, page: Value) -> Vec<String> {
    let reply = bench.call(engine::Operation::List, "users", page).unwrap();
    serde_json::from_value(reply.value().unwrap()["keys"].clone()).unwrap()
}

#[test]
fn deprecated_names_are_read_back_when_they_were_sent_last() {
    let mut bench = with_user("a", json!({"password": "pw"}));
    let cases = [
        (
            json!({"policies": "b, A", "ttl": "1h", "max_ttl": 7200, "bound_cidrs": "10.0.0.0/8,127.0.0.1"}),
            json!({"policies": ["a", "b"], "ttl": 3600, "max_ttl": 7200, "bound_cidrs": ["10.0.0.0/8", "127.0.0.1"],
                "token_policies": ["a", "b"], "token_ttl": 3600, "token_max_ttl": 7200,
                "token_bound_cidrs": ["10.0.0.0/8", "127.0.0.1"]}),
        ),
        (json!({"token_policies": "z"}), json!({"policies": null, "token_policies": ["z"], "ttl": 3600})),
        (
            json!({"policies": "z", "token_policies": "y", "ttl": 5, "token_ttl": 6}),
            json!({"policies": ["y"], "token_policies": ["y"], "ttl": 6, "token_ttl": 6}),
        ),
        (
            json!({"token_bound_cidrs": [], "token_ttl": 0, "token_max_ttl": 0}),
            json!({"bound_cidrs": null, "ttl": null, "max_ttl": null, "token_ttl": 0, "policies": ["y"]}),
        ),
    ];
    for (sent, wanted) in cases {
        bench.write("users/a", sent.clone()).unwrap();
        let read = bench.data("users/a").unwrap();
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(read.get(name).unwrap_or(&Value::Null), value, "{name} after {sent}");
        }
    }
    for (sent, old, new) in [
        (json!({"policies": "pp"}), json!(["pp"]), json!(["pp"])),
        (json!({"token_policies": "qq"}), Value::Null, json!(["qq"])),
        (json!({"policies": "pp", "token_policies": "qq"}), json!(["qq"]), json!(["qq"])),
        (json!({}), json!(["qq"]), json!(["qq"])),
    ] {
        bench.write("users/a/policies", sent.clone()).unwrap();
        let read = bench.data("users/a").unwrap();
        assert_eq!((read.get("policies").unwrap_or(&Value::Null), &read["token_policies"]), (&old, &new), "{sent}");
    }
}

#[test]
fn bad_requests_are_answered_as_upstream_does() {
    let mut bench = with_user("a", json!({"password": "pw"}));
    let before = bench.stored();
    let neither = "must provide either password or password_hash";
    let both = "only one of password or password_hash may be provided";
    let no_hash = "password_hash is not a valid bcrypt hash";
    let no_user = "500 1 error occurred:\n\t* username does not exist\n\n";
    for (path, body, wanted) in [
        ("users/c", json!({}), neither),
        ("users/c", json!({"password": ""}), neither),
        ("users/c", json!({"password": "pw", "password_hash": "$2a$10$"}), both),
        ("users/c", json!({"password_hash": "nope"}), no_hash),
        ("users/c", json!({"password": "x".repeat(4097)}), "password is too long"),
        ("users/c", json!({"password_hash": BCRYPT_PW.replace("$04$", "$31$")}), "password_hash has too high a cost"),
        (
            "users/c",
            json!({"password": "pw", "token_ttl": "2h", "token_max_ttl": "1h"}),
            "'token_ttl' cannot be greater than 'token_max_ttl'",
        ),
        ("users/c", json!({"password": "pw", "token_type": "foo"}), "invalid 'token_type' value \"foo\""),
        (
            "users/c",
            json!({"password": "pw", "token_type": "default-service"}),
            "invalid 'token_type' value \"default-service\"",
        ),
        ("users/c", json!({"password": "pw", "token_num_uses": -1}), "'token_num_uses' cannot be negative"),
        ("users/nobody/password", json!({"password": "x"}), no_user),
        ("users/nobody/policies", json!({"policies": "x"}), no_user),
        ("users/a/password", json!({}), neither),
        ("users/a/password", json!({"password": ""}), neither),
        ("users/a/password", json!({"password": "pw", "password_hash": "zzz"}), both),
        ("users/a/password", json!({"password_hash": "zzz"}), no_hash),
        ("users/a b", json!({"password": "pw"}), "unsupported path"),
        ("users/a@b", json!({"password": "pw"}), "unsupported path"),
        ("users/-a", json!({"password": "pw"}), "unsupported path"),
        ("users/ä", json!({"password": "pw"}), "unsupported path"),
        ("login/a b", json!({"password": "pw"}), "unsupported path"),
    ] {
        assert_eq!(fault(bench.write(path, body)), wanted, "{path}");
    }
    assert!(matches!(bench.read("login/a"), Err(Fault::UnsupportedOperation)));
    assert_eq!(bench.stored(), before);
}

#[test]
fn the_right_password_logs_in_with_the_users_parameters() {
    let mut bench =
        with_user("a", json!({"password": "pw", "token_policies": "p", "token_ttl": 60, "token_type": "batch"}));
    for spelling in ["a", "A"] {
        let login = login(&mut bench, spelling, json!("pw")).unwrap();
        assert_eq!((login.alias.name.as_str(), login.display_name.as_str()), ("a", "a"));
        assert_eq!(login.metadata, [("username".to_owned(), "a".to_owned())].into());
        assert_eq!((login.token.ttl, login.token.policies.as_slice()), (60, ["p".to_owned()].as_slice()));
        assert_eq!(login.token.kind, engine::TokenKind::Batch);
    }
    bench.write("users/a/password", json!({"password": "new"})).unwrap();
    assert!(login(&mut bench, "a", json!("pw")).is_err());
    assert!(login(&mut bench, "a", json!("new")).is_ok());
    bench.write("users/a", json!({"password_hash": BCRYPT_PW})).unwrap();
    assert!(login(&mut bench, "a", json!("new")).is_err());
    assert!(login(&mut bench, "a", json!("pw")).is_ok());
}

#[test]
fn a_new_password_is_kept_as_argon2id_and_never_in_clear() {
    let bench = with_user("a", json!({"password": "correct horse"}));
    let stored: Vec<u8> = bench.stored().into_iter().flat_map(|(_, value)| value).collect();
    let stored = String::from_utf8_lossy(&stored);
    assert!(stored.contains("$argon2id$v=19$m=19456,t=2,p=1$"));
    assert!(!stored.contains("correct horse"));
}

#[test]
fn a_login_from_outside_the_bound_blocks_is_denied() {
    let mut bench = with_user("a", json!({"password": "pw", "token_bound_cidrs": "10.0.0.0/8"}));
    bench.peer.address = Some("127.0.0.1:1".parse().unwrap());
    assert!(matches!(login(&mut bench, "a", json!("pw")), Err(Fault::Denied)));
    assert!(matches!(login(&mut bench, "a", json!("bad")), Err(Fault::LoginFailed(_))));
    bench.peer.address = Some("10.9.9.9:1".parse().unwrap());
    assert!(login(&mut bench, "a", json!("pw")).is_ok());
}

#[test]
fn a_login_is_renewed_while_the_user_is_there_with_the_same_policies() {
    let mut bench = with_user("a", json!({"password": "pw", "token_policies": "p1"}));
    let record = record(&login(&mut bench, "a", json!("pw")).unwrap());
    bench.write("users/a", json!({"token_ttl": 50, "token_policies": "p1,default"})).unwrap();
    assert_eq!(renew(&mut bench, &record).unwrap().ttl, 50);
    bench.write("users/a", json!({"token_policies": "p2"})).unwrap();
    let changed = renew(&mut bench, &record).unwrap_err().to_string();
    assert!(changed.contains("policies have changed, not renewing"), "{changed}");
    bench.delete("users/a").unwrap();
    assert_eq!(renew(&mut bench, &record).unwrap_err().to_string(), "username does not exist");
}

#[test]
fn s114_a_password_change_leaves_logins_renewable_as_upstream() {
    let mut bench = with_user("a", json!({"password": "pw"}));
    let record = record(&login(&mut bench, "a", json!("pw")).unwrap());
    bench.write("users/a/password", json!({"password": "new"})).unwrap();
    assert!(renew(&mut bench, &record).is_ok());
}

#[test]
fn s02_only_the_canonical_spelling_names_a_user() {
    let mut bench = with_user("admin", json!({"password": "pw"}));
    let before = bench.stored();
    for name in ["AdMiN", "ADMIN", "admin ", "\u{ff41}dmin", "admin\u{301}"] {
        for path in [format!("users/{name}"), format!("users/{name}/password"), format!("users/{name}/policies")] {
            assert!(bench.write(&path, json!({"password": "x", "policies": "p"})).is_err(), "{path}");
        }
        assert!(bench.read(&format!("users/{name}")).is_err(), "{name}");
        assert!(bench.delete(&format!("users/{name}")).is_err(), "{name}");
    }
    assert_eq!(bench.stored(), before);
}

#[test]
fn s21_failing_logins_leave_nothing() {
    let mut bench = with_user("a", json!({"password": "pw"}));
    let before = bench.stored();
    for (name, password) in [("a", json!("bad")), ("nobody", json!("bad")), ("a", Value::Null), ("a", json!(["pw"]))] {
        let result = bench.write(&format!("login/{name}"), json!({ "password": password }));
        assert!(result.is_err(), "{name}");
    }
    assert_eq!(bench.stored(), before);
}

#[test]
fn s38_no_error_repeats_what_was_sent() {
    let mut bench = with_user("a", json!({"password": "pw"}));
    let canary = "canary-3141";
    let fields = [
        "password",
        "password_hash",
        "policies",
        "ttl",
        "max_ttl",
        "bound_cidrs",
        "token_bound_cidrs",
        "token_policies",
        "token_explicit_max_ttl",
        "token_max_ttl",
        "token_no_default_policy",
        "token_num_uses",
        "token_period",
        "token_strictly_bind_ip",
        "token_ttl",
        "token_type",
    ];
    let shapes = [json!([[canary]]), json!({canary: canary}), json!([{canary: [canary]}]), json!(1e300), json!(canary)];
    let of_login = &fields[..1];
    let of_password = &fields[..2];
    for (path, fields) in [
        ("users/a", &fields[..]),
        ("users/a/password", of_password),
        ("users/a/policies", &fields[..]),
        ("login/a", of_login),
    ] {
        for field in fields {
            // A kind of token is named in the answer, as upstream does; a string is no wrong type there.
            for shape in shapes.iter().filter(|shape| *field != "token_type" || !shape.is_string()) {
                if let Err(fault) = bench.write(path, json!({*field: shape})) {
                    let text = format!("{fault} {fault:?}");
                    assert!(!text.contains("canary"), "{path} {field}: {text}");
                }
            }
        }
    }
}

#[test]
fn s58_every_failed_login_has_the_same_answer() {
    let mut bench = with_user("a", json!({"password": "pw"}));
    for (name, password) in [
        ("a", json!("bad")),
        ("a", json!("")),
        ("a", Value::Null),
        ("a", json!("x".repeat(5000))),
        ("nobody", json!("pw")),
        ("nobody", json!("")),
        ("nobody", Value::Null),
        ("nobody", json!("x".repeat(5000))),
    ] {
        let text = fault(bench.write(&format!("login/{name}"), json!({ "password": password })));
        assert_eq!(text, "login failed: invalid username or password", "{name}");
    }
}

/// Counts what a real verifier would spend.
#[derive(Default)]
struct Counting {
    verified: Cell<u32>,
    spent: Cell<u32>,
}

impl Verifier for Counting {
    fn verify(&self, password: &str, hash: &str) -> bool {
        self.verified.set(self.verified.get() + 1);
        password == hash
    }

    fn spend(&self, _: &str) {
        self.spent.set(self.spent.get() + 1);
    }
}

#[test]
fn s59_every_attempt_costs_one_verification() {
    let user = || User {
        password_hash: "pw".into(),
        token: TokenParams::default(),
        deprecated: super::record::Deprecated::default(),
    };
    let long = "x".repeat(5000);
    for (known, password, holds) in [
        (true, "pw", true),
        (true, "bad", false),
        (true, "", false),
        (true, long.as_str(), false),
        (false, "pw", false),
        (false, "", false),
        (false, long.as_str(), false),
    ] {
        let counting = Counting::default();
        let found = verified(known.then(user), password, &counting);
        assert_eq!(found.is_some(), holds);
        assert_eq!(counting.verified.get() + counting.spent.get(), 1, "known {known}, {} bytes", password.len());
    }
}

#[test]
fn s60_the_lockout_counts_the_name_that_the_verifier_uses() {
    let mut bench = with_user("admin", json!({"password": "pw"}));
    let engine = super::engine();
    let options = engine::Options::new();
    let table = engine::Engine::table(&engine, &options);
    for spelling in ["admin", "Admin", "ADMIN", " admin", "admin ", "\u{ff41}dmin", "admin\u{301}", "nobody"] {
        let path = format!("login/{spelling}");
        let matched = table.matched(&path).unwrap();
        let mut input = engine::Input::default();
        // A username in the body does not redirect either of them: the path's wins.
        input.fields.insert("username".into(), json!("someone-else"));
        let input = engine::Found {
            route: matched.route,
            action: matched.route.action(engine::Operation::Update).unwrap(),
            names: matched.names,
        }
        .input(&input);
        let alias = matched.route.alias(&input);
        assert_eq!(alias, Name::folded(spelling).map(|name| name.as_str().to_owned()), "{spelling:?}");
        match bench.write(&path, json!({"password": "pw", "username": "someone-else"})) {
            Ok(reply) => assert_eq!(alias.as_deref(), Some(reply.login.unwrap().alias.name.as_str())),
            Err(Fault::LoginFailed(_)) => assert_eq!(alias.as_deref(), Some("nobody")),
            Err(Fault::UnsupportedPath) => assert_eq!(alias, None, "what reaches the verifier is counted"),
            Err(fault) => panic!("{spelling:?}: {fault}"),
        }
    }
}

#[test]
fn s72_no_spelling_of_root_becomes_a_policy_of_a_user() {
    let mut bench = with_user("a", json!({"password": "pw", "policies": "p"}));
    for spelling in ["root", " root", "ROOT", "\troot", "root\u{a0}", "Root "] {
        for field in ["policies", "token_policies"] {
            for value in [json!(spelling), json!([spelling]), json!(format!("p,{spelling}"))] {
                for path in ["users/a", "users/a/policies"] {
                    assert!(bench.write(path, json!({field: value})).is_err(), "{path} {field} {value}");
                }
            }
        }
    }
    assert_eq!(bench.data("users/a").unwrap()["token_policies"], json!(["p"]));
}

#[test]
fn s78_numbers_are_stored_as_sent_or_refused() {
    let mut bench = with_user("a", json!({"password": "pw"}));
    for field in
        ["token_num_uses", "token_ttl", "token_max_ttl", "token_period", "token_explicit_max_ttl", "ttl", "max_ttl"]
    {
        let shown = if field.starts_with("token_") { field.to_owned() } else { format!("token_{field}") };
        for (sent, wanted) in [
            (json!(0), Some(0)),
            (json!(-1), None),
            (json!(2_147_483_648_i64), Some(2_147_483_648_i64)),
            (json!(9_223_372_036_854_775_808_u64), None),
            (json!("1e9"), None),
            (json!(" 5"), None),
        ] {
            let result = bench.write("users/b", json!({"password_hash": BCRYPT_PW, field: sent}));
            match wanted {
                Some(wanted) => {
                    result.unwrap();
                    assert_eq!(bench.data("users/b").unwrap()[&shown], json!(wanted), "{field} {sent}");
                }
                None => assert!(matches!(result, Err(Fault::Invalid(_))), "{field} {sent}"),
            }
            bench.delete("users/b").unwrap();
        }
    }
    for limit in [json!(0), json!(-1), json!(9_223_372_036_854_775_808_u64), json!("1e9")] {
        let reply = bench.call(engine::Operation::List, "users", json!({"limit": limit}));
        assert!(reply.map_or(true, |reply| reply.value().is_some()), "{limit}");
    }
}
