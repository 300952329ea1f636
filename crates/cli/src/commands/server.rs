//! `server`: runs the server.

use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag};
use crate::terminal::Terminal;

static CONFIG: Flag<Vec<String>> =
    Flag::new("config", "PATH", "Configuration file (.hcl or .json), or a folder of them; may be repeated.");
static DEV: Flag<bool> = Flag::switch("dev", "Runs in memory, initialized and unsealed, to try things out.");
static DEV_TOKEN: Flag<Option<String>> =
    Flag::new("dev-root-token-id", "TOKEN", "Root token of development mode.").variable("DEV_ROOT_TOKEN_ID");
static DEV_ADDRESS: Flag<Option<String>> =
    Flag::new("dev-listen-address", "HOST:PORT", "Address of development mode. Default: 127.0.0.1:8200.")
        .variable("DEV_LISTEN_ADDRESS");
static DEV_NO_STORE: Flag<bool> =
    Flag::switch("dev-no-store-token", "Does not put the root token into ~/.vault-token.");
static DEV_TLS: Flag<bool> = Flag::switch("dev-tls", "Serves TLS with a certificate made for the occasion.");
static DEV_TLS_DIR: Flag<Option<String>> =
    Flag::new("dev-tls-cert-dir", "FOLDER", "Where -dev-tls puts vault-ca.pem, vault-cert.pem and vault-key.pem.");
static DEV_KV_V1: Flag<bool> = Flag::switch("dev-kv-v1", "Mounts version 1 of kv at secret/, without versions.");
static DEV_LEASED_KV: Flag<bool> = Flag::switch("dev-leased-kv", "The same; its replies have a lease duration.");
static DEV_SKIP_INIT: Flag<bool> = Flag::switch("dev-skip-init", "Leaves the store of development mode uninitialized.");
static LOG_LEVEL: Flag<Option<String>> =
    Flag::new("log-level", "LEVEL", "trace, debug, info, warn or error.").variable("LOG_LEVEL");
static LOG_FORMAT: Flag<Option<String>> = Flag::new("log-format", "FORMAT", "standard or json.").variable("LOG_FORMAT");
static EXIT: Flag<bool> =
    Flag::switch("exit-on-core-shutdown", "Taken for compatibility: nothing stops here without the process.");

/// `server`.
pub static SERVER: Command = Command {
    name: "server",
    summary: "Run the server",
    arguments: "",
    count: Count::Exactly(0),
    about: "Runs the server until it gets SIGINT or SIGTERM. SIGHUP makes it read certificates again and reopen its audit \
            files.\n\nA new server has to be initialized (\"{program} operator init\") and, unless its configuration holds a \
            key, unsealed after each start (\"{program} operator unseal\").",
    examples: &[
        ("Try things out: in memory, with a root token of your choice", "server -dev -dev-root-token-id=root"),
        ("Run it for real", "server -config=/etc/coffer/coffer.hcl"),
    ],
    flags: &[
        &CONFIG.about,
        &DEV.about,
        &DEV_TOKEN.about,
        &DEV_ADDRESS.about,
        &DEV_NO_STORE.about,
        &DEV_TLS.about,
        &DEV_TLS_DIR.about,
        &DEV_KV_V1.about,
        &DEV_LEASED_KV.about,
        &DEV_SKIP_INIT.about,
        &LOG_LEVEL.about,
        &LOG_FORMAT.about,
        &EXIT.about,
    ],
    action: Action::Local(run),
};

fn run(_: &Terminal, arguments: &Arguments) -> Outcome {
    let options = options(arguments);
    if !options.dev && options.config.is_empty() {
        return Err(Failure::usage("Must specify at least one config path using -config")
            .hint("\"{program} server -dev\" tries it out in memory.".to_owned()));
    }
    if server::run(options) == std::process::ExitCode::SUCCESS { Ok(()) } else { Err(Failure::ended(1)) }
}

fn options(arguments: &Arguments) -> server::Options {
    let text = |flag| arguments.get::<Option<String>>(flag);
    // Any switch of development mode asks for it.
    let dev = [&DEV, &DEV_TLS, &DEV_KV_V1, &DEV_LEASED_KV, &DEV_SKIP_INIT].iter().any(|flag| arguments.get(flag));
    server::Options {
        config: arguments.get(&CONFIG).into_iter().map(Into::into).collect(),
        dev,
        dev_root_token_id: text(&DEV_TOKEN),
        dev_listen_address: text(&DEV_ADDRESS),
        dev_no_store_token: arguments.get(&DEV_NO_STORE),
        dev_kv_v1: arguments.get(&DEV_KV_V1),
        dev_tls: arguments.get(&DEV_TLS),
        dev_tls_cert_dir: text(&DEV_TLS_DIR).map(Into::into),
        dev_leased_kv: arguments.get(&DEV_LEASED_KV),
        dev_skip_init: arguments.get(&DEV_SKIP_INIT),
        log_level: text(&LOG_LEVEL).or_else(|| client::variable("LOG_LEVEL")),
        log_format: text(&LOG_FORMAT).or_else(|| client::variable("LOG_FORMAT")),
    }
}
