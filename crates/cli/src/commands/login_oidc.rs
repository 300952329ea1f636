//! `login -method=oidc`: the user opens an address, and the provider sends their browser back to a listener on this
//! machine, or, where the role says so, to the server, which is asked until it knows.

use crate::failure::{Failure, Outcome};
use crate::session::Session;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use client::{Reply, Request};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

/// How long the user has.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Between looks for a browser.
const PAUSE: Duration = Duration::from_millis(50);
/// How long a browser has for its request.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(5);
/// Longest request of a browser, in bytes.
const REQUEST_BYTES_MAX: usize = 64 << 10;
const CALLBACK: &str = "/oidc/callback";
const TRIED: &str = "authenticating";

/// Logs in at a provider; the reply is the server's to the login.
pub(super) fn login(session: &Session, path: &str, mut data: Map<String, Value>) -> Outcome<Reply> {
    let mut take = |name: &str, otherwise: &str| match data.remove(name) {
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
        None => otherwise.to_owned(),
    };
    let role = take("role", "");
    let host = take("listenaddress", "localhost");
    let port = take("port", "8250");
    let shown_host = take("callbackhost", &host);
    let shown_port = take("callbackport", &port);
    let scheme = take("callbackmethod", "http");
    // Nothing is opened here: the address is printed.
    take("skip_browser", "");
    if let Some(name) = data.keys().next() {
        return Err(Failure::usage(format!("Unknown field for -method=oidc: {name}.")));
    }
    let port_number = port.parse::<u16>().map_err(|_| Failure::usage(format!("Not a port: {port}.")))?;
    let listener = TcpListener::bind((host.as_str(), port_number)).map_err(|error| {
        Failure::refused(format!("Cannot listen on {host}:{port} for the browser: {error}."))
            .hint("Another port can be given with port=PORT; the role has to allow its address.".to_owned())
    })?;
    let nonce = nonce()?;
    let begun = session.send(
        &Request::write(
            &format!("auth/{path}/oidc/auth_url"),
            json!({ "role": role, "client_nonce": nonce,
                    "redirect_uri": format!("{scheme}://{shown_host}:{shown_port}{CALLBACK}") }),
        )
        .unwrapped(),
        TRIED,
    )?;
    let of = |name: &str| begun.data().get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let (address, state) = (of("auth_url"), of("state"));
    if address.is_empty() {
        return Err(Failure::refused("The server has no address to log in at: the role does not allow this callback."));
    }
    session.terminal.say(&format!("Complete the login by opening this address in a browser:\n\n    {address}\n\n"));
    if state.is_empty() {
        let wanted = field(address.split_once('?').map_or("", |(_, query)| query), "state").unwrap_or_default();
        let fields = wait(session, &listener, &wanted)?;
        let mut request = Request::read(&format!("auth/{path}/oidc/callback")).with_query("client_nonce", &nonce);
        for name in ["state", "code", "id_token", "error", "error_description"] {
            if let Some(value) = fields.get(name) {
                request = request.with_query(name, value);
            }
        }
        return session.send(&request, TRIED);
    }
    drop(listener);
    poll(session, path, &json!({ "state": state, "client_nonce": nonce }), of("poll_interval").parse().unwrap_or(5))
}

/// Asks the server until it knows who it is.
fn poll(session: &Session, path: &str, body: &Value, seconds: u64) -> Outcome<Reply> {
    let begun = Instant::now();
    loop {
        match session.send_or(&Request::write(&format!("auth/{path}/oidc/poll"), body.clone()))? {
            Ok(reply) => return Ok(reply),
            Err(error) if error.to_string().contains("authorization_pending") && begun.elapsed() < WAIT_MAX => {
                session.pause(Duration::from_secs(seconds.clamp(1, 60)));
            }
            Err(error) => return Err(Failure::of_client(TRIED, &error)),
        }
    }
}

/// Waits for the browser that brings this state; whoever else comes by is sent away.
fn wait(session: &Session, listener: &TcpListener, state: &str) -> Outcome<BTreeMap<String, String>> {
    let broken = |error: std::io::Error| Failure::refused(format!("Cannot wait for the browser: {error}."));
    listener.set_nonblocking(true).map_err(broken)?;
    let begun = Instant::now();
    while begun.elapsed() < WAIT_MAX {
        match listener.accept() {
            Ok((stream, _)) => {
                if let Some(fields) = arrived(stream, state) {
                    return Ok(fields);
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => session.pause(PAUSE),
            Err(error) => return Err(broken(error)),
        }
    }
    Err(Failure::refused("The login was not completed in five minutes."))
}

/// The fields that a browser brings, if it brings our state; it is answered in any case.
fn arrived(mut stream: TcpStream, state: &str) -> Option<BTreeMap<String, String>> {
    stream.set_nonblocking(false).ok()?;
    stream.set_read_timeout(Some(REQUEST_TIME_MAX)).ok()?;
    stream.set_write_timeout(Some(REQUEST_TIME_MAX)).ok()?;
    let (target, body) = request(&mut stream)?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let sent = if body.is_empty() { query } else { &body };
    let fields: BTreeMap<String, String> = sent
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(name, value)| (decoded(name), decoded(value)))
        .collect();
    let ours = path == CALLBACK && fields.get("state").is_some_and(|sent| !state.is_empty() && sent == state);
    let (status, text) = match ours {
        true => ("200 OK", "The login goes on in the terminal. You can close this window."),
        false => ("404 Not Found", "There is nothing here."),
    };
    let length = text.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\nx-content-type-options: nosniff\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{text}"
    );
    let answered = stream.write_all(answer.as_bytes());
    // A browser that is gone already has brought what it had to.
    drop(answered);
    ours.then_some(fields)
}

/// Target and body of a request (RFC 9112).
fn request(stream: &mut TcpStream) -> Option<(String, String)> {
    let begun = Instant::now();
    let mut bytes = Vec::new();
    loop {
        if let Some(complete) = complete(&bytes) {
            return Some(complete);
        }
        let mut chunk = [0; 4096];
        let read = stream.read(&mut chunk).ok().filter(|read| *read > 0)?;
        bytes.extend_from_slice(chunk.get(..read)?);
        if bytes.len() > REQUEST_BYTES_MAX || begun.elapsed() > REQUEST_TIME_MAX {
            return None;
        }
    }
}

fn complete(bytes: &[u8]) -> Option<(String, String)> {
    let text = std::str::from_utf8(bytes).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let length =
        lines.filter_map(|line| line.split_once(':')).find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.and_then(|(_, value)| value.trim().parse().ok()).unwrap_or_default();
    let body = if method == "POST" { body.get(..length)? } else { "" };
    Some((target.to_owned(), body.to_owned()))
}

/// A field of a query.
fn field(query: &str, wanted: &str) -> Option<String> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, value)| decoded(value))
}

/// Undoes `application/x-www-form-urlencoded`; what is no encoding stays.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let mut ahead = rest.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        match (byte, digit(ahead.next()), digit(ahead.next())) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
                rest = ahead;
            }
            (b'+', ..) => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What only this command knows.
fn nonce() -> Outcome<String> {
    let mut bytes = [0; 32];
    let read = File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes));
    read.map_err(|error| Failure::file("/dev/urandom", &error))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_browser_with_our_state_ends_the_wait() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let ask = |request: &str| {
            let mut browser = TcpStream::connect(address).unwrap();
            browser.write_all(request.as_bytes()).unwrap();
            let (stream, _) = listener.accept().unwrap();
            let fields = arrived(stream, "st_1");
            let mut answer = String::new();
            browser.read_to_string(&mut answer).unwrap();
            (fields, answer)
        };
        for stray in [
            "GET /favicon.ico HTTP/1.1\r\n\r\n",
            "GET /oidc/callback?state=st_2&code=c HTTP/1.1\r\n\r\n",
            "GET /oidc/callback/x?state=st_1&code=c HTTP/1.1\r\n\r\n",
            "GET /oidc/callback?code=%3Cscript%3E HTTP/1.1\r\n\r\n",
        ] {
            let (fields, answer) = ask(stray);
            assert!(fields.is_none() && answer.starts_with("HTTP/1.1 404 ") && !answer.contains("script"), "{stray}");
        }
        let (fields, answer) = ask("GET /oidc/callback?state=st_1&code=a%2Fb+c HTTP/1.1\r\nhost: x\r\n\r\n");
        assert!(answer.starts_with("HTTP/1.1 200 "));
        assert_eq!(fields.unwrap()["code"], "a/b c");
        let (fields, _) = ask("POST /oidc/callback HTTP/1.1\r\nContent-Length: 20\r\n\r\nstate=st_1&id_token=");
        assert_eq!(fields.unwrap()["id_token"], "");
    }
}
