//! `unwrap`: what a wrapping token stands for, once.

use crate::command::{Action, Command, Count};
use crate::failure::Outcome;
use crate::flags::Arguments;
use crate::session::Session;
use client::Request;
use serde_json::json;
use zeroize::Zeroizing;

/// `unwrap`.
pub static UNWRAP: Command = Command {
    name: "unwrap",
    summary: "Unwrap a wrapped reply",
    arguments: "[TOKEN]",
    count: Count::Between(0, 1),
    about: "Prints the reply that a wrapping token stands for. That works once. Without an argument the token of this \
            session is the wrapping token; with - it is read from standard input.\n\nIf it fails for a token that was \
            never used, somebody else has unwrapped it: revoke what it stood for.",
    examples: &[
        ("Unwrap", "unwrap hvs.CAES..."),
        ("Put one field into a file", "unwrap -field=secret_id hvs.CAES... > secret-id"),
    ],
    flags: &[],
    action: Action::Remote(unwrap),
};

fn unwrap(session: &Session, arguments: &Arguments) -> Outcome {
    session.stop_wrapping();
    let token = match arguments.at(0) {
        "-" => Some(Zeroizing::new(session.terminal.secret_input("Wrapping Token")?.trim().to_owned())),
        "" => None,
        token => Some(Zeroizing::new(token.to_owned())),
    };
    // With a token of its own in the header, the wrapping token needs no other right to be used.
    let has_session = session.with_settings(|settings| settings.token.is_some());
    let request = match token {
        Some(token) if has_session => Request::write("sys/wrapping/unwrap", json!({ "token": token.as_str() })),
        Some(token) => {
            session.use_token(Some(token));
            Request::act("sys/wrapping/unwrap")
        }
        None => Request::act("sys/wrapping/unwrap"),
    };
    let reply = session.send(&request, "unwrapping")?;
    session.show_written(&reply, "There was nothing in it.")
}
