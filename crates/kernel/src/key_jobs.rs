//! Background work on the barrier's keys: a new term when one is due, the count of encryptions that decides it, and old
//! records brought under the active term.

use crate::exchange::Arrival;
use barrier::{Moment, Pass, PassStep};
use engine::{Fault, Randomness, Tx};
use store::Commit;

/// Records rewritten in one activation.
pub const REWRITTEN_MAX: usize = 256;
/// Encryptions that are worth a write of the count. Fewer are left for later, or a node that does nothing would count
/// the writes of its own count.
const COUNTED_MIN: u64 = 1_024;

/// What an activation of [`tend`] decided.
#[derive(Default)]
pub struct Tended {
    /// Changes.
    pub commit: Option<Commit>,
    /// Whether they install a new term.
    pub rotated: bool,
    /// The count that they record, to be told to `Barrier::usage_recorded` after the commit.
    pub recorded: Option<u64>,
}

/// Installs a new term if the configuration asks for one; otherwise records the count of encryptions.
pub fn tend(arrival: Arrival) -> Result<Tended, Fault> {
    let Arrival { snapshot, barrier, now, mut randomness, .. } = arrival;
    let now = Moment(now.nanoseconds());
    let mut tx = Tx::new(snapshot, barrier.clone());
    let config = barrier.rotation_config(&mut tx).map_err(fault)?;
    let mut tended = Tended::default();
    let (pending, _) = barrier.unrecorded_usage();
    if barrier.rotation_due(&config, now) {
        barrier.rotate(&mut tx, now, randomness.as_mut()).map_err(fault)?;
        tended.rotated = true;
    } else if pending >= COUNTED_MIN {
        tended.recorded = Some(barrier.record_usage(&mut tx).map_err(fault)?);
    }
    tended.commit = committed(tx, randomness.as_mut())?;
    Ok(tended)
}

/// What an activation of [`reencrypt`] decided.
pub struct Reencrypted {
    /// Changes.
    pub commit: Option<Commit>,
    /// What to go on with once they are committed; `None` if the pass is over.
    pub next: Option<Pass>,
    /// Whether older terms go with this commit, since nothing needs them any more.
    pub retired: bool,
}

/// Begins a pass over the store, if there are records of older terms.
pub fn begin(arrival: &Arrival) -> Option<Pass> {
    arrival.barrier.reencryption(Moment(arrival.now.nanoseconds()))
}

/// Brings at most `limit` records under the active term; after a pass that met none, drops the older terms.
pub fn reencrypt(arrival: Arrival, pass: &Pass, limit: usize) -> Result<Reencrypted, Fault> {
    let Arrival { snapshot, barrier, mut randomness, .. } = arrival;
    let filled = |commit: Commit| Some(commit).filter(|commit| !commit.batch.changes.is_empty());
    let step = barrier.reencrypt(snapshot.as_ref(), pass, limit, randomness.as_mut()).map_err(fault)?;
    Ok(match step {
        PassStep::More { commit, pass } => Reencrypted { commit: filled(commit), next: Some(pass), retired: false },
        PassStep::Again { commit } => Reencrypted { commit: filled(commit), next: None, retired: false },
        PassStep::Clean(clean) => {
            let mut tx = Tx::new(snapshot, barrier.clone());
            barrier.retire_terms(&mut tx, &clean).map_err(fault)?;
            Reencrypted { commit: committed(tx, randomness.as_mut())?, next: None, retired: true }
        }
    })
}

fn committed(tx: Tx, randomness: &mut (dyn Randomness + Send)) -> Result<Option<Commit>, Fault> {
    if tx.writes_nothing() {
        return Ok(None);
    }
    Ok(Some(tx.into_commit(&mut |bytes| randomness.fill(bytes))?))
}

fn fault(error: impl std::fmt::Display) -> Fault {
    Fault::internal(error.to_string())
}
