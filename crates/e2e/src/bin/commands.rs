//! `commands --peer BINARY --ours BINARY [--values]`: the peer's command line against both, and ours against ours; see
//! `e2e::differential`.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use e2e::arguments::Arguments;
use e2e::differential::{Reviewed, Sides, run_commands};
use e2e::failure::Outcome;
use e2e::server::{Settings, Storage};

fn main() -> ExitCode {
    match judge(&Arguments::of_process()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("commands: {failure}");
            ExitCode::from(2)
        }
    }
}

fn judge(arguments: &Arguments) -> Outcome<bool> {
    let reviewed = Reviewed::read(Path::new("crates/e2e/differential/reviewed"))?;
    let program = arguments.binary("peer")?;
    let sides = Sides {
        peer: Settings::new(&program, Storage::Memory),
        ours: Settings::new(&arguments.binary("ours")?, Storage::Memory),
        values: arguments.has("values"),
    };
    let report = run_commands(&program, &sides, Path::new("crates/e2e/cli/commands.txt"), &reviewed)?;
    report.print("commands", &reviewed, |entry| entry.starts_with("cli/") || entry.starts_with("own-cli/"));
    Ok(report.open.is_empty())
}
