//! `operator generate-root`: a new root token, by those who hold the keys.

use super::shares::{pgp_key, share};
use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag};
use crate::render::{self, or_none, text};
use crate::session::Session;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use client::Request;
use serde_json::{Value, json};
use zeroize::Zeroizing;

static INIT: Flag<bool> =
    Flag::switch("init", "Begins, and prints the one-time password that the token is decoded with.");
static CANCEL: Flag<bool> = Flag::switch("cancel", "Gives up.");
static STATUS: Flag<bool> = Flag::switch("status", "Shows how far it is.");
static GENERATE_OTP: Flag<bool> = Flag::switch("generate-otp", "Prints a one-time password for -init -otp.");
static DECODE: Flag<Option<String>> =
    Flag::new("decode", "TOKEN", "Decodes the encoded token, with -otp; - reads it from standard input.");
static OTP: Flag<Option<String>> = Flag::new("otp", "PASSWORD", "The one-time password.");
static PGP_KEY: Flag<Option<String>> = Flag::new(
    "pgp-key",
    "FILE",
    "File with an OpenPGP public key: the token comes encrypted to it, without a password.",
);
static NONCE: Flag<Option<String>> = Flag::new("nonce", "NONCE", "The nonce that -init printed.");

/// `operator generate-root`.
pub static GENERATE_ROOT: Command = Command {
    name: "generate-root",
    summary: "Make a new root token with the unseal keys",
    arguments: "[KEY]",
    count: Count::Between(0, 1),
    about: "Makes a new root token when there is none, with as many unseal keys as it takes to unseal. Begin with -init; \
            then everybody gives their key, with the nonce that -init printed; the last one sees the encoded token, which \
            whoever began decodes with the one-time password.",
    examples: &[
        ("Begin", "operator generate-root -init"),
        ("Give a key, which is asked for", "operator generate-root -nonce=NONCE"),
        ("Decode the token", "operator generate-root -decode=ENCODED -otp=PASSWORD"),
    ],
    flags: &[
        &INIT.about,
        &CANCEL.about,
        &STATUS.about,
        &GENERATE_OTP.about,
        &DECODE.about,
        &OTP.about,
        &PGP_KEY.about,
        &NONCE.about,
    ],
    action: Action::Remote(run),
};

const ATTEMPT: &str = "sys/generate-root/attempt";
/// Letters of a one-time password.
const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

fn run(session: &Session, arguments: &Arguments) -> Outcome {
    if let Some(encoded) = arguments.get(&DECODE) {
        return decode(session, &encoded, arguments.get(&OTP));
    }
    if arguments.get(&GENERATE_OTP) {
        let otp = one_time_password(session)?;
        if session.is_table() && session.field.is_none() {
            return session.terminal.print_bare(otp.as_bytes());
        }
        return session.show_value(&json!({ "otp": otp.as_str(), "otp_length": otp.len() }), String::new);
    }
    if arguments.get(&CANCEL) {
        session.send(&Request::delete(ATTEMPT), "canceling root token generation")?;
        return session.success("Root token generation canceled (if it was started)");
    }
    if arguments.get(&STATUS) {
        return show(session, &session.send(&Request::read(ATTEMPT), "reading root generation status")?.body);
    }
    if arguments.get(&INIT) {
        return begin(session, arguments);
    }
    give(session, arguments)
}

fn begin(session: &Session, arguments: &Arguments) -> Outcome {
    let body = match (arguments.get(&PGP_KEY), arguments.get(&OTP)) {
        (Some(_), Some(_)) => return Err(Failure::usage("give -otp or -pgp-key, not both")),
        (Some(file), None) => json!({ "pgp_key": pgp_key(session, &file)? }),
        (None, Some(otp)) => json!({ "otp": otp }),
        (None, None) => json!({}),
    };
    let reply = session.send(&Request::write(ATTEMPT, body), "initializing root generation")?;
    if reply.body.get("otp").and_then(Value::as_str).is_some_and(|otp| !otp.is_empty()) {
        session.terminal.say("The field OTP is a one-time password. It decodes the token at the end: keep it.");
    }
    show(session, &reply.body)
}

fn give(session: &Session, arguments: &Arguments) -> Outcome {
    let nonce = match arguments.get(&NONCE) {
        Some(nonce) => nonce,
        None if arguments.positional.is_empty() => {
            let status = session.send(&Request::read(ATTEMPT), "reading root generation status")?;
            let nonce = status.body.get("nonce").and_then(Value::as_str).filter(|nonce| !nonce.is_empty());
            let nonce = nonce.ok_or_else(|| {
                Failure::usage("No root generation is under way.")
                    .hint("\"{program} operator generate-root -init\" begins one.".to_owned())
            })?;
            session.terminal.say(&format!("Operation nonce: {nonce}"));
            nonce.to_owned()
        }
        None => {
            return Err(Failure::usage("Missing nonce value: specify it via the -nonce flag")
                .hint("\"{program} operator generate-root -status\" shows it.".to_owned()));
        }
    };
    let key = share(session, arguments, "Unseal Key")?;
    let body = json!({ "key": key.as_str(), "nonce": nonce });
    let reply = session.send(&Request::write("sys/generate-root/update", body), "posting unseal key")?;
    show(session, &reply.body)
}

fn show(session: &Session, status: &Value) -> Outcome {
    let of = |name: &str| status.get(name).cloned().unwrap_or_default();
    session.show_value(status, || {
        let mut rows = vec![
            ("Nonce", or_none(&of("nonce"))),
            ("Started", text(&of("started"))),
            ("Progress", format!("{}/{}", text(&of("progress")), text(&of("required")))),
            ("Complete", text(&of("complete"))),
        ];
        for (head, name) in [("PGP Fingerprint", "pgp_fingerprint"), ("Encoded Token", "encoded_token"), ("OTP", "otp")]
        {
            if of(name).as_str().is_some_and(|value| !value.is_empty()) {
                rows.push((head, text(&of(name))));
            }
        }
        if of("otp_length").as_i64().is_some_and(|length| length > 0) && of("encoded_token") == "" {
            rows.push(("OTP Length", text(&of("otp_length"))));
        }
        let rows: Vec<_> = rows.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        render::pairs(&rows)
    })
}

/// As long as the server's tokens are.
fn one_time_password(session: &Session) -> Outcome<Zeroizing<String>> {
    let reply = session.send(&Request::read(ATTEMPT), "reading root generation status")?;
    let length = reply.body.get("otp_length").and_then(Value::as_u64).and_then(|length| usize::try_from(length).ok());
    let mut bytes = Zeroizing::new(vec![0; length.filter(|length| (1..=256).contains(length)).unwrap_or(28)]);
    server::fill_random(&mut bytes);
    // 64 letters, so that each is as likely as the others.
    let letters = bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte & 63)).copied().map(char::from));
    Ok(Zeroizing::new(letters.collect()))
}

fn decode(session: &Session, encoded: &str, otp: Option<String>) -> Outcome {
    let otp = Zeroizing::new(otp.ok_or_else(|| Failure::usage("Missing otp: use -otp to supply it"))?);
    let encoded = if encoded == "-" {
        session.terminal.secret_input("Encoded Token")?
    } else {
        Zeroizing::new(encoded.to_owned())
    };
    let token = decoded(&encoded, &otp).map_err(|why| Failure::usage(format!("Error decoding root token: {why}")))?;
    if session.is_table() {
        return session.terminal.print_bare(token.as_bytes());
    }
    session.show_value(&json!({ "token": token.as_str() }), String::new)
}

/// The encoded token is base64 of token xor password.
pub(super) fn decoded(encoded: &str, otp: &str) -> Result<Zeroizing<String>, &'static str> {
    let bare = encoded.trim();
    let bytes = STANDARD_NO_PAD.decode(bare).or_else(|_| STANDARD.decode(bare));
    let bytes = Zeroizing::new(bytes.map_err(|_| "it is not base64")?);
    if bytes.len() != otp.len() {
        return Err("the one-time password has another length than the token");
    }
    let token: Vec<u8> = bytes.iter().zip(otp.bytes()).map(|(left, right)| left ^ right).collect();
    String::from_utf8(token).map(Zeroizing::new).map_err(|_| "the one-time password does not fit it")
}

#[cfg(test)]
mod tests {
    use super::decoded;

    #[test]
    fn a_token_of_another_server_is_decoded() {
        let token = decoded("AWxMZiQmfTsLGlcyAnAgMgAiRQBAC0AxOz0", "rB5ShjIUIr1PIGkTuX0f6G1aAV").unwrap();
        assert_eq!(token.as_str(), "s.y5LL4nBhfbK7KfuzufvLqPzk");
        assert!(decoded("AWxM", "rB5ShjIUIr1PIGkTuX0f6G1aAV").is_err());
        assert!(decoded("*", "r").is_err());
    }
}
