//! What must not be seen: passwords, tokens, and what is stored.

use super::harness::Server;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn a_login_keeps_its_token_for_its_owner_alone() {
    let mut server = Server::dev(&[]);
    let shell = &mut server.shell;
    shell.run("auth enable userpass").fine();
    shell.run_with(&["write", "auth/userpass/users/ann", "password=-", "token_policies=default"], "CANARY-1").fine();
    shell.variables.retain(|(name, _)| name != "VAULT_TOKEN");

    let ran = shell.run("login -method=userpass username=ann password=wrong");
    assert!(ran.exit == 2 && ran.err.contains("invalid username or password"), "{ran:?}");
    let ran = shell.run_with(&["login", "-method=userpass", "username=ann", "password=-"], "CANARY-1\n").fine();
    assert!(ran.out.contains("token_meta_username    ann") && !ran.err.contains("WARNING"), "{ran:?}");
    let file = shell.home.path().join(".vault-token");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(shell.text("print token"), fs::read_to_string(&file).unwrap());
    assert!(shell.run("token lookup").fine().out.contains("[default]"));

    let ran =
        shell.run_with(&["login", "-method=userpass", "-token-only", "username=ann", "password=-"], "CANARY-1").fine();
    assert!(ran.out.starts_with("hvs.") && ran.err.is_empty() && !ran.out.ends_with('\n'), "{ran:?}");
    let ran = shell.run_with(&["login", "-no-print", "-"], "root").fine();
    assert_eq!(ran.out, "");
    assert_eq!(shell.text("print token"), "root");
    let ran = shell.run("login -method=userpass username=ann");
    assert!(ran.exit == 2 && ran.err.contains("password=-"), "{ran:?}");
    let ran = shell.run("login -method=userpass -non-interactive username=ann");
    assert!(ran.exit == 2 && ran.err.contains("-non-interactive was given"), "{ran:?}");

    shell.set("VAULT_TOKEN", "root");
    let ran = shell.run_with(&["login", "-"], "root").fine();
    assert!(ran.err.contains("VAULT_TOKEN is set"), "{ran:?}");
}

#[test]
fn a_machine_logs_in() {
    let server = Server::dev(&[]);
    let shell = &server.shell;
    shell.run("auth enable approle").fine();
    shell.run("write auth/approle/role/web token_policies=default").fine();
    let id = shell.text("read -field=role_id auth/approle/role/web/role-id");
    fs::write(shell.path("secret-id"), shell.text("write -f -field=secret_id auth/approle/role/web/secret-id"))
        .unwrap();
    let ran = shell.run(&format!("login -method=approle -no-store role_id={id} secret_id=@secret-id")).fine();
    assert!(ran.out.contains("token_meta_role_name    web"), "{ran:?}");
}

#[test]
fn a_secret_among_the_arguments_is_warned_of_and_never_repeated() {
    let server = Server::dev(&[]);
    let shell = &server.shell;
    for line in [
        "write cubbyhole/a password=CANARY",
        "write cubbyhole/a secret_id=CANARY",
        "login -no-store CANARY",
        "login -no-store token=CANARY",
        "operator unseal CANARY",
        "login -no-store -method=userpass username=x password=CANARY",
    ] {
        let ran = shell.run(line);
        assert!(ran.err.contains("WARNING!") && ran.err.contains("history"), "{line}: {ran:?}");
        assert!(!ran.err.contains("CANARY") && !ran.out.contains("CANARY"), "{line}: {ran:?}");
    }
    for line in [
        "kv put secret/a CANARY",
        "write cubbyhole/a '=CANARY'",
        "kv put secret/a x=@CANARY",
        "token create -ttl=CANARY",
    ] {
        let ran = shell.run(line);
        assert_eq!(ran.exit, 1, "{line}: {ran:?}");
        assert!(line.contains('@') || !ran.err.contains("CANARY"), "{line}: {ran:?}");
    }
    let ran = shell.run("kv put -output-curl-string secret/a x=y");
    assert!(ran.out.contains("coffer print token") && !ran.out.contains("root"), "{ran:?}");
}

#[test]
fn values_come_from_arguments_files_and_standard_input() {
    let server = Server::dev(&[]);
    let shell = &server.shell;
    fs::write(shell.path("value"), "one\ntwo").unwrap();
    fs::write(shell.path("object.json"), r#"{"n": 12345678901234567890.10, "deep": {"a": [1, null]}}"#).unwrap();
    shell
        .run_with(&["kv", "put", "secret/a", "@object.json", "x=@value", "y=-", "z=\\@value", "e=a=b", "none="], "in\n")
        .fine();
    let data = |name: &str| shell.run(&format!("kv get -format=json -field={name} secret/a")).fine().out;
    assert_eq!(data("x"), r#""one\ntwo""#);
    assert_eq!(data("y"), r#""in\n""#);
    assert_eq!(data("z"), r#""@value""#);
    assert_eq!(data("e"), r#""a=b""#);
    assert_eq!(data("none"), r#""""#);
    assert_eq!(data("n"), "12345678901234567890.10");
    shell.run_with(&["kv", "put", "secret/b", "-"], r#"{"a": "b"}"#).fine();
    assert_eq!(shell.text("kv get -field=a secret/b"), "b");
    let ran = shell.run_with(&["kv", "put", "secret/b", "-", "x=-"], "{}");
    assert!(ran.exit == 1 && ran.err.contains("once only"), "{ran:?}");
    let ran = shell.run_with(&["kv", "put", "secret/b", "-"], "[1]");
    assert!(ran.exit == 1 && ran.err.contains("no object"), "{ran:?}");
}

#[test]
fn a_policy_is_written_formatted_and_read_back() {
    let server = Server::dev(&[]);
    let shell = &server.shell;
    fs::write(shell.path("web.hcl"), "path \"secret/data/*\" {\ncapabilities=[\"read\"]\n}").unwrap();
    shell.run("policy fmt web.hcl").fine();
    let wanted = "path \"secret/data/*\" {\n  capabilities = [\"read\"]\n}\n";
    assert_eq!(fs::read_to_string(shell.path("web.hcl")).unwrap(), wanted);
    assert_eq!(shell.run("policy write web web.hcl").fine().out, "Success! Uploaded policy: web\n");
    assert_eq!(shell.run("policy read web").fine().out, wanted);
    shell.run_with(&["policy", "write", "web", "-"], "path \"a\" {}").fine();
    let needed = shell.run("kv get -output-policy -mount=secret app").fine().out;
    shell.run_with(&["policy", "write", "web", "-"], &needed).fine();
    let token = shell.text("token create -policy=web -field=token");
    shell.run("kv put secret/app a=b").fine();
    assert_eq!(shell.text(&format!("token capabilities {token} secret/data/app")), "read");
    assert!(shell.run("policy write web web.json").err.contains("No such file"));
}
