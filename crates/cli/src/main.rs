//! The one binary. Until the command line is complete it runs the server and tells its version.
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("server") => server::run(options(arguments)),
        Some("version" | "-version" | "--version") => {
            println!("Vault v1.16.3 (0000000), built 2026-11-24T00:00:00Z");
            ExitCode::SUCCESS
        }
        _ => {
            eprintln!("usage: coffer server -dev | coffer server -config=FILE");
            ExitCode::FAILURE
        }
    }
}

fn options(arguments: impl Iterator<Item = String>) -> server::Options {
    let mut options = server::Options::default();
    for argument in arguments {
        let argument = argument.trim_start_matches('-').to_owned();
        let (name, value) = argument.split_once('=').unwrap_or((&argument, ""));
        match name {
            "dev" => options.dev = true,
            "config" => options.config.push(value.into()),
            "dev-root-token-id" => options.dev_root_token_id = Some(value.to_owned()),
            "dev-listen-address" => options.dev_listen_address = Some(value.to_owned()),
            "dev-no-store-token" => options.dev_no_store_token = true,
            "log-level" => options.log_level = Some(value.to_owned()),
            _ => eprintln!("unknown flag {name}"),
        }
    }
    options
}
