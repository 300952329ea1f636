//! The rules of egress, against servers on loopback.

use super::address::is_forbidden;
use super::fake::{Answer, Fake, response};
use super::*;
use engine::outside::{HttpCall, Method, Trust};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls_pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use std::sync::atomic::Ordering;
use tokio_rustls::TlsAcceptor;

const TIME: Duration = Duration::from_secs(20);

fn run(test: impl Future<Output = ()>) {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

/// An authority: its certificate in PEM, and what it signs with.
struct Authority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    /// A server's side for a name, expired if asked for.
    fn acceptor(&self, name: &str, expired: bool) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        if expired {
            params.not_before = rcgen::date_time_ymd(2020, 1, 1);
            params.not_after = rcgen::date_time_ymd(2021, 1, 1);
        }
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        acceptor(certificate.der().clone(), &key)
    }
}

fn self_signed() -> (String, TlsAcceptor) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), acceptor(certificate.der().clone(), &key))
}

fn acceptor(certificate: rustls_pki_types::CertificateDer<'static>, key: &KeyPair) -> TlsAcceptor {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![certificate], key);
    TlsAcceptor::from(Arc::new(config.unwrap()))
}

fn ok(_: &str) -> Answer {
    response(200, "", "yes")
}

fn get(url: String, authorities: &str) -> Call {
    let trust = Trust { authorities: authorities.to_owned() };
    Call::Http(HttpCall::new(Method::Get, url).trusting(trust))
}

async fn outcome(outbound: &Outbound, call: &Call) -> Result<(u16, String), CallFailure> {
    match outbound.make(call, TIME).await? {
        CallAnswer::Http(answer) => Ok((answer.status, String::from_utf8(answer.body.as_slice().to_vec()).unwrap())),
        CallAnswer::File(_) => panic!("no file was asked for"),
    }
}

#[test]
fn s82_a_certificate_that_does_not_hold_is_refused() {
    run(async {
        let (ours, theirs) = (Authority::new(), Authority::new());
        let (own_pem, own) = self_signed();
        let outbound = Outbound::default();
        for (server, trusted, holds) in [
            (ours.acceptor("127.0.0.1", false), ours.pem.as_str(), true),
            (ours.acceptor("127.0.0.1", false), theirs.pem.as_str(), false),
            (ours.acceptor("127.0.0.1", false), "", false),
            (ours.acceptor("127.0.0.2", false), ours.pem.as_str(), false),
            (ours.acceptor("localhost", false), ours.pem.as_str(), false),
            (ours.acceptor("127.0.0.1", true), ours.pem.as_str(), false),
            (own.clone(), ours.pem.as_str(), false),
            (own, "", false),
        ] {
            let fake = Fake::start(Some(server), ok).await;
            let result = outcome(&outbound, &get(format!("https://{}/", fake.address), trusted)).await;
            let expected = if holds { Ok((200, "yes".to_owned())) } else { Err(CallFailure::Untrusted) };
            assert_eq!(result, expected);
            assert_eq!(fake.asked(), usize::from(holds), "nothing is sent to a server that is not verified");
        }
        assert!(own_pem.contains("CERTIFICATE"));
    });
}

#[test]
fn a_connection_is_used_again_by_those_who_trust_the_same() {
    run(async {
        let ours = Authority::new();
        let fake = Fake::start(Some(ours.acceptor("127.0.0.1", false)), ok).await;
        let outbound = Outbound::default();
        let call = || get(format!("https://{}/", fake.address), &ours.pem);
        for _ in 0..3 {
            outcome(&outbound, &call()).await.unwrap();
        }
        assert_eq!((fake.connections.load(Ordering::SeqCst), fake.asked()), (1, 3));
        // Whoever trusts others does not get at a connection that was verified for somebody else.
        let other = get(format!("https://{}/", fake.address), &Authority::new().pem);
        assert_eq!(outcome(&outbound, &other).await, Err(CallFailure::Untrusted));
    });
}

#[test]
fn s91_s115_no_spelling_leads_to_what_is_never_called() {
    run(async {
        let outbound = Outbound::default();
        for host in [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "0xa9.254.0251.254",
            "169.254.43518",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]",
            "[64:ff9b::a9fe:a9fe]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "[ff02::1]",
            "[::]",
            "0.0.0.0",
            "0",
            "255.255.255.255",
            "224.0.0.1",
            "100.100.100.200",
            "168.63.129.16",
            "\u{ff11}69.254.169.254",
        ] {
            for scheme in ["http", "https"] {
                let call = get(format!("{scheme}://{host}:1/latest"), "");
                assert_eq!(outcome(&outbound, &call).await, Err(CallFailure::Forbidden), "{scheme} {host}");
            }
        }
        for allowed in ["127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fd12::1", "140.82.112.3"] {
            assert!(!is_forbidden(allowed.parse().unwrap()), "{allowed}");
        }
    });
}

#[test]
fn a_name_gives_only_addresses_that_may_be_called() {
    let at = |text: &str| text.parse::<std::net::SocketAddr>().unwrap();
    let mixed = vec![at("169.254.169.254:0"), at("127.0.0.1:0"), at("[fe80::1]:0")];
    assert_eq!(address::allowed(mixed).unwrap(), [at("127.0.0.1:0")]);
    assert!(address::allowed(vec![at("169.254.169.254:0")]).is_err());
    assert!(address::allowed(Vec::new()).unwrap().is_empty());
}

#[test]
fn what_is_no_call_is_not_made() {
    run(async {
        let fake = Fake::start(None, ok).await;
        let outbound = Outbound::default();
        let at = fake.address;
        for url in [
            format!("http://user:pass@{at}/"),
            format!("ftp://{at}/"),
            "file:///etc/passwd".into(),
            "x".into(),
            "".into(),
        ] {
            assert_eq!(outcome(&outbound, &get(url.clone(), "")).await, Err(CallFailure::Malformed), "{url}");
        }
        let pem = "-----BEGIN CERTIFICATE-----\n.....\n-----END CERTIFICATE-----";
        for authorities in ["ca_cert", pem] {
            let call = get(format!("https://{at}/"), authorities);
            assert_eq!(outcome(&outbound, &call).await, Err(CallFailure::Malformed), "{authorities}");
        }
        let header = HttpCall::new(Method::Get, format!("http://{at}/")).header("authorization", "a\r\nhost: b");
        assert_eq!(outcome(&outbound, &Call::Http(header)).await, Err(CallFailure::Malformed));
        assert_eq!(fake.asked(), 0);
    });
}

#[test]
fn no_redirect_is_followed() {
    run(async {
        let elsewhere = Fake::start(None, ok).await;
        let target = format!("location: http://{}/\r\n", elsewhere.address);
        let fake = Fake::start(None, move |_| response(302, &target, "")).await;
        let outbound = Outbound::default();
        let call = get(format!("http://{}/", fake.address), "");
        assert_eq!(outcome(&outbound, &call).await, Ok((302, String::new())));
        assert_eq!(elsewhere.connections.load(Ordering::SeqCst), 0);
    });
}

#[test]
fn time_and_size_are_bounded() {
    run(async {
        let silent = Fake::start(None, |_| None).await;
        let outbound = Outbound::default();
        let mut call = HttpCall::new(Method::Get, format!("http://{}/", silent.address));
        call.timeout = Duration::from_millis(50);
        assert_eq!(outcome(&outbound, &Call::Http(call)).await, Err(CallFailure::TimedOut));
        // A body that stops halfway, and one that never ends.
        let half = Fake::start(None, |_| Some("HTTP/1.1 200 X\r\ncontent-length: 9\r\n\r\nhalf".to_owned())).await;
        let mut call = HttpCall::new(Method::Get, format!("http://{}/", half.address));
        call.timeout = Duration::from_millis(50);
        assert_eq!(outcome(&outbound, &Call::Http(call)).await, Err(CallFailure::TimedOut));
        let large = Fake::start(None, |_| response(200, "", &"x".repeat(1_001))).await;
        for (max, expected) in [(1_000, Err(CallFailure::TooLarge)), (1_001, Ok((200, "x".repeat(1_001))))] {
            let mut call = HttpCall::new(Method::Get, format!("http://{}/", large.address));
            call.answer_bytes_max = max;
            assert_eq!(outcome(&outbound, &Call::Http(call)).await, expected);
        }
        let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(outcome(&outbound, &get(format!("http://{unused}/"), "")).await, Err(CallFailure::Unreachable));
    });
}

#[test]
fn one_server_gets_so_many_calls_and_leaves_the_rest_to_others() {
    run(async {
        let outbound = Outbound::default();
        let slow = Fake::start(None, |_| None).await;
        let turns: Vec<Turn> = (0..CALLS_PER_SERVER_MAX)
            .map(|_| Turn::take(&outbound.under_way, &slow.address.to_string()).unwrap())
            .collect();
        let call = get(format!("http://{}/", slow.address), "");
        assert_eq!(outcome(&outbound, &call).await, Err(CallFailure::Busy));
        let other = Fake::start(None, ok).await;
        outcome(&outbound, &get(format!("http://{}/", other.address), "")).await.unwrap();
        drop(turns);
        assert!(Turn::take(&outbound.under_way, &slow.address.to_string()).is_some());
        assert!(lock(&outbound.under_way).by_server.is_empty() && lock(&outbound.under_way).total == 0);
    });
}

#[test]
fn what_is_logged_of_a_failure_names_no_path() {
    run(async {
        let unused = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let call = HttpCall::new(Method::Get, format!("http://{unused}/secret-path?key=secret-query"));
        let url = http::target(&call).unwrap();
        assert_eq!(http::server(&url), unused.to_string());
        let failed = outbound_failure(&call, url).await;
        assert!(!failed.contains("secret") && !failed.is_empty(), "{failed}");
    });
}

async fn outbound_failure(call: &HttpCall, url: reqwest::Url) -> String {
    let failed = http::Clients::default().send(call, url).await.err().unwrap();
    format!("{} {}", failed.failure, failed.detail)
}

#[test]
fn files_of_the_service_account_are_small_and_read_whole() {
    run(async {
        let folder = tempfile::tempdir().unwrap();
        let outbound = Outbound { service_account: folder.path().to_owned(), ..Outbound::default() };
        let read = async |file| match outbound.make(&Call::ServiceAccount(file), TIME).await {
            Ok(CallAnswer::File(text)) => Some(text.as_str().to_owned()),
            _ => None,
        };
        assert_eq!(read(ServiceAccountFile::Token).await, None);
        std::fs::write(folder.path().join("token"), "a.b.c").unwrap();
        std::fs::write(folder.path().join("ca.crt"), "x".repeat(70_000)).unwrap();
        assert_eq!(read(ServiceAccountFile::Token).await.as_deref(), Some("a.b.c"));
        assert_eq!(read(ServiceAccountFile::Authority).await, None);
    });
}
