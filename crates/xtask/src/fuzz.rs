//! `cargo xtask fuzz`: coverage-guided runs of the fuzz targets by libFuzzer, on the stable toolchain without a sanitizer. What
//! a run finds stays in `target/fuzz`; inputs worth keeping are copied to `fuzz/corpus`, which every test run replays.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::runner;

/// Instrumentation that libFuzzer reads; build scripts are kept out of it by naming the target.
const FLAGS: &str = "--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// Seconds for each target where nothing else is said.
const SECONDS: u64 = 30;
/// Megabytes that a target may take.
const MEMORY_MEGABYTES_MAX: u64 = 512;

/// Builds the targets and runs each for a while; false if any found something.
pub(crate) fn run(words: &[String]) -> Result<bool, String> {
    let after = |flag: &str| words.iter().skip_while(|word| *word != flag).nth(1);
    let seconds = match after("--seconds") {
        Some(text) => text.parse().map_err(|_| format!("--seconds {text}: not a number"))?,
        None => SECONDS,
    };
    let program = build()?;
    let (mut passed, mut failed) = (0, 0);
    for name in targets(after("--only").map(String::as_str))? {
        if fuzz(&program, &name, seconds)? { passed += 1 } else { failed += 1 }
    }
    println!("fuzz: {passed} passed, {failed} failed");
    Ok(failed == 0 && passed > 0)
}

fn build() -> Result<std::path::PathBuf, String> {
    let version = runner::output(Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("rustc -vV names no host")?;
    let folder = runner::target().join("fuzz");
    let mut command = runner::cargo(&["build", "--release", "--manifest-path", "fuzz/Cargo.toml", "--target", host]);
    command.env("RUSTFLAGS", FLAGS).env("CARGO_TARGET_DIR", &folder);
    if !runner::run("build the fuzz targets", &command, 3000)?.success {
        return Err("the fuzz targets do not build".to_owned());
    }
    Ok(folder.join(host).join("release/fuzz"))
}

/// The targets, which are the folders of the corpora.
fn targets(only: Option<&str>) -> Result<Vec<String>, String> {
    let entries = fs::read_dir("fuzz/corpus").map_err(|error| format!("fuzz/corpus: {error}"))?;
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names.retain(|name| only.is_none_or(|only| only == name));
    if names.is_empty() { Err("no target of that name".to_owned()) } else { Ok(names) }
}

fn fuzz(program: &Path, name: &str, seconds: u64) -> Result<bool, String> {
    let found = runner::target().join("fuzz/found").join(name);
    fs::create_dir_all(&found).map_err(|error| format!("{}: {error}", found.display()))?;
    let mut command = Command::new(program);
    command.env("FUZZ_TARGET", name);
    command.arg(&found).arg(Path::new("fuzz/corpus").join(name));
    command.arg(format!("-max_total_time={seconds}")).arg(format!("-rss_limit_mb={MEMORY_MEGABYTES_MAX}"));
    command.arg("-timeout=5").arg("-print_final_stats=1").arg("-verbosity=0");
    command.arg(format!("-artifact_prefix={}/crash-", found.display()));
    Ok(runner::run(&format!("fuzz {name}"), &command, seconds + 60)?.success)
}
