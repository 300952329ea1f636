//! Completion of what the server has: mounts, paths, secrets, policies.
//!
//! A person waits for this with a finger on the key: there is one short attempt, and whatever fails completes to nothing.

use crate::token_file;
use client::{Client, Reply, Request, Settings};
use serde_json::Value;
use std::time::Duration;

/// Longest wait for the server.
const PATIENCE: Duration = Duration::from_secs(1);
/// Most words that are offered.
const WORDS_MAX: usize = 1000;

/// What the argument of a command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A path of the API.
    Path,
    /// A secret of a kv engine; the mount may be named apart.
    Secret,
    /// Where a secrets engine is mounted.
    Mount,
    /// Where an auth method is mounted.
    Method,
    /// Name of a policy.
    Policy,
}

/// What the arguments of the command of these words are.
pub fn kind(words: &str) -> Option<Kind> {
    match words {
        "read" | "write" | "patch" | "delete" | "list" | "scan" | "path-help" => Some(Kind::Path),
        "kv enable-versioning" | "secrets disable" | "secrets move" | "secrets tune" => Some(Kind::Mount),
        "auth disable" | "auth help" | "auth move" | "auth tune" => Some(Kind::Method),
        "policy read" | "policy write" | "policy delete" => Some(Kind::Policy),
        _ if words.starts_with("kv ") => Some(Kind::Secret),
        _ => None,
    }
}

/// What can stand for a word that was begun.
pub fn words(kind: Kind, typed: &str, mount: Option<&str>) -> Vec<String> {
    let Some(server) = Server::new() else { return Vec::new() };
    let (folder, _) = typed.split_at(typed.rfind('/').map_or(0, |slash| slash + 1));
    let found = match (kind, folder, mount) {
        (Kind::Policy, ..) => server.list("sys/policies/acl"),
        (Kind::Mount, ..) | (Kind::Secret, "", None) => server.mounts("secret", ""),
        (Kind::Method, ..) => server.mounts("auth", ""),
        (Kind::Path, "", _) => [server.mounts("secret", ""), server.mounts("auth", "auth/")].concat(),
        (Kind::Path, "auth/", _) => server.mounts("auth", "auth/"),
        (Kind::Path, folder, _) => below(folder, server.list(folder)),
        (Kind::Secret, folder, mount) => below(folder, server.secrets(mount.unwrap_or_default(), folder)),
    };
    found.into_iter().filter(|word| word.starts_with(typed)).take(WORDS_MAX).collect()
}

fn below(folder: &str, keys: Vec<String>) -> Vec<String> {
    keys.into_iter().map(|key| format!("{folder}{key}")).collect()
}

struct Server {
    client: Client,
    runtime: tokio::runtime::Runtime,
}

impl Server {
    fn new() -> Option<Self> {
        let mut settings =
            Settings { timeout: PATIENCE, retries_max: 0, wrap_ttl: None, ..Settings::from_environment() };
        if settings.token.is_none() {
            settings.token = token_file::read().ok().flatten();
        }
        settings.token.as_ref()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().ok()?;
        Some(Self { client: Client::new(settings).ok()?, runtime })
    }

    fn ask(&self, request: &Request) -> Option<Reply> {
        self.runtime.block_on(self.client.send(request)).ok()
    }

    fn list(&self, path: &str) -> Vec<String> {
        let reply = self.ask(&Request::list(path));
        let keys = reply.as_ref().and_then(|reply| reply.data().get("keys")?.as_array());
        keys.map(|keys| keys.iter().filter_map(Value::as_str).map(str::to_owned).collect()).unwrap_or_default()
    }

    fn mounts(&self, class: &str, before: &str) -> Vec<String> {
        let reply = self.ask(&Request::read("sys/internal/ui/mounts"));
        let mounts = reply.as_ref().and_then(|reply| reply.data().get(class)?.as_object());
        mounts.map(|mounts| mounts.keys().map(|path| format!("{before}{path}")).collect()).unwrap_or_default()
    }

    /// Keys below a folder of a mount; without a mount, the folder begins with it.
    fn secrets(&self, mount: &str, folder: &str) -> Vec<String> {
        let whole = format!("{}/{folder}", mount.trim_matches('/')).trim_start_matches('/').to_owned();
        let Some(reply) = self.ask(&Request::read(&format!("sys/internal/ui/mounts/{}", whole.trim_end_matches('/'))))
        else {
            return Vec::new();
        };
        let of = |pointer: &str| reply.data().pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        match (whole.strip_prefix(of("/path")), of("/options/version")) {
            (Some(rest), "2") => self.list(&format!("{}metadata/{rest}", of("/path"))),
            _ => self.list(&whole),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind};

    #[test]
    fn commands_know_what_their_arguments_are() {
        assert_eq!(kind("read"), Some(Kind::Path));
        assert_eq!(kind("kv metadata get"), Some(Kind::Secret));
        assert_eq!(kind("kv enable-versioning"), Some(Kind::Mount));
        assert_eq!(kind("operator init"), None);
    }
}
