//! `cargo xtask simulate`: histories of a whole node on a fake clock, chosen by seeds; see `crates/sim`.

use std::process::Command;

use crate::runner::{self, Ran};

/// The bound on building the simulation, in seconds.
const BUILD_SECONDS_MAX: u64 = 900;
/// The bound on a run, in seconds: a long campaign of 50,000 seeds fits.
const SECONDS_MAX: u64 = 3_600;
/// The bound on the gate of 10,000 seeds, in seconds.
const GATE_SECONDS_MAX: u64 = 600;

/// Runs seeds; false if one of them shows something wrong.
pub(crate) fn run(words: &[String]) -> Result<bool, String> {
    simulate(words, SECONDS_MAX).map(|ran| ran.success)
}

/// The gate: 10,000 seeds.
pub(crate) fn gate() -> Result<Ran, String> {
    simulate(&[], GATE_SECONDS_MAX)
}

fn simulate(words: &[String], seconds_max: u64) -> Result<Ran, String> {
    let build = runner::cargo(&["build", "--quiet", "--release", "--package", "sim", "--bin", "simulate"]);
    if !runner::run("build the simulation", &build, BUILD_SECONDS_MAX)?.success {
        return Err("the simulation does not build".to_owned());
    }
    let mut command = Command::new(runner::target().join("release/simulate"));
    command.args(words);
    runner::run("simulate", &command, seconds_max)
}
