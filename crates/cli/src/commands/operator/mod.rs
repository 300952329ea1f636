//! `operator`: what the people who run a server do with it.

mod generate_root;
mod init;
mod rekey;
mod rotate;
mod seal;
mod shares;

use crate::command::{Action, Command, Count};

/// `operator`.
pub static OPERATOR: Command = Command {
    name: "operator",
    summary: "Initialize, unseal, seal and look after a server",
    arguments: "",
    count: Count::Exactly(0),
    about: "For the people who run a server. Whoever only stores and reads secrets needs none of these.",
    examples: &[
        ("Initialize a new server; keep what it prints", "operator init"),
        ("Unseal it; asks for a key, and has to be repeated with further keys", "operator unseal"),
        ("Seal it at once, in an emergency", "operator seal"),
    ],
    flags: &[],
    action: Action::Group(&[
        &generate_root::GENERATE_ROOT,
        &init::INIT,
        &rotate::KEY_STATUS,
        &seal::MEMBERS,
        &rekey::REKEY,
        &rotate::ROTATE,
        &rekey::ROTATE_KEYS,
        &seal::SEAL,
        &seal::STEP_DOWN,
        &seal::UNSEAL,
    ]),
};
