//! Completion in a real shell.

use super::harness::{COFFER, Shell};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn in_bash(shell: &Shell, script: &str) -> String {
    let mut bash = shell.command(Path::new("bash"));
    let path = format!("{}:{}", shell.home.path().display(), std::env::var("PATH").unwrap());
    let output = bash.args(["--norc", "-c", script]).env("PATH", path).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes_commands_and_flags() {
    let shell = Shell::new();
    symlink(COFFER, shell.path("coffer")).unwrap();
    let ask = |words: &str, at: usize| {
        let script = format!(
            "source <(coffer completion bash); compopt() {{ :; }}; COMP_WORDS=({words}); COMP_CWORD={at}; _coffer; echo \"${{COMPREPLY[*]}}\""
        );
        in_bash(&shell, &script).trim().replace('\n', " ")
    };
    assert_eq!(ask("coffer sec", 1), "secrets");
    assert_eq!(ask("coffer kv metadata p", 3), "patch put");
    assert_eq!(ask("coffer kv get -ver", 3), "-version=");
    assert_eq!(ask("coffer read -format = js", 4), "json");
}

#[test]
fn completion_is_installed_once_and_taken_out_again() {
    let mut shell = Shell::new();
    shell.set("SHELL", "/bin/bash");
    fs::write(shell.path(".bashrc"), "alias x=y\n").unwrap();
    shell.run("-autocomplete-install").fine();
    shell.run("-autocomplete-install").fine();
    let text = fs::read_to_string(shell.path(".bashrc")).unwrap();
    assert_eq!(text, "alias x=y\nsource <(coffer completion bash) # completion of coffer\n");
    shell.run("-autocomplete-uninstall").fine();
    assert_eq!(fs::read_to_string(shell.path(".bashrc")).unwrap(), "alias x=y\n");
    shell.set("SHELL", "/bin/tcsh");
    assert_eq!(shell.run("-autocomplete-install").exit, 1);
}
