//! What share holders do together: new shares (`sys/rekey`, `sys/rotate/root`, `sys/rotate/recovery`) and a new root token
//! (`sys/generate-root`).
//!
//! A step is taken by a caller whose token may, or by a holder of a share who shows it; a listener can open the older
//! paths to everybody. Who is neither never takes the slot from somebody who is (S26, S27). What a step makes of the
//! ceremony is an [`Effect`]: the shell keeps it only after audit and commit (S28).

mod generate_root;
mod rekey;
mod wording;

use crate::{Ceremonies, Effect, Kx, authorize};
use barrier::ceremony::{Authority, CeremonyError, authorised};
use barrier::{Barrier, Moment, SharesIssued, parse_share};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::openpgp::Recipient;
use engine::{Ceremony, Fault, Route, Secret, SecretText};
use std::sync::{Arc, PoisonError};

/// The owner of a ceremony that was started by neither token nor share.
const ANYONE: &str = "anyone";

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    rekey::routes().into_iter().chain(generate_root::routes()).map(Route::root_namespace_only).collect()
}

/// The OpenPGP keys of a request.
pub fn recipients(keys: &[String]) -> Result<Vec<Recipient>, Fault> {
    let parse = |key: &String| {
        Recipient::parse(key).map_err(|error| Fault::invalid(format!("error decoding given PGP key: {error}")))
    };
    keys.iter().map(parse).collect()
}

/// Shares as a reply shows them: all in hex, and all in base64.
pub fn share_texts(issued: &SharesIssued) -> (Vec<String>, Vec<String>) {
    let hex = |share: &Secret<Vec<u8>>| share.as_slice().iter().map(|byte| format!("{byte:02x}")).collect();
    let base64 = |share: &Secret<Vec<u8>>| STANDARD.encode(share.as_slice());
    (issued.shares.iter().map(hex).collect(), issued.shares.iter().map(base64).collect())
}

/// Who takes a step.
enum Who {
    /// A caller whose token may, by a name for the status and the log.
    Caller(String),
    /// Somebody on a listener that opens the ceremony to everybody.
    Anyone,
    /// Somebody who has to show a share.
    Unknown,
}

fn who(kx: &Kx, ceremony: Option<Ceremony>) -> Who {
    match &kx.session {
        Some(session) if authorize::may(kx, &format!("sys/{}", kx.path)) => {
            Who::Caller(session.caller.display_name.clone())
        }
        _ if ceremony.is_some_and(|ceremony| kx.request.peer.open.contains(ceremony)) => Who::Anyone,
        _ => Who::Unknown,
    }
}

/// The owner of what is started, if it may be.
fn owner(kx: &mut Kx, who: Who, key: &SecretText) -> Result<String, Fault> {
    match who {
        Who::Caller(name) => Ok(name),
        Who::Anyone => Ok(ANYONE.to_owned()),
        Who::Unknown => {
            let share = parse_share(key.0.expose()).map_err(|_| Fault::Denied)?;
            holder(kx, &share)
        }
    }
}

/// Checks that somebody who may look or cancel asks. A share is no way to: a `GET` or `DELETE` has no place for it.
fn known(who: &Who) -> Result<(), Fault> {
    if matches!(who, Who::Unknown) { Err(Fault::Denied) } else { Ok(()) }
}

/// Checks that a ceremony may be ended: what a token or a share started, only a token ends.
fn may_cancel(who: &Who, owner: &str) -> Result<(), Fault> {
    match who {
        Who::Caller(_) => Ok(()),
        Who::Anyone if owner == ANYONE => Ok(()),
        _ => Err(Fault::Denied),
    }
}

/// The name of a share holder, if the share is one.
fn holder(kx: &mut Kx, share: &Secret<Vec<u8>>) -> Result<String, Fault> {
    let barrier = kx.barrier.clone();
    match authorised(&barrier, &mut kx.cx.tx, Authority::Share(share)) {
        Ok(owner) => Ok(owner),
        Err(CeremonyError::Barrier(error)) => Err(Fault::internal(error.to_string())),
        Err(_) => Err(Fault::Denied),
    }
}

/// Checks the share of a step. A caller whose token may is believed until the quorum is there; from anybody else a share
/// that is none has no effect, so that nobody makes others start over.
fn admit(kx: &mut Kx, who: &Who, share: &Secret<Vec<u8>>) -> Result<(), Fault> {
    match who {
        Who::Caller(_) => Ok(()),
        Who::Unknown => holder(kx, share).map(drop),
        Who::Anyone => match holder(kx, share) {
            Err(Fault::Denied) => Err(wording::general(CeremonyError::WrongShares)),
            other => other.map(drop),
        },
    }
}

fn running(kx: &Kx) -> Ceremonies {
    kx.node.ceremonies().lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Asks the shell to go on with these ceremonies.
fn keep(kx: &mut Kx, next: Ceremonies, barrier: Option<Arc<Barrier>>, after_fault: bool) {
    kx.effects.push(Effect::Ceremonies { next: Box::new(next), barrier, after_fault });
}

fn moment(kx: &Kx) -> Moment {
    Moment(kx.now.nanoseconds())
}
