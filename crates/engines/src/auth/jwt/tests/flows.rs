//! Logins at a provider.

use super::*;
use engine::{Body, Operation};
use std::collections::BTreeMap;

const HERE: &str = "https://vault/v1/auth/test/oidc/callback";
const CLIENT: &str = "http://localhost:8250/oidc/callback";
const GONE: &str = "OpenBao login failed. Expired or missing OAuth state.";

/// A provider's answers, which a test may change.
#[derive(Default)]
struct Provider {
    /// Laid over the claims of the next token.
    over: Value,
    /// What the token endpoint refuses with.
    refusal: Option<&'static str>,
}

fn at_provider(role: Value) -> (Bench, Rc<RefCell<Provider>>, Calls) {
    let mut bench = bench();
    let signer = Signer::new("k", 1);
    let provider = Rc::new(RefCell::new(Provider { over: json!({}), ..Provider::default() }));
    let state = provider.clone();
    let calls = provide(&mut bench, move |url, _| {
        let state = state.borrow();
        Some(match url.strip_prefix("https://p/")? {
            ".well-known/openid-configuration" => (
                200,
                json!({ "issuer": "https://p", "authorization_endpoint": "https://p/auth", "jwks_uri": "https://p/keys",
                        "token_endpoint": "https://p/token", "userinfo_endpoint": "https://p/userinfo",
                        "device_authorization_endpoint": "https://p/device" }),
            ),
            "keys" => (200, json!({ "keys": [signer.jwk()] })),
            "userinfo" => (200, json!({ "sub": "me", "extra": "known" })),
            "device" => (
                200,
                json!({ "device_code": "dc", "user_code": "uc", "verification_uri": "https://p/v",
                        "verification_uri_complete": "https://p/v?c=uc", "expires_in": 600, "interval": 5 }),
            ),
            "token" => match state.refusal {
                Some(error) => (400, json!({ "error": error, "error_description": "<script>" })),
                None => {
                    let mut claims = claims(json!({ "iss": "https://p", "aud": "cid" }));
                    merge(&mut claims, state.over.clone());
                    (200, json!({ "access_token": "at", "refresh_token": "rt", "id_token": signer.sign(&claims) }))
                }
            },
            _ => return None,
        })
    });
    let config = json!({ "oidc_discovery_url": "https://p", "oidc_client_id": "cid", "oidc_client_secret": "sec" });
    bench.write("config", config).unwrap();
    let mut body = json!({ "user_claim": "sub", "allowed_redirect_uris": [CLIENT, HERE], "token_policies": "p" });
    merge(&mut body, role);
    bench.write("role/r", body).unwrap();
    (bench, provider, calls)
}

/// Begins a login; the fields of the provider's address, which the provider puts its nonce from into the token.
fn begin(bench: &mut Bench, provider: &Rc<RefCell<Provider>>, redirect: &str) -> BTreeMap<String, String> {
    let body = json!({ "role": "r", "redirect_uri": redirect, "client_nonce": "mine" });
    let reply = bench.write("oidc/auth_url", body).unwrap();
    let address = reply.value().unwrap()["auth_url"].as_str().unwrap().to_owned();
    let fields = address.split_once('?').unwrap().1.split('&').filter_map(|pair| pair.split_once('='));
    let fields: BTreeMap<String, String> = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    if let Some(nonce) = fields.get("nonce") {
        provider.borrow_mut().over = json!({ "nonce": nonce });
    }
    fields
}

fn back(bench: &mut Bench, state: &str, nonce: &str) -> Result<Reply, Fault> {
    bench.call(Operation::Read, "oidc/callback", json!({ "state": state, "code": "c", "client_nonce": nonce }))
}

fn poll(bench: &mut Bench, state: &str) -> String {
    fault(bench.write("oidc/poll", json!({ "state": state, "client_nonce": "mine" })))
}

fn page(reply: Reply) -> (Option<u16>, String) {
    let Body::Raw(raw) = reply.body else { panic!("a page") };
    assert!(raw.content_type.starts_with("text/html"));
    (reply.status, String::from_utf8(raw.bytes).unwrap())
}

#[test]
fn a_login_is_completed_once_by_the_client_that_began_it() {
    let (mut bench, provider, calls) = at_provider(json!({ "oidc_scopes": "mail", "claim_mappings": { "extra": "e" } }));
    let fields = begin(&mut bench, &provider, CLIENT);
    assert_eq!([&fields["client_id"], &fields["scope"], &fields["response_type"]], ["cid", "openid+mail", "code"]);
    let (state, challenge) = (&fields["state"], &fields["code_challenge"]);
    assert!(!bench.stored().iter().any(|(key, _)| key.contains(state.as_str())));
    let login = back(&mut bench, state, "mine").unwrap().login.unwrap();
    assert_eq!((login.alias.name.as_str(), login.metadata["e"].as_str()), ("me", "known"));
    let form = calls.borrow().iter().find(|(url, _)| url == "https://p/token").unwrap().1.clone();
    let verifier = form.split('&').find_map(|pair| pair.strip_prefix("code_verifier=")).unwrap().to_owned();
    assert_eq!(&URL_SAFE_NO_PAD.encode(engine::crypto::digest::sha256(&[verifier.as_bytes()])), challenge);
    assert!(form.contains("redirect_uri=http%3A%2F%2Flocalhost%3A8250%2Foidc%2Fcallback"));
    assert!(!form.contains("sec"), "the secret goes into the header");
    assert_eq!(fault(back(&mut bench, state, "mine")), GONE);
    assert!(!bench.stored().iter().any(|(key, _)| key.contains("flow/") || key.contains("due/")));
}

#[test]
fn two_that_complete_one_login_at_the_same_time_get_one_token() {
    let (mut bench, provider, _) = at_provider(json!({}));
    let state = begin(&mut bench, &provider, CLIENT)["state"].clone();
    let body = json!({ "state": state, "code": "c", "client_nonce": "mine" });
    let results = bench.race(Operation::Read, "oidc/callback", body);
    assert_eq!(results.into_iter().filter(|result| result.is_ok()).count(), 1);
}

#[test]
fn whatever_is_not_the_clients_own_login_fails_and_ends_it() {
    for (over, refusal, nonce, wanted) in [
        (json!({}), None, "other", "invalid client_nonce"),
        (json!({}), None, "", "invalid client_nonce"),
        (json!({ "nonce": "other" }), None, "mine", "invalid nonce"),
        (json!({ "nonce": null }), None, "mine", "invalid nonce"),
        (json!({ "iss": "https://q" }), None, "mine", "invalid issuer"),
        (json!({ "aud": "other" }), None, "mine", "invalid audience"),
        (json!({ "azp": "other" }), None, "mine", "invalid authorized party"),
        (json!({ "exp": NOW - 100 }), None, "mine", "token is expired"),
        (json!({ "exp": null }), None, "mine", "missing expiration time"),
        (json!({ "sub": "you" }), None, "mine", "the user of the userinfo endpoint is another"),
        (json!({}), Some("invalid_grant"), "mine", "invalid_grant"),
        (json!({}), Some("<script>"), "mine", "the provider answered with status 400"),
    ] {
        let (mut bench, provider, _) = at_provider(json!({}));
        let state = begin(&mut bench, &provider, CLIENT)["state"].clone();
        provider.borrow_mut().over.as_object_mut().unwrap().extend(over.as_object().unwrap().clone());
        provider.borrow_mut().refusal = refusal;
        let text = fault(back(&mut bench, &state, nonce));
        assert!(text.contains(wanted) && !text.contains("script"), "{over}: {text}");
        assert_eq!(fault(back(&mut bench, &state, "mine")), GONE, "{over}");
    }
}

#[test]
fn a_login_ends_after_five_minutes_and_leaves_nothing() {
    let (mut bench, provider, _) = at_provider(json!({}));
    let state = begin(&mut bench, &provider, CLIENT)["state"].clone();
    bench.now = Timestamp::from_seconds(NOW + 300);
    assert_eq!(fault(back(&mut bench, &state, "mine")), GONE);
    let engine = super::super::engine("oidc");
    let tidied = bench.with(Operation::Update, "", engine::Input::default(), |cx, _| engine::Engine::tidy(&engine, cx, 10));
    assert_eq!(tidied.unwrap(), 1);
    assert!(!bench.stored().iter().any(|(key, _)| key.contains("flow/") || key.contains("due/")));
}

#[test]
fn the_age_of_the_users_proof_is_bounded() {
    for (auth_time, wanted) in [
        (json!(NOW - 60), "login"),
        (json!(NOW - 61), "auth_time is beyond max age"),
        (Value::Null, "missing auth_time claim when max age was requested"),
    ] {
        let (mut bench, provider, _) = at_provider(json!({ "max_age": 60 }));
        let fields = begin(&mut bench, &provider, CLIENT);
        assert_eq!(fields["max_age"], "60");
        merge(&mut provider.borrow_mut().over, json!({ "auth_time": auth_time }));
        let text = fault(back(&mut bench, &fields["state"], "mine"));
        assert!(text.contains(wanted), "{text}");
    }
}

#[test]
fn s112_the_browser_is_sent_to_allowed_addresses_alone() {
    for (allowed, sent, wanted) in [
        (CLIENT, CLIENT, true),
        (CLIENT, "http://localhost:9/oidc/callback", true),
        (CLIENT, "http://localhost/oidc/callback", true),
        (CLIENT, "http://127.0.0.1:8250/oidc/callback", false),
        (CLIENT, "http://localhost:8250@evil/oidc/callback", false),
        (CLIENT, "http://localhost.evil:8250/oidc/callback", false),
        (CLIENT, "http://localhost:8250/oidc/callback/", false),
        (CLIENT, "http://localhost:8250/oidc/callback?x", false),
        (CLIENT, "https://localhost:8250/oidc/callback", false),
        ("https://vault/cb", "https://vault:1/cb", false),
        ("https://vault/cb", "https://badvault/cb", false),
        ("https://vault/cb", "https://vault/cb?x", false),
    ] {
        assert_eq!(super::super::flows::redirects_to(allowed, sent), wanted, "{sent}");
    }
    let (mut bench, _, _) = at_provider(json!({}));
    let body = json!({ "role": "r", "redirect_uri": "https://evil/", "client_nonce": "mine" });
    assert_eq!(fault(bench.write("oidc/auth_url", body)), r#"ok {"auth_url":""}"#);
}

/// The attacker begins a login and sends its address to the victim, who is signed in at the provider.
#[test]
fn s67_a_direct_login_gives_no_token_without_the_users_consent() {
    let (mut bench, provider, calls) = at_provider(json!({ "callback_mode": "direct" }));
    bench.peer.address = Some("203.0.113.9:1".parse().unwrap());
    let state = begin(&mut bench, &provider, HERE)["state"].clone();
    assert_eq!(poll(&mut bench, &state), "authorization_pending");
    let arrives = json!({ "state": state, "code": "c" });
    let (_, asked) = page(bench.call(Operation::Read, "oidc/callback", arrives.clone()).unwrap());
    assert!(asked.contains("203.0.113.9") && asked.contains("<b>r</b>") && !asked.contains("<script"));
    let tokens = || calls.borrow().iter().filter(|(url, _)| url == "https://p/token").count();
    assert_eq!((poll(&mut bench, &state).as_str(), tokens()), ("authorization_pending", 0));
    let value = |page: &str| page.split("name=\"confirmation\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let consent = |confirmation: &str| json!({ "state": state, "confirmation": confirmation });
    // Neither a link nor a guess is the user's consent.
    for (operation, confirmation) in
        [(Operation::Read, value(&asked)), (Operation::Read, "1".to_owned()), (Operation::Update, "1".to_owned())]
    {
        let (status, _) = page(bench.call(operation, "oidc/callback", consent(&confirmation)).unwrap());
        assert_eq!((status, poll(&mut bench, &state).as_str()), (Some(400), "authorization_pending"));
    }
    let (status, done) = page(bench.write("oidc/callback", consent(&value(&asked))).unwrap());
    assert_eq!(status, Some(200));
    assert!(done.contains("Signed in"));
    assert_eq!(poll(&mut bench, &state), "login");
    assert_eq!(poll(&mut bench, &state), GONE);
}

#[test]
fn s67_nothing_that_a_browser_brings_is_written_into_a_page() {
    let (mut bench, provider, _) = at_provider(json!({ "callback_mode": "direct" }));
    let state = begin(&mut bench, &provider, HERE)["state"].clone();
    let hostile = "<script>alert(1)</script>\"'>";
    for body in [
        json!({ "state": state, "error": hostile, "error_description": hostile, "error_uri": hostile }),
        json!({ "state": state, "code": hostile }),
        json!({ "state": state, "id_token": hostile }),
        json!({ "state": state, "code": "c", "client_nonce": hostile }),
    ] {
        let (_, shown) = page(bench.call(Operation::Read, "oidc/callback", body).unwrap());
        assert!(!shown.contains("alert") && !shown.contains("<script"), "{shown}");
    }
    // Nor what is behind a state.
    let forged = format!("{state},ns=\"><script>alert(1)</script>");
    let (_, shown) = page(bench.call(Operation::Read, "oidc/callback", json!({ "state": forged, "code": "c" })).unwrap());
    assert!(!shown.contains("<script"), "{shown}");
}

#[test]
fn a_direct_login_without_consent_is_the_roles_choice_and_one_that_fails_is_over() {
    let (mut bench, provider, _) = at_provider(json!({ "callback_mode": "direct", "oidc_disable_confirmation": true }));
    let state = begin(&mut bench, &provider, HERE)["state"].clone();
    let arrives = json!({ "state": state, "code": "c" });
    assert_eq!(page(bench.call(Operation::Read, "oidc/callback", arrives).unwrap()).0, Some(200));
    assert_eq!(poll(&mut bench, &state), "login");
    let state = begin(&mut bench, &provider, HERE)["state"].clone();
    provider.borrow_mut().refusal = Some("invalid_grant");
    let arrives = json!({ "state": state, "code": "c" });
    assert_eq!(page(bench.call(Operation::Read, "oidc/callback", arrives).unwrap()).0, Some(400));
    assert_eq!(poll(&mut bench, &state), GONE);
}

#[test]
fn a_device_is_polled_for_as_often_as_the_provider_wants() {
    let (mut bench, provider, calls) = at_provider(json!({ "callback_mode": "device" }));
    let reply = bench.write("oidc/auth_url", json!({ "role": "r", "client_nonce": "mine" })).unwrap();
    let shown = reply.value().unwrap().clone();
    assert_eq!([&shown["auth_url"], &shown["poll_interval"]], ["https://p/v?c=uc", "5"]);
    let state = shown["state"].as_str().unwrap();
    let tokens = || calls.borrow().iter().filter(|(url, _)| url == "https://p/token").count();
    provider.borrow_mut().refusal = Some("authorization_pending");
    for _ in 0..3 {
        assert_eq!(poll(&mut bench, state), "authorization_pending");
    }
    assert_eq!(tokens(), 1);
    bench.now = Timestamp::from_seconds(NOW + 5);
    provider.borrow_mut().refusal = Some("slow_down");
    assert_eq!((poll(&mut bench, state).as_str(), tokens()), ("authorization_pending", 2));
    bench.now = Timestamp::from_seconds(NOW + 10);
    assert_eq!((poll(&mut bench, state).as_str(), tokens()), ("authorization_pending", 2));
    bench.now = Timestamp::from_seconds(NOW + 15);
    provider.borrow_mut().refusal = None;
    assert_eq!(poll(&mut bench, state), "login");
    assert_eq!(poll(&mut bench, state), GONE);
}
