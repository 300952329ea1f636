//! `bench --peer BINARY --server BINARY --bare BINARY --fill BINARY [--short] [--only NAME] [--tokens N] [--million N] [--json FILE]`: see `e2e::bench`.

#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

use e2e::arguments::Arguments;
use e2e::bench::{Amounts, Loads, Report, Subject, memory, speed};
use e2e::failure::Outcome;

fn main() -> ExitCode {
    match measure(&Arguments::of_process()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::from(2)
        }
    }
}

fn measure(arguments: &Arguments) -> Outcome<bool> {
    let short = arguments.has("short");
    let loads = Loads {
        scripts: Path::new("crates/e2e/bench").canonicalize()?,
        seconds: if short { 3 } else { 5 },
        warm_up_seconds: if short { 1 } else { 2 },
        pairs: if short { 3 } else { 5 },
    };
    let (peer, ours) = (arguments.binary("peer")?, arguments.binary("server")?);
    let mut report = Report::of_this_machine();
    println!("{} on one core each; the ratio is ours to the peer's\n", report.machine);
    println!("{:32} {:>10} {:>10} {:8} {:>8}", "case", "peer", "ours", "unit", "ratio");
    let only = arguments.value("only").unwrap_or_default();
    if only != "memory" {
        let subjects = (Subject::prepare("peer", &peer)?, Subject::prepare("ours", &ours)?);
        speed(&loads, &subjects.0, &subjects.1, &arguments.binary("bare")?, &only, &mut report)?;
    }
    if only.is_empty() || only == "memory" {
        let amounts = Amounts {
            tokens: arguments.number("tokens", if short { 5_000 } else { 100_000 })?,
            secrets: arguments.number("million", if short { 0 } else { 1_000_000 })?,
            filler: arguments.binary("fill")?,
        };
        memory(&peer, &ours, &amounts, &mut report)?;
    }
    println!("\nbare hyper: {:.0} requests per second of processor time", report.limit_per_cpu_second);
    let written = arguments.value("json").unwrap_or_else(|| "bench.json".to_owned());
    report.write(Path::new(&written))?;
    let (met, missed) = report.verdict();
    println!("bench: {met} passed, {missed} failed");
    Ok(missed == 0)
}
