//! The project's tasks: `cargo xtask TASK`. What continuous integration runs is the same command that a person runs.

#![forbid(unsafe_code)]

mod arrows;
mod ci;
mod constant_time;
mod fuzz;
mod hvac;
mod junit;
mod runner;
mod simulate;
mod test;
mod tidy;
mod tools;

use std::process::ExitCode;

const USAGE: &str = "cargo xtask TASK

  test [--skip-build]       install what the tests need, build, run all tests and harnesses
  ci                        check, then test
  check                     formatting, arrows, tidy, deny where it is installed, lints
  arrows                    check who imports whom
  tidy                      check lengths, module docs, stray characters and reasons of dependencies
  hvac [--server BINARY]    the Python client's own suite against the server
  differential [WORDS]      requests against the peer and ours, and the differences (--only NAME, --values)
  commands                  the peer's own command line against both, and ours against ours
  operations [WORDS]        how many of the peer's operations are served (--list)
  simulate [WORDS]          seeded histories of a whole node (--seeds N, --from N, --seed N)
  crash [WORDS]             kill -9 at every sync and at random (--kills N)
  openapi --write FILE      the OpenAPI document of the server (--check: find a difference)
  fuzz [WORDS]              coverage-guided runs of all fuzz targets (--seconds N, --only NAME)
  constant-time             every instruction and address for different secrets (needs valgrind)
  bench [WORDS]             speed and memory as ratios to the peer (--short, --only NAME)
  tools                     install the peer and the Python suite only

The server under judgement is target/release/coffer unless --server names another.";

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let task = words.next().unwrap_or_default();
    let words: Vec<String> = words.collect();
    let done = runner::enter_root().and_then(|()| run(&task, &words));
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(text) => {
            eprintln!("xtask {task}: {text}");
            ExitCode::from(2)
        }
    }
}

/// Runs one task; false if it found something wrong.
fn run(task: &str, words: &[String]) -> Result<bool, String> {
    match task {
        "test" => test::run(words),
        "ci" => ci::run(words),
        "check" => ci::check(),
        "arrows" => Ok(runner::report("arrows", &arrows::findings()?)),
        "tidy" => Ok(runner::report("tidy", &tidy::findings()?)),
        "simulate" => simulate::run(words),
        "tools" => tools::install().map(|_| true),
        "constant-time" => constant_time::run(),
        "fuzz" => fuzz::run(words),
        "hvac" => hvac::run(&tools::install()?, &test::server_under_judgement(words)),
        "differential" | "commands" | "operations" | "crash" | "bench" | "openapi" => test::harness(task, words),
        _ => {
            println!("{USAGE}");
            Ok(matches!(task, "" | "help" | "--help" | "-h"))
        }
    }
}
