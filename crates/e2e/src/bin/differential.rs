//! `differential --peer BINARY --ours BINARY [--only NAME] [--values]`: see `e2e::differential`.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use e2e::arguments::Arguments;
use e2e::differential::{Operations, Reviewed, Script, Sides, run};
use e2e::failure::Outcome;
use e2e::server::{Settings, Storage};

fn main() -> ExitCode {
    match judge(&Arguments::of_process()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("differential: {failure}");
            ExitCode::from(2)
        }
    }
}

fn judge(arguments: &Arguments) -> Outcome<bool> {
    let folder = Path::new("crates/e2e/differential");
    let mut scripts = Script::read_all(folder)?;
    if let Some(only) = arguments.value("only") {
        scripts.retain(|script| script.name.contains(&only));
    }
    let operations = Operations::read(&folder.join("operations.tsv"))?;
    let reviewed = Reviewed::read(&folder.join("reviewed"))?;
    let sides = Sides {
        peer: Settings::new(&arguments.binary("peer")?, Storage::Memory),
        ours: Settings::new(&arguments.binary("ours")?, Storage::Memory),
        values: arguments.has("values"),
    };
    let report = run(&sides, &scripts, &operations, &reviewed)?;
    report.print("differential", &reviewed, |entry| !arguments.has("only") && !entry.contains("cli/"));
    Ok(report.open.is_empty())
}
