//! How a command ends when it does not succeed: exit code, what happened, and what to do next.

use client::{ClientError, Refusal};
use std::fmt::Display;

/// Result of a command.
pub type Outcome<T = ()> = Result<T, Failure>;

/// Exit code of a command that was called wrongly.
pub const WRONG_USE: u8 = 1;
/// Exit code of a command that the server refused, or that did not reach it.
pub const REFUSED: u8 = 2;
/// Exit code of a command that was ended by Ctrl-C, as shells have it: 128 and the number of the signal.
pub const INTERRUPTED: u8 = 130;
/// Exit code for a command that does not exist, as shells and upstream have it.
pub const NO_COMMAND: u8 = 127;

/// The end of a command that did not succeed.
#[derive(Debug)]
pub struct Failure {
    /// Exit code.
    pub exit: u8,
    /// What happened; nothing is printed if it is empty.
    pub message: String,
    /// What to do next.
    pub hint: Option<String>,
}

impl Failure {
    /// Called wrongly.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { exit: WRONG_USE, message: message.into(), hint: None }
    }

    /// Refused, or not found.
    pub fn refused(message: impl Into<String>) -> Self {
        Self { exit: REFUSED, message: message.into(), hint: None }
    }

    /// Everything has been said already.
    pub fn ended(exit: u8) -> Self {
        Self { exit, message: String::new(), hint: None }
    }

    /// With a next step, unless there is one.
    #[must_use]
    pub fn hint(mut self, hint: String) -> Self {
        self.hint.get_or_insert(hint);
        self
    }

    /// What the client reports, with what was tried before it.
    pub fn of_client(tried: &str, error: &ClientError) -> Self {
        let hint = match error {
            ClientError::Settings(_) => None,
            ClientError::Connection(text) => connection_hint(text),
            ClientError::Refused(refusal) => refusal_hint(refusal),
        };
        let exit = if matches!(error, ClientError::Settings(_)) { WRONG_USE } else { REFUSED };
        Self { exit, message: format!("Error {tried}: {error}"), hint }
    }

    /// A file or stream that failed.
    pub fn file(what: &str, error: &std::io::Error) -> Self {
        Self::usage(format!("Error with {what}: {error}"))
    }
}

fn connection_hint(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let hint = if lower.contains("refused") {
        "Nothing listens there. Is the server running, and is its address in VAULT_ADDR or -address?"
    } else if lower.contains("corrupt message")
        || lower.contains("invalidcontenttype")
        || lower.contains("wrong version")
    {
        "The server seems to speak HTTP without TLS: set VAULT_ADDR to an address that begins with http://."
    } else if lower.contains("unknownissuer") || lower.contains("unknown issuer") || lower.contains("self-signed") {
        "The server's certificate comes from an authority that is not known here: name its file in VAULT_CACERT or -ca-cert."
    } else if lower.contains("notvalidforname") || lower.contains("not valid for name") {
        "The server's certificate is for another name: give it with -tls-server-name."
    } else if lower.contains("timed out") {
        "The server took too long; VAULT_CLIENT_TIMEOUT sets how long to wait."
    } else {
        return None;
    };
    Some(hint.to_owned())
}

fn refusal_hint(refusal: &Refusal) -> Option<String> {
    let says = |text: &str| refusal.errors.iter().any(|error| error.contains(text));
    let hint = match refusal.status {
        503 if says("sealed") => "Unseal the server with \"{program} operator unseal\".",
        403 => {
            "Is the token right (\"{program} token lookup\"), and does a policy of it allow this? The flag -output-policy \
             prints the policy that this command needs."
        }
        404 if says("no handler for route") => {
            "Nothing is mounted there: \"{program} secrets list\" and \"{program} auth list\" show what is."
        }
        400 if says("not initialized") => "Initialize the server with \"{program} operator init\".",
        400 if matches!(&refusal.body, serde_json::Value::String(text) if text.contains("HTTPS")) => {
            "The server speaks TLS: set VAULT_ADDR to an address that begins with https://."
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// A stream that nobody reads any more is no mistake.
impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::ended(0) } else { Self::file("output", &error) }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
