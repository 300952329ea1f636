//! The cases of speed.

use std::path::Path;
use std::process::Command;

use super::load::{Load, Loads, Sample};
use super::report::{Line, Report};
use super::subject::Subject;
use super::{SERVER_CORE, median};
use crate::failure::{Context, Outcome};
use crate::http::{Client, Request};
use crate::process::Process;
use crate::server::{Folder, free_address};

/// What a case's ratio is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measure {
    PerCpuSecond,
    PerSecond,
}

struct Case {
    name: &'static str,
    measure: Measure,
    /// The ratio to the peer that is aimed at.
    aim: f64,
    load: fn(&Subject) -> Load,
}

const CASES: [Case; 6] = [
    Case { name: "kv2 read", measure: Measure::PerCpuSecond, aim: 20.0, load: |it| read(&it.reader) },
    Case { name: "kv2 read, 10 rules", measure: Measure::PerCpuSecond, aim: 0.0, load: |it| read(&it.reader_10) },
    Case { name: "kv2 read, 10k rules", measure: Measure::PerCpuSecond, aim: 0.0, load: |it| read(&it.reader_10k) },
    Case { name: "kv2 write, 32", measure: Measure::PerSecond, aim: 10.0, load: |it| write(it, 32) },
    Case { name: "kv2 write, 256", measure: Measure::PerSecond, aim: 20.0, load: |it| write(it, 256) },
    Case { name: "lookup-self", measure: Measure::PerCpuSecond, aim: 20.0, load: lookup },
];

const LOGIN: Case = Case { name: "approle login", measure: Measure::PerCpuSecond, aim: 10.0, load: login };

/// The least that the 10,000-rule read may keep of the 10-rule read.
const RULES_SHARE_MIN: f64 = 0.9;

fn read(token: &str) -> Load {
    let environment = vec![("TOKEN", token.to_owned())];
    Load { script: "get", path: "/v1/secret/data/app/one".to_owned(), connections: 32, environment }
}

fn lookup(subject: &Subject) -> Load {
    let environment = vec![("TOKEN", subject.reader.clone())];
    Load { script: "get", path: "/v1/auth/token/lookup-self".to_owned(), connections: 32, environment }
}

fn write(subject: &Subject, connections: u32) -> Load {
    let environment = vec![("TOKEN", subject.server.root_token.clone())];
    Load { script: "write", path: "/".to_owned(), connections, environment }
}

fn login(subject: &Subject) -> Load {
    let environment = vec![("ROLE_ID", subject.role_id.clone()), ("SECRET_ID", subject.secret_id.clone())];
    Load { script: "login", path: "/v1/auth/approle/login".to_owned(), connections: 32, environment }
}

/// Measures every case whose name contains `only`.
///
/// # Errors
/// If a run fails or has a reply that is not a success.
pub fn speed(
    loads: &Loads,
    peer: &Subject,
    ours: &Subject,
    bare: &Path,
    only: &str,
    report: &mut Report,
) -> Outcome<()> {
    let limit = bare_hyper(loads, bare)?;
    report.limit_per_cpu_second = limit.per_cpu_second;
    let mut of_rules = Vec::new();
    for case in CASES.iter().chain([&LOGIN]).filter(|case| case.name.contains(only)) {
        let line = measure(loads, case, peer, ours, limit).at(case.name)?;
        println!("{line}");
        if case.name.ends_with("rules") {
            of_rules.push(line.ours);
        }
        report.lines.push(line);
    }
    if let [few, many] = of_rules.as_slice() {
        let line = Line {
            case: "10k rules against 10".to_owned(),
            unit: "share",
            peer: *few,
            ours: *many,
            ratio: many / few,
            aim: RULES_SHARE_MIN,
            detail: String::new(),
        };
        println!("{line}");
        report.lines.push(line);
    }
    Ok(())
}

fn measure(loads: &Loads, case: &Case, peer: &Subject, ours: &Subject, limit: Sample) -> Outcome<Line> {
    let run = |subject: &Subject, seconds: u64| {
        let address = subject.server.client.address.to_string();
        let load = (case.load)(subject);
        loads.run(&load, &address, subject.server.process.id(), seconds).at(subject.name)
    };
    run(peer, loads.warm_up_seconds)?;
    run(ours, loads.warm_up_seconds)?;
    let mut samples = (Vec::new(), Vec::new());
    for _ in 0..loads.pairs {
        samples.0.push(run(peer, loads.seconds)?);
        samples.1.push(run(ours, loads.seconds)?);
    }
    let figure = |sample: &Sample| match case.measure {
        Measure::PerCpuSecond => sample.per_cpu_second,
        Measure::PerSecond => sample.per_second,
    };
    let ratios: Vec<f64> = samples.0.iter().zip(&samples.1).map(|(peer, ours)| figure(ours) / figure(peer)).collect();
    let middle = |of: &[Sample], figure: &dyn Fn(&Sample) -> f64| median(&of.iter().map(figure).collect::<Vec<f64>>());
    let detail = format!(
        "rps {:.0} / {:.0}, p99 {:.1} / {:.1} ms, {:.0} % of bare hyper",
        middle(&samples.0, &|it| it.per_second),
        middle(&samples.1, &|it| it.per_second),
        middle(&samples.0, &|it| it.p99_ms),
        middle(&samples.1, &|it| it.p99_ms),
        100.0 * middle(&samples.1, &|it| it.per_cpu_second) / limit.per_cpu_second,
    );
    Ok(Line {
        case: case.name.to_owned(),
        unit: if case.measure == Measure::PerSecond { "rps" } else { "/cpu-s" },
        peer: middle(&samples.0, &figure),
        ours: middle(&samples.1, &figure),
        ratio: median(&ratios),
        aim: case.aim,
        detail,
    })
}

/// The limit: hyper that does nothing, on the same core under the same client.
fn bare_hyper(loads: &Loads, binary: &Path) -> Outcome<Sample> {
    let folder = Folder::new("bare")?;
    let address = free_address()?;
    let mut command = Command::new("taskset");
    command.args(["-c", SERVER_CORE]).arg(binary).arg(address.port().to_string());
    let process = Process::start(command, &folder.path().join("log"))?;
    let client = Client::new(address);
    for _ in 0..200 {
        if client.send(&Request::api("GET", "", "")).is_ok() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let environment = vec![("TOKEN", "hvs.AAAAAAAAAAAAAAAAAAAAAAAA".to_owned())];
    let load = Load { script: "get", path: "/v1/x".to_owned(), connections: 32, environment };
    loads.run(&load, &address.to_string(), process.id(), loads.warm_up_seconds)?;
    loads.run(&load, &address.to_string(), process.id(), loads.seconds)
}
