//! The method against a cluster that is played by a closure.

use super::engine;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::bench::Bench;
use engine::crypto::SeededRandomness;
use engine::crypto::signing::{SigningAlgorithm, SigningKey};
use engine::outside::{Call, CallAnswer, CallFailure, HttpAnswer, HttpCall, ServiceAccountFile};
use engine::{Fault, Login, LoginRecord, Reply, Secret};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

const NOW: i64 = 1_800_000_000;
const EC_KEY: &str = include_str!("../../../../crypto/src/signing/vectors/p384.pem");

/// What the cluster says, and what it was asked.
#[derive(Default)]
struct Cluster {
    revoked: bool,
    failure: Option<CallFailure>,
    status: Option<u16>,
    user: Option<Value>,
    audiences: Option<Value>,
    asked: Vec<String>,
    bearers: Vec<String>,
    authorities: Vec<String>,
    local_files: bool,
}

type Shared = Rc<RefCell<Cluster>>;

impl Cluster {
    fn answer(&mut self, call: &Call) -> Result<CallAnswer, CallFailure> {
        match call {
            Call::Http(call) => self.http(call),
            Call::ServiceAccount(file) => {
                self.asked.push(format!("{file:?}"));
                let content = match file {
                    ServiceAccountFile::Token => "local.reviewer",
                    ServiceAccountFile::Authority => "local authority",
                };
                self.local_files.then(|| CallAnswer::File(Secret::text(content))).ok_or(CallFailure::Unreachable)
            }
        }
    }

    fn http(&mut self, call: &HttpCall) -> Result<CallAnswer, CallFailure> {
        self.asked.push(call.url.clone());
        self.bearers.push(call.headers[0].1.as_str().to_owned());
        self.authorities.push(call.trust.authorities.clone());
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let body = if call.url.ends_with("/tokenreviews") {
            let user = json!({ "username": "system:serviceaccount:default:sa", "uid": "uid-1" });
            json!({ "status": {
                "authenticated": !self.revoked,
                "user": self.user.clone().unwrap_or(user),
                "audiences": self.audiences.clone().unwrap_or(Value::Null),
            } })
        } else if call.url.contains("/serviceaccounts/") {
            let name = "vault.hashicorp.com/alias-metadata-team";
            let forged = "vault.hashicorp.com/alias-metadata-service_account_name";
            json!({ "metadata": { "uid": "uid-1", "annotations": { name: "red", forged: "admin", "other": "x" } } })
        } else {
            json!({ "metadata": { "labels": { "env": "prod" } } })
        };
        let body = Secret::new(body.to_string().into_bytes());
        let status = self.status.unwrap_or(201);
        Ok(CallAnswer::Http(Arc::new(HttpAnswer { status, link: String::new(), max_age: None, body })))
    }
}

fn mounted() -> (Bench, Shared) {
    let mut bench = Bench::new(engine(), &[]);
    let cluster = Shared::default();
    let answering = cluster.clone();
    bench.outside(move |call| answering.borrow_mut().answer(call));
    bench.write("config", json!({ "kubernetes_host": "https://k8s:6443/", "kubernetes_ca_cert": "ca" })).unwrap();
    role(&mut bench, "r", json!({}));
    (bench, cluster)
}

fn role(bench: &mut Bench, name: &str, more: Value) {
    let mut body = json!({ "bound_service_account_names": "sa", "bound_service_account_namespaces": "default" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    bench.write(&format!("role/{name}"), body).unwrap();
}

fn claims() -> Value {
    json!({
        "iss": "https://kubernetes.default.svc", "aud": ["vault"], "exp": NOW + 600, "nbf": NOW - 5, "iat": NOW - 5,
        "kubernetes.io": { "namespace": "default", "serviceaccount": { "name": "sa", "uid": "uid-1" } },
    })
}

fn with(changes: Value) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
    claims
}

fn of(namespace: &str, name: &str) -> Value {
    let account = json!({ "namespace": namespace, "serviceaccount": { "name": name, "uid": "uid-1" } });
    with(json!({ "kubernetes.io": account }))
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A JWT that nobody signed: the cluster decides.
fn jwt(claims: &Value) -> String {
    format!("{}.{}.{}", encoded(&json!({ "alg": "RS256" })), encoded(claims), URL_SAFE_NO_PAD.encode("signature"))
}

fn log_in(bench: &mut Bench, role: &str, jwt: &str) -> Result<Login, Fault> {
    let Reply { login, .. } = bench.write("login", json!({ "role": role, "jwt": jwt }))?;
    Ok(*login.expect("a login that holds has an identity"))
}

fn kept(login: &Login) -> LoginRecord {
    let (alias, metadata) = (login.alias.name.clone(), login.metadata.clone());
    LoginRecord { alias, binding: login.binding.clone(), policies: Vec::new(), metadata }
}

fn refusal(result: Result<Login, Fault>) -> (u16, String) {
    match result.map(|_| ()).unwrap_err() {
        Fault::Denied => (403, "permission denied".to_owned()),
        Fault::Invalid(texts) => (400, texts.join(";")),
        Fault::Status(status, texts) => (status, texts.join(";")),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_service_account_logs_in() {
    let (mut bench, cluster) = mounted();
    role(&mut bench, "named", json!({ "alias_name_source": "serviceaccount_name", "token_policies": "a" }));
    let token = jwt(&claims());
    let login = log_in(&mut bench, "R", &token).unwrap();
    assert_eq!((login.alias.name.as_str(), login.display_name.as_str()), ("uid-1", "default-sa"));
    assert_eq!((login.metadata["role"].as_str(), login.metadata["service_account_uid"].as_str()), ("r", "uid-1"));
    assert!(!login.alias.metadata.contains_key("role"));
    assert_eq!(log_in(&mut bench, "named", &token).unwrap().alias.name, "default/sa");
    let cluster = cluster.borrow();
    assert_eq!(cluster.asked[0], "Token", "the local reviewer is looked for first");
    assert_eq!(cluster.asked[1], "https://k8s:6443/apis/authentication.k8s.io/v1/tokenreviews");
    assert_eq!((cluster.bearers[0].clone(), cluster.authorities[0].as_str()), (format!("Bearer {token}"), "ca"));
}

#[test]
fn old_tokens_without_dates_log_in() {
    let (mut bench, _) = mounted();
    let old = json!({
        "iss": "kubernetes/serviceaccount",
        "kubernetes.io/serviceaccount/namespace": "default",
        "kubernetes.io/serviceaccount/service-account.name": "sa",
        "kubernetes.io/serviceaccount/service-account.uid": "uid-1",
        "kubernetes.io/serviceaccount/secret.name": "sa-token-x",
    });
    let login = log_in(&mut bench, "r", &jwt(&old)).unwrap();
    assert_eq!(login.metadata["service_account_secret_name"], "sa-token-x");
}

#[test]
fn whatever_the_cluster_does_not_confirm_is_denied() {
    let (mut bench, cluster) = mounted();
    let denied = (403, "permission denied".to_owned());
    let token = jwt(&claims());
    cluster.borrow_mut().revoked = true;
    assert_eq!(refusal(log_in(&mut bench, "r", &token)), denied);
    cluster.borrow_mut().revoked = false;
    for user in [
        json!({}),
        json!({ "username": "system:serviceaccount:default:sa", "uid": "uid-2" }),
        json!({ "username": "system:serviceaccount:other:sa", "uid": "uid-1" }),
        json!({ "username": "sa", "uid": "uid-1" }),
    ] {
        cluster.borrow_mut().user = Some(user);
        assert_eq!(refusal(log_in(&mut bench, "r", &token)), denied);
    }
    cluster.borrow_mut().user = None;
    for status in [401, 403, 404] {
        cluster.borrow_mut().status = Some(status);
        assert_eq!(refusal(log_in(&mut bench, "r", &token)), denied);
    }
    for status in [302, 429, 500] {
        cluster.borrow_mut().status = Some(status);
        assert_eq!(refusal(log_in(&mut bench, "r", &token)).0, 503);
    }
    cluster.borrow_mut().status = None;
    cluster.borrow_mut().failure = Some(CallFailure::TimedOut);
    let text = "the Kubernetes API was asked about the token, but it did not answer in time";
    assert_eq!(refusal(log_in(&mut bench, "r", &token)), (503, text.to_owned()));
}

#[test]
fn what_a_stranger_gets_wrong_asks_nobody() {
    let (mut bench, cluster) = mounted();
    role(&mut bench, "any", json!({ "bound_service_account_names": "*", "bound_service_account_namespaces": "*" }));
    role(&mut bench, "aud", json!({ "audience": "other" }));
    role(&mut bench, "far", json!({ "token_bound_cidrs": "10.0.0.0/8" }));
    let shared = json!({ "alg": "HS256" });
    let unsigned = format!("{}.{}.", encoded(&json!({ "alg": "none" })), encoded(&claims()));
    let audience = "invalid audience (aud) claim: audience claim does not match any expected audience";
    let expired = "invalid expiration time (exp) claim: token is expired";
    let name = "service account name not authorized";
    for (role, token, status, text) in [
        ("nope", jwt(&claims()), 400, "invalid role name \"nope\""),
        ("../r", jwt(&claims()), 400, "invalid role name \"../r\""),
        ("", jwt(&claims()), 400, "missing role"),
        ("r", String::new(), 400, "missing jwt"),
        ("r", "a.b".to_owned(), 403, "permission denied"),
        ("r", unsigned, 403, "permission denied"),
        ("r", format!("{}.{}.eA", encoded(&shared), encoded(&claims())), 403, "permission denied"),
        ("r", jwt(&with(json!({ "pad": "x".repeat(20_000) }))), 403, "permission denied"),
        ("far", jwt(&claims()), 403, "permission denied"),
        ("r", jwt(&with(json!({ "exp": NOW - 61 }))), 403, expired),
        ("r", jwt(&with(json!({ "nbf": NOW + 61 }))), 403, "invalid not before (nbf) claim: token not yet valid"),
        ("r", jwt(&with(json!({ "iat": NOW + 61 }))), 403, "invalid issued at (iat) claim: token issued in the future"),
        ("r", jwt(&of("default", "other")), 403, name),
        ("r", jwt(&of("other", "sa")), 403, "namespace not authorized"),
        ("any", jwt(&of("../../secrets", "sa")), 403, "namespace not authorized"),
        ("any", jwt(&of("default", "a/b")), 403, name),
        ("any", jwt(&of("default", "")), 403, name),
        ("aud", jwt(&claims()), 403, audience),
    ] {
        assert_eq!(refusal(log_in(&mut bench, role, &token)), (status, text.to_owned()), "{role} {token}");
    }
    assert!(cluster.borrow().asked.is_empty());
}

#[test]
fn an_audience_has_to_be_the_clusters_too() {
    let (mut bench, cluster) = mounted();
    role(&mut bench, "aud", json!({ "audience": "vault" }));
    let token = jwt(&claims());
    log_in(&mut bench, "aud", &token).unwrap();
    cluster.borrow_mut().audiences = Some(json!([]));
    log_in(&mut bench, "aud", &token).unwrap();
    cluster.borrow_mut().audiences = Some(json!(["vault", "x"]));
    log_in(&mut bench, "aud", &token).unwrap();
    cluster.borrow_mut().audiences = Some(json!(["x"]));
    assert_eq!(refusal(log_in(&mut bench, "aud", &token)).0, 403);
}

#[test]
fn issuers_are_checked_where_asked_for() {
    let (mut bench, _) = mounted();
    let config = |issuer: &str| {
        json!({ "kubernetes_host": "k8s", "kubernetes_ca_cert": "ca", "issuer": issuer, "disable_iss_validation": false })
    };
    bench.write("config", config("")).unwrap();
    let text = (403, "invalid issuer (iss) claim".to_owned());
    assert_eq!(refusal(log_in(&mut bench, "r", &jwt(&claims()))), text);
    log_in(&mut bench, "r", &jwt(&with(json!({ "iss": "kubernetes/serviceaccount" })))).unwrap();
    bench.write("config", config("https://kubernetes.default.svc")).unwrap();
    log_in(&mut bench, "r", &jwt(&claims())).unwrap();
}

#[test]
fn a_configured_key_has_to_have_signed() {
    let (mut bench, cluster) = mounted();
    let key = SigningKey::generate(SigningAlgorithm::Es256, &mut SeededRandomness::new(1)).unwrap();
    let public = pem_of(&key);
    let config = json!({ "kubernetes_host": "k8s", "kubernetes_ca_cert": "ca", "pem_keys": [EC_KEY, public] });
    bench.write("config", config).unwrap();
    assert_eq!(refusal(log_in(&mut bench, "r", &jwt(&claims()))).0, 403);
    assert!(cluster.borrow().asked.is_empty());
    let signed = format!("{}.{}", encoded(&json!({ "alg": "ES256" })), encoded(&claims()));
    let signature = key.sign(signed.as_bytes()).unwrap();
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(&signature));
    log_in(&mut bench, "r", &token).unwrap();
    let confused = format!("{}.{}", encoded(&json!({ "alg": "RS256" })), encoded(&claims()));
    let token = format!("{confused}.{}", URL_SAFE_NO_PAD.encode(key.sign(confused.as_bytes()).unwrap()));
    assert_eq!(refusal(log_in(&mut bench, "r", &token)).0, 403);
    // Signed as it should be, but revoked in the cluster.
    cluster.borrow_mut().revoked = true;
    let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    assert_eq!(refusal(log_in(&mut bench, "r", &token)).0, 403);
}

/// The public key on P-256 in PEM.
fn pem_of(key: &SigningKey) -> String {
    let engine::crypto::signing::PublicKey::Curve { x, y } = key.public().unwrap() else { panic!("a curve") };
    // SubjectPublicKeyInfo of RFC 5480 for secp256r1, up to the point.
    let head = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48,
        0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04,
    ];
    let encoded = base64::engine::general_purpose::STANDARD.encode([head.as_slice(), &x, &y].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n")
}

#[test]
fn s70_a_revoked_service_account_renews_nothing() {
    let (mut bench, cluster) = mounted();
    let login = kept(&log_in(&mut bench, "r", &jwt(&claims())).unwrap());
    bench.renew_login(&login).unwrap();
    cluster.borrow_mut().revoked = true;
    assert!(matches!(bench.renew_login(&login), Err(Fault::Denied)));
    cluster.borrow_mut().revoked = false;
    cluster.borrow_mut().user = Some(json!({ "username": "system:serviceaccount:default:sa", "uid": "uid-2" }));
    assert!(matches!(bench.renew_login(&login), Err(Fault::Denied)), "another account of the same name");
    cluster.borrow_mut().user = None;
    cluster.borrow_mut().failure = Some(CallFailure::Unreachable);
    assert!(matches!(bench.renew_login(&login), Err(Fault::Status(503, _))));
    cluster.borrow_mut().failure = None;
    role(&mut bench, "r", json!({ "bound_service_account_namespaces": "elsewhere" }));
    assert!(matches!(bench.renew_login(&login), Err(Fault::Status(403, _))), "the role lets it in no more");
    role(&mut bench, "r", json!({ "alias_name_source": "serviceaccount_name" }));
    assert!(matches!(bench.renew_login(&login), Err(Fault::Denied)), "it would be another alias");
    bench.delete("role/r").unwrap();
    let gone = "1 error occurred:\n\t* failed to renew entry: role r does not exist during renewal\n\n";
    assert!(matches!(bench.renew_login(&login), Err(Fault::Status(500, texts)) if texts == [gone]));
    role(&mut bench, "r", json!({}));
    bench.now = bench.now.plus_seconds(661);
    assert!(matches!(bench.renew_login(&login), Err(Fault::Status(403, _))), "the JWT has ended");
}

#[test]
fn namespaces_are_admitted_by_their_labels() {
    let (mut bench, cluster) = mounted();
    let selecting = |env: &str| json!({
        "bound_service_account_namespaces": [],
        "bound_service_account_namespace_selector": json!({ "matchLabels": { "env": env } }).to_string(),
    });
    role(&mut bench, "prod", selecting("prod"));
    role(&mut bench, "test", selecting("test"));
    log_in(&mut bench, "prod", &jwt(&claims())).unwrap();
    assert_eq!(cluster.borrow().asked.last().unwrap(), "https://k8s:6443/api/v1/namespaces/default");
    let refused = refusal(log_in(&mut bench, "test", &jwt(&claims())));
    assert_eq!(refused, (403, "namespace not authorized".to_owned()));
    // The labels of no namespace are asked for on the word of a stranger.
    cluster.borrow_mut().revoked = true;
    cluster.borrow_mut().asked.clear();
    assert_eq!(refusal(log_in(&mut bench, "prod", &jwt(&claims()))).0, 403);
    assert!(!cluster.borrow().asked.iter().any(|url| url.contains("/namespaces/")));
}

#[test]
fn annotations_become_metadata_but_name_nobody_else() {
    let (mut bench, _) = mounted();
    let config = json!({
        "kubernetes_host": "k8s", "kubernetes_ca_cert": "ca", "use_annotations_as_alias_metadata": true,
    });
    bench.write("config", config).unwrap();
    let metadata = log_in(&mut bench, "r", &jwt(&claims())).unwrap().alias.metadata;
    assert_eq!((metadata["team"].as_str(), metadata["service_account_name"].as_str()), ("red", "sa"));
    assert!(!metadata.contains_key("other"));
}

#[test]
fn within_a_cluster_its_own_files_are_used() {
    let (mut bench, cluster) = mounted();
    cluster.borrow_mut().local_files = true;
    bench.write("config", json!({ "kubernetes_host": "https://k8s" })).unwrap();
    log_in(&mut bench, "r", &jwt(&claims())).unwrap();
    assert_eq!(cluster.borrow().bearers, ["Bearer local.reviewer"]);
    assert_eq!(cluster.borrow().authorities, ["local authority"]);
    let config = json!({
        "kubernetes_host": "https://k8s", "kubernetes_ca_cert": "ca", "token_reviewer_jwt": "reviewer",
        "disable_local_ca_jwt": true,
    });
    bench.write("config", config).unwrap();
    cluster.borrow_mut().asked.clear();
    log_in(&mut bench, "r", &jwt(&claims())).unwrap();
    assert_eq!(cluster.borrow().bearers[1], "Bearer reviewer");
    assert_eq!(cluster.borrow().asked.len(), 1, "no file is read");
}

#[test]
fn the_connection_is_checked_and_shown_without_its_secret() {
    let (mut bench, _) = mounted();
    for (body, text) in [
        (json!({}), "no host provided"),
        (
            json!({ "kubernetes_host": "h", "disable_local_ca_jwt": true }),
            "kubernetes_ca_cert must be given when disable_local_ca_jwt is true",
        ),
        (
            json!({ "kubernetes_host": "h", "kubernetes_ca_cert": "x", "pem_keys": ["pem"] }),
            "data does not contain any valid public keys",
        ),
        (
            json!({ "kubernetes_host": "h" }),
            "open /var/run/secrets/kubernetes.io/serviceaccount/ca.crt: no such file or directory",
        ),
    ] {
        assert!(matches!(bench.write("config", body), Err(Fault::Invalid(texts)) if texts == [text]), "{text}");
    }
    let config = json!({ "kubernetes_host": "h", "kubernetes_ca_cert": "x", "token_reviewer_jwt": "rev.iew.er" });
    bench.write("config", config).unwrap();
    let shown = bench.data("config").unwrap();
    assert_eq!((&shown["token_reviewer_jwt_set"], &shown["kubernetes_host"]), (&json!(true), &json!("h")));
    assert_eq!(shown["disable_iss_validation"], true);
    assert!(!shown.to_string().contains("rev.iew.er"));
}

#[test]
fn roles_are_checked_and_shown() {
    let (mut bench, _) = mounted();
    let all = json!(["*"]);
    for (body, text) in [
        (json!({}), "\"bound_service_account_names\" can not be empty"),
        (
            json!({ "bound_service_account_names": "*" }),
            "\"bound_service_account_namespaces\" can not be empty if \"bound_service_account_namespace_selector\" is \
             not set",
        ),
        (
            json!({ "bound_service_account_names": ["*", "a"], "bound_service_account_namespaces": all }),
            "can not mix \"*\" with values",
        ),
        (
            json!({ "bound_service_account_names": all, "bound_service_account_namespaces": all, "alias_name_source": "x" }),
            "invalid alias_name_source, must be one of: serviceaccount_uid, serviceaccount_name",
        ),
        (
            json!({ "bound_service_account_names": all, "bound_service_account_namespace_selector": "{bad" }),
            "invalid \"bound_service_account_namespace_selector\" configured",
        ),
    ] {
        let refused = bench.write("role/new", body);
        assert!(matches!(refused, Err(Fault::Invalid(texts)) if texts == [text]), "{text}");
    }
    role(&mut bench, "old", json!({ "policies": "a", "ttl": 60, "max_ttl": 120, "num_uses": 3, "period": "5s" }));
    let shown = bench.data("role/old").unwrap();
    assert_eq!((&shown["policies"], &shown["ttl"], &shown["token_num_uses"]), (&json!(["a"]), &json!(60), &json!(3)));
    role(&mut bench, "old", json!({ "token_policies": "b" }));
    let shown = bench.data("role/old").unwrap();
    assert_eq!((shown.get("policies"), &shown["token_policies"]), (None, &json!(["b"])));
    assert_eq!(bench.list("role/").unwrap(), ["old", "r"]);
    bench.delete("role/old").unwrap();
    assert_eq!(bench.data("role/old").unwrap(), Value::Null);
}
