//! `cargo xtask test`: everything that judges the product, in one command that fits 45 minutes on two cores.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::hvac;
use crate::runner::{self, Ran};
use crate::simulate;
use crate::tools::{self, Tools};

/// The fewest of the peer's operations that must be served.
const OPERATIONS_MIN: &str = "300";

/// The longest that one harness may take: the crashes, which take most, three minutes on two busy cores.
const HARNESS_SECONDS_MAX: u64 = 800;

/// The sum of what passed and failed, and the closing line of each runner.
#[derive(Debug, Default)]
struct Tally {
    passed: u64,
    failed: u64,
    closing: Vec<String>,
}

/// Installs, builds, tests; false if anything failed.
pub(crate) fn run(words: &[String]) -> Result<bool, String> {
    let start = Instant::now();
    let tools = tools::install()?;
    if !words.iter().any(|word| word == "--skip-build") {
        let build = runner::run("release build", &runner::cargo(&["build", "--release", "--package", "cli"]), 1500)?;
        if !build.success {
            return Err("the release build failed".to_owned());
        }
    }
    let mut tally = Tally::default();
    tally.add_tests(&workspace_tests(&tools)?);
    let server = server_under_judgement(words);
    tally.add_gate("simulate", simulate::gate()?);
    tally.add_gate("hvac", hvac_in_own_process(&server)?);
    let harnesses: [(&str, &[&str]); 4] =
        [("differential", &[]), ("commands", &[]), ("operations", &["--at-least", OPERATIONS_MIN]), ("crash", &[])];
    for (name, options) in harnesses {
        let options: Vec<String> = options.iter().map(|word| (*word).to_owned()).collect();
        tally.add_gate(name, run_harness(name, &options, &tools, &server, HARNESS_SECONDS_MAX)?);
    }
    println!("\n=== closing, after {:.0} s", start.elapsed().as_secs_f64());
    for line in &tally.closing {
        println!("{line}");
    }
    println!("{} passed, {} failed", tally.passed, tally.failed);
    Ok(tally.failed == 0)
}

/// One harness of the `e2e` crate by itself.
pub(crate) fn harness(name: &str, words: &[String]) -> Result<bool, String> {
    let tools = tools::install()?;
    let server = server_under_judgement(words);
    run_harness(name, words, &tools, &server, 5400).map(|ran| ran.success)
}

/// The binary after `--server`, or the release build.
pub(crate) fn server_under_judgement(words: &[String]) -> PathBuf {
    let named = words.iter().skip_while(|word| *word != "--server").nth(1);
    named.map_or_else(|| runner::target().join("release/coffer"), PathBuf::from)
}

fn run_harness(name: &str, words: &[String], tools: &Tools, server: &Path, bound: u64) -> Result<Ran, String> {
    let built =
        runner::run("build the harnesses", &runner::cargo(&["build", "--quiet", "--package", "e2e", "--bins"]), 600)?;
    if !built.success {
        return Err("the harnesses do not build".to_owned());
    }
    let mut command = Command::new(runner::target().join("debug").join(name));
    let server_option = if matches!(name, "differential" | "commands") { "--ours" } else { "--server" };
    command.arg(server_option).arg(server);
    command.arg("--peer").arg(&tools.peer).args(words);
    if name == "bench" {
        let example = runner::cargo(&["build", "--release", "--quiet", "--package", "e2e", "--example", "bare_hyper"]);
        runner::run("build the bare server", &example, 900)?;
        command.arg("--bare").arg(runner::target().join("release/examples/bare_hyper"));
        let filler = runner::cargo(&["build", "--release", "--quiet", "--package", "sim", "--example", "fill"]);
        runner::run("build what fills a store", &filler, 1500)?;
        command.arg("--fill").arg(runner::target().join("release/examples/fill"));
        command.arg("--json").arg(runner::target().join("bench.json"));
    }
    command.env("COFFER_E2E_DIRECTORY", runner::target().join("e2e"));
    runner::run(name, &command, bound)
}

/// The gate as a process of its own, so that its lines are kept like those of the other runners.
fn hvac_in_own_process(server: &Path) -> Result<Ran, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut command = Command::new(program);
    command.arg("hvac").arg("--server").arg(server);
    runner::run("hvac", &command, hvac::BOUND_SECONDS)
}

fn workspace_tests(tools: &Tools) -> Result<Ran, String> {
    let nextest = runner::output(&mut runner::cargo(&["nextest", "--version"])).is_ok();
    let mut command = if nextest {
        runner::cargo(&["nextest", "run", "--workspace", "--no-fail-fast", "--status-level", "fail"])
    } else {
        runner::cargo(&["test", "--workspace", "--no-fail-fast", "--quiet"])
    };
    command.env("COFFER_BINARY", runner::target().join("release/coffer")).env("BAO_BINARY", &tools.peer);
    runner::run("unit, integration and simulation tests", &command, 1500)
}

impl Tally {
    /// Adds the summary of nextest, or all of cargo's own.
    fn add_tests(&mut self, ran: &Ran) {
        let (mut passed, mut failed) = (0, 0);
        for line in &ran.lines {
            if line.contains("Summary [") || line.starts_with("test result:") {
                passed += number_before(line, "passed");
                failed += number_before(line, "failed") + number_before(line, "timed out");
                self.closing.push(line.trim().to_owned());
            }
        }
        // A run that did not compile, or was ended, says nothing of its tests.
        if !ran.success && failed == 0 {
            failed = 1;
            self.closing.push("the workspace's tests did not run to their end".to_owned());
        }
        self.passed += passed;
        self.failed += failed;
    }

    /// Adds a runner whose last line is `name: N passed, N failed`.
    fn add_gate(&mut self, name: &str, ran: Ran) {
        let mark = format!("{name}: ");
        let closing = ran.lines.iter().rev().find(|line| line.starts_with(&mark) && line.contains(" passed, "));
        let line = closing.cloned().unwrap_or_else(|| format!("{name}: did not run to its end"));
        let failed = number_before(&line, "failed");
        self.passed += number_before(&line, "passed");
        self.failed += if ran.success { failed } else { failed.max(1) };
        self.closing.push(format!("{line} ({:.0} s)", ran.took.as_secs_f64()));
    }
}

/// The number before `word`, or before the words `tests run: …` that nextest puts between.
fn number_before(line: &str, word: &str) -> u64 {
    let words: Vec<&str> = line.split([' ', ',', ';']).filter(|part| !part.is_empty()).collect();
    let first = word.split(' ').next().unwrap_or(word);
    let at = words.iter().position(|candidate| *candidate == first).and_then(|at| at.checked_sub(1));
    at.and_then(|at| words.get(at)).and_then(|number| number.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Ran, Tally, number_before};

    #[test]
    fn reads_the_runners_own_lines() {
        let nextest = "     Summary [   0.127s] 5 tests run: 4 passed (1 slow), 1 failed, 2 skipped";
        assert_eq!((number_before(nextest, "passed"), number_before(nextest, "failed")), (4, 1));
        let cargo = "test result: ok. 7 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out";
        assert_eq!((number_before(cargo, "passed"), number_before(cargo, "failed")), (7, 0));
    }

    #[test]
    fn a_run_that_broke_counts_as_a_failure() {
        let ran = |success, lines: &[&str]| Ran {
            success,
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            took: std::time::Duration::ZERO,
        };
        let mut tally = Tally::default();
        tally.add_tests(&ran(false, &["error: could not compile"]));
        tally.add_gate("crash", ran(false, &["crash: 3 passed, 2 failed"]));
        tally.add_gate("differential", ran(false, &["differential: no such file"]));
        assert_eq!((tally.passed, tally.failed), (3, 4));
    }
}
