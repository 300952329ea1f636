//! Every command once or more: how it ends and something that it prints. A command that no line names fails the last test.

use super::harness::{COFFER, Server, Shell};
use std::collections::{BTreeMap, BTreeSet};

/// Call, exit code, part of what it prints. `$name=` before a call keeps what it prints, for `$name` in later calls.
type Line = (&'static str, i32, &'static str);

const DATA: &[Line] = &[
    ("version", 0, "Vault v"),
    ("-version", 0, "Vault v"),
    ("--version", 0, "Vault v"),
    ("version-history", 0, "Installation Time"),
    ("status", 0, "Sealed          false"),
    ("print token", 0, "root"),
    ("write cubbyhole/note text=hello", 0, "Success! Data written to: cubbyhole/note"),
    ("read cubbyhole/note", 0, "text    hello"),
    ("read -field=text cubbyhole/note", 0, "hello"),
    ("read -field=none cubbyhole/note", 1, "Field \"none\" not present in secret"),
    ("read -format=raw cubbyhole/note", 0, "\"request_id\":"),
    ("read cubbyhole/none", 2, "No value found at cubbyhole/none"),
    ("read none/at/all", 2, "secrets list"),
    ("list cubbyhole", 0, "note"),
    ("list -format=json cubbyhole/none", 2, "{}"),
    ("patch secret/data/none data=x", 2, "Code: 4"),
    ("write cubbyhole/note", 1, "Must supply data or use -force"),
    ("write -f sys/tools/random", 0, "random_bytes"),
    ("delete cubbyhole/note", 0, "Success! Data deleted (if it existed) at: cubbyhole/note"),
    ("delete -format=json cubbyhole/note", 0, ""),
    ("read", 1, "Not enough arguments (expected 1 or more, got 0)"),
    ("path-help secret", 0, "PATHS"),
    ("path-help sys/mounts", 0, "mounts"),
    ("plugin list", 0, "userpass"),
    ("plugin list auth", 0, "approle"),
    ("plugin info secret kv", 0, "kv"),
    ("completion bash", 0, "complete"),
    ("completion tcsh", 1, "bash, zsh and fish"),
];

const KV: &[Line] = &[
    ("kv put -mount=secret app user=ann pass=one", 0, "version            1"),
    ("kv put -mount=secret -cas=0 app user=bob", 2, "check-and-set"),
    ("kv put -mount=secret app", 1, "Must supply data"),
    ("kv get -mount=secret app", 0, "user    ann"),
    ("kv get secret/app", 0, "user    ann"),
    ("kv get -field=user secret/app", 0, "ann"),
    ("$wrapped=kv get -mount=secret -wrap-ttl=60s -field=wrapping_token app", 0, ""),
    ("unwrap -field=data $wrapped", 0, "map[pass:one user:ann]"),
    ("kv list -wrap-ttl=60s secret", 0, "wrapping_token:"),
    ("kv put -wrap-ttl=60s -mount=secret wrapped a=b", 0, "wrapping_token:"),
    ("kv patch -wrap-ttl=60s -method=rw -mount=secret wrapped a=c", 0, "wrapping_token:"),
    ("kv metadata get -wrap-ttl=60s -mount=secret wrapped", 0, "wrapping_token:"),
    ("secrets list -wrap-ttl=60s", 0, "wrapping_token:"),
    ("policy read -wrap-ttl=60s default", 0, "wrapping_token:"),
    ("kv get -mount=secret none", 2, "No value found at secret/data/none"),
    ("kv get secret", 1, "is a mount and not a secret"),
    ("kv patch -mount=secret app pass=two", 0, "version            2"),
    ("kv patch -mount=secret -method=rw -remove-data=user app pass=three", 0, "version            3"),
    ("kv patch -mount=secret none a=b", 2, "kv put"),
    ("kv get -mount=secret -version=1 app", 0, "pass    one"),
    ("kv get -mount=secret -field=user app", 1, "The fields are:"),
    ("kv rollback -mount=secret -version=1 app", 0, "version            4"),
    ("kv rollback -mount=secret app", 1, "-version"),
    ("kv delete -mount=secret app", 0, "Success! Data deleted (if it existed) at: secret/data/app"),
    ("kv get -mount=secret app", 0, "deletion_time      20"),
    ("kv undelete -mount=secret -versions=4 app", 0, "Success! Data written to: secret/undelete/app"),
    ("kv undelete -mount=secret app", 1, "-versions"),
    ("kv get -mount=secret -field=user app", 0, "ann"),
    ("kv delete -mount=secret -versions=1,2 app", 0, "Success!"),
    ("kv destroy -mount=secret -versions=1 app", 0, "Success! Data written to: secret/destroy/app"),
    ("kv destroy -mount=secret -versions=one app", 1, "expected numbers"),
    ("kv list secret", 0, "app"),
    ("kv list -mount=secret none", 2, "No value found at secret/metadata/none"),
    ("kv put secret/dir/one a=b", 0, "secret/data/dir/one"),
    ("kv scan secret", 0, "dir/one"),
    ("scan secret/metadata", 0, "dir/one"),
    ("list -after=app secret/metadata", 0, "dir/"),
    ("kv metadata get -mount=secret app", 0, "== Version 4 =="),
    ("kv metadata put -mount=secret -max-versions=5 -custom-metadata=owner=me app", 0, "Success!"),
    ("kv metadata patch -mount=secret -custom-metadata=team=red -delete-version-after=1h app", 0, "Success!"),
    ("kv metadata get -mount=secret app", 0, "map[owner:me team:red]"),
    ("kv metadata patch -mount=secret -remove-custom-metadata=owner app", 0, "Success!"),
    ("kv metadata get -mount=secret app", 0, "map[team:red]"),
    ("kv metadata delete -mount=secret app", 0, "Success!"),
    ("kv get -mount=secret app", 2, "No value found"),
    ("secrets enable -path=old kv", 0, "Success!"),
    ("kv put old/app a=b", 0, "Success! Data written to: old/app"),
    ("kv get old/app", 0, "a                   b"),
    ("kv metadata get old/app", 1, "enable-versioning old/"),
    ("kv enable-versioning old", 0, "Success! Tuned the secrets engine at: old/"),
    ("kv get -format=json old/app", 0, "\"version\": 1"),
    ("kv get nowhere/app", 2, "Code: 403"),
    ("kv gte old/app", 1, "Did you mean \"coffer kv get\"?"),
];

const MOUNTS: &[Line] = &[
    ("secrets list", 0, "cubbyhole/"),
    ("secrets list -detailed", 0, "map[version:2]"),
    (
        "secrets enable -path=team -description='for the team' -default-lease-ttl=1h kv-v2",
        0,
        "Enabled the kv-v2 secrets engine at: team/",
    ),
    ("secrets enable -path=team kv-v2", 2, "path is already in use at team/"),
    ("secrets enable nothing-of-that-kind", 2, "plugin not found in the catalog"),
    ("secrets list -detailed", 0, "for the team"),
    ("secrets tune -max-lease-ttl=24h -description=less team", 0, "Tuned the secrets engine at: team/"),
    ("secrets list -detailed", 0, "24h"),
    ("secrets move team crew", 0, "Success! Finished moving"),
    ("secrets move none elsewhere", 2, "Error moving"),
    ("secrets disable crew", 0, "Disabled the secrets engine (if it existed) at: crew/"),
    ("auth list", 0, "token/"),
    ("auth list -detailed", 0, "default-service"),
    ("auth enable userpass", 0, "Enabled the userpass auth method at: userpass/"),
    ("auth enable nothing-of-that-kind", 2, "plugin not found in the catalog"),
    ("auth tune -default-lease-ttl=1h -user-lockout-threshold=9 userpass/", 0, "Tuned the auth method at: userpass/"),
    ("auth help userpass", 0, "login -method=userpass"),
    ("auth move auth/userpass people/", 0, "Success! Finished moving"),
    ("auth help people/", 0, "login -method=userpass"),
    ("auth help nothing", 1, "auth list"),
    ("auth disable people", 0, "Disabled the auth method (if it existed) at: people/"),
    ("audit list", 2, "No audit devices are enabled."),
    ("audit list -format=json", 0, "{}"),
    ("audit enable file file_path=/dev/null", 2, "cannot enable audit device via API"),
    ("audit disable none", 0, "Success!"),
];

const TOKENS: &[Line] = &[
    ("$token=token create -field=token -policy=default -ttl=1h -metadata=a=b -display-name=me", 0, ""),
    ("token lookup $token", 0, "map[a:b]"),
    ("$accessor=token lookup -field=accessor $token", 0, ""),
    ("token lookup -accessor $accessor", 0, "[default]"),
    ("token lookup", 0, "[root]"),
    ("token lookup nothing", 2, "Code: 403"),
    ("token capabilities $token secret/data/app", 0, "deny"),
    ("token capabilities -accessor $accessor secret/data/app", 0, "deny"),
    ("token capabilities sys/mounts", 0, "root"),
    ("token renew -increment=30m $token", 0, "30m"),
    ("token renew -accessor $accessor", 0, "token_renewable      true"),
    ("token create -type=batch -policy=default -ttl=10m", 0, "token_accessor       n/a"),
    ("token create -ttl=soon", 1, "invalid value for flag -ttl"),
    ("token revoke -accessor $accessor", 0, "Success!"),
    ("token revoke nothing", 0, "Success!"),
    ("token revoke", 1, "expected 1 or -self, got 0"),
    ("$other=token create -field=token -policy=default -orphan -use-limit=5", 0, ""),
    ("token revoke -mode=orphan $other", 0, "Success!"),
    ("token revoke -mode=sideways $other", 1, "orphan or path"),
    ("$wrapped=write -field=wrapping_token -wrap-ttl=60s sys/wrapping/wrap a=b", 0, ""),
    ("unwrap $wrapped", 0, "a      b"),
    ("unwrap $wrapped", 2, "wrapping token is not valid"),
    ("token create -wrap-ttl=1m", 0, "wrapping_token_creation_path:    auth/token/create"),
    ("lease lookup none/such", 2, "invalid lease"),
    ("lease renew none/such", 2, "lease not found"),
    ("lease revoke none/such", 0, "queued successfully"),
    ("lease revoke -prefix -sync none/", 0, "Success!"),
    ("lease revoke -force none/", 1, "-prefix"),
    ("lease revoke -force -prefix none/", 0, "Force revoked"),
    ("policy list", 0, "default\nroot"),
    ("policy read default", 0, "auth/token/lookup-self"),
    ("policy read none", 2, "No policy named: none"),
    ("policy delete none", 0, "Success! Deleted policy: none"),
    ("policy write none missing.hcl", 1, "missing.hcl"),
    ("policy fmt missing.hcl", 1, "missing.hcl"),
    ("login -method=nothing", 1, "Unknown auth method: nothing"),
    ("login -no-store token=nothing", 2, "permission denied"),
];

const NAMESPACES: &[Line] = &[
    ("namespace list", 2, "No namespaces found"),
    ("namespace create -custom-metadata=owner=ann team", 0, "map[owner:ann]"),
    ("namespace list", 0, "team/"),
    ("namespace list -detailed", 0, "map[owner:ann]"),
    ("namespace scan", 0, "team/"),
    ("namespace lookup team", 0, "path               team/"),
    ("namespace lookup none", 2, "Namespace not found"),
    ("namespace patch -custom-metadata=owner=bob team", 0, "map[owner:bob]"),
    ("secrets list -namespace=team", 0, "cubbyhole/"),
    ("-ns=team secrets enable kv", 0, "Success!"),
    ("secrets list -ns team", 0, "kv/"),
    ("$key=namespace lock -field=unlock_key team", 0, ""),
    ("secrets list -namespace=team", 2, "locked"),
    ("namespace unlock -unlock-key=$key team", 0, "Namespace unlocked"),
    ("namespace lock team", 0, "Unlock Key: "),
    ("namespace unlock team", 0, "sudo"),
    ("namespace delete team", 0, "Success!"),
    ("secrets list -namespace=none", 2, "namespace not found"),
];

const OPERATOR: &[Line] = &[
    ("operator key-status", 0, "Key Term            1"),
    ("operator rotate", 0, "Success! Rotated key\n\nKey"),
    ("operator key-status -field=term", 0, "2"),
    ("operator members", 0, "Active Node"),
    ("operator init -status", 0, "Vault is initialized"),
    ("operator init", 2, "already initialized"),
    ("operator generate-root -status", 0, "OTP Length"),
    ("operator generate-root -generate-otp", 0, ""),
    ("operator generate-root -decode=AAAA", 1, "Missing otp"),
    ("operator generate-root -init", 0, "OTP "),
    ("operator generate-root AAAA", 1, "Missing nonce"),
    ("operator generate-root -cancel", 0, "Success!"),
    ("operator rekey -status", 0, "Started    false"),
    ("operator rekey -init -key-shares=3 -key-threshold=2", 0, "New Shares"),
    ("operator rekey AAAA", 1, "Missing nonce"),
    ("operator rekey -cancel", 0, "Success!"),
    ("operator rekey -target=nothing -status", 1, "barrier or recovery"),
    ("operator rotate-keys -status", 0, "Started    false"),
    ("operator step-down", 0, "Success!"),
    ("debug -duration=1s -interval=1s -output=bundle -target=server-status -target=config", 0, "Success!"),
    ("debug -output=bundle", 1, "exists already"),
    ("debug -target=nothing", 1, "server-status"),
    ("operator seal", 0, "Success! Vault is sealed."),
    ("status", 2, "Sealed             true"),
    ("read cubbyhole/note", 2, "operator unseal"),
];

const GROUPS: [&[Line]; 6] = [DATA, KV, MOUNTS, TOKENS, NAMESPACES, OPERATOR];
/// Commands that tests of their own run, since they need files, input, or a server of their own.
const ELSEWHERE: [&str; 6] = ["server", "login", "audit verify", "audit enable", "operator unseal", "policy write"];

fn perform(lines: &[Line]) {
    let server = Server::dev(&[]);
    let mut kept: BTreeMap<&str, String> = BTreeMap::new();
    for (line, exit, part) in lines {
        let (name, call) = match line.strip_prefix('$').and_then(|line| line.split_once('=')) {
            Some((name, call)) => (Some(name), call),
            None => (None, *line),
        };
        let call = kept.iter().fold(call.to_owned(), |call, (name, value)| call.replace(&format!("${name}"), value));
        let ran = server.shell.run(&call);
        assert_eq!(ran.exit, *exit, "{line}: {ran:?}");
        assert!(format!("{}{}", ran.out, ran.err).contains(part), "{line}: {part:?} is not in {ran:?}");
        // What went well is on standard output, what did not is on standard error.
        if *exit == 1 {
            assert!(ran.out.is_empty() && !ran.err.is_empty(), "{line}: {ran:?}");
        }
        if let Some(name) = name {
            kept.insert(name, ran.out.trim().to_owned());
        }
    }
}

#[test]
fn data() {
    perform(DATA);
}

#[test]
fn kv() {
    perform(KV);
}

#[test]
fn mounts() {
    perform(MOUNTS);
}

#[test]
fn tokens() {
    perform(TOKENS);
}

#[test]
fn namespaces() {
    perform(NAMESPACES);
}

#[test]
fn operator() {
    perform(OPERATOR);
}

/// The commands that help lists, by their words.
fn listed(shell: &Shell, words: &str, found: &mut BTreeSet<String>) {
    let help = shell.run(format!("{words} -h").trim()).fine().out;
    let Some((_, list)) = help.split_once("\nCommands:\n") else {
        found.insert(words.to_owned());
        return;
    };
    for line in list.lines().take_while(|line| line.starts_with("    ")) {
        listed(shell, format!("{words} {}", line.split_whitespace().next().unwrap()).trim(), found);
    }
}

#[test]
fn every_command_is_run_by_a_test() {
    let mut commands = BTreeSet::new();
    listed(&Shell::new(), "", &mut commands);
    assert!(commands.len() > 70, "{commands:?}");
    let bare = |line: &str| {
        line.strip_prefix('$').and_then(|line| line.split_once('=')).map_or(line, |(_, call)| call).to_owned()
    };
    let run: Vec<String> =
        GROUPS.iter().flat_map(|lines| lines.iter().map(|(line, _, _)| format!("{} ", bare(line)))).collect();
    for command in commands {
        let is_run = run.iter().any(|line| line.starts_with(&format!("{command} ")));
        assert!(is_run || ELSEWHERE.contains(&command.as_str()), "no test runs {command}, of {COFFER}");
    }
}
