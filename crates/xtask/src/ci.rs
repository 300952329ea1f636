//! `cargo xtask check`: the checks that need no server. `cargo xtask ci`: those, then `test`.

use crate::{arrows, runner, test, tidy};

/// Runs all checks and all tests; false if any found something.
pub(crate) fn run(words: &[String]) -> Result<bool, String> {
    let clean = check()?;
    Ok(test::run(words)? && clean)
}

/// Formatting, arrows, tidiness, dependencies, lints; false if any found something.
pub(crate) fn check() -> Result<bool, String> {
    let mut clean = true;
    if component("fmt", "rustfmt") {
        clean &= runner::run("formatting", &runner::cargo(&["fmt", "--all", "--check"]), 120)?.success;
    }
    clean &= runner::report("arrows", &arrows::findings()?);
    clean &= runner::report("tidy", &tidy::findings()?);
    if runner::is_installed("cargo-deny") {
        let deny = ["deny", "--offline", "check", "bans", "licenses", "sources"];
        clean &= runner::run("deny", &runner::cargo(&deny), 120)?.success;
    }
    if component("clippy", "clippy") {
        let lints = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
        clean &= runner::run("lints", &runner::cargo(&lints), 1200)?.success;
    }
    Ok(clean)
}

/// Whether cargo has a command of the toolchain, which is installed if a minimal toolchain came without it.
fn component(command: &str, name: &str) -> bool {
    let there = || runner::output(&mut runner::cargo(&[command, "--version"])).is_ok();
    if there() {
        return true;
    }
    let installed = runner::output(std::process::Command::new("rustup").args(["component", "add", name])).is_ok();
    if !(installed && there()) {
        println!("skipped: cargo {command} is not there and cannot be installed");
        return false;
    }
    true
}
