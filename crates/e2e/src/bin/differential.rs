//! `differential --peer BINARY --ours BINARY [--scripts FOLDER] [--only NAME] [--values]`: see `e2e::differential`.

#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use e2e::arguments::Arguments;
use e2e::differential::{Operations, Report, Reviewed, Script, Sides, run};
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
    let folder = arguments.value("scripts").unwrap_or_else(|| "crates/e2e/differential".to_owned());
    let folder = PathBuf::from(folder);
    let mut scripts = Script::read_all(&folder)?;
    if let Some(only) = arguments.value("only") {
        scripts.retain(|script| script.name.contains(&only));
    }
    let operations = Operations::read(&folder.join("operations.tsv"))?;
    let reviewed = Reviewed::read(&folder.join("reviewed.tsv"))?;
    let sides = Sides {
        peer: Settings::new(&arguments.binary("peer")?, Storage::Memory),
        ours: Settings::new(&arguments.binary("ours")?, Storage::Memory),
        values: arguments.has("values"),
    };
    let report = run(&sides, &scripts, &operations, &reviewed)?;
    print(&report, &reviewed, arguments.has("only"));
    Ok(report.open.is_empty())
}

fn print(report: &Report, reviewed: &Reviewed, partly: bool) {
    for difference in &report.open {
        println!("{difference}");
    }
    for (entry, uses) in reviewed.0.iter().zip(&report.uses) {
        if *uses == 0 && !partly {
            println!("reviewed entry is no longer needed: {}\t{}", entry.step, entry.what);
        }
    }
    let accepted: usize = report.uses.iter().sum();
    println!("differential: {} steps, {} open differences, {accepted} reviewed", report.steps, report.open.len());
    println!("differential: {} passed, {} failed", report.steps_agreed, report.steps - report.steps_agreed);
}
