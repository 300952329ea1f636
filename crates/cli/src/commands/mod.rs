//! The commands: one file for each, or for each family.

mod audit;
mod data;
mod debug;
mod kv;
mod lease;
mod login;
mod login_oidc;
mod mounts;
mod namespace;
mod operator;
mod path_help;
mod plugin;
mod policy;
mod print;
mod server;
mod status;
mod token;
mod unwrap;
pub mod version;

use crate::command::Command;
use serde_json::Value;

/// All of them, those first that are used most.
pub static COMMANDS: &[&Command] = &[
    &data::READ,
    &data::WRITE,
    &data::PATCH,
    &data::DELETE,
    &data::LIST,
    &data::SCAN,
    &login::LOGIN,
    &kv::KV,
    &status::STATUS,
    &server::SERVER,
    &unwrap::UNWRAP,
    &audit::AUDIT,
    &mounts::AUTH,
    &crate::completion::COMPLETION,
    &debug::DEBUG,
    &lease::LEASE,
    &namespace::NAMESPACE,
    &operator::OPERATOR,
    &path_help::PATH_HELP,
    &plugin::PLUGIN,
    &policy::POLICY,
    &print::PRINT,
    &mounts::SECRETS,
    &token::TOKEN,
    &version::VERSION,
    &version::HISTORY,
];

/// The texts of a list.
fn strings(value: &Value) -> Vec<String> {
    let list = value.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// A path that ends in one slash.
fn with_slash(path: &str) -> String {
    format!("{}/", path.trim_matches('/'))
}
