//! The one binary: server and command line.
//!
//! `commands` holds one file for each command or family; each is a row of a table that drives dispatch, help and
//! completion.
#![forbid(unsafe_code)]

mod command;
mod commands;
mod common;
mod completion;
mod dispatch;
mod failure;
mod fields;
mod flags;
mod help;
mod hidden;
mod nearest;
mod preview;
mod progress;
mod render;
mod session;
mod terminal;
#[cfg(test)]
mod tests;
mod token_file;

use std::path::Path;
use std::process::ExitCode;

/// Requests are many small allocations of short life, for which the system's allocator is slow.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut words = std::env::args_os();
    let started = words.next().unwrap_or_default();
    let name = Path::new(&started).file_name().and_then(|name| name.to_str()).unwrap_or("coffer");
    // Bytes that are no text would be stored as something else than what was given.
    match words.map(std::ffi::OsString::into_string).collect::<Result<Vec<String>, _>>() {
        Ok(words) => ExitCode::from(dispatch::run(name.to_owned(), &words)),
        Err(_) => {
            eprintln!("An argument is no UTF-8 text; give such values as key=@file.");
            ExitCode::from(failure::WRONG_USE)
        }
    }
}
