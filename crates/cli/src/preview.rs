//! What a command would do: as a curl command, or as the policy it needs.

use crate::failure::{Failure, Outcome};
use client::{Client, Operation, Request};

/// What to show instead of doing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preview {
    /// A curl command.
    Curl,
    /// A policy.
    Policy,
}

/// Paths that need `sudo`, as far as commands here use them; `*` ends a prefix.
const SUDO: [&str; 12] = [
    "auth/token/accessors",
    "auth/token/create-orphan",
    "sys/audit*",
    "sys/config/*",
    "sys/internal/inspect/*",
    "sys/leases/lookup/*",
    "sys/leases/revoke-force/*",
    "sys/leases/revoke-prefix/*",
    "sys/leases/tidy",
    "sys/rotate",
    "sys/seal",
    "sys/step-down",
];

/// The text of a preview.
pub fn of(preview: Preview, client: &Client, request: &Request, program: &str) -> Outcome<String> {
    match preview {
        Preview::Curl => curl(client, request, program),
        Preview::Policy => Ok(policy(request)),
    }
}

fn curl(client: &Client, request: &Request, program: &str) -> Outcome<String> {
    let settings = client.settings();
    let url = client.address(request).map_err(|error| Failure::of_client("making the address", &error))?;
    let mut words = vec!["curl".to_owned()];
    let mut option = |name: &str, value: &str| words.push(format!("{name} {}", quoted(value)));
    if let Some(socket) = settings.address.strip_prefix("unix://") {
        option("--unix-socket", socket);
    }
    for (name, file) in [
        ("--cacert", &settings.ca_cert),
        ("--capath", &settings.ca_path),
        ("--cert", &settings.client_cert),
        ("--key", &settings.client_key),
    ] {
        if let Some(file) = file {
            option(name, file);
        }
    }
    let mut plain = String::new();
    if settings.skip_verify {
        plain.push_str(" --insecure");
    }
    if request.operation.method() != "GET" {
        plain.push_str(&format!(" -X {}", request.operation.method()));
    }
    let mut headers = vec!["\"X-Vault-Request: true\"".to_owned()];
    if settings.token.is_some() {
        // The token itself is not shown: it would end in logs and histories.
        headers.push(format!("\"X-Vault-Token: $({program} print token)\""));
    }
    for (name, value) in [("X-Vault-Namespace", &settings.namespace), ("X-Vault-Wrap-TTL", &settings.wrap_ttl)] {
        if let Some(value) = value {
            headers.push(quoted(&format!("{name}: {value}")));
        }
    }
    if request.operation == Operation::Patch {
        headers.push("\"Content-Type: application/merge-patch+json\"".to_owned());
    }
    let headers: String = headers.iter().map(|header| format!(" -H {header}")).collect();
    let body = request.body.as_ref().map(|body| format!(" -d {}", quoted(&body.to_string()))).unwrap_or_default();
    Ok(format!("{}{plain}{headers}{body} \"{url}\"", words.join(" ")))
}

/// In single quotes, as shells read them.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\"'\"'"))
}

fn policy(request: &Request) -> String {
    let path = request.path.trim_start_matches('/');
    let mut capabilities = match request.operation {
        Operation::Read => vec!["read"],
        Operation::List => vec!["list"],
        Operation::Scan => vec!["scan"],
        Operation::Write => vec!["create", "update"],
        Operation::Patch => vec!["patch"],
        Operation::Delete => vec!["delete"],
    };
    let needs_sudo = SUDO.iter().any(|known| match known.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => path == *known,
    });
    if needs_sudo {
        capabilities.push("sudo");
    }
    let list: Vec<String> = capabilities.iter().map(|capability| format!("\"{capability}\"")).collect();
    format!("path \"{path}\" {{\n  capabilities = [{}]\n}}", list.join(", "))
}
