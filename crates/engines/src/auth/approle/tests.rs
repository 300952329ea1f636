use engine::bench::Bench;
use engine::{Fault, Login, LoginRecord, Operation, Reply, TokenKind, TokenParams};
use serde_json::{Value, json};

const FAILED: &str = "login failed: invalid role or secret ID";
const NO_CONSTRAINT: &str = "500 1 error occurred:\n\t* at least one constraint should be enabled on the role\n\n";

fn bench() -> Bench {
    Bench::new(super::engine(), &[])
}

/// A mount with one role, whose role-id is its name with `-id`.
fn with_role(name: &str, mut body: Value) -> Bench {
    let mut bench = bench();
    body["role_id"] = json!(format!("{name}-id"));
    bench.write(&format!("role/{name}"), body).unwrap();
    bench
}

fn value(reply: Reply) -> Value {
    reply.value().cloned().unwrap_or(Value::Null)
}

fn fault(result: Result<Reply, Fault>) -> String {
    match result {
        Ok(reply) => format!("ok {}", value(reply)),
        Err(Fault::Status(status, texts)) => format!("{status} {}", texts.join("; ")),
        Err(Fault::LoginFailed(text)) => format!("login failed: {text}"),
        Err(Fault::MissingBecause(text)) => format!("404 {text}"),
        Err(fault) => fault.to_string(),
    }
}

fn secret_id(bench: &mut Bench, role: &str, body: Value) -> (String, String) {
    let data = value(bench.write(&format!("role/{role}/secret-id"), body).unwrap());
    let text = |name: &str| data[name].as_str().unwrap().to_owned();
    (text("secret_id"), text("secret_id_accessor"))
}

fn login(bench: &mut Bench, role_id: &str, secret_id: &str) -> Result<Login, Fault> {
    let reply = bench.write("login", json!({"role_id": role_id, "secret_id": secret_id}))?;
    Ok(*reply.login.expect("a login without a fault has an identity"))
}

fn failure(bench: &mut Bench, role_id: &str, secret_id: &str) -> String {
    fault(bench.write("login", json!({"role_id": role_id, "secret_id": secret_id})))
}

fn lookup(bench: &mut Bench, role: &str, secret_id: &str) -> Value {
    value(bench.write(&format!("role/{role}/secret-id/lookup"), json!({ "secret_id": secret_id })).unwrap())
}

fn renew(bench: &mut Bench, login: &Login) -> Result<TokenParams, Fault> {
    let record = LoginRecord {
        alias: login.alias.name.clone(),
        binding: login.binding.clone(),
        policies: login.token.policies.clone(),
        metadata: login.metadata.clone(),
    };
    let engine = super::engine();
    bench.with(Operation::Update, "", engine::Input::default(), |cx, _| {
        engine::Engine::renew_login(&engine, cx, &record)
    })
}

#[test]
fn a_role_is_created_changed_read_listed_and_deleted() {
    let mut bench = bench();
    assert!(bench.data("role/a").unwrap().is_null());
    bench.write("role/a", json!({})).unwrap();
    let plain = json!({
        "bind_secret_id": true, "local_secret_ids": false, "secret_id_bound_cidrs": null, "secret_id_num_uses": 0,
        "secret_id_ttl": 0, "token_bound_cidrs": [], "token_explicit_max_ttl": 0, "token_max_ttl": 0,
        "token_no_default_policy": false, "token_num_uses": 0, "token_period": 0, "token_policies": [],
        "token_strictly_bind_ip": false, "token_ttl": 0, "token_type": "default",
    });
    assert_eq!(bench.data("role/a").unwrap(), plain);
    bench.write("role/b", json!({})).unwrap();
    assert_eq!(bench.list("role/").unwrap(), ["a", "b"]);
    let page = value(bench.call(Operation::List, "role", json!({"after": "a", "limit": 1})).unwrap());
    assert_eq!(page["keys"], json!(["b"]));
    bench.delete("role/b").unwrap();
    bench.delete("role/b").unwrap();
    assert_eq!(bench.list("role").unwrap(), ["a"]);
}

#[test]
fn what_is_sent_to_a_role_is_read_back() {
    for (sent, wanted) in [
        (json!({"period": 60}), json!({"period": 60, "token_period": 60})),
        (json!({"period": 60, "token_period": 70}), json!({"period": 70, "token_period": 70})),
        (json!({"token_period": 70}), json!({"period": null, "token_period": 70})),
        (json!({"policies": "b,a"}), json!({"policies": ["a", "b"], "token_policies": ["a", "b"]})),
        (json!({"policies": " a , A,,b "}), json!({"policies": ["a", "b"], "token_policies": ["a", "b"]})),
        (json!({"policies": "x", "token_policies": "y"}), json!({"policies": ["y"], "token_policies": ["y"]})),
        (json!({"policies": ""}), json!({"policies": null, "token_policies": []})),
        (json!({"local_secret_ids": true}), json!({"local_secret_ids": true})),
        (json!({"bound_cidr_list": "10.1.0.0/16"}), json!({"secret_id_bound_cidrs": ["10.1.0.0/16"]})),
        (
            json!({"bound_cidr_list": "10.1.0.0/16", "secret_id_bound_cidrs": "10.2.0.0/16"}),
            json!({"secret_id_bound_cidrs": ["10.2.0.0/16"]}),
        ),
        (
            json!({"bind_secret_id": false, "token_bound_cidrs": "10.0.0.0/8"}),
            json!({"bind_secret_id": false, "token_bound_cidrs": ["10.0.0.0/8"]}),
        ),
        (json!({"secret_id_ttl": "876000h"}), json!({"secret_id_ttl": 3_153_600_000_i64})),
        (json!({"token_type": "batch"}), json!({"token_type": "batch"})),
        (json!({"token_type": "default"}), json!({"token_type": "default"})),
    ] {
        let mut bench = bench();
        let reply = bench.write("role/c", sent.clone()).unwrap();
        assert!(reply.warnings.is_empty() && reply.value().is_none(), "{sent}");
        let read = bench.data("role/c").unwrap();
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(read.get(name).unwrap_or(&Value::Null), value, "{name} after {sent}");
        }
    }
}

#[test]
fn some_values_are_taken_with_a_warning() {
    let too_long = "token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value \
                    will be truncated";
    for (sent, warning, kind) in [
        (json!({"token_max_ttl": 99_999_999}), too_long, "default"),
        (
            json!({"token_type": "default-service"}),
            "default-service has no useful meaning; adjusting to service",
            "service",
        ),
        (json!({"token_type": "default-batch"}), "default-batch has no useful meaning; adjusting to batch", "batch"),
    ] {
        let mut bench = bench();
        assert_eq!(bench.write("role/c", sent).unwrap().warnings, [warning]);
        assert_eq!(bench.data("role/c").unwrap()["token_type"], kind);
    }
}

#[test]
fn bad_roles_are_answered_as_upstream_does() {
    let mut bench = with_role("a", json!({}));
    bench.write("role/limited", json!({"token_ttl": 100, "token_max_ttl": 200})).unwrap();
    let before = bench.stored();
    let uses = "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count";
    let cidrs = "500 1 error occurred:\n\t* failed to validate CIDR blocks: invalid CIDR address\n\n";
    let in_use = "500 1 error occurred:\n\t* role_id already in use\n\n";
    let local = "local_secret_ids can only be modified during role creation";
    for (path, sent, wanted) in [
        ("role/c", json!({"bind_secret_id": false}), NO_CONSTRAINT),
        ("role/c", json!({"secret_id_num_uses": -1}), "secret_id_num_uses cannot be negative"),
        ("role/c", json!({"secret_id_ttl": -1}), "secret_id_ttl cannot be negative"),
        ("role/c", json!({"token_num_uses": -1}), "'token_num_uses' cannot be negative"),
        ("role/c", json!({"token_type": "foo"}), "invalid 'token_type' value \"foo\""),
        ("role/c", json!({"token_type": "batch", "token_num_uses": 1}), uses),
        ("role/c", json!({"secret_id_bound_cidrs": "nope"}), cidrs),
        ("role/c", json!({"bound_cidr_list": "127.0.0.1"}), cidrs),
        ("role/c", json!({"role_id": ""}), "invalid role_id supplied, or failed to generate a role_id"),
        ("role/c", json!({"role_id": "a-id"}), in_use),
        ("role/c", json!({"role_id": "a\nb"}), "role_id is too long or holds control characters"),
        ("role/c", json!({"role_id": "x".repeat(513)}), "role_id is too long or holds control characters"),
        ("role/limited/role-id", json!({"role_id": "a-id"}), in_use),
        ("role/a/role-id", json!({}), "missing role_id"),
        ("role/nobody/role-id", json!({"role_id": "x"}), "unsupported path"),
        ("role/a", json!({"local_secret_ids": true}), local),
        ("role/a", json!({"local_secret_ids": false}), local),
        ("role/limited/token-ttl", json!({"token_ttl": 300}), "token_ttl should not be greater than token_max_ttl"),
        (
            "role/limited/token-max-ttl",
            json!({"token_max_ttl": 50}),
            "token_max_ttl should be greater than or equal to token_ttl",
        ),
        ("role/a b", json!({}), "unsupported path"),
        ("role/a@b", json!({}), "unsupported path"),
    ] {
        assert_eq!(fault(bench.write(path, sent.clone())), wanted, "{path} {sent}");
    }
    assert_eq!(bench.stored(), before);
}

#[test]
fn each_field_has_its_path() {
    for (path, sent, read, cleared) in [
        ("policies", json!({"token_policies": "q"}), json!({"token_policies": ["q"]}), json!({"token_policies": []})),
        (
            "policies",
            json!({"policies": ["Z", "y"]}),
            json!({"policies": ["y", "z"], "token_policies": ["y", "z"]}),
            json!({"token_policies": []}),
        ),
        (
            "secret-id-bound-cidrs",
            json!({"secret_id_bound_cidrs": "10.0.0.0/8"}),
            json!({"secret_id_bound_cidrs": ["10.0.0.0/8"]}),
            json!({"secret_id_bound_cidrs": null}),
        ),
        (
            "bound-cidr-list",
            json!({"bound_cidr_list": "10.0.0.0/8"}),
            json!({"bound_cidr_list": ["10.0.0.0/8"]}),
            json!({"bound_cidr_list": null}),
        ),
        (
            "token-bound-cidrs",
            json!({"token_bound_cidrs": "10.0.0.0/8"}),
            json!({"token_bound_cidrs": ["10.0.0.0/8"]}),
            json!({"token_bound_cidrs": null}),
        ),
        (
            "bind-secret-id",
            json!({"bind_secret_id": true}),
            json!({"bind_secret_id": true}),
            json!({"bind_secret_id": true}),
        ),
        (
            "secret-id-num-uses",
            json!({"secret_id_num_uses": 5}),
            json!({"secret_id_num_uses": 5}),
            json!({"secret_id_num_uses": 0}),
        ),
        ("secret-id-ttl", json!({"secret_id_ttl": "1m"}), json!({"secret_id_ttl": 60}), json!({"secret_id_ttl": 0})),
        ("period", json!({"token_period": "90"}), json!({"token_period": 90}), json!({"token_period": 0})),
        (
            "period",
            json!({"period": "90", "token_period": 80}),
            json!({"period": 80, "token_period": 80}),
            json!({"token_period": 0}),
        ),
        ("token-num-uses", json!({"token_num_uses": 3}), json!({"token_num_uses": 3}), json!({"token_num_uses": 0})),
        ("token-ttl", json!({"token_ttl": 60}), json!({"token_ttl": 60}), json!({"token_ttl": 0})),
        ("token-max-ttl", json!({"token_max_ttl": 60}), json!({"token_max_ttl": 60}), json!({"token_max_ttl": 0})),
    ] {
        let mut bench = with_role("a", json!({}));
        let at = format!("role/a/{path}");
        bench.write(&at, sent.clone()).unwrap();
        assert_eq!(bench.data(&at).unwrap(), read, "{path}");
        bench.delete(&at).unwrap();
        assert_eq!(bench.data(&at).unwrap(), cleared, "{path}");
        let nobody = format!("role/nobody/{path}");
        assert!(bench.data(&nobody).unwrap().is_null(), "{path}");
        assert!(matches!(bench.write(&nobody, sent), Err(Fault::UnsupportedPath)), "{path}");
        bench.delete(&nobody).unwrap();
    }
}

#[test]
fn a_field_that_is_not_sent_is_missing() {
    let mut bench = with_role("a", json!({}));
    for (path, sent, wanted) in [
        ("policies", json!({}), "missing token_policies"),
        ("bound-cidr-list", json!({}), "ok null"),
        ("bound-cidr-list", json!({"bound_cidr_list": ""}), "missing bound_cidr_list"),
        ("bound-cidr-list", json!({"bound_cidr_list": "nope"}), "failed to validate CIDR blocks: invalid CIDR address"),
        ("secret-id-bound-cidrs", json!({"secret_id_bound_cidrs": ""}), "missing bound_cidr_list"),
        ("token-bound-cidrs", json!({}), "ok null"),
        ("token-bound-cidrs", json!({"token_bound_cidrs": ""}), "ok null"),
        ("bind-secret-id", json!({}), "missing bind_secret_id"),
        ("bind-secret-id", json!({"bind_secret_id": false}), NO_CONSTRAINT),
        ("secret-id-num-uses", json!({}), "missing secret_id_num_uses"),
        ("secret-id-num-uses", json!({"secret_id_num_uses": -1}), "secret_id_num_uses cannot be negative"),
        ("secret-id-ttl", json!({}), "missing secret_id_ttl"),
        ("period", json!({}), "missing period"),
        ("token-num-uses", json!({}), "missing token_num_uses"),
        ("token-num-uses", json!({"token_num_uses": -1}), "'token_num_uses' cannot be negative"),
        ("token-ttl", json!({}), "missing token_ttl"),
        ("token-max-ttl", json!({}), "missing token_max_ttl"),
    ] {
        assert_eq!(fault(bench.write(&format!("role/a/{path}"), sent.clone())), wanted, "{path} {sent}");
    }
    assert_eq!(bench.data("role/a/bound-cidr-list").unwrap(), json!({"bound_cidr_list": null}));
    assert_eq!(bench.read("role/a/bound-cidr-list").unwrap().warnings.len(), 1);
    assert!(matches!(bench.delete("role/a/role-id"), Err(Fault::UnsupportedOperation)));
    assert!(matches!(bench.write("role/a/local-secret-ids", json!({})), Err(Fault::UnsupportedOperation)));
}

#[test]
fn a_role_id_moves_with_its_index() {
    let mut bench = with_role("a", json!({}));
    let (secret, _) = secret_id(&mut bench, "a", json!({}));
    bench.write("role/a/role-id", json!({"role_id": "other"})).unwrap();
    assert_eq!(bench.data("role/a/role-id").unwrap(), json!({"role_id": "other"}));
    assert_eq!(failure(&mut bench, "a-id", &secret), FAILED);
    assert_eq!(login(&mut bench, "other", &secret).unwrap().alias.name, "other");
    bench.write("role/b", json!({"role_id": "a-id"})).unwrap();
    bench.delete("role/a").unwrap();
    bench.write("role/c", json!({"role_id": "other"})).unwrap();
    assert_eq!(failure(&mut bench, "other", &secret), FAILED);
    bench.write("role/d", json!({})).unwrap();
    assert_eq!(bench.data("role/d/role-id").unwrap()["role_id"].as_str().unwrap().len(), 36);
}

#[test]
fn a_secret_id_is_generated_within_what_the_role_allows() {
    let mut bench = with_role("s", json!({"secret_id_num_uses": 3, "secret_id_ttl": "1h"}));
    bench.write("role/t", json!({"secret_id_bound_cidrs": "10.0.0.0/8", "token_bound_cidrs": "10.0.0.0/8"})).unwrap();
    bench.write("role/u", json!({"bind_secret_id": false, "secret_id_bound_cidrs": "10.0.0.0/8"})).unwrap();
    let subset = "500 1 error occurred:\n\t* failed to verify subset relationship between CIDR blocks on the role and \
                  CIDR blocks on the secret ID\n\n";
    let metadata = "failed to parse metadata: failed to parse the input: invalid <key,value> format";
    let before = bench.stored();
    for (path, sent, wanted) in [
        ("role/s/secret-id", json!({"num_uses": -1}), "num_uses cannot be negative"),
        ("role/s/secret-id", json!({"num_uses": 5}), "num_uses cannot be higher than the role's secret_id_num_uses"),
        ("role/s/secret-id", json!({"num_uses": 0}), "num_uses cannot be higher than the role's secret_id_num_uses"),
        ("role/s/secret-id", json!({"ttl": 7200}), "ttl cannot be longer than the role's secret_id_ttl"),
        ("role/s/secret-id", json!({"ttl": "0"}), "ttl cannot be longer than the role's secret_id_ttl"),
        ("role/s/secret-id", json!({"ttl": -1}), "ttl cannot be negative"),
        ("role/s/secret-id", json!({"metadata": "nope"}), metadata),
        ("role/s/secret-id", json!({"metadata": "{\"a\":1}"}), metadata),
        ("role/s/secret-id", json!({"metadata": "a=b,c"}), metadata),
        ("role/s/secret-id", json!({"metadata": "a=b=c"}), metadata),
        ("role/s/secret-id", json!({"metadata": "[]"}), metadata),
        (
            "role/s/secret-id",
            json!({"cidr_list": ["10.0.0.0/8", "127.0.0.1"]}),
            "500 1 error occurred:\n\t* failed to validate CIDR blocks: invalid CIDR address\n\n",
        ),
        (
            "role/s/secret-id",
            json!({"token_bound_cidrs": "nope"}),
            "500 1 error occurred:\n\t* failed to validate token CIDR blocks: invalid CIDR address\n\n",
        ),
        ("role/t/secret-id", json!({"cidr_list": "11.0.0.0/8"}), subset),
        ("role/t/secret-id", json!({"token_bound_cidrs": "11.0.0.0/8"}), subset),
        ("role/u/secret-id", json!({}), "bind_secret_id is not set on the role"),
        ("role/u/custom-secret-id", json!({"secret_id": "x"}), "bind_secret_id is not set on the role"),
        ("role/s/custom-secret-id", json!({}), "missing secret_id"),
        ("role/nobody/secret-id", json!({}), "404 role \"nobody\" does not exist"),
        ("role/nobody/custom-secret-id", json!({"secret_id": "x"}), "404 role \"nobody\" does not exist"),
    ] {
        assert_eq!(fault(bench.write(path, sent.clone())), wanted, "{path} {sent}");
    }
    assert_eq!(bench.stored(), before);
    for (role, sent) in [
        ("t", json!({"cidr_list": "10.1.0.0/16", "token_bound_cidrs": "10.2.0.0/16"})),
        ("s", json!({"num_uses": 2, "ttl": 60})),
    ] {
        secret_id(&mut bench, role, sent);
    }
}

#[test]
fn a_look_up_shows_what_was_asked_for() {
    let mut bench = with_role("s", json!({"secret_id_num_uses": 3, "secret_id_ttl": "1h"}));
    let reply = value(
        bench.write("role/s/secret-id", json!({"metadata": "{\"a\":\"b\"}", "cidr_list": "10.0.0.0/8"})).unwrap(),
    );
    let (secret, accessor) = (reply["secret_id"].as_str().unwrap(), reply["secret_id_accessor"].as_str().unwrap());
    let made =
        json!({"secret_id": secret, "secret_id_accessor": accessor, "secret_id_num_uses": 3, "secret_id_ttl": 3600});
    assert_eq!(reply, made);
    let wanted = json!({
        "cidr_list": ["10.0.0.0/8"], "creation_time": "2027-01-15T08:00:00Z", "expiration_time": "2027-01-15T09:00:00Z",
        "last_updated_time": "2027-01-15T08:00:00Z", "metadata": {"a": "b"}, "secret_id_accessor": accessor,
        "secret_id_num_uses": 3, "secret_id_ttl": 3600, "token_bound_cidrs": [],
    });
    assert_eq!(lookup(&mut bench, "s", secret), wanted);
    let by_accessor = bench.write("role/s/secret-id-accessor/lookup", json!({"secret_id_accessor": accessor}));
    assert_eq!(value(by_accessor.unwrap()), wanted);
    assert_eq!(bench.list("role/s/secret-id").unwrap(), [accessor]);
    bench.write("role/t", json!({})).unwrap();
    let (endless, _) = secret_id(&mut bench, "t", json!({}));
    assert_eq!(lookup(&mut bench, "t", &endless)["expiration_time"], "0001-01-01T00:00:00Z");
    let long = value(bench.write("role/t/secret-id", json!({"ttl": 99_999_999})).unwrap());
    assert_eq!(long["secret_id_ttl"], 2_764_800);
}

#[test]
fn metadata_is_kept_as_sent() {
    let mut bench = with_role("s", json!({}));
    for (sent, wanted) in [
        ("", json!({})),
        ("{}", json!({})),
        ("{\"scope\":\"platform/+/*\"}", json!({"scope": "platform/+/*"})),
        ("a=b, c = d ", json!({"a": "b", "c": "d"})),
        ("eyJhIjoiYiJ9", json!({"a": "b"})),
        ("{\"role_name\":\"evil\"}", json!({"role_name": "evil"})),
    ] {
        let (secret, _) = secret_id(&mut bench, "s", json!({ "metadata": sent }));
        assert_eq!(lookup(&mut bench, "s", &secret)["metadata"], wanted, "{sent}");
        let login = login(&mut bench, "s-id", &secret).unwrap();
        assert_eq!(login.metadata["role_name"], "s", "the role's own name wins");
        assert_eq!(login.metadata, login.alias.metadata);
    }
}

#[test]
fn a_chosen_secret_id_belongs_to_its_role_alone() {
    let mut bench = with_role("s", json!({}));
    bench.write("role/t", json!({"role_id": "t-id"})).unwrap();
    let sent = json!({"secret_id": "mine", "num_uses": 2, "ttl": "10m", "metadata": "{\"k\":\"v\"}"});
    let made = value(bench.write("role/t/custom-secret-id", sent).unwrap());
    assert_eq!(
        (&made["secret_id"], &made["secret_id_num_uses"], &made["secret_id_ttl"]),
        (&json!("mine"), &json!(2), &json!(600))
    );
    let again = bench.write("role/t/custom-secret-id", json!({"secret_id": "mine"}));
    assert_eq!(
        fault(again),
        "500 1 error occurred:\n\t* failed to store secret_id: SecretID is already registered\n\n"
    );
    assert_eq!(failure(&mut bench, "s-id", "mine"), FAILED);
    bench.write("role/s/custom-secret-id", json!({"secret_id": "mine"})).unwrap();
    assert_eq!(login(&mut bench, "t-id", "mine").unwrap().metadata["k"], "v");
    assert!(!login(&mut bench, "s-id", "mine").unwrap().metadata.contains_key("k"));
}

#[test]
fn a_secret_id_is_stored_nowhere() {
    let mut bench = with_role("s", json!({}));
    let (secret, _) = secret_id(&mut bench, "s", json!({"num_uses": 5}));
    bench.write("role/s/custom-secret-id", json!({"secret_id": "mine-3141"})).unwrap();
    login(&mut bench, "s-id", &secret).unwrap();
    for (key, value) in bench.stored() {
        for text in [secret.as_str(), "mine-3141"] {
            assert!(!key.contains(text) && !String::from_utf8_lossy(&value).contains(text), "{key}");
        }
    }
}

#[test]
fn a_login_has_the_roles_parameters() {
    let mut bench = with_role(
        "s",
        json!({"token_policies": "p", "token_ttl": 60, "token_type": "batch", "token_bound_cidrs": "10.0.0.0/8"}),
    );
    let (secret, _) = secret_id(&mut bench, "s", json!({}));
    let plain = login(&mut bench, "s-id", &secret).unwrap();
    assert_eq!((plain.alias.name.as_str(), plain.display_name.as_str()), ("s-id", ""));
    assert_eq!((plain.token.ttl, plain.token.kind), (60, TokenKind::Batch));
    assert_eq!(plain.token.policies, ["p"]);
    assert_eq!(plain.token.bound_cidrs.texts(), ["10.0.0.0/8"]);
    let (narrow, _) = secret_id(&mut bench, "s", json!({"token_bound_cidrs": "10.1.0.0/16"}));
    assert_eq!(login(&mut bench, "s-id", &narrow).unwrap().token.bound_cidrs.texts(), ["10.1.0.0/16"]);
}

#[test]
fn a_login_is_renewed_while_the_role_is_there() {
    let mut bench = with_role("s", json!({"token_policies": "p"}));
    let (secret, _) = secret_id(&mut bench, "s", json!({"num_uses": 1}));
    let login = login(&mut bench, "s-id", &secret).unwrap();
    bench.write("role/s", json!({"token_ttl": 77, "token_policies": "other"})).unwrap();
    assert_eq!(renew(&mut bench, &login).unwrap().ttl, 77);
    bench.delete("role/s").unwrap();
    let gone = renew(&mut bench, &login).unwrap_err().to_string();
    assert_eq!(gone, "1 error occurred:\n\t* failed to renew entry: role \"s\" does not exist during renewal\n\n");
}

#[test]
fn addresses_are_checked_against_role_and_secret_id() {
    let mut bench = with_role("u", json!({"bind_secret_id": false, "secret_id_bound_cidrs": "10.0.0.0/8"}));
    bench.write("role/t", json!({"role_id": "t-id"})).unwrap();
    let (bound, _) = secret_id(&mut bench, "t", json!({"cidr_list": "10.0.0.0/8", "num_uses": 1}));
    let on_role = "source address \"127.0.0.1\" unauthorized by CIDR restrictions on the role";
    let on_secret = "source address \"127.0.0.1\" unauthorized through CIDR restrictions on the secret ID";
    bench.peer.address = Some("127.0.0.1:1".parse().unwrap());
    assert_eq!(failure(&mut bench, "u-id", ""), on_role);
    assert_eq!(failure(&mut bench, "t-id", &bound), on_secret);
    assert_eq!(failure(&mut bench, "t-id", "wrong"), FAILED);
    bench.peer.address = None;
    assert!(login(&mut bench, "u-id", "").is_err(), "a unix socket lies in no block");
    bench.peer.address = Some("10.1.1.1:1".parse().unwrap());
    assert!(login(&mut bench, "u-id", "garbage").is_ok(), "no secret-id is asked for");
    bench.write("role/t", json!({"secret_id_bound_cidrs": "10.1.0.0/16"})).unwrap();
    assert!(failure(&mut bench, "t-id", &bound).starts_with("failed to verify subset relationship"));
    bench.write("role/t", json!({"secret_id_bound_cidrs": ""})).unwrap();
    assert!(login(&mut bench, "t-id", &bound).is_ok(), "what failed did not use it up");
    assert_eq!(failure(&mut bench, "t-id", &bound), FAILED);
    assert_eq!(fault(bench.delete("role/u/secret-id-bound-cidrs")), NO_CONSTRAINT);
}

#[test]
fn uses_are_counted_down_and_unlimited_ones_write_nothing() {
    let mut bench = with_role("s", json!({"secret_id_num_uses": 2, "secret_id_ttl": 60}));
    let (secret, accessor) = secret_id(&mut bench, "s", json!({}));
    bench.now = bench.now.plus_seconds(5);
    login(&mut bench, "s-id", &secret).unwrap();
    let left = lookup(&mut bench, "s", &secret);
    assert_eq!((&left["secret_id_num_uses"], &left["last_updated_time"]), (&json!(1), &json!("2027-01-15T08:00:05Z")));
    login(&mut bench, "s-id", &secret).unwrap();
    assert!(lookup(&mut bench, "s", &secret).is_null());
    assert_eq!(failure(&mut bench, "s-id", &secret), FAILED);
    assert!(bench.list("role/s/secret-id").unwrap().is_empty());
    let leftovers: Vec<String> = bench
        .stored()
        .into_iter()
        .map(|(key, _)| key)
        .filter(|key| key.contains(&accessor) || key.starts_with("expiry/"))
        .collect();
    assert_eq!(leftovers, Vec::<String>::new());
    bench.write("role/s", json!({"secret_id_num_uses": 0})).unwrap();
    let (unlimited, _) = secret_id(&mut bench, "s", json!({}));
    let before = bench.stored();
    for _ in 0..3 {
        login(&mut bench, "s-id", &unlimited).unwrap();
    }
    assert_eq!(bench.stored(), before);
}

#[test]
fn d19_two_logins_at_once_do_not_share_a_use() {
    for uses in [1, 2] {
        let mut bench = with_role("s", json!({}));
        let (secret, _) = secret_id(&mut bench, "s", json!({ "num_uses": uses }));
        let sent = json!({"role_id": "s-id", "secret_id": secret});
        let [first, second] = bench.race(Operation::Update, "login", sent);
        assert!(first.is_ok() && matches!(second, Err(Fault::Internal(_))), "the log refuses the second");
        let held = (0..3).filter(|_| login(&mut bench, "s-id", &secret).is_ok()).count();
        assert_eq!(held, uses - 1);
    }
    let mut bench = with_role("s", json!({}));
    let (unlimited, _) = secret_id(&mut bench, "s", json!({}));
    let sent = json!({"role_id": "s-id", "secret_id": unlimited});
    assert!(bench.race(Operation::Update, "login", sent).iter().all(Result::is_ok));
}

#[test]
fn a_deleted_role_takes_its_secret_ids_along() {
    let mut bench = with_role("s", json!({}));
    bench.write("role/s2", json!({"role_id": "s2-id"})).unwrap();
    let (other, _) = secret_id(&mut bench, "s2", json!({"ttl": 60}));
    let before = bench.stored();
    bench.write("role/x", json!({"role_id": "x-id"})).unwrap();
    secret_id(&mut bench, "x", json!({"ttl": 60}));
    let (secret, _) = secret_id(&mut bench, "x", json!({}));
    bench.delete("role/x").unwrap();
    assert_eq!(bench.stored(), before);
    bench.write("role/x", json!({"role_id": "x-id"})).unwrap();
    assert_eq!(failure(&mut bench, "x-id", &secret), FAILED);
    assert!(bench.list("role/x/secret-id").unwrap().is_empty());
    assert!(login(&mut bench, "s2-id", &other).is_ok());
}

#[test]
fn destroying_is_idempotent_by_secret_id_and_not_by_accessor() {
    let mut bench = with_role("s", json!({}));
    for operation in [Operation::Update, Operation::Delete] {
        let (secret, accessor) = secret_id(&mut bench, "s", json!({"ttl": 60}));
        for _ in 0..2 {
            bench.call(operation, "role/s/secret-id/destroy", json!({"secret_id": secret})).unwrap();
        }
        assert_eq!(failure(&mut bench, "s-id", &secret), FAILED);
        let sent = json!({"secret_id_accessor": accessor});
        let unknown = "404 failed to find accessor entry for secret_id_accessor";
        assert_eq!(fault(bench.call(operation, "role/s/secret-id-accessor/destroy", sent)), unknown);
        let (secret, accessor) = secret_id(&mut bench, "s", json!({"ttl": 60}));
        let sent = json!({"secret_id_accessor": accessor});
        bench.call(operation, "role/s/secret-id-accessor/destroy", sent).unwrap();
        assert_eq!(failure(&mut bench, "s-id", &secret), FAILED);
    }
}

#[test]
fn look_ups_of_nothing_are_answered_as_upstream_does() {
    let mut bench = with_role("s", json!({}));
    let no_role = "500 1 error occurred:\n\t* role \"nobody\" does not exist\n\n";
    for (path, sent, wanted) in [
        ("role/s/secret-id/lookup", json!({"secret_id": "nope"}), "ok null"),
        ("role/s/secret-id/lookup", json!({}), "missing secret_id"),
        ("role/nobody/secret-id/lookup", json!({"secret_id": "nope"}), no_role),
        ("role/s/secret-id/destroy", json!({"secret_id": "nope"}), "ok null"),
        ("role/s/secret-id/destroy", json!({}), "missing secret_id"),
        ("role/nobody/secret-id/destroy", json!({"secret_id": "nope"}), no_role),
        ("role/s/secret-id-accessor/lookup", json!({}), "missing secret_id_accessor"),
        (
            "role/s/secret-id-accessor/lookup",
            json!({"secret_id_accessor": "nope"}),
            "ok {\"error\":\"failed to find accessor entry for secret_id_accessor\"}",
        ),
        ("role/nobody/secret-id-accessor/lookup", json!({"secret_id_accessor": "nope"}), no_role),
        ("role/s/secret-id-accessor/destroy", json!({}), "missing secret_id_accessor"),
        ("role/nobody/secret-id-accessor/destroy", json!({"secret_id_accessor": "nope"}), no_role),
        ("login", json!({}), "missing role_id"),
        ("login", json!({"role_id": ""}), "missing role_id"),
        ("login", json!({"role_id": "s-id"}), "missing secret_id"),
    ] {
        assert_eq!(fault(bench.write(path, sent.clone())), wanted, "{path} {sent}");
    }
    let missing = bench.write("role/s/secret-id-accessor/lookup", json!({"secret_id_accessor": "nope"})).unwrap();
    assert_eq!(missing.status, Some(404));
    let nobody = bench.call(Operation::List, "role/nobody/secret-id", json!({}));
    assert_eq!(fault(nobody), "role \"nobody\" does not exist");
    for path in ["login", "role/s/secret-id", "role/s/secret-id/lookup", "tidy/secret-id"] {
        assert!(matches!(bench.read(path), Err(Fault::UnsupportedOperation)), "{path}");
    }
}

#[test]
fn tidying_frees_what_has_expired_and_nothing_else() {
    let mut bench = with_role("s", json!({}));
    let (endless, _) = secret_id(&mut bench, "s", json!({}));
    let (later, _) = secret_id(&mut bench, "s", json!({"ttl": 600}));
    let before = bench.stored();
    for _ in 0..3 {
        secret_id(&mut bench, "s", json!({"ttl": 60}));
    }
    bench.now = bench.now.plus_seconds(60);
    let engine = super::engine();
    let tidy = |bench: &mut Bench, limit| {
        let input = engine::Input::default();
        bench.with(Operation::Update, "", input, |cx, _| engine::Engine::tidy(&engine, cx, limit)).unwrap()
    };
    assert_eq!(tidy(&mut bench, 2), 2);
    let reply = bench.write("tidy/secret-id", json!({})).unwrap();
    assert_eq!((reply.status, reply.warnings.len()), (Some(202), 1));
    assert!(reply.warnings[0].starts_with("Tidy operation successfully started."));
    assert_eq!(bench.stored(), before);
    assert_eq!(tidy(&mut bench, 10), 0);
    assert!(login(&mut bench, "s-id", &endless).is_ok() && login(&mut bench, "s-id", &later).is_ok());
}

#[test]
fn s02_only_the_canonical_spelling_names_a_role() {
    let mut bench = with_role("admin", json!({"secret_id_num_uses": 5}));
    secret_id(&mut bench, "admin", json!({}));
    let before = bench.stored();
    let engine = super::engine();
    let options = engine::Options::new();
    let table = engine::Engine::table(&engine, &options);
    // From the route table, so that a new path is covered without an edit here.
    let patterns = table.routes().iter().filter(|route| route.path.contains("{role_name}"));
    let mut tried = 0;
    for route in patterns {
        for action in &route.actions {
            for name in ["AdMiN", "ADMIN", "admin ", "\u{ff41}dmin", "admin\u{301}"] {
                let path = route.path.replace("{role_name}", name);
                let sent = json!({
                    "policies": "p", "bound_cidr_list": "10.0.0.0/8", "secret_id_bound_cidrs": "10.0.0.0/8",
                    "bind_secret_id": true, "secret_id_num_uses": 1, "secret_id_ttl": 1, "period": 1, "token_num_uses": 1,
                    "token_ttl": 1, "token_max_ttl": 1, "role_id": "x", "secret_id": "x", "secret_id_accessor": "x",
                });
                let sent = if path.ends_with("secret-id") { json!({}) } else { sent };
                let result = bench.call(action.operation, &path, sent);
                assert!(matches!(result, Err(Fault::Invalid(_) | Fault::UnsupportedPath)), "{path}");
                tried += 1;
            }
        }
    }
    assert!(tried > 200, "{tried}");
    assert_eq!(bench.stored(), before);
}

#[test]
fn s21_failing_logins_leave_nothing() {
    let mut bench = with_role("s", json!({}));
    let (secret, _) = secret_id(&mut bench, "s", json!({"num_uses": 2, "cidr_list": "10.0.0.0/8"}));
    bench.peer.address = Some("127.0.0.1:1".parse().unwrap());
    let before = bench.stored();
    for (role_id, secret) in [("s-id", secret.as_str()), ("s-id", "x"), ("nope", "x"), ("s-id", ""), ("", "")] {
        for _ in 0..20 {
            assert!(login(&mut bench, role_id, secret).is_err());
        }
    }
    assert_eq!(bench.stored(), before);
}

#[test]
fn s38_no_error_repeats_what_was_sent() {
    let canary = "canary-3141";
    let engine = super::engine();
    let options = engine::Options::new();
    let shapes = [json!([[canary]]), json!({canary: canary}), json!([{canary: [canary]}]), json!(1e300), json!(canary)];
    let mut bench = with_role("s", json!({}));
    let mut faults = 0;
    for route in engine::Engine::table(&engine, &options).routes() {
        let path = route.path.replace("{role_name}", "s");
        for action in route.actions.iter().filter(|action| action.operation == Operation::Update) {
            for field in action.fields.iter().filter(|field| field.name != "role_name") {
                // A kind of token is named in the answer, as upstream does; a string is no wrong type there.
                for shape in shapes.iter().filter(|shape| field.name != "token_type" || !shape.is_string()) {
                    let mut sent = json!({"role_id": "s-id", "secret_id": "x", "secret_id_accessor": "x"});
                    if field.name != "role_id" && path.starts_with("role/s") {
                        sent = json!({"secret_id": "x"});
                    }
                    sent[field.name] = shape.clone();
                    if let Err(fault) = bench.call(Operation::Update, &path, sent) {
                        faults += 1;
                        let text = format!("{fault} {fault:?}");
                        assert!(!text.contains("canary"), "{path} {}: {text}", field.name);
                    }
                }
            }
        }
    }
    assert!(faults > 100, "{faults}");
}

#[test]
fn s58_failed_logins_do_not_tell_a_role_from_none() {
    let mut bench = with_role("s", json!({}));
    bench.write("role/t", json!({"role_id": "t-id"})).unwrap();
    let (of_t, _) = secret_id(&mut bench, "t", json!({}));
    let (spent, _) = secret_id(&mut bench, "s", json!({"num_uses": 1}));
    login(&mut bench, "s-id", &spent).unwrap();
    let (expired, _) = secret_id(&mut bench, "s", json!({"ttl": 1}));
    bench.now = bench.now.plus_seconds(2);
    let long = "x".repeat(5000);
    for (role_id, secret) in [
        ("nope", "x"),
        ("s-id", "x"),
        ("S-ID", "x"),
        (long.as_str(), "x"),
        ("s-id", long.as_str()),
        ("s-id", of_t.as_str()),
        ("s-id", spent.as_str()),
        ("s-id", expired.as_str()),
    ] {
        assert_eq!(failure(&mut bench, role_id, secret), FAILED);
    }
    assert_eq!(failure(&mut bench, "s-id", ""), failure(&mut bench, "nope", ""));
}

#[test]
fn s64_an_accessor_of_another_role_is_unknown() {
    let mut bench = with_role("s", json!({}));
    bench.write("role/t", json!({"role_id": "t-id"})).unwrap();
    let (secret, accessor) = secret_id(&mut bench, "s", json!({}));
    let before = bench.stored();
    for role in ["t", "s"] {
        for spelling in [accessor.clone(), "00000000-0000-4000-8000-000000000000".into(), format!("../s/{accessor}")] {
            if role == "s" && spelling == accessor {
                continue;
            }
            let sent = json!({"secret_id_accessor": spelling});
            let shown = bench.write(&format!("role/{role}/secret-id-accessor/lookup"), sent.clone()).unwrap();
            assert_eq!(shown.status, Some(404), "{role} {spelling}");
            let destroyed = bench.write(&format!("role/{role}/secret-id-accessor/destroy"), sent);
            assert!(matches!(destroyed, Err(Fault::MissingBecause(_))), "{role} {spelling}");
        }
    }
    assert!(lookup(&mut bench, "t", &secret).is_null());
    bench.write("role/t/secret-id/destroy", json!({"secret_id": secret})).unwrap();
    assert_eq!(bench.stored(), before);
    assert!(login(&mut bench, "s-id", &secret).is_ok());
}

#[test]
fn s65_an_expired_secret_id_is_none_although_nobody_tidied() {
    let mut bench = with_role("s", json!({}));
    let (secret, accessor) = secret_id(&mut bench, "s", json!({"ttl": 2}));
    bench.write("role/s/custom-secret-id", json!({"secret_id": "mine", "ttl": 2})).unwrap();
    let issued = bench.now;
    bench.now = engine::Timestamp::from_nanoseconds(issued.plus_seconds(2).nanoseconds() - 1);
    assert!(login(&mut bench, "s-id", &secret).is_ok());
    bench.now = issued.plus_seconds(2);
    let before = bench.stored();
    assert_eq!(failure(&mut bench, "s-id", &secret), FAILED);
    assert!(lookup(&mut bench, "s", &secret).is_null());
    let sent = json!({"secret_id_accessor": accessor});
    assert_eq!(bench.write("role/s/secret-id-accessor/lookup", sent).unwrap().status, Some(404));
    assert_eq!(bench.stored(), before, "it was the check that refused it");
    bench.write("role/s/custom-secret-id", json!({"secret_id": "mine"})).unwrap();
    assert!(login(&mut bench, "s-id", "mine").is_ok(), "the same text may be registered again");
}

#[test]
fn s66_the_lockout_counts_the_role_that_the_verifier_tries() {
    let mut bench = bench();
    bench.write("role/n", json!({"role_id": "5"})).unwrap();
    let (secret, _) = secret_id(&mut bench, "n", json!({}));
    let engine = super::engine();
    let options = engine::Options::new();
    let route = engine::Engine::table(&engine, &options).matched("login").unwrap().route;
    // A form sends "5" where JSON sends 5.
    for (sent, wanted) in [
        (json!("5"), Some("5")),
        (json!(5), Some("5")),
        (json!("nope"), Some("nope")),
        (json!(["5"]), None),
        (json!({"5": 5}), None),
        (json!(""), None),
        (Value::Null, None),
        (json!("a\nb"), None),
        (json!("x".repeat(513)), None),
    ] {
        let mut input = engine::Input::default();
        input.fields.insert("role_id".into(), sent.clone());
        assert_eq!(route.alias(&input).as_deref(), wanted, "{sent}");
        match bench.write("login", json!({"role_id": sent, "secret_id": secret})) {
            Ok(reply) => assert_eq!(wanted, Some(reply.login.unwrap().alias.name.as_str())),
            Err(_) => assert_ne!(wanted, Some("5"), "{sent}"),
        }
    }
}

#[test]
fn s72_no_spelling_of_root_becomes_a_policy_of_a_role() {
    let mut bench = with_role("s", json!({"policies": "p"}));
    for spelling in ["root", " root", "ROOT", "\troot", "root\u{a0}", "Root "] {
        for value in [json!(spelling), json!([spelling]), json!(format!("p,{spelling}"))] {
            for field in ["policies", "token_policies"] {
                for path in ["role/s", "role/s/policies", "role/new"] {
                    assert!(bench.write(path, json!({field: value})).is_err(), "{path} {field} {value}");
                }
            }
        }
    }
    assert_eq!(bench.data("role/s").unwrap()["token_policies"], json!(["p"]));
}

#[test]
fn s78_numbers_are_stored_as_sent_or_refused() {
    let fields = [
        "secret_id_num_uses",
        "secret_id_ttl",
        "token_num_uses",
        "token_ttl",
        "token_max_ttl",
        "token_period",
        "token_explicit_max_ttl",
        "period",
    ];
    let numbers = [
        (json!(0), Some(0)),
        (json!(-1), None),
        (json!(2_147_483_648_i64), Some(2_147_483_648_i64)),
        (json!(9_223_372_036_854_775_808_u64), None),
        (json!("1e9"), None),
        (json!(" 5"), None),
    ];
    let mut bench = bench();
    for field in fields {
        let shown = if field == "period" { "token_period" } else { field };
        for (sent, wanted) in &numbers {
            let result = bench.write("role/b", json!({field: sent}));
            match wanted {
                Some(wanted) => {
                    result.unwrap();
                    assert_eq!(bench.data("role/b").unwrap()[shown], json!(wanted), "{field} {sent}");
                }
                None => assert!(matches!(result, Err(Fault::Invalid(_))), "{field} {sent}"),
            }
            bench.delete("role/b").unwrap();
        }
    }
    bench.write("role/b", json!({})).unwrap();
    for (field, shown) in [("num_uses", "secret_id_num_uses"), ("ttl", "secret_id_ttl")] {
        for (sent, wanted) in &numbers {
            match (bench.write("role/b/secret-id", json!({field: sent})), wanted) {
                (Ok(reply), Some(wanted)) => {
                    let told = value(reply)[shown].clone();
                    let most = if field == "ttl" { 2_764_800 } else { i64::MAX };
                    assert_eq!(told, json!((*wanted).min(most)), "{field} {sent}");
                }
                (Err(fault), None) => assert!(matches!(fault, Fault::Invalid(_)), "{field} {sent}"),
                (result, _) => panic!("{field} {sent}: {}", fault(result)),
            }
        }
    }
}
