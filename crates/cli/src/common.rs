//! Flags that every command with a server has: the connection, and how to print.

use crate::flags::{Flag, FlagAbout};
use std::collections::BTreeMap;

/// Address of the server.
pub static ADDRESS: Flag<Option<String>> = Flag::new(
    "address",
    "URL",
    "Address of the server: https://HOST:PORT, http://HOST:PORT or unix:///PATH. Default: https://127.0.0.1:8200.",
)
.variable("ADDR");
/// Address of an agent, which stands in for the server.
pub static AGENT_ADDRESS: Flag<Option<String>> =
    Flag::new("agent-address", "URL", "Address of an agent, used instead of the server's.").variable("AGENT_ADDR");
/// Authorities.
pub static CA_CERT: Flag<Option<String>> =
    Flag::new("ca-cert", "FILE", "PEM file with the authorities that the server's certificate may come from.")
        .variable("CACERT");
/// Folder of authorities.
pub static CA_PATH: Flag<Option<String>> =
    Flag::new("ca-path", "FOLDER", "Folder of PEM files with authorities; -ca-cert comes first.").variable("CAPATH");
/// Certificate of the client.
pub static CLIENT_CERT: Flag<Option<String>> =
    Flag::new("client-cert", "FILE", "PEM file with a certificate to show to the server; needs -client-key.")
        .variable("CLIENT_CERT");
/// Key of the client.
pub static CLIENT_KEY: Flag<Option<String>> =
    Flag::new("client-key", "FILE", "PEM file with the key of -client-cert.").variable("CLIENT_KEY");
/// No redirects.
pub static DISABLE_REDIRECTS: Flag<bool> =
    Flag::switch("disable-redirects", "Does not follow redirects of the server.").variable("DISABLE_REDIRECTS");
/// Further headers.
pub static HEADER: Flag<BTreeMap<String, String>> =
    Flag::new("header", "KEY=VALUE", "Header to send with each request, may be repeated. X-Vault-… is refused.");
/// Second factor.
pub static MFA: Flag<Vec<String>> =
    Flag::new("mfa", "ANSWER", "Answer to a second factor, may be repeated.").variable("MFA");
/// Namespace.
pub static NAMESPACE: Flag<Option<String>> =
    Flag::new("namespace", "PATH", "Namespace that paths are in.").alias("ns").variable("NAMESPACE");
/// No questions.
pub static NON_INTERACTIVE: Flag<bool> =
    Flag::switch("non-interactive", "Never asks; what is missing is an error. For scripts.");
/// Shows the request.
pub static OUTPUT_CURL: Flag<bool> =
    Flag::switch("output-curl-string", "Prints a curl command that does the same, and does nothing.");
/// Shows the policy.
pub static OUTPUT_POLICY: Flag<bool> =
    Flag::switch("output-policy", "Prints the policy that this command needs, and does nothing.");
/// For old scripts.
pub static POLICY_OVERRIDE: Flag<bool> =
    Flag::switch("policy-override", "Asks to override policies that can be; taken for compatibility.");
/// Name in the certificate.
pub static TLS_SERVER_NAME: Flag<Option<String>> =
    Flag::new("tls-server-name", "NAME", "Name that the server's certificate must have, if not the address's.")
        .variable("TLS_SERVER_NAME");
/// Any certificate.
pub static TLS_SKIP_VERIFY: Flag<bool> =
    Flag::switch("tls-skip-verify", "Takes any certificate. Whoever is on the way can read and change everything.")
        .variable("SKIP_VERIFY");
/// Key of a locked namespace.
pub static UNLOCK_KEY: Flag<Option<String>> =
    Flag::new("unlock-key", "KEY", "Key that unlocks a namespace; for \"namespace unlock\".");
/// Wrapped replies.
pub static WRAP_TTL: Flag<Option<String>> = Flag::new(
    "wrap-ttl",
    "DURATION",
    "Wraps the reply: prints a token that \"{program} unwrap\" turns into it, once, within this time.",
)
.variable("WRAP_TTL");
/// One field.
pub static FIELD: Flag<Option<String>> =
    Flag::new("field", "NAME", "Prints this field alone, without a line break if it goes to a pipe.");
/// How to print.
pub static FORMAT: Flag<Option<String>> =
    Flag::new("format", "FORMAT", "table, json, yaml, or raw (what the server sent). Default: table.")
        .variable("FORMAT");

/// All of them.
pub static ALL: [&FlagAbout; 20] = [
    &ADDRESS.about,
    &AGENT_ADDRESS.about,
    &CA_CERT.about,
    &CA_PATH.about,
    &CLIENT_CERT.about,
    &CLIENT_KEY.about,
    &DISABLE_REDIRECTS.about,
    &HEADER.about,
    &MFA.about,
    &NAMESPACE.about,
    &NON_INTERACTIVE.about,
    &OUTPUT_CURL.about,
    &OUTPUT_POLICY.about,
    &POLICY_OVERRIDE.about,
    &TLS_SERVER_NAME.about,
    &TLS_SKIP_VERIFY.about,
    &UNLOCK_KEY.about,
    &WRAP_TTL.about,
    &FIELD.about,
    &FORMAT.about,
];
