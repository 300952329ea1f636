//! The one way out: makes the calls that handlers ask for ([`engine::outside`]), under the rules of egress (security
//! decision D24). Nothing is held while a call is under way: no worker, no lock, no snapshot.
//!
//! - TLS is always verified: chain, name, dates. Only its authorities may be chosen. [`http`]
//! - No redirect is followed, no proxy used, nothing is sent again.
//! - What only the node itself may ask (link-local and metadata addresses) is never called. [`address`]
//! - Time, bytes of the answer, and calls under way to one server and in all are bounded.
//! - Errors and logs name server and reason: no path, no header, no body, no credential.

mod address;
#[cfg(test)]
pub(crate) mod fake;
mod http;
#[cfg(test)]
mod tests;
mod verifier;

use crate::shell::lock;
use engine::Secret;
use engine::outside::{CALL_TIME_MAX, Call, CallAnswer, CallFailure, ServiceAccountFile};
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Calls under way to one server.
const CALLS_PER_SERVER_MAX: usize = 64;
/// Calls under way in all.
const CALLS_UNDER_WAY_MAX: usize = 1_024;
/// Bytes of a file of the service account.
const FILE_BYTES_MAX: u64 = 64 << 10;
/// Where Kubernetes puts the files of the service account.
const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// Makes calls.
pub struct Outbound {
    clients: http::Clients,
    under_way: Arc<Mutex<UnderWay>>,
    service_account: PathBuf,
}

impl Default for Outbound {
    fn default() -> Self {
        Self {
            clients: http::Clients::default(),
            under_way: Arc::default(),
            service_account: PathBuf::from(SERVICE_ACCOUNT),
        }
    }
}

impl Outbound {
    /// Makes a call within a time, and what the call itself allows.
    pub async fn make(&self, call: &Call, time: Duration) -> Result<CallAnswer, CallFailure> {
        match call {
            Call::Http(call) => {
                let time = call.timeout.min(CALL_TIME_MAX).min(time);
                let url = http::target(call)?;
                let server = http::server(&url);
                let Some(_turn) = Turn::take(&self.under_way, &server) else { return Err(CallFailure::Busy) };
                let made = tokio::time::timeout(time, self.clients.send(call, url)).await;
                let outcome = made.unwrap_or(Err(http::Failed::silent(CallFailure::TimedOut)));
                outcome.map_err(|failed| {
                    let (failure, detail) = (failed.failure, failed.detail);
                    tracing::warn!(%server, %failure, %detail, "a call to the outside failed");
                    failure
                })
            }
            Call::ServiceAccount(file) => {
                let path = self.service_account.join(match file {
                    ServiceAccountFile::Token => "token",
                    ServiceAccountFile::Authority => "ca.crt",
                });
                let content = tokio::task::spawn_blocking(move || read(&path)).await;
                content.ok().flatten().map(CallAnswer::File).ok_or(CallFailure::Unreachable)
            }
        }
    }
}

/// The text of a small file.
fn read(path: &Path) -> Option<Secret<String>> {
    let mut content = String::new();
    let read = std::fs::File::open(path).ok()?.take(FILE_BYTES_MAX + 1).read_to_string(&mut content);
    let content = Secret::new(content);
    read.ok().filter(|length| u64::try_from(*length).is_ok_and(|length| length <= FILE_BYTES_MAX)).map(|_| content)
}

/// Calls under way, by server.
#[derive(Default)]
struct UnderWay {
    by_server: BTreeMap<String, usize>,
    total: usize,
}

/// The right to one call to a server, given back when dropped. A server that does not answer can so be asked by a few
/// requests only, and takes nothing from others.
struct Turn {
    under_way: Arc<Mutex<UnderWay>>,
    server: String,
}

impl Turn {
    fn take(under_way: &Arc<Mutex<UnderWay>>, server: &str) -> Option<Self> {
        let mut all = lock(under_way);
        let here = all.by_server.get(server).copied().unwrap_or_default();
        if here >= CALLS_PER_SERVER_MAX || all.total >= CALLS_UNDER_WAY_MAX {
            return None;
        }
        all.by_server.insert(server.to_owned(), here + 1);
        all.total += 1;
        Some(Self { under_way: under_way.clone(), server: server.to_owned() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut all = lock(&self.under_way);
        all.total = all.total.saturating_sub(1);
        let left = all.by_server.get(&self.server).map_or(0, |count| count.saturating_sub(1));
        if left == 0 {
            all.by_server.remove(&self.server);
        } else {
            all.by_server.insert(self.server.clone(), left);
        }
    }
}
