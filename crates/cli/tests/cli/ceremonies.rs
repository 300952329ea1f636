//! A server from its first start to a new set of keys, with keys that come from standard input.

use super::harness::Server;
use serde_json::Value;
use std::fs;

fn texts(value: &Value) -> Vec<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_new_server_is_initialized_unsealed_and_rekeyed() {
    let mut server = Server::configured("");
    let shell = &mut server.shell;
    assert_eq!(shell.run("status").exit, 2);
    let ran = shell.run("operator init -status");
    assert_eq!((ran.exit, ran.out.as_str()), (2, "Vault is not initialized\n"));
    let made = shell.run("operator init -n 3 -t 2 -format=json").fine().json();
    let (keys, root) = (texts(&made["unseal_keys_b64"]), made["root_token"].as_str().unwrap().to_owned());
    assert_eq!((keys.len(), made["unseal_threshold"].as_i64()), (3, Some(2)));

    let ran = shell.run_with(&["operator", "unseal", "-"], &format!("{}\n", keys[0])).fine();
    assert!(ran.out.contains("Unseal Progress    1/2") && ran.err.is_empty(), "{ran:?}");
    let ran = shell.run("operator unseal -reset").fine();
    assert!(ran.out.contains("Unseal Progress    0/2"), "{ran:?}");
    shell.run_with(&["operator", "unseal", "-"], &keys[2]).fine();
    let ran = shell.run(&format!("operator unseal {}", keys[1])).fine();
    assert!(ran.out.contains("Sealed          false"), "{ran:?}");
    assert!(ran.err.contains("WARNING!") && !ran.err.contains(&keys[1]), "{ran:?}");
    let ran = shell.run("operator unseal");
    assert_eq!(ran.exit, 2, "{ran:?}");
    assert!(ran.err.contains("standard input is no terminal") && ran.err.contains("Pipe it in"), "{ran:?}");

    shell.set("VAULT_TOKEN", &root);
    rekey(&server, &keys);
}

fn rekey(server: &Server, keys: &[String]) {
    let shell = &server.shell;
    let begun = shell.run("operator rekey -init -key-shares=1 -key-threshold=1 -format=json").fine();
    assert!(begun.err.contains("WARNING!"), "{begun:?}");
    let nonce = begun.json()["nonce"].as_str().unwrap().to_owned();
    let nonce = format!("-nonce={nonce}");
    let ran = shell.run_with(&["operator", "rekey", &nonce, "-"], &keys[0]).fine();
    assert!(ran.out.contains("Progress                 1/2"), "{ran:?}");
    let done = shell.run_with(&["operator", "rekey", "-format=json", &nonce, "-"], &keys[1]).fine().json();
    let new = texts(&done["keys_base64"]);
    assert_eq!(new.len(), 1);
    generate_root(server, &new[0]);
    shell.run("operator seal").fine();
    let ran = shell.run_with(&["operator", "unseal", "-"], &keys[0]);
    assert!(shell.run("status").exit == 2, "an old key unseals: {ran:?}");
    shell.run("operator unseal -reset").fine();
    shell.run_with(&["operator", "unseal", "-"], &new[0]).fine();
    assert_eq!(shell.run("status").exit, 0);
}

fn generate_root(server: &Server, key: &str) {
    let shell = &server.shell;
    let begun = shell.run("operator generate-root -init -format=json").fine().json();
    let text = |name: &str| begun[name].as_str().unwrap().to_owned();
    let nonce = format!("-nonce={}", text("nonce"));
    let done = shell.run_with(&["operator", "generate-root", &nonce, "-format=json", "-"], key).fine().json();
    let encoded = done["encoded_token"].as_str().unwrap();
    let decode = format!("operator generate-root -decode {encoded} -otp {}", text("otp"));
    let token = shell.text(&decode);
    assert!(token.starts_with("hvs."), "{token}");
    // As the Python client's suite calls it, with flags of the connection in between.
    let address = shell.variables.iter().find(|(name, _)| name == "VAULT_ADDR").unwrap().1.clone();
    let again = shell.text(&format!(
        "operator generate-root -address {address} -tls-skip-verify -decode {encoded} -otp {}",
        text("otp")
    ));
    assert_eq!(again, token);
    let ran = shell.run_with(&["login", "-no-store", "-"], &token).fine();
    assert!(ran.out.contains("[\"root\"]"), "{ran:?}");
    assert_eq!(shell.run(&format!("operator generate-root -decode {encoded} -otp short")).exit, 1);
}

#[test]
fn an_audit_file_is_verified_and_an_edit_named() {
    let mut server = Server::configured("unsafe_allow_api_audit_creation = true");
    let shell = &mut server.shell;
    let made = shell.run("operator init -n=1 -t=1 -format=json").fine().json();
    shell.run_with(&["operator", "unseal", "-"], &texts(&made["unseal_keys_b64"])[0]).fine();
    shell.set("VAULT_TOKEN", made["root_token"].as_str().unwrap());
    let file = shell.path("audit.log");
    let ran = shell.run(&format!("audit enable -path=trail file file_path={file}")).fine();
    assert_eq!(ran.out, "Success! Enabled the file audit device at: trail/\n");
    assert!(shell.run("audit list -detailed").fine().out.contains(&file));
    for number in 0..5 {
        shell.run(&format!("write cubbyhole/{number} a=b")).fine();
    }
    shell.run("audit disable trail").fine();
    assert!(shell.run(&format!("audit verify {file}")).fine().out.contains("is whole"));
    let text = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for (broken, named) in [
        (text.replacen("cubbyhole/2", "cubbyhole/7", 1), None),
        (lines[..4].iter().chain(&lines[5..]).map(|line| format!("{line}\n")).collect(), Some("line 5 ")),
        (lines.iter().chain(&lines[2..3]).map(|line| format!("{line}\n")).collect(), Some("was added")),
    ] {
        let ran = shell.run_with(&["audit", "verify", "-"], &broken);
        assert_eq!(ran.exit, 2, "{ran:?}");
        let edited = || {
            lines.iter().position(|line| line.contains("cubbyhole/2")).map(|at| format!("line {} was edited", at + 1))
        };
        let wanted = named.map_or_else(|| edited().unwrap(), str::to_owned);
        assert!(ran.err.contains(&wanted), "{wanted}: {ran:?}");
    }
    assert_eq!(shell.run("audit verify none.log").exit, 1);
}
