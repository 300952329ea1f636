//! Certificates are made afresh; the bench's clock stands at the start of 2027.

use engine::bench::Bench;
use engine::{Fault, Login, LoginRecord, Operation, Reply, Timestamp, TokenParams};
use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, CustomExtension, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, RevokedCertParams, SanType,
    SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};

const NOT_TRUSTED: &str = "login failed: invalid certificate or no client certificate supplied";
const NOT_ADMITTED: &str =
    "login failed: no chain matching all constraints could be found for this login certificate";

/// An authority, and what it issues.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key.
struct Client {
    der: Vec<u8>,
    pem: String,
    key: KeyPair,
}

fn params(common_name: &str, serial: u64) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.serial_number = Some(SerialNumber::from(serial));
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2036, 1, 1);
    params
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = params(name, 1);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

impl Authority {
    fn new(name: &str) -> Self {
        Self::of(authority_params(name))
    }

    fn of(params: CertificateParams) -> Self {
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A certificate of `alpha` with serial number 7, changed by `change`.
    fn issue(&self, change: impl FnOnce(&mut CertificateParams)) -> Client {
        let mut params = params("alpha", 7);
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.issuer).unwrap();
        Client { der: made.der().to_vec(), pem: made.pem(), key }
    }

    fn revocation_list(&self, serial: u64) -> String {
        let params = CertificateRevocationListParams {
            this_update: date_time_ymd(2026, 1, 1),
            next_update: date_time_ymd(2026, 1, 2),
            crl_number: SerialNumber::from(1),
            issuing_distribution_point: None,
            revoked_certs: vec![RevokedCertParams {
                serial_number: SerialNumber::from(serial),
                revocation_time: date_time_ymd(2026, 1, 1),
                reason_code: None,
                invalidity_date: None,
            }],
            key_identifier_method: KeyIdMethod::Sha256,
        };
        params.signed_by(&self.issuer).unwrap().pem().unwrap()
    }
}

fn self_signed(common_name: &str, serial: u64, key: KeyPair) -> Client {
    let made = params(common_name, serial).self_signed(&key).unwrap();
    Client { der: made.der().to_vec(), pem: made.pem(), key }
}

fn bench() -> Bench {
    Bench::new(super::engine(), &[])
}

fn with_role(certificate: &str, mut body: Value) -> Bench {
    let mut bench = bench();
    body["certificate"] = json!(certificate);
    bench.write("certs/web", body).unwrap();
    bench
}

fn fault<T>(result: Result<T, Fault>) -> String {
    match result {
        Ok(_) => "ok".to_owned(),
        Err(Fault::Status(status, texts)) => format!("{status} {}", texts.join("; ")),
        Err(Fault::LoginFailed(text)) => format!("login failed: {text}"),
        Err(fault) => fault.to_string(),
    }
}

fn login_with(bench: &mut Bench, chain: &[&[u8]], body: Value) -> Result<Login, Fault> {
    bench.peer.certificates = chain.iter().map(|der| der.to_vec()).collect();
    let reply = bench.write("login", body)?;
    Ok(*reply.login.expect("a login without a fault has an identity"))
}

fn login(bench: &mut Bench, client: &Client) -> Result<Login, Fault> {
    login_with(bench, &[&client.der], json!({}))
}

fn renew(bench: &mut Bench, login: &Login, client: Option<&Client>) -> Result<TokenParams, Fault> {
    bench.peer.certificates = client.map(|client| client.der.clone()).into_iter().collect();
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

fn value(reply: Reply) -> Value {
    reply.value().cloned().unwrap_or(Value::Null)
}

#[test]
fn a_role_is_created_changed_read_listed_and_deleted() {
    let authority = Authority::new("ca");
    let mut bench = with_role(&authority.pem, json!({"policies": "b,a", "lease": 60, "allowed_names": "x"}));
    let read = bench.data("certs/web").unwrap();
    assert_eq!(
        read,
        json!({
            "allowed_common_names": null, "allowed_dns_sans": null, "allowed_email_sans": null,
            "allowed_metadata_extensions": null, "allowed_names": ["x"], "allowed_organizational_units": null,
            "allowed_uri_sans": null, "certificate": authority.pem, "display_name": "web", "ocsp_ca_certificates": "",
            "ocsp_enabled": false, "ocsp_fail_open": false, "ocsp_query_all_servers": false,
            "ocsp_servers_override": null, "required_extensions": null, "token_bound_cidrs": [],
            "token_explicit_max_ttl": 0, "token_max_ttl": 0, "token_no_default_policy": false, "token_num_uses": 0,
            "token_period": 0, "token_policies": ["a", "b"], "token_strictly_bind_ip": false, "token_ttl": 60,
            "token_type": "default", "policies": ["a", "b"], "ttl": 60,
        })
    );
    bench.write("certs/web", json!({"display_name": "d", "token_ttl": 70})).unwrap();
    let read = bench.data("certs/web").unwrap();
    assert_eq!((&read["display_name"], &read["token_ttl"], &read["ttl"]), (&json!("d"), &json!(70), &Value::Null));
    assert_eq!(read["allowed_names"], json!(["x"]));
    assert_eq!(bench.list("certs").unwrap(), ["web"]);
    bench.delete("certs/web").unwrap();
    bench.delete("certs/web").unwrap();
    assert!(bench.list("certs").unwrap().is_empty());
}

#[test]
fn bad_roles_are_refused_and_change_nothing() {
    let authority = Authority::new("ca");
    let server = authority.issue(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    let mut bench = with_role(&authority.pem, json!({}));
    let before = bench.stored();
    let long_lists: Vec<String> = (0..1001).map(|number| number.to_string()).collect();
    for (sent, wanted) in [
        (json!({"certificate": "bad"}), "failed to parse certificate"),
        (json!({"certificate": ""}), "failed to parse certificate"),
        (
            json!({"certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}),
            "failed to parse certificate",
        ),
        (
            json!({"certificate": server.pem}),
            "nonCA certificates should have TLS client authentication set as an extended key usage",
        ),
        (json!({"ttl": 20, "max_ttl": 10}), "ttl should be shorter than max_ttl"),
        (
            json!({"token_ttl": 20, "token_max_ttl": 10}),
            "'token_ttl' cannot be greater than 'token_max_ttl'",
        ),
        (json!({"token_type": "default-service"}), "invalid 'token_type' value \"default-service\""),
        (json!({"policies": "root"}), "policies cannot contain the root policy"),
        (json!({"allowed_names": long_lists}), "a list holds more than 1000 entries"),
        (
            json!({"certificate": authority.pem.repeat(101)}),
            "a role trusts at most 100 certificates",
        ),
    ] {
        assert_eq!(fault(bench.write("certs/web", sent.clone())), wanted, "{sent}");
    }
    assert_eq!(bench.stored(), before);
    assert_eq!(fault(bench.write("certs/new", json!({}))), "failed to parse certificate");
    assert_eq!(fault(bench.write("certs/WEB", json!({}))), "name must be in lower case");
}

#[test]
fn s57_ocsp_cannot_be_enabled_and_lists_are_not_fetched() {
    let authority = Authority::new("ca");
    let mut bench = with_role(&authority.pem, json!({"ocsp_enabled": false, "ocsp_fail_open": false}));
    for sent in [json!({"ocsp_enabled": true}), json!({"ocsp_fail_open": true})] {
        assert_eq!(
            fault(bench.write("certs/web", sent)),
            "OCSP is not supported: upload revocation lists to 'crls/' instead"
        );
    }
    assert_eq!(
        fault(bench.write("crls/a", json!({"url": "http://127.0.0.1:1/"}))),
        "lists are not fetched here: send the list itself as 'crl'"
    );
}

#[test]
fn a_certificate_of_a_trusted_authority_logs_in_under_its_common_name() {
    let authority = Authority::new("ca");
    let client = authority.issue(|_| {});
    let mut bench = with_role(&authority.pem, json!({"display_name": "shown", "policies": "p"}));
    for body in [json!({}), json!({"name": "web"}), json!({"name": "WEB"}), json!({"name": ""})] {
        let login = login_with(&mut bench, &[&client.der], body).unwrap();
        assert_eq!((login.alias.name.as_str(), login.display_name.as_str()), ("alpha", "shown"));
        assert_eq!(login.token.policies, ["p"]);
        assert!(login.alias.metadata.is_empty());
        assert_eq!(login.metadata["cert_name"], "web");
        assert_eq!(login.metadata["serial_number"], "7");
    }
    assert_eq!(fault(login_with(&mut bench, &[&client.der], json!({"name": "other"}))), NOT_TRUSTED);
    assert_eq!(fault(login_with(&mut bench, &[], json!({}))), "no client certificate found");
    assert_eq!(fault(login_with(&mut bench, &[b"no certificate"], json!({}))), NOT_TRUSTED);
    bench.write("config", json!({"enable_identity_alias_metadata": true})).unwrap();
    assert_eq!(login(&mut bench, &client).unwrap().alias.metadata["common_name"], "alpha");
}

#[test]
fn a_chain_may_pass_through_intermediates_that_the_client_shows() {
    let root = Authority::new("root");
    let between_params = authority_params("between");
    let between_key = KeyPair::generate().unwrap();
    let between = between_params.signed_by(&between_key, &root.issuer).unwrap();
    let between_authority = Authority { pem: between.pem(), issuer: Issuer::new(between_params, between_key) };
    let client = between_authority.issue(|_| {});
    let mut bench = with_role(&root.pem, json!({}));
    assert_eq!(fault(login(&mut bench, &client)), NOT_TRUSTED);
    login_with(&mut bench, &[&client.der, b"noise", between.der()], json!({})).unwrap();
    // An intermediate may be the trusted one.
    let mut bench = with_role(&between_authority.pem, json!({}));
    login(&mut bench, &client).unwrap();
    // A leaf issues nothing, whatever it signs.
    let leaf = root.issue(|_| {});
    let leaf_issuer = Issuer::new(params("alpha", 7), leaf.key);
    let forged = params("forged", 9).signed_by(&KeyPair::generate().unwrap(), &leaf_issuer).unwrap();
    let mut bench = with_role(&root.pem, json!({}));
    assert_eq!(fault(login_with(&mut bench, &[forged.der(), &leaf.der], json!({}))), NOT_TRUSTED);
}

#[test]
fn certificates_that_do_not_hold_now_or_not_for_clients_are_refused() {
    let authority = Authority::new("ca");
    let mut bench = with_role(&authority.pem, json!({}));
    let early = authority.issue(|params| params.not_before = date_time_ymd(2030, 1, 1));
    let late = authority.issue(|params| params.not_after = date_time_ymd(2026, 12, 1));
    let server = authority.issue(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]);
    for client in [&early, &late, &server] {
        assert_eq!(fault(login(&mut bench, client)), NOT_TRUSTED);
    }
    let stranger = Authority::new("ca").issue(|_| {});
    assert_eq!(fault(login(&mut bench, &stranger)), NOT_TRUSTED);
    let nameless = authority.issue(|params| params.distinguished_name = DistinguishedName::new());
    assert_eq!(fault(login(&mut bench, &nameless)), "login failed: missing name in alias");
    // An authority that is past its own end vouches for nobody, though what it issued lives on.
    let mut short = authority_params("short");
    short.not_after = date_time_ymd(2028, 1, 1);
    let short = Authority::of(short);
    let client = short.issue(|_| {});
    let mut bench = with_role(&short.pem, json!({}));
    login(&mut bench, &client).unwrap();
    bench.now = Timestamp::from_seconds(1_900_000_000);
    assert_eq!(fault(login(&mut bench, &client)), NOT_TRUSTED);
}

#[test]
fn constraints_admit_by_what_the_certificate_says() {
    let authority = Authority::new("ca");
    let client = authority.issue(|params| {
        params.distinguished_name.push(DnType::OrganizationalUnitName, "ops");
        params.subject_alt_names = vec![
            SanType::DnsName("app.example.com".try_into().unwrap()),
            SanType::Rfc822Name("a@example.com".try_into().unwrap()),
            SanType::URI("spiffe://x/y".try_into().unwrap()),
        ];
        let text = CustomExtension::from_oid_content(&[1, 2, 3, 4, 5], b"\x0c\x0bhello-world".to_vec());
        let other = CustomExtension::from_oid_content(&[1, 2, 3, 4, 6], b"\x0c\x0chello-world".to_vec());
        params.custom_extensions = vec![text, other];
    });
    for (name, pattern, admits) in [
        ("allowed_names", "alpha", true),
        ("allowed_names", "*.example.com", true),
        ("allowed_names", "*@example.com", true),
        ("allowed_names", "spiffe*", false),
        ("allowed_names", "", true),
        ("allowed_common_names", "alp*", true),
        ("allowed_common_names", "alp", false),
        ("allowed_common_names", "x,alpha", true),
        ("allowed_dns_sans", "app.*", true),
        ("allowed_dns_sans", "APP.example.com", false),
        ("allowed_dns_sans", "alpha", false),
        ("allowed_email_sans", "*@example.com", true),
        ("allowed_email_sans", "app*", false),
        ("allowed_uri_sans", "spiffe://*", true),
        ("allowed_uri_sans", "https://*", false),
        ("allowed_organizational_units", "op*", true),
        ("allowed_organizational_units", "eng", false),
        ("required_extensions", "1.2.3.4.5:hello*", true),
        ("required_extensions", "1.2.3.4.5:hello*,1.2.3.4.5:*world", true),
        ("required_extensions", "1.2.3.4.5:hello*,1.2.3.4.5:nope", false),
        ("required_extensions", "1.2.3.4.6:*hello*", false),
        ("required_extensions", "1.2.3.4:*", false),
        ("required_extensions", "abc", false),
    ] {
        let mut bench = with_role(&authority.pem, json!({ name: pattern }));
        let wanted = if admits { "ok" } else { NOT_ADMITTED };
        assert_eq!(fault(login(&mut bench, &client)), wanted, "{name} {pattern}");
    }
    let mut bench = with_role(&authority.pem, json!({"allowed_metadata_extensions": "1.2.3.4.5,1.2.3.4.6"}));
    let login = login(&mut bench, &client).unwrap();
    assert_eq!((login.metadata["1-2-3-4-5"].as_str(), login.metadata["1-2-3-4-6"].as_str()), ("hello-world", ""));
}

#[test]
fn a_login_without_a_name_finds_the_role_that_admits_it() {
    let (one, two) = (Authority::new("one"), Authority::new("two"));
    let client = two.issue(|_| {});
    let mut bench = with_role(&one.pem, json!({}));
    bench.write("certs/narrow", json!({"certificate": two.pem, "allowed_names": "beta"})).unwrap();
    assert_eq!(fault(login(&mut bench, &client)), NOT_ADMITTED);
    bench.write("certs/wide", json!({"certificate": two.pem})).unwrap();
    assert_eq!(login(&mut bench, &client).unwrap().metadata["cert_name"], "wide");
}

#[test]
fn logins_come_from_where_tokens_may_be_used() {
    let authority = Authority::new("ca");
    let client = authority.issue(|_| {});
    let mut bench = with_role(&authority.pem, json!({"token_bound_cidrs": "10.0.0.0/8"}));
    assert!(matches!(login(&mut bench, &client), Err(Fault::Denied)));
    bench.peer.address = Some("10.1.2.3:1".parse().unwrap());
    login(&mut bench, &client).unwrap();
}

#[test]
fn s54_a_pinned_certificate_vouches_for_nothing_but_its_own_bytes() {
    let pinned = self_signed("alpha", 7, KeyPair::generate().unwrap());
    let mut bench = with_role(&pinned.pem, json!({}));
    login(&mut bench, &pinned).unwrap();
    // The same key, serial number and subject, but made again: other bytes.
    let key = || KeyPair::try_from(pinned.key.serialize_der()).unwrap();
    let mut again = params("alpha", 7);
    again.not_after = date_time_ymd(2037, 1, 1);
    let again = again.self_signed(&key()).unwrap();
    assert_eq!(fault(login_with(&mut bench, &[again.der()], json!({}))), NOT_TRUSTED);
    // Another key under the same names and number.
    let other = self_signed("alpha", 7, KeyPair::generate().unwrap());
    assert_eq!(fault(login(&mut bench, &other)), NOT_TRUSTED);
    // "Issued" by the pinned one, which is shown along with it.
    let issuer = Issuer::new(params("alpha", 7), key());
    let issued = params("beta", 8).signed_by(&KeyPair::generate().unwrap(), &issuer).unwrap();
    assert_eq!(fault(login_with(&mut bench, &[issued.der(), &pinned.der], json!({}))), NOT_TRUSTED);
    // Past its end it is not even itself.
    bench.now = Timestamp::from_seconds(2_100_000_000);
    assert_eq!(fault(login(&mut bench, &pinned)), NOT_ADMITTED);
}

#[test]
fn s54_an_issuer_behind_a_pinned_certificate_is_not_trusted() {
    let authority = Authority::new("ca");
    let (pinned, sibling) = (authority.issue(|_| {}), authority.issue(|_| {}));
    let mut bench = with_role(&format!("{}{}", pinned.pem, authority.pem), json!({}));
    login(&mut bench, &pinned).unwrap();
    assert_eq!(fault(login(&mut bench, &sibling)), NOT_TRUSTED);
}

#[test]
fn s55_another_common_name_under_the_same_key_is_denied() {
    let pinned = self_signed("alpha", 7, KeyPair::generate().unwrap());
    let mut bench = with_role(&pinned.pem, json!({}));
    let admin = self_signed("admin", 7, KeyPair::try_from(pinned.key.serialize_der()).unwrap());
    assert_eq!(fault(login(&mut bench, &admin)), NOT_TRUSTED);
    // Two common names are nobody's.
    let authority = Authority::new("ca");
    let double = authority.issue(|params| {
        params.distinguished_name.push(DnType::CustomDnType(vec![2, 5, 4, 3]), "admin");
    });
    let mut bench = with_role(&authority.pem, json!({}));
    assert_eq!(fault(login(&mut bench, &double)), "login failed: missing name in alias");
}

#[test]
fn s56_a_renewal_needs_the_certificate_of_the_login() {
    let authority = Authority::new("ca");
    let (client, sibling) = (authority.issue(|_| {}), authority.issue(|_| {}));
    let mut bench = with_role(&authority.pem, json!({"policies": "p"}));
    let made = login(&mut bench, &client).unwrap();
    renew(&mut bench, &made, Some(&client)).unwrap();
    let differs = "500 1 error occurred:\n\t* failed to renew entry: client identity during renewal not matching client \
                   identity used during login\n\n";
    assert_eq!(fault(renew(&mut bench, &made, Some(&sibling))), differs);
    assert_eq!(fault(renew(&mut bench, &made, None)), "no client certificate found");
    let stranger = Authority::new("ca").issue(|_| {});
    assert_eq!(fault(renew(&mut bench, &made, Some(&stranger))), NOT_TRUSTED);
    bench.write("config", json!({"disable_binding": true})).unwrap();
    renew(&mut bench, &made, None).unwrap();
    bench.write("config", json!({"disable_binding": false})).unwrap();
    bench.write("certs/web", json!({"policies": "q"})).unwrap();
    let changed = "500 1 error occurred:\n\t* failed to renew entry: policies have changed, not renewing\n\n";
    assert_eq!(fault(renew(&mut bench, &made, Some(&client))), changed);
    bench.delete("certs/web").unwrap();
    assert_eq!(fault(renew(&mut bench, &made, Some(&client))), NOT_TRUSTED);
}

#[test]
fn s57_a_revoked_certificate_is_refused_at_once_and_from_storage() {
    let authority = Authority::new("ca");
    let client = authority.issue(|_| {});
    let other = authority.issue(|params| params.serial_number = Some(SerialNumber::from(8)));
    let mut bench = with_role(&authority.pem, json!({}));
    let made = login(&mut bench, &client).unwrap();
    // Every call of the bench starts from the store alone, as a node does after a restart. The list is past its own end.
    bench.write("crls/a", json!({"crl": authority.revocation_list(7)})).unwrap();
    assert_eq!(fault(login(&mut bench, &client)), NOT_ADMITTED);
    assert_eq!(fault(renew(&mut bench, &made, Some(&client))), NOT_ADMITTED);
    login(&mut bench, &other).unwrap();
    assert_eq!(bench.data("crls/a").unwrap(), json!({"serials": {"7": {}}}));
    assert_eq!(bench.list("crls").unwrap(), ["a"]);
    bench.delete("crls/a").unwrap();
    login(&mut bench, &client).unwrap();
    // A revoked authority vouches for nobody; a pinned certificate may be revoked too.
    bench.write("crls/a", json!({"crl": authority.revocation_list(1)})).unwrap();
    assert_eq!(fault(login(&mut bench, &other)), NOT_TRUSTED);
    let pinned = self_signed("alpha", 1, KeyPair::generate().unwrap());
    bench.write("certs/web", json!({"certificate": pinned.pem})).unwrap();
    assert_eq!(fault(login(&mut bench, &pinned)), NOT_ADMITTED);
}

#[test]
fn bad_lists_are_refused() {
    let mut bench = bench();
    assert_eq!(fault(bench.read("crls/a")), "no such CRL a");
    assert_eq!(fault(bench.delete("crls/a")), "no such CRL a");
    assert_eq!(fault(bench.write("crls/a", json!({}))), "one of 'crl' or 'url' must be provided");
    assert_eq!(fault(bench.write("crls/a", json!({"crl": "bad"}))), "failed to parse CRL");
    assert!(bench.stored().is_empty());
}

#[test]
fn settings_are_kept_within_their_bounds() {
    let mut bench = bench();
    let read = |bench: &mut Bench| value(bench.read("config").unwrap());
    assert_eq!(read(&mut bench)["ocsp_cache_size"], 0);
    for size in [-1, 0, 1, 100_001] {
        let text = "invalid cache size, must be >= 2 and <= 100000";
        assert_eq!(fault(bench.write("config", json!({"ocsp_cache_size": size}))), text);
    }
    bench.write("config", json!({"disable_binding": true})).unwrap();
    let wanted = json!({"disable_binding": true, "enable_identity_alias_metadata": false, "ocsp_cache_size": 100});
    assert_eq!(read(&mut bench), wanted);
}
