//! Kill −9 and look: what was acknowledged is there, what was not is there whole or not at all, what was revoked is dead.
//!
//! Two ways to die: at the k-th sync call of a fixed workload, for every k ([`at_every_sync`], by strace's fault
//! injection), and at a random moment under load from several clients ([`at_random`]). Both keep a [`Ledger`] of what the
//! server has promised and hold the restarted server to it.

mod ledger;
mod random;
mod syncs;
mod workload;

pub use ledger::Ledger;
pub use random::at_random;
pub use syncs::at_every_sync;

use std::time::Duration;

use serde_json::json;

use crate::failure::Outcome;
use crate::server::{Server, Settings};

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
        if let Err(failure) = server.unseal() {
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

/// A server with kv version 2 at `secret/`, ready for the workload.
fn prepared(settings: &Settings) -> Outcome<Server> {
    let server = Server::start_unsealed(settings)?;
    server.as_root("POST", "sys/mounts/secret", Some(json!({"type": "kv", "options": {"version": "2"}})))?;
    // The peer turns a new mount into version 2 in the background and refuses writes until it is done.
    for _ in 0..200 {
        if server.as_root("POST", "secret/data/warm", Some(json!({"data": {"value": "0"}}))).is_ok() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(server)
}
