//! `print`: what the command line would use.

use crate::command::{Action, Command, Count};
use crate::failure::Outcome;
use crate::flags::Arguments;
use crate::session::Session;

/// `print`.
pub static PRINT: Command = Command {
    name: "print",
    summary: "Print what this command line would use",
    arguments: "",
    count: Count::Exactly(0),
    about: "Prints settings that the command line has found.",
    examples: &[("The token, for another program", "print token")],
    flags: &[],
    action: Action::Group(&[&TOKEN]),
};

static TOKEN: Command = Command {
    name: "token",
    summary: "Print the token",
    arguments: "",
    count: Count::Exactly(0),
    about: "Prints the token that requests are sent with: that of VAULT_TOKEN, or that of the last login. It does not ask \
            the server.",
    examples: &[("Use it with curl", "print token")],
    flags: &[],
    action: Action::Remote(token),
};

fn token(session: &Session, _: &Arguments) -> Outcome {
    match session.with_settings(|settings| settings.token.clone()) {
        Some(token) => session.terminal.print(&token),
        None => Err(crate::failure::Failure::usage("There is no token.")
            .hint("\"{program} login\" gets one; VAULT_TOKEN gives one.".to_owned())),
    }
}
