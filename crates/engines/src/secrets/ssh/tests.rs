use engine::bench::Bench;
use engine::crypto::ssh::{KeyKind, PrivateKey};
use engine::crypto::SeededRandomness;
use engine::{Body, Caller, Fault, LeaseRecord, Operation, Reply};
use serde_json::{Value, json};
use std::sync::Arc;

fn bench() -> Bench {
    let mut bench = Bench::new(super::engine(), &[]);
    bench.caller = Some(Arc::new(Caller { display_name: "token".into(), ..Caller::default() }));
    bench
}

fn with_ca() -> Bench {
    let mut bench = bench();
    bench.write("config/ca", json!({"key_type": "ed25519"})).unwrap();
    bench
}

fn with_role(body: Value) -> Bench {
    let mut bench = with_ca();
    bench.write("roles/r", body).unwrap();
    bench
}

fn otp_role() -> Bench {
    let mut bench = bench();
    let body = json!({"key_type": "otp", "default_user": "u", "cidr_list": "10.0.0.0/8", "allowed_users": "bob",
        "exclude_cidr_list": "10.1.0.0/16", "port": 2222});
    bench.write("roles/otp", body).unwrap();
    bench
}

fn value(reply: Reply) -> Value {
    reply.value().cloned().unwrap_or(Value::Null)
}

fn fault(result: Result<Reply, Fault>) -> String {
    match result {
        Ok(reply) => format!("ok {}", value(reply)),
        Err(fault) => fault.to_string(),
    }
}

fn public_key(kind: KeyKind) -> String {
    PrivateKey::generate(kind, &mut SeededRandomness::new(5)).unwrap().public().unwrap().to_line()
}

/// What a line of a certificate holds: enough for tests to look for texts in it.
fn signed(reply: Result<Reply, Fault>) -> String {
    use base64::Engine as _;
    let data = value(reply.unwrap());
    let line = data["signed_key"].as_str().unwrap().to_owned();
    assert!(line.ends_with('\n'));
    let blob = base64::engine::general_purpose::STANDARD.decode(line.split_whitespace().nth(1).unwrap()).unwrap();
    String::from_utf8_lossy(&blob).into_owned()
}

fn sign(bench: &mut Bench, mut body: Value) -> Result<Reply, Fault> {
    body["public_key"] = json!(public_key(KeyKind::EcdsaP256));
    bench.write("sign/r", body)
}

fn raw(reply: Reply) -> String {
    match reply.body {
        Body::Raw(raw) => String::from_utf8(raw.bytes).unwrap(),
        _ => panic!("not raw"),
    }
}

#[test]
fn authorities_are_made_named_chosen_and_deleted() {
    let mut bench = bench();
    let none = "no default issuer currently configured";
    for path in ["config/ca", "public_key", "config/issuers"] {
        assert_eq!(fault(bench.read(path)), none);
    }
    let made = value(bench.write("config/ca", json!({"key_type": "ec"})).unwrap());
    let line = made["public_key"].as_str().unwrap();
    assert!(line.starts_with("ecdsa-sha2-nistp256 ") && line.ends_with('\n'));
    assert_eq!(raw(bench.read("public_key").unwrap()), line);
    assert_eq!(bench.data("config/ca").unwrap(), made);
    let two = value(bench.write("issuers/import/two", json!({"key_type": "ed25519"})).unwrap());
    assert_eq!(two["issuer_name"], "two");
    assert_eq!(bench.data("config/issuers").unwrap()["default"], made["issuer_id"]);
    assert_eq!(raw(bench.read("issuer/two/public_key").unwrap()), two["public_key"].as_str().unwrap());
    for (name, wanted) in [
        ("two", "issuer name already in use"),
        ("default", "reserved keyword 'default' can not be used as issuer name"),
        ("a b", "issuer name contained invalid characters"),
    ] {
        assert_eq!(fault(bench.write(&format!("issuers/import/{name}"), json!({"key_type": "ed25519"}))), wanted);
    }
    bench.write("config/issuers", json!({"default": "two"})).unwrap();
    assert_eq!(bench.data("issuer/default").unwrap(), two);
    assert_eq!(value(bench.write("issuer/two", json!({"issuer_name": "zwei"})).unwrap())["issuer_name"], "zwei");
    assert_eq!(fault(bench.read("issuer/two")), "unable to find issuer for reference: two");
    assert_eq!(bench.list("issuers").unwrap().len(), 2);
    bench.delete("issuer/zwei").unwrap();
    bench.delete("issuer/zwei").unwrap();
    assert_eq!(fault(bench.read("config/ca")), none);
    let reply = bench.delete("config/ca").unwrap();
    assert_eq!(reply.warnings, ["Deleted 1 issuers, including default issuer if configured."]);
    assert!(bench.stored().is_empty());
}

#[test]
fn authorities_are_taken_with_both_halves_that_belong_together() {
    let mut bench = bench();
    let key = PrivateKey::generate(KeyKind::EcdsaP384, &mut SeededRandomness::new(3)).unwrap();
    let (public, private) = (key.public().unwrap().to_line(), key.to_pem().unwrap().as_str().to_owned());
    let other = public_key(KeyKind::EcdsaP384);
    let half =
        "only one of public_key and private_key set; both must be set to use, or both must be blank to auto-generate";
    for (sent, wanted) in [
        (json!({"generate_signing_key": false}), "missing public_key"),
        (json!({"private_key": private}), half),
        (json!({"public_key": public}), half),
        (json!({"public_key": other, "private_key": private}), "public_key is not the public half of private_key"),
        (
            json!({"public_key": "bad", "private_key": private}),
            "could not parse public_key provided value: not an SSH public key",
        ),
        (
            json!({"public_key": public, "private_key": "bad"}),
            "could not parse private_key provided value: ssh: no key found",
        ),
        (json!({"key_type": "odd"}), "unknown ssh key pair algorithm: odd"),
        (json!({"key_type": "ec", "key_bits": 1}), "unknown ECDSA key pair algorithm and bits: ec / 1"),
        (json!({"key_bits": 1024}), "refusing to generate weak rsa key: 1024 bits < 2048 bits"),
        (json!({"key_bits": 2049}), "keys of RSA have 2048, 3072, 4096 or 8192 bits here"),
    ] {
        assert_eq!(fault(bench.write("config/ca", sent.clone())), wanted, "{sent}");
    }
    assert!(bench.stored().is_empty());
    let sent = json!({"public_key": format!("{public} me"), "private_key": private});
    let first = value(bench.write("config/ca", sent.clone()).unwrap());
    assert_eq!(first["public_key"], format!("{public} me"));
    let again = bench.write("issuers/import", sent).unwrap();
    assert_eq!(again.warnings.len(), 1);
    assert_eq!(value(again), first);
}

#[test]
fn roles_are_written_as_a_whole_read_listed_and_deleted() {
    let mut bench = otp_role();
    let otp = json!({"allowed_users": "bob", "cidr_list": "10.0.0.0/8", "default_user": "u",
        "exclude_cidr_list": "10.1.0.0/16", "key_type": "otp", "port": 2222});
    assert_eq!(bench.data("roles/otp").unwrap(), otp);
    let sent = json!({"key_type": "ca", "allow_user_certificates": true, "ttl": "1h",
        "allowed_user_key_lengths": {"rsa": [2048, "4096"], "ec": 256}, "default_extensions": {"permit-pty": ""}});
    bench.write("roles/CA", sent).unwrap();
    let read = bench.data("roles/CA").unwrap();
    assert_eq!(read["allowed_user_key_lengths"], json!({"ec": [256], "rsa": [2048, 4096]}));
    assert_eq!((&read["ttl"], &read["not_before_duration"]), (&json!(3600), &json!(30)));
    assert_eq!((&read["issuer_ref"], &read["algorithm_signer"]), (&json!("default"), &json!("default")));
    assert_eq!(read.as_object().unwrap().len(), 26);
    let listed = value(bench.call(Operation::List, "roles", json!({})).unwrap());
    let wanted = json!({"keys": ["CA", "otp"], "key_info": {
        "CA": {"key_type": "ca", "issuer_ref": "default"}, "otp": {"key_type": "otp"}}});
    assert_eq!(listed, wanted);
    bench.delete("roles/CA").unwrap();
    assert_eq!(bench.list("roles").unwrap(), ["otp"]);
}

#[test]
fn bad_roles_are_refused_and_change_nothing() {
    let mut bench = otp_role();
    let before = bench.stored();
    let ca = |name: &str, value: Value| json!({"key_type": "ca", "allow_user_certificates": true, name: value});
    for (sent, wanted) in [
        (json!({}), "missing key type"),
        (json!({"key_type": "odd"}), "invalid key type"),
        (json!({"key_type": "dynamic"}), "dynamic key type roles are no longer supported"),
        (json!({"key_type": "otp"}), "missing default user"),
        (
            json!({"key_type": "otp", "default_user": "u", "cidr_list": "10.0.0.1"}),
            "failed to validate cidr_list: invalid CIDR address: 10.0.0.1",
        ),
        (
            json!({"key_type": "ca"}),
            "Either 'allow_user_certificates' or 'allow_host_certificates' must be set to 'true'",
        ),
        (ca("algorithm_signer", json!("odd")), "unknown algorithm signer \"odd\""),
        (ca("algorithm_signer", json!("ssh-rsa")), "algorithm signer \"ssh-rsa\" is not supported: it signs with SHA-1"),
        (
            ca("allowed_user_key_lengths", json!({"rsa": "x"})),
            "error processing allowed_user_key_lengths: expected numbers",
        ),
        (
            ca("allowed_users_template", json!(true)),
            "identity templates are not supported in roles of certificates",
        ),
        (
            ca("allow_empty_principals", json!(true)),
            "certificates without principals, which hold for everybody, are not issued",
        ),
    ] {
        assert_eq!(fault(bench.write("roles/otp", sent.clone())), wanted, "{sent}");
    }
    assert_eq!(bench.stored(), before);
    assert!(matches!(bench.write("roles/a b", json!({})), Err(Fault::UnsupportedPath)));
}

#[test]
fn a_key_is_signed_within_what_the_role_allows() {
    let mut bench = with_role(json!({"key_type": "ca", "allow_user_certificates": true, "allowed_users": "bob,ann",
        "default_user": "bob", "allowed_extensions": "permit-pty", "default_extensions": {"permit-x": ""},
        "allowed_critical_options": "force-command", "default_critical_options": {"source-address": "1.2.3.4"},
        "max_ttl": "2h", "key_id_format": "{{role_name}}-{{token_display_name}}-{{odd}}"}));
    let plain = signed(sign(&mut bench, json!({})));
    for text in ["bob", "permit-x", "source-address", "r-token-{{odd}}"] {
        assert!(plain.contains(text), "{text}");
    }
    let asked = signed(sign(
        &mut bench,
        json!({"valid_principals": " ann ,ann,", "extensions": {"permit-pty": ""}, "ttl": "2h",
            "critical_options": {"force-command": "ls"}}),
    ));
    assert!(asked.contains("ann") && asked.contains("permit-pty") && asked.contains("force-command"));
    assert!(!asked.contains("bob") && !asked.contains("permit-x") && !asked.contains("source-address"));
    for (sent, wanted) in [
        (json!({"valid_principals": "eve"}), "eve is not a valid value for valid_principals"),
        (json!({"valid_principals": "*"}), "* is not a valid value for valid_principals"),
        (json!({"valid_principals": "bob\nann"}), "bob\nann is not a valid value for valid_principals"),
        (json!({"ttl": 7201}), "ttl is larger than maximum allowed 7200"),
        (json!({"key_id": "k"}), "setting key_id is not allowed by role"),
        (json!({"extensions": {"b": "", "a": ""}}), "extensions [a b] are not on allowed list"),
        (json!({"critical_options": {"other": ""}}), "critical options not on allowed list: [other]"),
        (json!({"cert_type": "host"}), "cert_type 'host' is not allowed by role"),
        (json!({"cert_type": "odd"}), "cert_type must be either 'user' or 'host'"),
    ] {
        assert_eq!(fault(sign(&mut bench, sent.clone())), wanted, "{sent}");
    }
    assert_eq!(fault(bench.write("sign/r", json!({}))), "missing public_key");
    assert_eq!(
        fault(bench.write("sign/none", json!({"public_key": public_key(KeyKind::Ed25519)}))),
        "Unknown role: none"
    );
    bench.delete("config/ca").unwrap();
    assert_eq!(fault(sign(&mut bench, json!({}))), "no default issuer currently configured");
}

#[test]
fn hosts_lie_in_the_domains_of_the_role() {
    for (bare, below, host, allowed) in [
        (true, false, "a.com", true),
        (true, false, "x.a.com", false),
        (false, true, "x.a.com", true),
        (false, true, "x.y.b.org", true),
        (false, true, "a.com", false),
        (false, true, ".a.com", false),
        (true, true, "evil-a.com", false),
        (true, true, "a.com.evil.org", false),
        (true, true, "x.a.com,evil.org", false),
    ] {
        let mut bench = with_role(json!({"key_type": "ca", "allow_host_certificates": true,
            "allowed_domains": "a.com, b.org", "allow_bare_domains": bare, "allow_subdomains": below}));
        let made = sign(&mut bench, json!({"cert_type": "host", "valid_principals": host}));
        assert_eq!(made.is_ok(), allowed, "{host}");
    }
    let mut bench = with_role(json!({"key_type": "ca", "allow_host_certificates": true, "allowed_domains": "*"}));
    sign(&mut bench, json!({"cert_type": "host", "valid_principals": "any.org"})).unwrap();
}

#[test]
fn keys_have_the_types_and_lengths_of_the_role() {
    let mut bench = with_role(json!({"key_type": "ca", "allow_user_certificates": true, "allowed_users": "*",
        "default_user": "u", "allowed_user_key_lengths": {"ec": 384, "ecdsa-sha2-nistp521": 0}}));
    for (kind, wanted) in [
        (KeyKind::EcdsaP384, None),
        (KeyKind::EcdsaP521, None),
        (KeyKind::EcdsaP256, Some("public_key failed to meet the key requirements: key is of an invalid size: 256")),
        (KeyKind::Ed25519, Some("public_key failed to meet the key requirements: key of type ed25519 is not allowed")),
    ] {
        let made = bench.write("sign/r", json!({"public_key": public_key(kind)}));
        assert_eq!(made.as_ref().err().map(ToString::to_string).as_deref(), wanted);
    }
    for (sent, wanted) in [
        (json!({"key_type": "ed25519"}), "provided key_type value not in allowed_user_key_types"),
        (
            json!({"key_type": "ec", "key_bits": 256}),
            "provided key_bits value not in list of role's allowed_user_key_types",
        ),
    ] {
        assert_eq!(fault(bench.write("issue/r", sent)), wanted);
    }
    let made = value(bench.write("issue/r", json!({"key_type": "ec", "key_bits": 384})).unwrap());
    assert!(made["private_key"].as_str().unwrap().starts_with("-----BEGIN EC PRIVATE KEY-----\n"));
    assert_eq!(made["private_key_type"], "ec");
}

#[test]
fn s88_a_certificate_always_names_whom_it_holds_for() {
    let refusing = "refusing to issue unsafe, globally-valid certificate with no principals specified; set \
                    valid_principals or default_user";
    for role in [
        json!({"key_type": "ca", "allow_user_certificates": true}),
        json!({"key_type": "ca", "allow_user_certificates": true, "allowed_users": "*"}),
        json!({"key_type": "ca", "allow_user_certificates": true, "allowed_users": "*", "default_user": " , "}),
    ] {
        let mut bench = with_role(role);
        for principals in ["", " ", ",", " , ,"] {
            assert_eq!(fault(sign(&mut bench, json!({"valid_principals": principals}))), refusing);
        }
    }
    let mut bench = with_role(json!({"key_type": "ca", "allow_user_certificates": true, "default_user": "z"}));
    assert_eq!(fault(sign(&mut bench, json!({}))), "role is not configured to allow any principals");
    // A host's certificate does not fall back to the default user.
    let mut bench = with_role(json!({"key_type": "ca", "allow_host_certificates": true, "default_user": "z",
        "allowed_domains": "*"}));
    assert_eq!(fault(sign(&mut bench, json!({"cert_type": "host"}))), refusing);
}

#[test]
fn a_password_is_told_to_one_host_once() {
    let mut bench = otp_role();
    let reply = bench.write("creds/otp", json!({"ip": "10.0.0.1", "username": "bob"})).unwrap();
    assert!(!reply.lease.as_ref().unwrap().renewable);
    let data = value(reply);
    assert_eq!((&data["username"], &data["port"], &data["key_type"]), (&json!("bob"), &json!(2222), &json!("otp")));
    let otp = data["key"].as_str().unwrap();
    assert!(!bench.stored().iter().any(|(key, bytes)| {
        key.contains(otp) || String::from_utf8_lossy(bytes).contains(otp)
    }));
    let verified = value(bench.write("verify", json!({"otp": otp})).unwrap());
    assert_eq!(verified, json!({"ip": "10.0.0.1", "username": "bob", "role_name": "otp"}));
    for other in [otp, "", "x", "../otp"] {
        assert_eq!(fault(bench.write("verify", json!({"otp": other}))), "OTP not found");
    }
    let echo = value(bench.write("verify", json!({"otp": "verify-echo-request"})).unwrap());
    assert_eq!(echo, json!({"message": "verify-echo-response"}));
}

#[test]
fn s89_of_two_hosts_at_once_one_is_answered_and_told_its_own_address() {
    let mut bench = otp_role();
    for ip in ["11.0.0.1", "10.1.0.1", "::ffff:11.0.0.1", "fe80::1"] {
        let wanted = "Error validating IP: IP does not belong to role";
        assert_eq!(fault(bench.write("creds/otp", json!({ "ip": ip }))), wanted, "{ip}");
    }
    let data = value(bench.write("creds/otp", json!({"ip": "10.0.0.1"})).unwrap());
    let answers = bench.race(Operation::Update, "verify", json!({"otp": data["key"]}));
    let good: Vec<Value> = answers.into_iter().filter_map(Result::ok).map(value).collect();
    assert_eq!(good, [json!({"ip": "10.0.0.1", "username": "u", "role_name": "otp"})]);
}

#[test]
fn s65_a_password_ends_with_its_time_and_with_its_lease() {
    let mut bench = otp_role();
    let reply = bench.write("creds/otp", json!({"ip": "10.0.0.1"})).unwrap();
    let (lease, data) = (reply.lease.clone().unwrap(), value(reply));
    let late = bench.now.plus_seconds(lease.ttl);
    let early = std::mem::replace(&mut bench.now, late);
    assert_eq!(fault(bench.write("verify", json!({"otp": data["key"]}))), "OTP not found");
    bench.now = early;
    let reply = bench.write("creds/otp", json!({"ip": "10.0.0.1"})).unwrap();
    let (lease, data) = (reply.lease.clone().unwrap(), value(reply));
    let record =
        LeaseRecord { id: "test/x".into(), issued: early, expires: late, internal: lease.internal };
    let engine = super::engine();
    for _ in 0..2 {
        bench
            .with(Operation::Update, "", engine::Input::default(), |cx, _| engine::Engine::revoke(&engine, cx, &record))
            .unwrap();
    }
    assert_eq!(fault(bench.write("verify", json!({"otp": data["key"]}))), "OTP not found");
}

#[test]
fn bad_requests_for_passwords_are_answered_as_upstream_does() {
    let mut bench = otp_role();
    bench.write("roles/ca", json!({"key_type": "ca", "allow_user_certificates": true})).unwrap();
    bench.write("roles/bare", json!({"key_type": "otp", "default_user": "u"})).unwrap();
    for (path, sent, wanted) in [
        ("otp", json!({}), "Missing ip"),
        ("otp", json!({"ip": "x"}), "Invalid IP \"x\""),
        ("none", json!({"ip": "10.0.0.1"}), "Role \"none\" not found"),
        ("ca", json!({"ip": "10.0.0.1"}), "No default username registered. Use 'username' option"),
        ("otp", json!({"ip": "10.0.0.1", "username": "eve"}), "Username is not present is allowed users list"),
        (
            "bare",
            json!({"ip": "10.0.0.1", "username": "eve"}),
            "Username has to be either in allowed users list or has to be a default username",
        ),
        ("bare", json!({"ip": "10.0.0.1"}), "Error validating IP: IP does not belong to role"),
    ] {
        assert_eq!(fault(bench.write(&format!("creds/{path}"), sent)), wanted);
    }
}

#[test]
fn roles_are_found_by_address_and_may_serve_every_one() {
    let mut bench = otp_role();
    bench.write("roles/bare", json!({"key_type": "otp", "default_user": "u"})).unwrap();
    assert_eq!(fault(bench.write("config/zeroaddress", json!({}))), "Missing roles");
    assert_eq!(
        fault(bench.write("config/zeroaddress", json!({"roles": "none"}))),
        "Role \"none\" does not exist"
    );
    let lookup = |bench: &mut Bench, ip: &str| value(bench.write("lookup", json!({ "ip": ip })).unwrap())["roles"].clone();
    assert_eq!(lookup(&mut bench, "10.0.0.1"), json!(["otp"]));
    assert_eq!(lookup(&mut bench, "12.0.0.1"), Value::Null);
    bench.write("config/zeroaddress", json!({"roles": "bare"})).unwrap();
    assert_eq!(lookup(&mut bench, "12.0.0.1"), json!(["bare"]));
    bench.write("creds/bare", json!({"ip": "fe80::1"})).unwrap();
    assert_eq!(bench.data("config/zeroaddress").unwrap(), json!({"roles": ["bare"]}));
    bench.delete("roles/bare").unwrap();
    assert_eq!(bench.data("config/zeroaddress").unwrap(), json!({"roles": []}));
    bench.delete("config/zeroaddress").unwrap();
    assert!(bench.data("config/zeroaddress").unwrap().is_null());
}
