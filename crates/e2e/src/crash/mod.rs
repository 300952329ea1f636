//! Kill −9 and look: what was acknowledged is there, what was not is there whole or not at all, what was revoked is dead.
//!
//! Two ways to die: at the k-th sync call of a fixed workload, for every k ([`at_every_sync`], held there by strace), and at a random moment under load from several clients ([`at_random`]). Both keep a [`Ledger`] of what the
//! server has promised and hold the restarted server to it. So does [`at_failed_syncs`], where a sync fails and the server
//! lives on.

mod failing;
mod ledger;
mod object;
mod random;
mod syncs;
mod workload;

pub use failing::at_failed_syncs;
pub use ledger::Ledger;
pub use object::Object;
pub use random::at_random;
pub use syncs::at_every_sync;

use std::time::Duration;

use serde_json::json;

use crate::failure::Outcome;
use crate::server::{Server, Settings};
use workload::Role;

/// The longest a restart may take until the first answer.
pub const RESTART_MAX: Duration = Duration::from_secs(5);

/// What a harness found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Deaths survived and judged.
    pub deaths: usize,
    /// Deaths after which something was wrong.
    pub deaths_faulty: usize,
    /// The slowest restart.
    pub slowest_restart: Duration,
    /// What was wrong, in words; each begins with the death it followed.
    pub faults: Vec<String>,
}

impl Findings {
    /// Restarts the server after a death, opens it and holds it to the ledger.
    fn judge(&mut self, server: &mut Server, ledgers: &mut [Ledger], death: &str) -> Outcome<()> {
        let faults_before = self.faults.len();
        let judged = self.judge_restart(server, ledgers, death);
        self.deaths += 1;
        self.deaths_faulty += usize::from(self.faults.len() > faults_before);
        judged
    }

    fn judge_restart(&mut self, server: &mut Server, ledgers: &mut [Ledger], death: &str) -> Outcome<()> {
        let took = match server.restart_with(Vec::new()) {
            Ok(took) => took,
            Err(failure) => {
                self.faults.push(format!("{death}: does not start again: {failure}"));
                return Err(failure);
            }
        };
        self.slowest_restart = self.slowest_restart.max(took);
        if took > RESTART_MAX {
            self.faults.push(format!("{death}: the restart took {took:?}"));
        }
        let rekeyed = ledgers.iter().find_map(|ledger| ledger.rekeyed.clone());
        let mut unsealed = match &rekeyed {
            // Acknowledged: the new share opens, and the old one is not even tried.
            Some((share, true)) => server.unseal_with(share),
            _ => server.unseal(),
        };
        if let (Err(_), Some((share, false))) = (&unsealed, &rekeyed) {
            unsealed = server.unseal_with(share);
        }
        if let Err(failure) = unsealed {
            self.faults.push(format!("{death}: does not unseal again: {failure}"));
            return Err(failure);
        }
        for ledger in ledgers {
            for fault in ledger.audit(server)? {
                self.faults.push(format!("{death}: {fault}"));
            }
        }
        Ok(())
    }
}

/// A server with kv version 2 at `secret/` and both login methods, ready for the workload.
fn prepared(settings: &Settings) -> Outcome<(Server, Role)> {
    let server = Server::start_unsealed(settings)?;
    server.as_root("POST", "sys/mounts/secret", Some(json!({"type": "kv", "options": {"version": "2"}})))?;
    // The peer turns a new mount into version 2 in the background and refuses writes until it is done.
    for _ in 0..200 {
        if server.as_root("POST", "secret/data/warm", Some(json!({"data": {"value": "0"}}))).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    server.as_root("POST", "sys/auth/userpass", Some(json!({"type": "userpass"})))?;
    server.as_root("POST", "sys/auth/approle", Some(json!({"type": "approle"})))?;
    server.as_root("POST", "auth/approle/role/crash", Some(json!({"token_ttl": "1h"})))?;
    let secret_id = server.as_root("POST", "auth/approle/role/crash/secret-id", Some(json!({})))?;
    let role = Role {
        role_id: server.as_root("GET", "auth/approle/role/crash/role-id", None)?.text_at("/data/role_id")?,
        secret_id: secret_id.text_at("/data/secret_id")?,
        share: server.shares.first().cloned().unwrap_or_default(),
    };
    Ok((server, role))
}
