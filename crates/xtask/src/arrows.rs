//! Who imports whom: the crate table of the architecture against `cargo metadata`, and the stages inside the kernel.
//!
//! Both rules have a committed list of exceptions, each with its reason: `crates/xtask/arrows.tsv`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::runner;

/// The exceptions: importer, imported, reason.
const EXCEPTIONS: &str = "crates/xtask/arrows.tsv";

/// The crate table: each crate and what it may import; with a crate come those that its own interface names. Test-only
/// imports are free, but for the product's own rule that the kernel never imports an engine.
const TABLE: [(&str, &[&str]); 16] = [
    ("wire", &[]),
    ("hcl", &[]),
    ("crypto", &[]),
    ("store", &[]),
    ("barrier", &["crypto", "store"]),
    ("engine", &["wire", "store", "crypto"]),
    ("engines", &["engine"]),
    ("kernel", &["engine", "barrier", "hcl"]),
    ("server", &["kernel", "engines", "barrier", "store", "hcl"]),
    ("client", &["wire"]),
    ("agent", &["client"]),
    ("cli", &["wire", "client", "agent", "server"]),
    ("sim", &["kernel", "engines", "barrier", "store"]),
    ("e2e", &["client"]),
    ("xtask", &[]),
    ("fuzz", &[]),
];

/// Kernel modules that are no stage but what stages are written with: what goes in and comes out, key layout, the
/// request's view, memory of derived values, the tables of what exists.
const GROUND: [&str; 6] = ["exchange", "keys", "kx", "memo", "node", "registry"];

/// Kernel modules that may import any other: they put the stages in order.
const CONDUCTORS: [&str; 2] = ["pipeline", "jobs"];

/// Everything that breaks the rules.
pub(crate) fn findings() -> Result<Vec<String>, String> {
    let exceptions = read_exceptions()?;
    let mut used = BTreeSet::new();
    let mut found = Vec::new();
    for (importer, imported) in crate_imports()?.into_iter().chain(stage_imports(Path::new("crates/kernel/src"))?) {
        match exceptions.iter().position(|(from, to)| *from == importer && *to == imported) {
            Some(index) => {
                used.insert(index);
            }
            None => found.push(format!("{importer} imports {imported}")),
        }
    }
    for (index, (from, to)) in exceptions.iter().enumerate() {
        if !used.contains(&index) {
            found.push(format!("the exception {from} -> {to} is not needed any more"));
        }
    }
    Ok(found)
}

fn read_exceptions() -> Result<Vec<(String, String)>, String> {
    let text = fs::read_to_string(EXCEPTIONS).map_err(|error| format!("{EXCEPTIONS}: {error}"))?;
    let mut exceptions = Vec::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let columns: Vec<&str> = line.split('\t').collect();
        match columns.as_slice() {
            [from, to, reason] if !reason.trim().is_empty() => exceptions.push(((*from).to_owned(), (*to).to_owned())),
            _ => return Err(format!("{EXCEPTIONS}: not importer, imported, reason: {line}")),
        }
    }
    Ok(exceptions)
}

/// Imports between our crates that the table does not allow.
fn crate_imports() -> Result<Vec<(String, String)>, String> {
    let text = runner::output(&mut runner::cargo(&["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let packages = metadata.get("packages").and_then(Value::as_array).cloned().unwrap_or_default();
    let word = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let ours: BTreeSet<String> = packages.iter().map(|package| word(package, "name")).collect();
    let mut broken = Vec::new();
    for package in &packages {
        let importer = word(package, "name");
        let Some((_, allowed)) = TABLE.iter().find(|(name, _)| *name == importer) else {
            broken.push((importer, "anything: it is not in the crate table".to_owned()));
            continue;
        };
        for dependency in package.get("dependencies").and_then(Value::as_array).unwrap_or(&Vec::new()) {
            let imported = word(dependency, "name");
            let for_tests = word(dependency, "kind") == "dev" && !(importer == "kernel" && imported == "engines");
            if ours.contains(&imported) && !for_tests && !may_import(allowed, &imported) {
                broken.push((importer.clone(), imported));
            }
        }
    }
    Ok(broken)
}

fn may_import(allowed: &[&str], imported: &str) -> bool {
    allowed.iter().any(|name| {
        let below = TABLE.iter().find(|(importer, _)| importer == name).map_or(&[][..], |(_, below)| below);
        *name == imported || may_import(below, imported)
    })
}

/// Stages of the kernel that import more than one other stage, as `kernel::stage` and the stages it imports.
fn stage_imports(source: &Path) -> Result<Vec<(String, String)>, String> {
    let stages = stages(source)?;
    let mut broken = Vec::new();
    for stage in stages.iter().filter(|stage| !CONDUCTORS.contains(&stage.as_str())) {
        let mut imported = BTreeSet::new();
        for file in files_of(source, stage) {
            let text = fs::read_to_string(&file).map_err(|error| error.to_string())?;
            imported.extend(stages.iter().filter(|other| *other != stage && names(&text, other)).cloned());
        }
        if imported.len() > 1 {
            broken.extend(imported.into_iter().map(|other| (format!("kernel::{stage}"), format!("kernel::{other}"))));
        }
    }
    Ok(broken)
}

fn names(text: &str, stage: &str) -> bool {
    let single = format!("crate::{stage}");
    let followed = |rest: &str| rest.starts_with([':', ';', ' ', ',', '}', '\n']);
    text.match_indices(&single).any(|(at, mark)| followed(text.get(at + mark.len()..).unwrap_or_default()))
}

fn stages(source: &Path) -> Result<Vec<String>, String> {
    let mut stages = BTreeSet::new();
    for entry in fs::read_dir(source).map_err(|error| format!("{}: {error}", source.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if path.is_dir() || (path.extension().is_some_and(|extension| extension == "rs") && stem != "lib") {
            stages.insert(stem);
        }
    }
    Ok(stages.into_iter().filter(|stage| stage != "tests" && !GROUND.contains(&stage.as_str())).collect())
}

/// The Rust files of a stage, its tests apart.
fn files_of(source: &Path, stage: &str) -> Vec<PathBuf> {
    let mut files = vec![source.join(format!("{stage}.rs"))];
    let mut folders = vec![source.join(stage)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
            if path.is_dir() && !is_test {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
                files.push(path);
            }
        }
    }
    files.retain(|file| file.is_file());
    files
}
