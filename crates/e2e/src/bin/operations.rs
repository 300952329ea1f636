//! `operations --server BINARY [--at-least N] [--list]`: see `e2e::operations`.

#![forbid(unsafe_code)]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use e2e::arguments::Arguments;
use e2e::differential::Operations;
use e2e::failure::Outcome;
use e2e::operations::{Probe, probe};
use e2e::server::{Settings, Storage};

fn main() -> ExitCode {
    match count(&Arguments::of_process()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(failure) => {
            eprintln!("operations: {failure}");
            ExitCode::from(2)
        }
    }
}

fn count(arguments: &Arguments) -> Outcome<bool> {
    let operations = Operations::read(Path::new("crates/e2e/differential/operations.tsv"))?;
    let settings = Settings::new(&arguments.binary("server")?, Storage::Memory);
    let probes = probe(&settings, &operations)?;
    if arguments.has("list") {
        for probe in probes.iter().filter(|probe| !probe.served) {
            println!("unserved\t{}\t{}\t{}", probe.operation.method, probe.operation.template, probe.reply.trim());
        }
    }
    for (area, (served, all)) in by_area(&probes) {
        println!("{served:5} of {all:4}  {area}");
    }
    let served = probes.iter().filter(|probe| probe.served).count();
    let wanted = usize::try_from(arguments.number("at-least", 0)?).unwrap_or(usize::MAX);
    println!("operations: {served} of {} are served, at least {wanted} are wanted", probes.len());
    let passed = served >= wanted;
    println!("operations: {} passed, {} failed", u8::from(passed), u8::from(!passed));
    Ok(passed)
}

fn by_area(probes: &[Probe]) -> BTreeMap<String, (usize, usize)> {
    let mut areas: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for probe in probes {
        let mut segments = probe.operation.template.trim_matches('/').split('/');
        let first = segments.next().unwrap_or_default();
        let second = segments.next().unwrap_or_default();
        let grouped = matches!(first, "auth" | "sys" | "identity");
        let area = if grouped { format!("{first}/{second}") } else { first.to_owned() };
        let entry = areas.entry(area).or_default();
        entry.0 += usize::from(probe.served);
        entry.1 += 1;
    }
    areas
}
