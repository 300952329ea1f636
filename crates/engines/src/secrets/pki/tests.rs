//! The engine on the bench. What it issues is judged by another library: `rustls-webpki` builds the chains.

use super::names::{Wanted, name_is_allowed};
use super::role::Role;
use engine::bench::Bench;
use engine::crypto::x509::{
    AlternativeNames, Certificate, CertificateRequest, DistinguishedName, Extensions, Hash, KeyKind, OtherName,
    PrivateKey, SignatureScheme, Subject,
};
use engine::{Fault, Input, Operation, Reply};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

/// A mount with an authority on P-256.
fn mounted() -> Bench {
    let mut bench = Bench::new(super::engine(), &[]);
    data(bench.write("root/generate/internal", json!({ "common_name": "root", "key_type": "ec", "ttl": "700h" })));
    bench
}

fn data(reply: Result<Reply, Fault>) -> Value {
    reply.unwrap_or_else(|fault| panic!("{fault}")).value().cloned().unwrap_or_default()
}

fn refused(reply: Result<Reply, Fault>) -> String {
    match reply {
        Ok(_) => panic!("it was allowed"),
        Err(fault) => fault.to_string(),
    }
}

fn role(bench: &mut Bench, name: &str, settings: Value) {
    let mut all = json!({ "key_type": "ec", "ttl": "24h" });
    all.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    data(bench.write(&format!("roles/{name}"), all));
}

fn certificate(data: &Value) -> Certificate {
    Certificate::from_pem(data["certificate"].as_str().unwrap()).unwrap()
}

fn tidied(bench: &mut Bench) {
    let engine = super::engine();
    bench
        .with(Operation::Update, "", Input::default(), |cx, _| engine::Engine::tidy(&engine, cx, 1000))
        .unwrap();
}

/// Whether the default issuer's list names a serial number.
fn is_listed(bench: &mut Bench, serial: &str) -> bool {
    let list = bench.read("crl").unwrap();
    let engine::Body::Raw(raw) = list.body else { panic!("a list is raw") };
    let serial = super::fetch::serial_bytes(serial).unwrap();
    raw.bytes.windows(serial.len()).any(|window| window == serial)
}

/// A request for a common name and alternative names.
fn request(subject: Subject, names: &AlternativeNames) -> String {
    let key = PrivateKey::generate(KeyKind::Ec(256), &mut engine::SystemRandomness).unwrap();
    let mut extensions = Extensions::default();
    extensions.set_names(names, false).unwrap();
    let subject = DistinguishedName::from_subject(&subject).unwrap();
    let scheme = SignatureScheme::of(key.kind(), Hash::Sha256, false);
    CertificateRequest::create(&subject, &extensions, &key, scheme).unwrap().to_pem()
}

fn named(name: &str) -> Subject {
    Subject { common_name: name.into(), ..Subject::default() }
}

#[test]
fn issues_lists_reads_and_revokes() {
    let mut bench = mounted();
    role(&mut bench, "r", json!({ "allowed_domains": "example.com", "allow_subdomains": true }));
    let issued = data(bench.write("issue/r", json!({ "common_name": "a.example.com", "ip_sans": "1.2.3.4" })));
    let serial = issued["serial_number"].as_str().unwrap().to_owned();
    let leaf = certificate(&issued);
    assert_eq!(leaf.extensions().names().unwrap().dns, ["a.example.com"]);
    assert_eq!(leaf.not_after() - leaf.not_before(), DAY + 30);
    assert!(!leaf.is_authority());
    assert!(bench.list("certs").unwrap().contains(&serial));
    assert_eq!(bench.data(&format!("cert/{serial}")).unwrap()["certificate"], issued["certificate"]);
    assert_eq!(bench.data(&format!("cert/{}", serial.replace(':', "-"))).unwrap()["revocation_time"], 0);
    assert!(!is_listed(&mut bench, &serial));
    let revoked = data(bench.write("revoke", json!({ "serial_number": serial })));
    assert_eq!(revoked["state"], "revoked");
    assert!(is_listed(&mut bench, &serial));
    bench.now = bench.now.plus_seconds(5);
    assert_eq!(data(bench.write("revoke", json!({ "serial_number": serial }))), revoked, "once and the same");
    assert_eq!(bench.list("certs/revoked").unwrap(), [serial]);
}

#[test]
fn chains_hold_for_another_library() {
    for kind in ["rsa", "ec", "ed25519"] {
        let mut root = Bench::new(super::engine(), &[]);
        let made = data(root.write("root/generate/internal", json!({ "common_name": "root", "key_type": kind })));
        let mut below = Bench::new(super::engine(), &[]);
        let asked = json!({ "common_name": "int", "key_type": "ec", "key_bits": 384 });
        let csr = data(below.write("intermediate/generate/internal", asked));
        let signed = json!({ "csr": csr["csr"], "common_name": "int", "ttl": "300h" });
        let signed = data(root.write("root/sign-intermediate", signed));
        data(below.write("intermediate/set-signed", json!({ "certificate": signed["certificate"] })));
        role(&mut below, "r", json!({ "allow_any_name": true }));
        let issued = data(below.write("issue/r", json!({ "common_name": "leaf.example.com" })));
        let anchor = certificate(&made);
        let anchors = engine::crypto::client_certificate::Certificate::from_der(anchor.as_der());
        assert!(anchors.is_some(), "{kind}: the reader of client certificates takes the root");
        verify(&issued, &signed, &anchor, below.now.seconds());
    }
}

/// Builds the chain with `rustls-webpki`, as TLS clients do.
fn verify(leaf: &Value, intermediate: &Value, anchor: &Certificate, now: i64) {
    use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
    let anchor = CertificateDer::from(anchor.as_der().to_vec());
    let anchor = webpki::anchor_from_trusted_cert(&anchor).unwrap();
    let leaf = certificate(leaf);
    let leaf = CertificateDer::from(leaf.as_der().to_vec());
    let leaf = webpki::EndEntityCert::try_from(&leaf).unwrap();
    let intermediate = CertificateDer::from(certificate(intermediate).as_der().to_vec());
    let now = UnixTime::since_unix_epoch(std::time::Duration::from_secs(now.unsigned_abs()));
    leaf.verify_for_usage(
        webpki::ALL_VERIFICATION_ALGS,
        &[anchor],
        &[intermediate],
        now,
        webpki::KeyUsage::server_auth(),
        None,
        None,
    )
    .unwrap();
    leaf.verify_is_valid_for_subject_name(&ServerName::try_from("leaf.example.com").unwrap()).unwrap();
}

/// What a role allows, said once more in other words: by the labels of a name, not by its text.
fn oracle(role: &Role, name: &str) -> bool {
    let labels: Vec<&str> = name.trim_end_matches('.').split('.').collect();
    let plain = |label: &&str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let star = labels.len() > 1 && labels[0].matches('*').count() == 1 && labels[1..].iter().all(plain);
    let shaped = if name.contains('*') {
        star && role.allow_wildcard_certificates
    } else {
        name.is_ascii()
            && labels.iter().all(|label| !label.is_empty())
            && (!role.enforce_hostnames || labels.iter().all(plain))
    };
    if !shaped {
        return false;
    }
    if role.allow_any_name {
        return true;
    }
    let below = name.ends_with(".example.com") && labels.len() > 2;
    let bare = name.eq_ignore_ascii_case("example.com");
    let globbed = name.starts_with("glob-") && name.ends_with(".net");
    role.allow_bare_domains && bare || role.allow_subdomains && below || role.allow_glob_domains && globbed
}

#[test]
fn s84_a_role_allows_what_its_flags_say_and_nothing_else() {
    let names = [
        "example.com",
        "a.example.com",
        "b.a.example.com",
        "*.example.com",
        "*.a.example.com",
        "f*.example.com",
        "*",
        "*.com",
        "a.*.example.com",
        "**.example.com",
        "Example.com",
        "example.com.",
        "a.example.com.",
        "evilexample.com",
        "example.com.evil",
        "a..example.com",
        ".example.com",
        "a_b.example.com",
        "-a.example.com",
        "bücher.example.com",
        "xn--bcher-kva.example.com",
        "glob-1.net",
        "glob-.x.net",
        "*.glob-1.net",
        "foo.org",
    ];
    let mut checked = 0;
    for flags in 0_u8..64 {
        let set = |bit: u8| flags & (1 << bit) != 0;
        let role = Role {
            allow_bare_domains: set(0),
            allow_subdomains: set(1),
            allow_glob_domains: set(2),
            allow_wildcard_certificates: set(3),
            enforce_hostnames: set(4),
            allow_any_name: set(5),
            allowed_domains: vec!["example.com".into(), "glob-*.net".into()],
            ..Role::default()
        };
        for name in names {
            // A first or last label of a name with a star may be part of a host name only.
            let expected = oracle(&role, name) && !name.contains("**");
            assert_eq!(name_is_allowed(&role, name), expected, "{name} with {role:?}");
            checked += 1;
        }
    }
    assert_eq!(checked, 64 * names.len());
}

#[test]
fn s85_a_request_may_name_what_a_field_may_name_and_nothing_else() {
    let mut bench = mounted();
    role(
        &mut bench,
        "r",
        json!({
            "allowed_domains": "example.com", "allow_subdomains": true, "allowed_ip_sans_cidr": "10.0.0.0/8",
            "allowed_uri_sans": "spiffe://ours/*", "allowed_other_sans": "1.2.3;UTF8:ours-*",
        }),
    );
    let names = AlternativeNames::default;
    let other = |value: &str| OtherName { oid: "1.2.3".into(), value: value.into() };
    let kinds: [(&str, &str, AlternativeNames, AlternativeNames); 5] = [
        (
            "alt_names",
            "b.example.com|b.evil.org",
            AlternativeNames { dns: vec!["b.example.com".into()], ..names() },
            AlternativeNames { dns: vec!["b.evil.org".into()], ..names() },
        ),
        (
            "alt_names",
            "x@b.example.com|x@evil.org",
            AlternativeNames { email: vec!["x@b.example.com".into()], ..names() },
            AlternativeNames { email: vec!["x@evil.org".into()], ..names() },
        ),
        (
            "ip_sans",
            "10.1.2.3|11.1.2.3",
            AlternativeNames { ip: vec!["10.1.2.3".parse().unwrap()], ..names() },
            AlternativeNames { ip: vec!["11.1.2.3".parse().unwrap()], ..names() },
        ),
        (
            "uri_sans",
            "spiffe://ours/a|spiffe://evil/a",
            AlternativeNames { uri: vec!["spiffe://ours/a".into()], ..names() },
            AlternativeNames { uri: vec!["spiffe://evil/a".into()], ..names() },
        ),
        (
            "other_sans",
            "1.2.3;UTF8:ours-1|1.2.3;UTF8:evil",
            AlternativeNames { other: vec![other("ours-1")], ..names() },
            AlternativeNames { other: vec![other("evil")], ..names() },
        ),
    ];
    for (field, values, good, bad) in kinds {
        let (good_value, bad_value) = values.split_once('|').unwrap();
        data(bench.write("issue/r", json!({ "common_name": "a.example.com", field: good_value })));
        let by_field = refused(bench.write("issue/r", json!({ "common_name": "a.example.com", field: bad_value })));
        data(bench.write("sign/r", json!({ "csr": request(named("a.example.com"), &good) })));
        let by_request = refused(bench.write("sign/r", json!({ "csr": request(named("a.example.com"), &bad) })));
        assert_eq!(by_field.replace("the API", "CSR"), by_request, "{field} {bad_value}");
    }
    refused(bench.write("issue/r", json!({ "common_name": "evil.org" })));
    refused(bench.write("sign/r", json!({ "csr": request(named("evil.org"), &names()) })));
    // What a request's subject says beside the common name is the role's to say.
    for evil in [
        Subject { user_ids: vec!["root".into()], ..named("a.example.com") },
        Subject { serial_number: "1".into(), ..named("a.example.com") },
    ] {
        refused(bench.write("sign/r", json!({ "csr": request(evil, &names()) })));
    }
    let organisation = Subject { organization: vec!["Evil".into()], ..named("a.example.com") };
    let signed = data(bench.write("sign/r", json!({ "csr": request(organisation, &names()) })));
    assert!(certificate(&signed).subject().subject().organization.is_empty());
}

#[test]
fn s86_an_issuer_is_one_under_each_of_its_names() {
    let mut bench = mounted();
    let default = bench.data("issuer/default").unwrap();
    let id = default["issuer_id"].as_str().unwrap().to_owned();
    data(bench.write("issuer/default", json!({ "issuer_name": "mine", "usage": "crl-signing" })));
    role(&mut bench, "r", json!({ "allow_any_name": true }));
    let refusals: Vec<String> = [id.as_str(), "mine", "default"]
        .into_iter()
        .map(|reference| {
            let read = bench.data(&format!("issuer/{reference}")).unwrap();
            assert_eq!((&read["issuer_id"], &read["usage"]), (&json!(id), &json!("crl-signing,read-only")));
            refused(bench.write(&format!("issuer/{reference}/issue/r"), json!({ "common_name": "x" })))
        })
        .collect();
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0] && refusal.contains("issuing-certificates")));
}

#[test]
fn s87_what_is_revoked_stays_listed_until_it_ends() {
    let mut bench = mounted();
    role(&mut bench, "r", json!({ "allow_any_name": true, "ttl": "240h" }));
    let issued = data(bench.write("issue/r", json!({ "common_name": "x" })));
    let serial = issued["serial_number"].as_str().unwrap().to_owned();
    data(bench.write("revoke", json!({ "serial_number": serial })));
    let everything = json!({
        "tidy_cert_store": true, "tidy_revoked_certs": true, "tidy_revoked_cert_issuer_associations": true,
        "tidy_expired_issuers": true, "tidy_invalid_certs": true, "safety_buffer": 1,
    });
    let day = bench.now;
    for days in 0..10 {
        bench.now = day.plus_seconds(days * DAY);
        data(bench.write("tidy", everything.clone()));
        tidied(&mut bench);
        assert!(is_listed(&mut bench, &serial), "day {days}");
        data(bench.read("crl/rotate"));
        assert!(is_listed(&mut bench, &serial), "day {days}");
        assert_ne!(bench.data(&format!("cert/{serial}")).unwrap()["revocation_time"], 0);
    }
    bench.now = day.plus_seconds(11 * DAY);
    data(bench.write("tidy", everything));
    tidied(&mut bench);
    assert!(!is_listed(&mut bench, &serial));
    assert_eq!(bench.data("tidy-status").unwrap()["revoked_cert_deleted_count"], 1);
    assert_eq!(bench.data(&format!("cert/{serial}")).unwrap(), Value::Null);
}

#[test]
fn s116_revoking_takes_the_key_or_the_right_and_hits_only_what_is_ours() {
    let mut bench = mounted();
    role(&mut bench, "r", json!({ "allow_any_name": true }));
    let issued = data(bench.write("issue/r", json!({ "common_name": "x" })));
    let other = data(bench.write("issue/r", json!({ "common_name": "y" })));
    let asked = |serial: &Value, key: &Value| json!({ "serial_number": serial, "private_key": key });
    refused(bench.write("revoke-with-key", asked(&issued["serial_number"], &other["private_key"])));
    refused(bench.write("revoke-with-key", asked(&issued["serial_number"], &issued["certificate"])));
    refused(bench.write("revoke-with-key", json!({ "serial_number": issued["serial_number"] })));
    assert!(bench.list("certs/revoked").unwrap().is_empty());
    data(bench.write("revoke-with-key", asked(&issued["serial_number"], &issued["private_key"])));
    // A certificate of somebody else is not ours to revoke. The calls before make its authority's key another one.
    let mut stranger = Bench::new(super::engine(), &[]);
    (0..5).for_each(|_| drop(stranger.read("config/urls").unwrap()));
    data(stranger.write("root/generate/internal", json!({ "common_name": "root", "key_type": "ec", "ttl": "700h" })));
    role(&mut stranger, "r", json!({ "allow_any_name": true }));
    let foreign = data(stranger.write("issue/r", json!({ "common_name": "x" })));
    refused(bench.write("revoke", json!({ "certificate": foreign["certificate"] })));
    data(stranger.write("revoke", json!({ "certificate": foreign["certificate"] })));
    // An issuer is revoked as one, not as a leaf.
    let self_made = data(bench.write("root/generate/exported", json!({ "common_name": "z", "key_type": "ec" })));
    refused(bench.write("revoke", json!({ "certificate": self_made["certificate"] })));
}

#[test]
fn nobody_becomes_an_authority_by_way_of_a_role_or_verbatim() {
    let mut bench = mounted();
    role(&mut bench, "r", json!({ "allow_any_name": true, "key_usage": "CertSign,CRLSign,DigitalSignature" }));
    let issued = data(bench.write("issue/r", json!({ "common_name": "x" })));
    assert_eq!(certificate(&issued).extensions().key_usage(), Some(1));
    let key = PrivateKey::generate(KeyKind::Ec(256), &mut engine::SystemRandomness).unwrap();
    let mut extensions = Extensions::default();
    let authority = engine::crypto::x509::Constraints { authority: true, path_length: None };
    extensions.set_constraints(authority).unwrap();
    extensions.set_key_usage(0b0110_0001).unwrap();
    extensions.set("1.2.3.4.5", false, vec![5, 0]);
    let subject = DistinguishedName::from_subject(&named("x")).unwrap();
    let scheme = SignatureScheme::of(key.kind(), Hash::Sha256, false);
    let csr = CertificateRequest::create(&subject, &extensions, &key, scheme).unwrap().to_pem();
    for path in ["sign/r", "sign-verbatim", "sign-verbatim/r"] {
        let signed = certificate(&data(bench.write(path, json!({ "csr": csr, "ttl": "1h" }))));
        assert!(!signed.is_authority(), "{path}");
        assert_eq!(signed.extensions().key_usage(), Some(1), "{path}");
        assert_eq!(signed.extensions().value("1.2.3.4.5").is_some(), path.starts_with("sign-verbatim"), "{path}");
    }
}

#[test]
fn the_end_of_a_lease_revokes_what_was_leased() {
    let mut bench = mounted();
    role(&mut bench, "r", json!({ "allow_any_name": true, "generate_lease": true }));
    let reply = bench.write("issue/r", json!({ "common_name": "x" })).unwrap();
    let lease = reply.lease.clone().unwrap();
    assert_eq!(lease.ttl, DAY);
    let serial = lease.internal["serial_number"].as_str().unwrap().to_owned();
    let record = engine::LeaseRecord {
        id: "test/issue/r/x".into(),
        issued: bench.now,
        expires: bench.now.plus_seconds(DAY),
        internal: lease.internal,
    };
    let engine = super::engine();
    for _ in 0..2 {
        bench
            .with(Operation::Update, "", Input::default(), |cx, _| engine::Engine::revoke(&engine, cx, &record))
            .unwrap();
    }
    assert!(is_listed(&mut bench, &serial));
}

#[test]
fn private_keys_lie_in_their_own_place_alone() {
    let mut bench = mounted();
    role(&mut bench, "r", json!({ "allow_any_name": true }));
    let issued = data(bench.write("issue/r", json!({ "common_name": "x" })));
    let leaf = PrivateKey::from_pem(issued["private_key"].as_str().unwrap()).unwrap();
    let (_, traditional) = leaf.to_traditional().unwrap();
    let scalar = &traditional.as_slice()[7..39];
    for (key, value) in bench.stored() {
        let text = String::from_utf8_lossy(&value);
        assert_eq!(text.contains("pkcs8"), key.starts_with("key/"), "{key}");
        assert!(!value.windows(32).any(|window| window == scalar), "{key}");
    }
}

#[test]
fn lists_are_built_anew_before_they_end() {
    let mut bench = mounted();
    let first = bench.data("cert/crl").unwrap();
    bench.now = bench.now.plus_seconds(10 * 3600);
    tidied(&mut bench);
    assert_eq!(bench.data("cert/crl").unwrap(), first);
    bench.now = bench.now.plus_seconds(50 * 3600);
    tidied(&mut bench);
    assert_ne!(bench.data("cert/crl").unwrap(), first);
}

#[test]
fn an_empty_role_name_and_odd_references_are_no_paths() {
    let mut bench = mounted();
    for path in ["roles/a b", "roles/a*", "roles/-a"] {
        assert!(matches!(bench.write(path, json!({})), Err(Fault::UnsupportedPath)), "{path}");
    }
    let wanted = Wanted { common_name: "a\u{0}b".into(), ..Wanted::default() };
    assert!(wanted.check(&Role { allow_any_name: true, enforce_hostnames: false, ..Role::default() }).is_err());
}
