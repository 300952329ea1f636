//! Initialising and unsealing: the steps that exist before there is a kernel to ask.

use crate::drive;
use crate::shell::{Shell, lock};
use barrier::ceremony::CeremonyError;
use barrier::{InitError, Initialiser, Moment, Sealed, SharesIssued};
use engine::{Fault, Secret, SystemRandomness, Timestamp};
use kernel::registry::Keys;
use kernel::{Kernel, bootstrap};

/// A store that was initialised.
pub struct Initialised {
    /// Unseal or recovery shares.
    pub issued: SharesIssued,
    /// Root token.
    pub root_token: Secret<String>,
}

/// Initialises the store; the node stays sealed unless its seal opens by itself.
pub async fn initialise(shell: &Shell, how: &Initialiser, root_token: Option<String>) -> Result<Initialised, Fault> {
    let now = shell.clock.now();
    let mut randomness = SystemRandomness;
    let made = barrier::initialise(shell.log.snapshot(), how, kernel::keys::ROOT, moment(now), &mut randomness);
    let (mut tx, made) = made.map_err(init_fault)?;
    let keys = Keys { token: made.barrier.derive("token"), batch: made.barrier.derive_data_key("batch token") };
    let kernel = Kernel::new(engines::all(), shell.config.settings.clone(), keys);
    let root_token = bootstrap::bootstrap(&kernel, &mut tx, now, &mut randomness, root_token)?;
    let commit = tx.into_commit(&mut |bytes| engine::Randomness::fill(&mut randomness, bytes))?;
    drive::submit(shell, commit).await.map_err(|error| match error {
        store::CommitError::Conflict => Fault::invalid(InitError::AlreadyInitialised.to_string()),
        other => Fault::internal(other.to_string()),
    })?;
    tracing::info!("store is initialised");
    if let Initialiser::Static { key, .. } = how {
        unseal_static(shell, key)?;
    }
    Ok(Initialised { issued: made.issued, root_token })
}

/// Opens a store whose key is in the configuration.
pub fn unseal_static(shell: &Shell, key: &Secret<[u8; 32]>) -> Result<(), Fault> {
    let snapshot = shell.log.snapshot();
    let sealed = sealed(shell)?.ok_or_else(|| Fault::invalid("Vault is not initialized"))?;
    let barrier = sealed.unseal_static(snapshot.as_ref(), key).map_err(|error| Fault::internal(error.to_string()))?;
    shell.unseal(barrier)
}

/// Gives a share; the node opens with the last one.
pub fn give_share(shell: &Shell, share: Secret<Vec<u8>>) -> Result<(), Fault> {
    let snapshot = shell.log.snapshot();
    let sealed = sealed(shell)?.ok_or_else(|| Fault::invalid("Vault is not initialized"))?;
    let step = {
        let mut unsealing = lock(&shell.unsealing);
        let step = unsealing.submit(&sealed, snapshot.as_ref(), share, &mut SystemRandomness);
        *unsealing = step.next.unwrap_or_default();
        step.result
    };
    match step {
        Ok(Some(barrier)) => shell.unseal(barrier),
        Ok(None) => Ok(()),
        Err(CeremonyError::Barrier(error)) => Err(Fault::internal(error.to_string())),
        Err(error) => Err(Fault::invalid(error.to_string())),
    }
}

/// The seal of the store; `None` if it is not initialised.
pub fn sealed(shell: &Shell) -> Result<Option<Sealed>, Fault> {
    Sealed::load(shell.log.snapshot().as_ref()).map_err(|error| Fault::internal(error.to_string()))
}

/// Time as the barrier takes it.
pub fn moment(now: Timestamp) -> Moment {
    Moment(now.nanoseconds())
}

fn init_fault(error: InitError) -> Fault {
    match error {
        InitError::AlreadyInitialised => Fault::invalid(error.to_string()),
        InitError::Barrier(error) => Fault::internal(error.to_string()),
    }
}
