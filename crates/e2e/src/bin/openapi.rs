//! `openapi --server BINARY --write FILE [--check]`: the OpenAPI document that a fresh server prints of itself.
//!
//! The document is generated from the route tables and committed; `--check` finds a difference instead of writing.

#![forbid(unsafe_code)]

use std::fs;
use std::process::ExitCode;

use e2e::arguments::Arguments;
use e2e::failure::{Failure, Outcome};
use e2e::server::{Server, Settings, Storage};

fn main() -> ExitCode {
    match print(&Arguments::of_process()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("openapi: {failure}");
            ExitCode::from(2)
        }
    }
}

fn print(arguments: &Arguments) -> Outcome<bool> {
    let file = arguments.value("write").ok_or_else(|| Failure::new("--write FILE is missing"))?;
    let server = Server::start_unsealed(&Settings::new(&arguments.binary("server")?, Storage::Memory))?;
    let document = server.as_root("GET", "sys/internal/specs/openapi", None)?.json();
    let operations = document.pointer("/paths").and_then(|paths| paths.as_object()).map_or(0, |paths| paths.len());
    if operations == 0 {
        return Err(Failure::new("the document has no paths"));
    }
    let text = format!("{document:#}\n");
    if arguments.has("check") {
        let same = fs::read_to_string(&file).unwrap_or_default() == text;
        println!("openapi: {} passed, {} failed", u8::from(same), u8::from(!same));
        return Ok(same);
    }
    fs::write(&file, text)?;
    println!("openapi: {operations} paths written to {file}");
    Ok(true)
}
