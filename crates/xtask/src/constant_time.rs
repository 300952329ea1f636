//! `cargo xtask constant-time`: runs the release build of what handles secret bytes under valgrind's `lackey`, which writes
//! down every instruction and every address, on secrets that differ. Equal traces mean that nothing a processor could
//! betray by time depends on them (row S29, fault F28). Unlike measured time, this is exact and repeats on a busy machine.

use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::runner;

/// What has to be constant, and what is known not to be, so that the method is seen to find something.
const WAYS: [(&str, bool); 3] = [("split-and-combine", true), ("compare", true), ("leaky-compare", false)];

/// A trace: how many lines it has, and their hash.
type Trace = (u64, u64);

/// Compares the traces; false if a secret shows, or if one that shows is not found.
pub(crate) fn run() -> Result<bool, String> {
    if !runner::is_installed("valgrind") {
        return Err("valgrind is not installed (Debian's package is `valgrind`)".to_owned());
    }
    let build = runner::cargo(&["build", "--release", "--quiet", "--package", "crypto", "--example", "constant_time"]);
    if !runner::run("build the example", &build, 900)?.success {
        return Err("the example does not build".to_owned());
    }
    let folder = runner::target().join("constant-time");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let (mut passed, mut failed) = (0, 0);
    for (way, constant) in WAYS {
        let mut traces = Vec::new();
        for secret in secrets() {
            let file = folder.join("secret");
            fs::write(&file, secret).map_err(|error| error.to_string())?;
            traces.push(trace(way, &file)?);
        }
        let same = traces.windows(2).all(|pair| pair.first() == pair.last());
        let counts: Vec<u64> = traces.iter().map(|(lines, _)| *lines).collect();
        println!("{way}: traces of {counts:?} lines are {}", if same { "equal" } else { "not equal" });
        if same == constant { passed += 1 } else { failed += 1 }
    }
    println!("constant-time: {passed} passed, {failed} failed");
    Ok(failed == 0)
}

/// Secrets that a branch or a look-up would tell apart: all bits clear, all set, one bit, what is compared with, and that
/// with its first and its last byte changed.
fn secrets() -> [[u8; 32]; 6] {
    let mut one = [0; 32];
    let (mut first, mut last) = ([0x5a; 32], [0x5a; 32]);
    if let (Some(bit), Some(start), Some(end)) = (one.get_mut(16), first.first_mut(), last.last_mut()) {
        *bit = 1;
        *start = 0;
        *end = 0;
    }
    [[0; 32], [0xff; 32], one, [0x5a; 32], first, last]
}

/// Whether an instruction is the dynamic loader's, which valgrind puts there: it reads random bytes of the system at the
/// start, before a secret is read.
fn is_loader(address: &[u8]) -> bool {
    let digits = address.split(|byte| *byte == b',').next().unwrap_or_default();
    let address = std::str::from_utf8(digits).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok());
    address.is_some_and(|address| (0x0400_0000..0x0480_0000).contains(&address))
}

fn trace(way: &str, file: &Path) -> Result<Trace, String> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=lackey", "--trace-mem=yes", "--log-fd=1", "--quiet"]);
    command.arg(runner::target().join("release/examples/constant_time")).arg(way).arg(file);
    command.env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("valgrind: {error}"))?;
    let output = child.stdout.take().ok_or("valgrind has no output")?;
    let (mut lines, mut hash, mut ours) = (0, DefaultHasher::new(), false);
    for line in BufReader::new(output).split(b'\n') {
        let line = line.map_err(|error| error.to_string())?;
        // Addresses of an instruction follow it; lines about the process carry its number.
        if let Some(address) = line.strip_prefix(b"I  ") {
            ours = !is_loader(address);
        }
        if ours && !line.starts_with(b"==") {
            lines += 1;
            hash.write(&line);
        }
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    if status.success() && lines > 10_000 {
        Ok((lines, hash.finish()))
    } else {
        Err(format!("{way}: {status}, {lines} lines"))
    }
}
