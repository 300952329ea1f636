//! `cargo xtask ci`: the checks that need no server, then `test`.

use crate::{arrows, runner, test, tidy};

/// Runs all checks and all tests; false if any found something.
pub(crate) fn run(words: &[String]) -> Result<bool, String> {
    let mut clean = true;
    clean &= runner::run("formatting", &runner::cargo(&["fmt", "--all", "--check"]), 120)?.success;
    clean &= runner::report("arrows", &arrows::findings()?);
    clean &= runner::report("tidy", &tidy::findings()?);
    if runner::is_installed("cargo-deny") {
        clean &=
            runner::run("deny", &runner::cargo(&["deny", "--offline", "check", "bans", "licenses", "sources"]), 120)?
                .success;
    }
    let lints = ["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"];
    clean &= runner::run("lints", &runner::cargo(&lints), 900)?.success;
    Ok(test::run(words)? && clean)
}
