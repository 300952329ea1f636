//! What a person sees: on a terminal of its own, which the command controls.

use super::harness::{COFFER, Server, Shell};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;

/// Runs words on a terminal of that width; types `answer` once a question is on it. Exit code and all that was shown.
fn on_terminal(shell: &Shell, words: &[&str], width: u16, answer: Option<&str>) -> (i32, String) {
    program_on_terminal(shell, COFFER, words, width, answer)
}

fn program_on_terminal(
    shell: &Shell,
    program: &str,
    words: &[&str],
    width: u16,
    answer: Option<&str>,
) -> (i32, String) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap();
    let terminal = rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap();
    tcsetwinsize(&terminal, Winsize { ws_row: 24, ws_col: width, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    let terminal = File::from(terminal);
    let copy = || Stdio::from(terminal.try_clone().unwrap());
    let mut command = shell.command(Path::new("setsid"));
    command
        .args(["--ctty", "--wait", "timeout", "--foreground", "30", program])
        .args(words)
        .stdin(copy())
        .stdout(copy())
        .stderr(copy());
    let mut child = command.spawn().unwrap();
    drop(command);
    drop(terminal);
    let mut controller = File::from(controller);
    let (mut shown, mut answer, mut bytes) = (String::new(), answer, [0; 4096]);
    // Reading fails once nobody holds the other end any more.
    while let Ok(length @ 1..) = controller.read(&mut bytes) {
        shown.push_str(&String::from_utf8_lossy(&bytes[..length]));
        if shown.contains("(will be hidden): ")
            && let Some(answer) = answer.take()
        {
            // A control character ends the question by itself.
            let end = if answer.ends_with(|last: char| last.is_control()) { "" } else { "\n" };
            write!(controller, "{answer}{end}").unwrap();
        }
    }
    (child.wait().unwrap().code().unwrap(), shown)
}

#[test]
fn passwords_tokens_and_keys_are_asked_for_and_not_shown() {
    let mut server = Server::dev(&[]);
    server.shell.run("auth enable userpass").fine();
    let user = ["write", "auth/userpass/users/ann", "password=-"];
    let (exit, shown) = on_terminal(&server.shell, &user, 80, Some("CANARY"));
    assert!(
        exit == 0 && shown.contains("Value of password (will be hidden): ") && !shown.contains("CANARY"),
        "{shown}"
    );
    let key = |shell: &Shell| on_terminal(shell, &["operator", "unseal"], 80, Some("CANARY"));
    let (exit, shown) = on_terminal(&server.shell, &["login", "-method=userpass", "username=ann"], 80, Some("CANARY"));
    assert_eq!(exit, 0, "{shown}");
    assert!(shown.contains("Password (will be hidden): ") && shown.contains("token_meta_username    ann"), "{shown}");
    assert!(!shown.contains("CANARY") && shown.contains("VAULT_TOKEN is set"), "{shown}");
    server.shell.variables.retain(|(name, _)| name != "VAULT_TOKEN");
    let (exit, shown) = on_terminal(&server.shell, &["login", "-no-store"], 80, Some("CANARY"));
    assert!(exit == 2 && shown.contains("Token (will be hidden): ") && !shown.contains("CANARY"), "{shown}");
    let (exit, shown) = key(&server.shell);
    assert!(exit != 1 && shown.contains("Unseal Key (will be hidden): ") && !shown.contains("CANARY"), "{shown}");
}

#[test]
fn ctrl_c_at_a_hidden_question_ends_it_and_shows_again_what_is_typed() {
    for key in ["CANARY\u{3}", "\u{3}", "\u{1c}"] {
        let shell = Shell::new();
        let script = format!("{COFFER} login -no-store; echo exit=$?; stty -a");
        let (_, shown) = program_on_terminal(&shell, "sh", &["-c", &script], 80, Some(key));
        assert!(shown.contains("exit=130") && !shown.contains("CANARY"), "{shown}");
        let modes: Vec<&str> = shown.split_whitespace().collect();
        assert!(modes.contains(&"echo") && modes.contains(&"isig") && shown.contains("eol = <undef>"), "{shown}");
    }
}

#[test]
fn tables_fit_the_terminal_and_secrets_stay_whole() {
    let mut server = Server::dev(&[]);
    let long = "x".repeat(200);
    server.shell.run(&format!("write cubbyhole/a value={long}")).fine();
    server
        .shell
        .run("secrets enable -path=a -description='a description that is longer than what is left of a line' kv")
        .fine();
    let (_, shown) = on_terminal(&server.shell, &["secrets", "list"], 72, None);
    assert!(shown.lines().all(|line| line.trim_end().chars().count() <= 72), "{shown}");
    let (_, shown) = on_terminal(&server.shell, &["secrets", "list", "-detailed"], 72, None);
    assert!(shown.contains("Default TTL        ") && shown.contains("Key "), "{shown}");
    let (_, shown) = on_terminal(&server.shell, &["read", "cubbyhole/a"], 72, None);
    assert!(shown.contains(&long), "a secret was broken into lines: {shown}");
    server.shell.run_with(&["write", "cubbyhole/b", "value=-"], "a\u{1b}]0;title\u{7}b").fine();
    let (_, shown) = on_terminal(&server.shell, &["read", "cubbyhole/b"], 72, None);
    assert!(shown.contains("a\\u{1b}]0;title\\u{7}b") && !shown.contains("\u{1b}]0"), "{shown:?}");
    server.shell.set("NO_COLOR", "1");
    let (exit, shown) = on_terminal(&server.shell, &["read", "cubbyhole/c"], 72, None);
    assert!(exit == 2 && !shown.contains('\u{1b}'), "{shown:?}");
}
