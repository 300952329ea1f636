//! What programs read: formats, fields, names and exit codes.

use super::harness::{COFFER, Server, Shell};
use std::os::unix::fs::symlink;

#[test]
fn formats_say_the_same() {
    let server = Server::dev(&[]);
    let shell = &server.shell;
    shell.run("kv put secret/a b=c n=1").fine();
    let json = shell.run("kv get -format=json secret/a").fine();
    assert!(json.out.starts_with("{\n  \"request_id\": "), "{}", json.out);
    assert_eq!(json.json()["data"]["data"]["n"], "1");
    let yaml = shell.run("kv get -format=yaml secret/a").fine().out;
    assert!(yaml.starts_with("data:\n  data:\n    b: c\n    \"n\": \"1\"\n  metadata:\n"), "{yaml}");
    assert_eq!(shell.run("kv list -format=yaml secret").fine().out, "- a\n");
    assert_eq!(shell.run("kv list -format=json secret").fine().out, "[\n  \"a\"\n]\n");
    assert_eq!(shell.run("kv list secret").fine().out, "Keys\n----\na\n");
    assert_eq!(shell.run("kv get -field=b secret/a").fine().out, "c");
    assert_eq!(shell.run("kv get -field=b -format=json secret/a").fine().out, "\"c\"");
    let raw = shell.run("read -format=raw secret/data/a").fine();
    assert_eq!(raw.json()["data"]["data"]["b"], "c");
    assert_eq!(shell.run("kv get -format=raw secret/a").exit, 1);
}

#[test]
fn the_name_it_is_started_under_is_its_name() {
    let mut shell = Shell::new();
    for name in ["vault", "bao"] {
        symlink(COFFER, shell.path(name)).unwrap();
        shell.program = shell.path(name).into();
        let ran = shell.run("raed x");
        assert_eq!(ran.exit, 127, "{ran:?}");
        assert!(ran.err.contains(&format!("Did you mean \"{name} read\"?")), "{ran:?}");
        let help = shell.run("kv get -h").fine().out;
        assert!(help.contains(&format!("$ {name} kv get")) && !help.contains("coffer"), "{help}");
        let version = shell.run("-version").fine().out;
        assert!(version.split_whitespace().nth(1).unwrap().starts_with("v1."), "{version}");
    }
}

#[test]
fn the_version_is_the_one_the_server_reports() {
    let mut server = Server::dev(&[]);
    let told = server.shell.run("status -format=json").fine().json()["version"].as_str().unwrap().to_owned();
    assert!(server.shell.text("version").contains(&format!(" v{told} (")));
    server.shell.set("COFFER_REPORTED_VERSION", "9.8.7");
    assert!(server.shell.text("version").contains(" v9.8.7 ("));
}

#[test]
fn calls_without_a_command_show_help_where_it_is_looked_for() {
    let shell = Shell::new();
    let ran = shell.run("");
    assert!(ran.exit == 127 && ran.out.is_empty() && ran.err.starts_with("Usage: coffer"), "{ran:?}");
    for line in ["-h", "--help", "help"] {
        let ran = shell.run(line).fine();
        assert!(ran.out.starts_with("Usage: coffer COMMAND") && ran.err.is_empty(), "{line}: {ran:?}");
    }
    let ran = shell.run("operator");
    assert!(ran.exit == 1 && ran.out.is_empty() && ran.err.contains("generate-root"), "{ran:?}");
    assert!(shell.run("help kv put").fine().out.starts_with("Usage: coffer kv put"));
    let ran = shell.run("read -feild=x y");
    assert!(ran.exit == 1 && ran.err.contains("Did you mean -field?"), "{ran:?}");
}

#[test]
fn a_closed_pipe_is_no_mistake() {
    let shell = Shell::new();
    let mut bash = shell.command(std::path::Path::new("/bin/sh"));
    let output = bash.arg("-c").arg(format!("{COFFER} -h | true; {COFFER} kv get -h | head -1")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "Usage: coffer kv get [FLAGS] KEY\n");
}

#[test]
fn dot_segments_and_bytes_that_are_no_text_are_refused() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let server = Server::dev(&[]);
    assert_eq!(server.shell.run("delete secret/../cubbyhole/a").exit, 1);
    let mut command = server.shell.command(std::path::Path::new(COFFER));
    let output = command.args(["write", "cubbyhole/a"]).arg(OsStr::from_bytes(b"x=\xff\xfe")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
}
