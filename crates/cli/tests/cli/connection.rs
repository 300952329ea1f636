//! Ways to the server: variables, TLS, sockets, and what goes wrong on the way.

use super::harness::{Server, Shell};
use std::fs;

#[test]
fn variables_have_three_prefixes_and_flags_come_first() {
    let mut server = Server::dev(&[]);
    let shell = &mut server.shell;
    let address = shell.variables.iter().find(|(name, _)| name == "VAULT_ADDR").unwrap().1.clone();
    shell.set("VAULT_ADDR", "http://127.0.0.1:1");
    assert_eq!(shell.run("status").exit, 1);
    shell.run(&format!("status -address={address}")).fine();
    shell.set("BAO_ADDR", &address);
    shell.run("status").fine();
    shell.set("COFFER_ADDR", "http://127.0.0.1:1");
    let ran = shell.run("read cubbyhole/a");
    assert!(ran.exit == 2 && ran.err.contains("Nothing listens there"), "{ran:?}");
    shell.set("COFFER_ADDR", &address);
    shell.set("BAO_FORMAT", "json");
    assert_eq!(shell.run("status").fine().json()["sealed"], false);
    assert!(shell.run("status -format=table").fine().out.starts_with("Key "));
    let ran = shell.run("status -format=xml");
    assert!(ran.exit == 1 && ran.err.contains("Invalid output format: xml"), "{ran:?}");
    assert_eq!(shell.run("read -header=X-Vault-Token=x cubbyhole/a").exit, 1);
    assert_eq!(shell.run("status -address=nonsense").exit, 1);
    assert!(shell.run("read -header=X-Other=x sys/mounts").exit == 0);
}

#[test]
fn tls_is_verified_against_the_authority_that_is_named() {
    let folder = Shell::new();
    let flag = format!("-dev-tls-cert-dir={}", folder.path("tls"));
    let mut server = Server::dev(&["-dev-tls", &flag]);
    let shell = &mut server.shell;
    let address = shell.variables.iter().find(|(name, _)| name == "VAULT_ADDR").unwrap().1.clone();
    assert!(address.starts_with("https://"), "{address}");
    let ran = shell.run("status");
    assert!(ran.exit == 1 && ran.err.contains("VAULT_CACERT"), "{ran:?}");
    shell.run("status -tls-skip-verify").fine();
    let authority = folder.path("tls/vault-ca.pem");
    shell.run(&format!("status -ca-cert={authority}")).fine();
    fs::create_dir(folder.path("authorities")).unwrap();
    fs::copy(&authority, folder.path("authorities/one.pem")).unwrap();
    shell.run(&format!("status -ca-path={}", folder.path("authorities"))).fine();
    shell.run(&format!("status -ca-cert={authority} -tls-server-name=localhost")).fine();
    let ran = shell.run(&format!("status -ca-cert={authority} -tls-server-name=other.example"));
    assert!(ran.exit == 1 && ran.err.contains("-tls-server-name"), "{ran:?}");
    shell.set("VAULT_CACERT", &authority);
    shell.run("kv put secret/a b=c").fine();
    shell.set("VAULT_ADDR", &address.replacen("https", "http", 1));
    let ran = shell.run("read cubbyhole/a");
    assert_eq!(ran.exit, 2, "{ran:?}");
    let ran = shell.run("status -client-cert=x");
    assert!(ran.exit == 1 && ran.err.contains("together"), "{ran:?}");
}

#[test]
fn a_server_without_tls_is_noticed() {
    let mut server = Server::dev(&[]);
    let shell = &mut server.shell;
    let address = shell.variables.iter().find(|(name, _)| name == "VAULT_ADDR").unwrap().1.clone();
    shell.set("VAULT_ADDR", &address.replacen("http", "https", 1));
    let ran = shell.run("status");
    assert!(ran.exit == 1 && ran.err.contains("begins with http://"), "{ran:?}");
}

#[test]
fn a_socket_is_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("coffer.sock").display().to_string();
    let mut server = Server::configured(&format!("listener \"unix\" {{\n  address = \"{socket}\"\n}}"));
    server.shell.set("VAULT_ADDR", &format!("unix://{socket}"));
    let ran = server.shell.run("operator init -status");
    assert_eq!((ran.exit, ran.out.as_str()), (2, "Vault is not initialized\n"), "{ran:?}");
    let curl = server.shell.run("read -output-curl-string sys/health").fine().out;
    assert!(curl.contains(&format!("--unix-socket '{socket}'")), "{curl}");
}

#[test]
fn the_server_takes_its_flags_and_no_others() {
    let shell = Shell::new();
    let ran = shell.run("server -dev -dev-three-node");
    assert!(ran.exit == 1 && ran.err.contains("flag provided but not defined: -dev-three-node"), "{ran:?}");
    let ran = shell.run("server");
    assert!(ran.exit == 1 && ran.err.contains("server -dev"), "{ran:?}");
    let ran = shell.run("server -config=none.hcl");
    assert!(ran.exit == 1 && ran.err.contains("none.hcl"), "{ran:?}");
    let server = Server::dev(&["-dev-kv-v1"]);
    server.shell.run("kv put secret/a b=c").fine();
    assert!(server.shell.run("kv get secret/a").fine().out.contains("refresh_interval"), "kv of version 1 has leases");
}
