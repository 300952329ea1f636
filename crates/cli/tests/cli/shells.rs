//! Completion in a real shell.

use super::harness::{COFFER, Server, Shell};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

fn in_bash(shell: &Shell, script: &str) -> String {
    inside(shell, &["bash", "--norc"], script)
}

/// What a shell prints, which finds the command by its name. The test command installs the shells.
fn inside(shell: &Shell, words: &[&str], script: &str) -> String {
    let mut program = shell.command(Path::new(words[0]));
    let path = format!("{}:{}", shell.home.path().display(), std::env::var("PATH").unwrap());
    program.args(&words[1..]).args(["-c", script]).env("PATH", path);
    let output = program.output().unwrap_or_else(|error| panic!("{} is needed: {error}", words[0]));
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
fn zsh_completes_commands_and_flags() {
    let shell = Shell::new();
    symlink(COFFER, shell.path("coffer")).unwrap();
    let ask = |words: &str| {
        // Outside of its line editor zsh has no list of matches: what would go there is printed.
        let script = format!(
            "source <(coffer completion zsh); compadd() {{ print -r -- ${{@[5,-1]}} }}; _files() {{ print files }}; \
             words=({words}); CURRENT=${{#words}}; _coffer; print -r -- $_comps[coffer]"
        );
        inside(&shell, &["zsh", "-f"], &script).trim().replace('\n', " ")
    };
    assert_eq!(ask("coffer sec"), "secrets _coffer");
    assert_eq!(ask("coffer kv metadata p"), "patch put _coffer");
    assert_eq!(ask("coffer kv get -ver"), "-version= _coffer");
    assert_eq!(ask("coffer policy write name ''"), "files _coffer");
}

#[test]
fn fish_completes_commands_and_flags() {
    let shell = Shell::new();
    symlink(COFFER, shell.path("coffer")).unwrap();
    let ask = |line: &str| {
        let script = format!("coffer completion fish | source; complete -C '{line}'");
        inside(&shell, &["fish", "--no-config"], &script).trim().replace('\n', " ")
    };
    assert_eq!(ask("coffer sec"), "secrets");
    assert_eq!(ask("coffer kv metadata p"), "patch put");
    assert_eq!(ask("coffer kv get -ver"), "-version=");
    assert_eq!(ask("coffer read -format=js"), "-format=json");
}

#[test]
fn what_the_server_has_is_completed() {
    let mut server = Server::dev(&[]);
    let shell = &mut server.shell;
    for line in [
        "kv put secret/app/database a=b",
        "kv put secret/other a=b",
        "auth enable userpass",
        "secrets enable -path=old kv",
    ] {
        shell.run(line).fine();
    }
    let ask = |shell: &Shell, words: &[&str]| {
        let words: Vec<&str> = std::iter::once(&"__complete").chain(words).copied().collect();
        shell.run_with(&words, "").fine().out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    assert_eq!(ask(shell, &["read", "se"]), "secret/");
    assert_eq!(ask(shell, &["list", "auth/u"]), "auth/userpass/");
    assert_eq!(ask(shell, &["list", "secret/metadata/"]), "secret/metadata/app/ secret/metadata/other");
    assert_eq!(ask(shell, &["kv", "get", "secret/a"]), "secret/app/");
    assert_eq!(ask(shell, &["kv", "get", "secret/app/"]), "secret/app/database");
    assert_eq!(ask(shell, &["kv", "get", "-mount=secret", "app/d"]), "app/database");
    assert_eq!(ask(shell, &["kv", "get", "-mount", "=", "secret", "o"]), "other");
    assert_eq!(ask(shell, &["secrets", "tune", "o"]), "old/");
    assert_eq!(ask(shell, &["auth", "disable", ""]), "token/ userpass/");
    assert_eq!(ask(shell, &["policy", "read", "d"]), "default");
    shell.set("VAULT_TOKEN", "wrong");
    assert_eq!(ask(shell, &["read", "se"]), "");
    shell.set("VAULT_ADDR", "http://127.0.0.1:1");
    assert_eq!(ask(shell, &["read", "se"]), "");
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
