//! What every file must be: short enough, explained at its top, free of stray characters and of machine paths.
//!
//! Lengths are checked against growth: a file or function above the aim is in `crates/xtask/tidy.tsv` with the length it
//! has, and that number may only fall.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::runner;

/// The list of what is still too long: place, lines.
const LIST: &str = "crates/xtask/tidy.tsv";
/// Why each dependency is there.
const REASONS: &str = "docs/dependencies.md";
/// The aim for a file, in lines.
const FILE_LINES_MAX: usize = 400;
/// The aim for a function, in lines.
const FUNCTION_LINES_MAX: usize = 60;
/// Beginnings of paths that only exist on somebody's machine.
const MACHINE_PATHS: [&str; 4] = ["/home/", "/Users/", "/root/", "/work/"];

/// Everything that is not tidy.
pub(crate) fn findings() -> Result<Vec<String>, String> {
    let listed = read_list()?;
    let mut found = Vec::new();
    let mut long = BTreeMap::new();
    for path in tracked_files()? {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let name = path.display().to_string();
        characters(&name, &text, &mut found);
        if path.extension().is_some_and(|extension| extension == "rs") {
            rust_file(&path, &name, &text, &mut found, &mut long);
        }
    }
    lengths(&listed, &long, &mut found);
    let read = |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
    dependencies(&read("Cargo.toml")?, &read(REASONS)?, &mut found);
    Ok(found)
}

/// Dependencies of the workspace without a reason, and reasons for what is no dependency.
fn dependencies(manifest: &str, reasons: &str, found: &mut Vec<String>) {
    let section = manifest.lines().skip_while(|line| *line != "[workspace.dependencies]").skip(1);
    let used: BTreeSet<&str> = section
        .take_while(|line| !line.starts_with('['))
        .filter_map(|line| line.split_once(" = "))
        .filter(|(_, value)| !value.contains("path = "))
        .map(|(name, _)| name.trim())
        .collect();
    let rows = reasons.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | "));
    let explained: BTreeSet<&str> = rows
        .filter(|(names, reason)| *names != "crate" && reason.trim_end_matches('|').trim().len() > 1)
        .flat_map(|(names, _)| names.split(", "))
        .map(str::trim)
        .collect();
    found.extend(used.difference(&explained).map(|name| format!("{REASONS}: no reason for {name}")));
    found.extend(explained.difference(&used).map(|name| format!("{REASONS}: {name} is no dependency")));
}

/// Compares what is too long with the list.
fn lengths(listed: &BTreeMap<String, usize>, long: &BTreeMap<String, usize>, found: &mut Vec<String>) {
    for (place, lines) in long {
        match listed.get(place) {
            Some(allowed) if lines <= allowed => {}
            Some(allowed) => found.push(format!("{place} grew from {allowed} to {lines} lines")),
            None => found.push(format!("{place} has {lines} lines; split it")),
        }
    }
    for (place, allowed) in listed {
        match long.get(place) {
            None => found.push(format!("{place} is short now: remove it from {LIST}")),
            Some(lines) if lines + 40 < *allowed => {
                found.push(format!("{place} fell from {allowed} to {lines} lines: lower it in {LIST}"));
            }
            Some(_) => {}
        }
    }
}

fn read_list() -> Result<BTreeMap<String, usize>, String> {
    let text = fs::read_to_string(LIST).map_err(|error| format!("{LIST}: {error}"))?;
    let mut listed = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let entry = line.split_once('\t').and_then(|(place, lines)| Some((place.to_owned(), lines.parse().ok()?)));
        let (place, lines) = entry.ok_or_else(|| format!("{LIST}: not place and lines: {line}"))?;
        listed.insert(place, lines);
    }
    Ok(listed)
}

fn tracked_files() -> Result<Vec<PathBuf>, String> {
    let text = runner::output(std::process::Command::new("git").args(["ls-files", "crates", "docs", ".ci", ".cargo"]))?;
    let kept =
        |name: &&str| [".rs", ".md", ".toml", ".tsv", ".hcl", ".lua", "run"].iter().any(|end| name.ends_with(end));
    Ok(text.lines().filter(kept).map(PathBuf::from).filter(|path| path.is_file()).collect())
}

fn characters(name: &str, text: &str, found: &mut Vec<String>) {
    let tabs_are_columns = name.ends_with(".tsv");
    for (index, line) in text.lines().enumerate() {
        let number = index + 1;
        if line.contains('\t') && !tabs_are_columns {
            found.push(format!("{name}:{number}: tab"));
        }
        if line.ends_with(' ') {
            found.push(format!("{name}:{number}: space at the end"));
        }
        if MACHINE_PATHS.iter().any(|path| begins_a_path(line, path)) && !name.ends_with("xtask/src/tidy.rs") {
            found.push(format!("{name}:{number}: path of somebody's machine"));
        }
    }
    if !text.is_empty() && !text.ends_with('\n') {
        found.push(format!("{name}: no newline at the end"));
    }
}

/// Whether `path` stands where a path begins, not inside a longer one such as an API path.
fn begins_a_path(line: &str, path: &str) -> bool {
    let inside = |before: char| before.is_alphanumeric() || "}>*$_-.".contains(before);
    line.match_indices(path).any(|(at, _)| !line.get(..at).is_some_and(|before| before.ends_with(inside)))
}

fn rust_file(path: &Path, name: &str, text: &str, found: &mut Vec<String>, long: &mut BTreeMap<String, usize>) {
    let is_test = name.contains("/tests") || name.ends_with("tests.rs");
    if !is_test && !text.starts_with("//!") && !text.starts_with("#!") {
        found.push(format!("{name}: does not open with what it is for (`//!`)"));
    }
    let is_root = path.file_name().is_some_and(|file| file == "lib.rs" || file == "main.rs")
        || path.parent().is_some_and(|folder| folder.ends_with("src/bin"));
    if is_root && !text.contains("#![forbid(unsafe_code)]") {
        found.push(format!("{name}: lacks #![forbid(unsafe_code)]"));
    }
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX && !is_test {
        long.insert(name.to_owned(), lines);
    }
    if !is_test {
        for (function, lines) in long_functions(text) {
            long.insert(format!("{name} fn {function}"), lines);
        }
    }
}

/// Functions above the aim, by the indentation of their closing brace.
fn long_functions(text: &str) -> Vec<(String, usize)> {
    let mut long = Vec::new();
    let mut open: Option<(String, usize, usize)> = None;
    for (number, line) in text.lines().enumerate() {
        let indent = line.len() - line.trim_start().len();
        if line.trim_start().starts_with("#[cfg(test)]") {
            break;
        }
        match &open {
            None => {
                if let Some(name) = function_name(line).filter(|_| !line.trim_end().ends_with([';', '}'])) {
                    open = Some((name, number, indent));
                }
            }
            Some((name, start, at)) if indent == *at && line.trim_start().starts_with('}') => {
                let lines = number - start + 1;
                if lines > FUNCTION_LINES_MAX {
                    long.push((name.clone(), lines));
                }
                open = None;
            }
            Some(_) => {}
        }
    }
    long
}

fn function_name(line: &str) -> Option<String> {
    let code = line.trim_start();
    let at = if code.starts_with("fn ") { 0 } else { code.find(" fn ").map(|at| at + 1)? };
    let starts = ["fn ", "pub", "async", "const", "unsafe", "extern"];
    if !starts.iter().any(|start| code.starts_with(start)) {
        return None;
    }
    let rest = code.get(at + 3..)?;
    rest.split(['(', '<']).next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::{dependencies, long_functions};

    #[test]
    fn every_dependency_has_a_reason() {
        let manifest = "[workspace.dependencies]\nours = { path = \"x\" }\na = \"1\"\nb = { version = \"1\" }\nc = \"2\"\n[x]\nd = \"1\"";
        let mut found = Vec::new();
        dependencies(manifest, "| crate | why |\n|---|---|\n| a, b | good |\n| e | gone |\n", &mut found);
        assert_eq!(found, ["docs/dependencies.md: no reason for c", "docs/dependencies.md: e is no dependency"]);
    }

    #[test]
    fn finds_functions_above_the_aim() {
        let body = "        call();\n".repeat(70);
        let text =
            format!("impl A {{\n    pub(crate) fn long(&self) {{\n{body}    }}\n\n    fn short() {{\n    }}\n}}\n");
        assert_eq!(long_functions(&text), [("long".to_owned(), 72)]);
    }
}
