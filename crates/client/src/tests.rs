//! The client against answers made up for each test, on a listener of its own.

use super::rate::Pace;
use super::{Client, ClientError, Rate, Request, Settings};
use std::io::{Read as _, Write as _};
use std::net::TcpListener;

/// A server that gives these answers in this order, one connection each, and hands back what it was asked.
fn server(answers: &[&str]) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let answers: Vec<String> = answers.iter().map(|answer| answer.replace("SELF", &address)).collect();
    let served = std::thread::spawn(move || {
        let mut asked = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = vec![0; 8192];
            let length = stream.read(&mut bytes).unwrap();
            asked.push(String::from_utf8_lossy(&bytes[..length]).into_owned());
            stream.write_all(answer.as_bytes()).unwrap();
        }
        asked
    });
    (address, served)
}

fn answer(status: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nretry-after: 0\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn client(address: &str) -> Client {
    Client::new(Settings { address: address.to_owned(), retries_max: 2, ..Settings::from_environment() }).unwrap()
}

fn send(client: &Client, request: &Request) -> Result<super::Reply, ClientError> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(client.send(request))
}

#[test]
fn segments_are_encoded_once() {
    let client = client("http://127.0.0.1:1/prefix/");
    let url = client.address(&Request::read("/a b%c/x@y:z/é?#/")).unwrap();
    assert_eq!(url.as_str(), "http://127.0.0.1:1/prefix/v1/a%20b%25c/x@y:z/%C3%A9%3F%23/");
}

#[test]
fn dot_segments_are_refused_before_anything_is_sent() {
    let client = client("http://127.0.0.1:1");
    for path in ["secret/../sys/seal", "..", "a/./b"] {
        assert!(matches!(client.address(&Request::delete(path)), Err(ClientError::Settings(_))), "{path}");
    }
}

#[test]
fn a_read_is_tried_again_and_a_write_only_if_it_was_not_done() {
    let (failed, fine) = (answer("500 x", "{}"), answer("200 OK", r#"{"data":{"a":1}}"#));
    let (address, served) = server(&[&failed, &fine]);
    assert_eq!(send(&client(&address), &Request::read("a")).unwrap().data()["a"], 1);
    assert_eq!(served.join().unwrap().len(), 2);

    let (address, served) = server(&[&failed]);
    let error = send(&client(&address), &Request::write("a", serde_json::json!({}))).err().unwrap();
    assert!(matches!(error, ClientError::Refused(refusal) if refusal.status == 500));
    assert_eq!(served.join().unwrap().len(), 1);

    let (address, served) = server(&[&answer("503 x", r#"{"errors":["namespace is locked"]}"#), &fine]);
    send(&client(&address), &Request::act("a")).unwrap();
    assert_eq!(served.join().unwrap().len(), 2);
}

#[test]
fn a_sealed_server_is_asked_once() {
    let (address, served) = server(&[&answer("503 x", r#"{"errors":["Vault is sealed"]}"#)]);
    let error = send(&client(&address), &Request::read("a")).err().unwrap().to_string();
    assert_eq!(
        error,
        format!("Error making API request.\n\nURL: GET {address}/v1/a\nCode: 503. Errors:\n\n* Vault is sealed")
    );
    assert_eq!(served.join().unwrap().len(), 1);
}

#[test]
fn a_missing_secret_with_data_is_a_reply_to_a_read_only() {
    let gone = answer("404 x", r#"{"data":{"metadata":{}}}"#);
    let (address, served) = server(&[&gone, &gone]);
    assert_eq!(send(&client(&address), &Request::read("a")).unwrap().status, 404);
    assert!(send(&client(&address), &Request::act("a")).is_err());
    served.join().unwrap();
}

#[test]
fn a_redirect_is_followed_with_token_and_body() {
    let moved = "HTTP/1.1 307 x\r\nlocation: SELF/v1/b\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
    let (address, served) = server(&[moved, &answer("204 x", "")]);
    let mut client = client(&address);
    client.set_token(Some(zeroize::Zeroizing::new("tok".to_owned())));
    send(&client, &Request::write("a", serde_json::json!({"k": "v"}))).unwrap();
    let asked = served.join().unwrap();
    assert!(asked[1].starts_with("PUT /v1/b "), "{}", asked[1]);
    assert!(asked[1].contains("x-vault-token: tok") && asked[1].ends_with(r#"{"k":"v"}"#), "{}", asked[1]);
}

#[test]
fn a_redirect_away_from_tls_is_not_followed() {
    let client = client("https://127.0.0.1:1");
    let (from, to) = ("https://a/v1/x".parse().unwrap(), "http://a/v1/x".parse().unwrap());
    assert!(client.follow(&from, to, 1).is_err());
    assert!(client.follow(&from, "https://b/v1/x".parse().unwrap(), 1).is_ok());
    assert!(client.follow(&from, "https://b/v1/x".parse().unwrap(), 9).is_err());
}

#[test]
fn authorities_that_are_none_are_an_error_and_not_the_systems() {
    let file = std::env::temp_dir().join(format!("coffer-client-{}.pem", std::process::id()));
    std::fs::write(&file, "nothing").unwrap();
    let settings = Settings { ca_cert: Some(file.display().to_string()), ..Settings::from_environment() };
    assert!(matches!(Client::new(settings).err(), Some(ClientError::Settings(_))));
    std::fs::remove_file(file).unwrap();
}

#[test]
fn a_token_with_a_line_break_is_an_error_that_does_not_show_it() {
    let mut client = client("http://127.0.0.1:1");
    client.set_token(Some(zeroize::Zeroizing::new("CANARY\nx".to_owned())));
    let error = send(&client, &Request::read("a")).err().unwrap().to_string();
    assert!(error.contains("X-Vault-Token") && !error.contains("CANARY"), "{error}");
}

#[test]
fn lists_are_reads_with_a_parameter() {
    let client = client("http://127.0.0.1:1");
    let url = |request: Request| format!("{} {}", request.operation.method(), client.address(&request).unwrap());
    assert_eq!(
        url(Request::list("a/").with_query("after", "b&c")),
        "GET http://127.0.0.1:1/v1/a/?list=true&after=b%26c"
    );
    assert_eq!(url(Request::scan("a")), "GET http://127.0.0.1:1/v1/a?scan=true");
    assert_eq!(url(Request::act("a")), "PUT http://127.0.0.1:1/v1/a");
}

#[test]
fn credentials_and_parameters_of_an_address_are_in_no_message() {
    let (address, served) = server(&[&answer("403 x", r#"{"errors":["permission denied"]}"#)]);
    let client = client(&address.replace("//", "//user:CANARY@"));
    let error = send(&client, &Request::read("a").with_query("key", "CANARY")).err().unwrap().to_string();
    assert!(error.contains(&format!("URL: GET {address}/v1/a\n")), "{error}");
    assert!(!error.contains("CANARY"), "{error}");
    served.join().unwrap();
    let wrong = Settings { address: "user:CANARY@:x".to_owned(), ..Settings::from_environment() };
    assert!(!Client::new(wrong).err().unwrap().to_string().contains("CANARY"));
}

#[test]
fn requests_keep_to_the_rate_that_is_set() {
    let mut pace = Pace::new(Rate { per_second: 20.0, burst: 2 });
    let start = std::time::Instant::now();
    let mut wait = |after: u64| pace.turn(start + std::time::Duration::from_millis(after)).as_millis();
    let waits = [wait(1000), wait(1000), wait(1000), wait(1000), wait(1200), wait(2000), wait(2000), wait(2000)];
    assert_eq!(waits, [0, 0, 50, 100, 0, 0, 0, 50]);
}

#[test]
fn rates_are_read_as_upstream_writes_them() {
    let rate = |text: &str| Rate::parse(text).map(|rate| (rate.per_second, rate.burst));
    assert_eq!(rate("10"), Some((10.0, 10)));
    assert_eq!(rate("0.5:3"), Some((0.5, 3)));
    for text in ["", "x", "0", "-1", "1:0", "inf", "1:x"] {
        assert_eq!(rate(text), None, "{text}");
    }
}
