//! The gate of the Python client: hvac's own integration suite, unmodified, against the server.
//!
//! The suite starts `vault` from the path itself; a link of that name leads to the binary under judgement. What may fail
//! is in a committed list with a reason each; see `crates/e2e/hvac/README.md`.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use crate::junit::{Case, Verdict, cases};
use crate::runner;
use crate::tools::Tools;

/// The list of tests that may fail.
const EXPECTED: &str = "crates/e2e/hvac/expected-failures.tsv";
/// The fewest tests that must pass. The bar is 470; the peer, OpenBao 2.6.2, passes 489.
const PASSES_MIN: usize = 489;
/// The bound on the whole suite, in seconds; it takes about half a minute.
const SUITE_SECONDS_MAX: u64 = 720;
/// The bound on the whole gate, in seconds.
pub(crate) const BOUND_SECONDS: u64 = SUITE_SECONDS_MAX + 30;
/// The bound on one test, in seconds.
const TEST_SECONDS_MAX: u64 = 60;

/// A committed expectation.
#[derive(Debug)]
struct Expected {
    test: String,
    reason: String,
}

/// Runs the suite against `server` and judges the result.
pub(crate) fn run(tools: &Tools, server: &Path) -> Result<bool, String> {
    let xml = suite(tools, server)?;
    let cases = cases(&xml);
    if cases.is_empty() {
        return Err("the suite reported no test".to_owned());
    }
    judge(&cases, &read_expected()?)
}

fn suite(tools: &Tools, server: &Path) -> Result<String, String> {
    let links = tools.folder.join("links");
    fs::create_dir_all(&links).map_err(|error| error.to_string())?;
    let link = links.join("vault");
    let _none_yet = fs::remove_file(&link);
    let server = server.canonicalize().map_err(|error| format!("{}: {error}", server.display()))?;
    symlink(&server, &link).map_err(|error| error.to_string())?;
    let report = tools.folder.join("hvac.xml");
    let _none_yet = fs::remove_file(&report);
    let path = std::env::var("PATH").unwrap_or_default();
    let mut pytest = Command::new(&tools.python);
    pytest.args(["-m", "pytest", "tests/integration_tests", "-n", "2", "--dist", "worksteal", "-q", "--tb=no"]);
    pytest.args(["-p", "no:cacheprovider", "--timeout", &TEST_SECONDS_MAX.to_string()]);
    pytest.arg(format!("--junitxml={}", report.display())).current_dir(&tools.suite);
    pytest.env("PATH", format!("{}:{path}", links.display())).env("HOME", &tools.folder);
    for name in ["VAULT_ADDR", "VAULT_TOKEN", "VAULT_CACERT", "VAULT_NAMESPACE"] {
        pytest.env_remove(name);
    }
    runner::run("hvac's integration suite", &pytest, SUITE_SECONDS_MAX)?;
    fs::read_to_string(&report).map_err(|_| "the suite wrote no report".to_owned())
}

fn read_expected() -> Result<Vec<Expected>, String> {
    let text = fs::read_to_string(EXPECTED).map_err(|error| format!("{EXPECTED}: {error}"))?;
    let mut expected = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (test, reason) = line.split_once('\t').ok_or_else(|| format!("{EXPECTED}: no reason: {line}"))?;
        expected.push(Expected { test: test.to_owned(), reason: reason.to_owned() });
    }
    Ok(expected)
}

fn judge(cases: &[Case], expected: &[Expected]) -> Result<bool, String> {
    let short = |case: &Case| case.id.trim_start_matches("tests.integration_tests.").to_owned();
    let count = |verdict: Verdict| cases.iter().filter(|case| case.verdict == verdict).count();
    let mut unexpected = 0;
    for case in cases.iter().filter(|case| case.verdict == Verdict::Failed) {
        if !expected.iter().any(|entry| matches(&entry.test, &short(case))) {
            unexpected += 1;
            let message = case.message.lines().next().unwrap_or_default();
            println!("hvac: not expected to fail: {}\t{message}", short(case));
        }
    }
    for entry in expected {
        let fails = |case: &&Case| case.verdict == Verdict::Failed && matches(&entry.test, &short(case));
        if !cases.iter().any(|case| fails(&case)) {
            println!("hvac: passes, remove from the list: {} ({})", entry.test, entry.reason);
        }
    }
    let passed = count(Verdict::Passed);
    let (failed, skipped) = (count(Verdict::Failed), count(Verdict::Skipped));
    println!(
        "hvac: of {} tests {passed} passed, {failed} failed ({unexpected} unexpected), {skipped} skipped",
        cases.len()
    );
    let too_few = usize::from(passed < PASSES_MIN);
    if too_few > 0 {
        println!("hvac: at least {PASSES_MIN} must pass");
    }
    println!("hvac: {passed} passed, {} failed", unexpected + too_few);
    Ok(unexpected + too_few == 0)
}

/// An entry names one test, or with a `*` at its end all that begin so.
fn matches(entry: &str, test: &str) -> bool {
    entry.strip_suffix('*').map_or(entry == test, |prefix| test.starts_with(prefix))
}
