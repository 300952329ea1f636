//! `crash --server BINARY [--kills N] [--every N] [--seed N] [--bound SECONDS]`: see `e2e::crash`.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::time::Duration;

use e2e::arguments::Arguments;
use e2e::crash::{Findings, at_every_sync, at_failed_syncs, at_random};
use e2e::failure::Outcome;
use e2e::server::{Settings, Storage};

fn main() -> ExitCode {
    match judge(&Arguments::of_process()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("crash: {failure}");
            ExitCode::from(2)
        }
    }
}

fn judge(arguments: &Arguments) -> Outcome<bool> {
    let settings = Settings::new(&arguments.binary("server")?, Storage::Durable);
    let bound = Duration::from_secs(arguments.number("bound", 600)?);
    let every = usize::try_from(arguments.number("every", 1)?).unwrap_or(1);
    let kills = usize::try_from(arguments.number("kills", 200)?).unwrap_or(200);
    let syncs = at_every_sync(&settings, every, bound)?;
    print("kill at every sync", &syncs);
    let random = at_random(&settings, kills, arguments.number("seed", 1)?, bound)?;
    print("kill at random under load", &random);
    let failing = at_failed_syncs(&settings, bound)?;
    print("a sync that fails", &failing);
    let all = [&syncs, &random, &failing];
    let (deaths, faulty) =
        all.iter().fold((0, 0), |(deaths, faulty), it| (deaths + it.deaths, faulty + it.deaths_faulty));
    // What goes wrong before the restart is no death's fault, and counts by itself.
    let failed = faulty.max(usize::from(all.iter().any(|it| !it.faults.is_empty())));
    println!("crash: {} passed, {failed} failed", deaths - faulty);
    Ok(failed == 0)
}

fn print(what: &str, findings: &Findings) {
    for fault in &findings.faults {
        println!("{what}: {fault}");
    }
    let (deaths, slowest) = (findings.deaths, findings.slowest_restart.as_millis());
    println!("{what}: {deaths} deaths, slowest restart {slowest} ms, {} faults", findings.faults.len());
}
