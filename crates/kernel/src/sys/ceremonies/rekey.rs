//! New shares of the unseal or recovery key, over two families of paths.

use super::wording::{Family, Kind, Step, general};
use super::{ANYONE, Who, admit, keep, known, may_cancel, moment, owner, recipients, running, who};
use crate::{Ceremonies, Kx};
use barrier::ceremony::{
    Authority, Backup, CeremonyError, Rekey, RekeyProgress, RekeyRequest, RekeyStatus, Verification,
};
use barrier::{SealType, ShareRequest, ShareRequestError, SharesFor, parse_share};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{Ceremony, Fault, Reply, Route, Secret, SecretText, StringList};
use serde_json::{Map, Value, json};

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let kind = |family, shares_for| Kind { family, shares_for };
    let (unseal, recovery) = (SharesFor::Unseal, SharesFor::Recovery);
    let open = |routes: [Route<Kx>; 3]| routes.map(|route| route.share_holders(Ceremony::Rekey));
    let mut all: Vec<Route<Kx>> = Vec::new();
    all.extend(open(steps(kind(Family::Rekey, unseal), ["rekey/init", "rekey/update", "rekey/verify"])));
    all.extend(open(steps(
        kind(Family::Rekey, recovery),
        ["rekey-recovery-key/init", "rekey-recovery-key/update", "rekey-recovery-key/verify"],
    )));
    all.extend(steps(kind(Family::Rotate, unseal), ["rotate/root/init", "rotate/root/update", "rotate/root/verify"]));
    all.extend(steps(
        kind(Family::Rotate, recovery),
        ["rotate/recovery/init", "rotate/recovery/update", "rotate/recovery/verify"],
    ));
    all.extend([
        backup("rekey/backup", unseal),
        backup("rekey/recovery-key-backup", recovery),
        backup("rotate/root/backup", unseal),
        backup("rotate/recovery/backup", recovery),
    ]);
    all
}

fn steps(kind: Kind, [init, update, verify]: [&'static str; 3]) -> [Route<Kx>; 3] {
    [
        Route::at(init, "Start, watch and cancel a change of shares.")
            .read(move |kx: &mut Kx, (): ()| status(kx, kind))
            .write(move |kx: &mut Kx, request: Start| start(kx, kind, request))
            .delete(move |kx: &mut Kx, (): ()| cancel(kx, kind)),
        Route::at(update, "Give an old share.")
            .write(move |kx: &mut Kx, request: Submit| self::update(kx, kind, request)),
        Route::at(verify, "Give a new share back, before it counts.")
            .read(move |kx: &mut Kx, (): ()| verification(kx, kind))
            .write(move |kx: &mut Kx, request: Submit| self::verify(kx, kind, request))
            .delete(move |kx: &mut Kx, (): ()| restart_verification(kx, kind)),
    ]
}

fn backup(path: &'static str, shares_for: SharesFor) -> Route<Kx> {
    Route::at(path, "The encrypted shares that were kept.")
        .read(move |kx: &mut Kx, (): ()| read_backup(kx, shares_for))
        .delete(move |kx: &mut Kx, (): ()| {
            Backup::delete(&mut kx.cx.tx, shares_for);
            Ok(Reply::empty())
        })
}

engine::request! {
    /// Starts a change of shares.
    pub struct Start {
        /// Number of new shares.
        secret_shares: i64,
        /// New shares needed to unseal.
        secret_threshold: i64,
        /// OpenPGP public keys, one for each new share.
        pgp_keys: StringList,
        /// Whether a copy of the encrypted shares is kept.
        backup: bool,
        /// Whether new shares have to be given back before they count.
        require_verification: bool,
        /// An old share, from callers without a token.
        key: SecretText,
    }
}

engine::request! {
    /// Gives a share.
    pub struct Submit {
        /// The share in hex or base64.
        key: SecretText,
        /// Identifies the change.
        nonce: String,
    }
}

impl Kind {
    fn caller(self, kx: &Kx) -> Who {
        who(kx, (self.family == Family::Rekey).then_some(Ceremony::Rekey))
    }

    /// Whether there are no shares to change but a root key, as with a seal that opens by itself.
    fn is_root_key_alone(self, kx: &Kx) -> bool {
        kx.barrier.seal_info().seal_type == SealType::Static && self.shares_for == SharesFor::Unseal
    }

    /// Whether this seal has such shares.
    fn check_supported(self, kx: &Kx) -> Result<(), Fault> {
        let shamir = kx.barrier.seal_info().seal_type == SealType::Shamir;
        match (!shamir || self.shares_for == SharesFor::Unseal, self.family) {
            (true, _) => Ok(()),
            (false, Family::Rekey) => Err(Fault::invalid("recovery rekeying not supported")),
            (false, Family::Rotate) => Err(general(CeremonyError::Unsupported)),
        }
    }

    fn slot(self, ceremonies: &mut Ceremonies) -> &mut Option<Rekey> {
        match self.shares_for {
            SharesFor::Unseal => &mut ceremonies.rekey,
            SharesFor::Recovery => &mut ceremonies.rekey_recovery,
        }
    }

    /// What runs, if it did not end by itself.
    fn current(self, kx: &Kx) -> Option<Rekey> {
        self.slot(&mut running(kx)).take().filter(|rekey| rekey.is_live(moment(kx)))
    }

    fn go_on(self, kx: &mut Kx, next: Option<Rekey>, barrier: Option<std::sync::Arc<barrier::Barrier>>, failed: bool) {
        let mut all = running(kx);
        *self.slot(&mut all) = next;
        keep(kx, all, barrier, failed);
    }
}

fn required(kx: &Kx) -> Result<usize, Fault> {
    Rekey::required(&kx.barrier).map_err(general)
}

fn shown(kx: &Kx, kind: Kind, rekey: Option<&Rekey>) -> Result<Reply, Fault> {
    let status = rekey.map(Rekey::status);
    Ok(kind.reply(kind.status(status.as_ref(), required(kx)?)))
}

fn status(kx: &mut Kx, kind: Kind) -> Result<Reply, Fault> {
    known(&kind.caller(kx))?;
    kind.check_supported(kx)?;
    let current = kind.current(kx);
    shown(kx, kind, current.as_ref())
}

fn start(kx: &mut Kx, kind: Kind, request: Start) -> Result<Reply, Fault> {
    let caller = kind.caller(kx);
    let owner = owner(kx, caller, &request.key)?;
    kind.check_supported(kx)?;
    // What nobody in particular started gives way to somebody who may (S27).
    let current = kind.current(kx).filter(|current| owner == ANYONE || current.status().owner != ANYONE);
    if current.is_some() {
        return Err(kind.bad_start(CeremonyError::AlreadyStarted));
    }
    let wanted = if kind.is_root_key_alone(kx) { root_key_alone()? } else { wanted(kind, &request)? };
    let (barrier, now) = (kx.barrier.clone(), moment(kx));
    let authority = Authority::Caller(&owner);
    let randomness = kx.cx.randomness.as_mut();
    let started = Rekey::start(None, &barrier, &mut kx.cx.tx, authority, wanted, now, randomness)
        .map_err(|error| kind.bad_start(error))?;
    let reply = shown(kx, kind, Some(&started));
    kind.go_on(kx, Some(started), None, false);
    reply
}

/// What a request asks for.
fn wanted(kind: Kind, request: &Start) -> Result<RekeyRequest, Fault> {
    if kind.family == Family::Rekey && request.backup && request.pgp_keys.0.is_empty() {
        return Err(general(CeremonyError::BackupWithoutRecipients));
    }
    let given = i64::try_from(request.pgp_keys.0.len()).unwrap_or(i64::MAX);
    if given > 0 && given != request.secret_shares {
        return Err(kind.bad_start(ShareRequestError::Recipients.into()));
    }
    let recipients = recipients(&request.pgp_keys.0).map_err(|fault| kind.bad_configuration(&fault))?;
    let backup = request.backup && !recipients.is_empty();
    let shares = ShareRequest::new(request.secret_shares, request.secret_threshold, recipients)
        .map_err(|error| kind.bad_start(error.into()))?;
    Ok(RekeyRequest {
        shares_for: kind.shares_for,
        shares,
        new_root_key: kind.family == Family::Rotate,
        backup,
        require_verification: request.require_verification,
    })
}

/// A change of the root key, whatever shares are asked for.
fn root_key_alone() -> Result<RekeyRequest, Fault> {
    let shares = ShareRequest::new(1, 1, Vec::new()).map_err(|error| general(error.into()))?;
    let shares_for = SharesFor::Unseal;
    Ok(RekeyRequest { shares_for, shares, new_root_key: true, backup: false, require_verification: false })
}

fn cancel(kx: &mut Kx, kind: Kind) -> Result<Reply, Fault> {
    let caller = kind.caller(kx);
    known(&caller)?;
    if let Some(current) = kind.current(kx) {
        may_cancel(&caller, &current.status().owner)?;
        kind.go_on(kx, None, None, false);
    }
    Ok(Reply::empty())
}

fn update(kx: &mut Kx, kind: Kind, request: Submit) -> Result<Reply, Fault> {
    let caller = kind.caller(kx);
    let share = share(kind, &caller, &request)?;
    admit(kx, &caller, &share)?;
    kind.check_supported(kx)?;
    let current = kind.current(kx).ok_or_else(|| kind.not_started(Step::Update))?;
    let before = current.status();
    if let Some(verification) = &before.verification {
        return Err(kind.finished(verification));
    }
    let (barrier, now) = (kx.barrier.clone(), moment(kx));
    let step = current.submit(&barrier, &mut kx.cx.tx, &request.nonce, share, now, kx.cx.randomness.as_mut());
    match step.result {
        Ok(RekeyProgress::More) => {
            let reply = shown(kx, kind, step.next.as_ref());
            kind.go_on(kx, step.next, None, false);
            reply
        }
        Ok(RekeyProgress::Issued { shares, verification_nonce, barrier }) => {
            let reply = kind.reply(kind.issued(&before, &shares, verification_nonce.as_deref()));
            kind.go_on(kx, step.next, barrier, false);
            Ok(reply)
        }
        Err(error) => Err(failed(kx, kind, Step::Update, (error, step.next), &before)),
    }
}

/// The fault of a refused share. Wrong ones are forgotten, although the request fails.
fn failed(
    kx: &mut Kx,
    kind: Kind,
    step: Step,
    (error, next): (CeremonyError, Option<Rekey>),
    before: &RekeyStatus,
) -> Fault {
    if matches!(error, CeremonyError::WrongShares | CeremonyError::WrongNewShares) {
        kind.go_on(kx, next, None, true);
    }
    kind.refused(step, error, before)
}

/// The share of a request. Who has to show one gets no other answer than that it is none.
fn share(kind: Kind, caller: &Who, request: &Submit) -> Result<Secret<Vec<u8>>, Fault> {
    let share = parse_share(request.key.0.expose()).map_err(|error| match caller {
        Who::Unknown => Fault::Denied,
        _ => kind.bad_share(error),
    })?;
    if kind.family == Family::Rotate && request.nonce.is_empty() {
        return Err(Fault::invalid("missing required field 'nonce'"));
    }
    Ok(share)
}

fn verification(kx: &mut Kx, kind: Kind) -> Result<Reply, Fault> {
    known(&kind.caller(kx))?;
    let current = kind.current(kx).ok_or_else(|| kind.not_configured())?;
    Ok(kind.reply(Kind::verification(&current.status())))
}

fn verify(kx: &mut Kx, kind: Kind, request: Submit) -> Result<Reply, Fault> {
    let caller = kind.caller(kx);
    let share = share(kind, &caller, &request)?;
    let current = kind.current(kx);
    let new = current.as_ref().is_some_and(|current| current.has_new_share(&share));
    if matches!(caller, Who::Unknown) && !new {
        return Err(Fault::Denied);
    }
    let current = current.ok_or_else(|| kind.not_started(Step::Verify))?;
    let before = current.status();
    if matches!(caller, Who::Anyone) && !new {
        return Err(kind.refused(Step::Verify, CeremonyError::WrongNewShares, &before));
    }
    let (barrier, now) = (kx.barrier.clone(), moment(kx));
    let step = current.verify(&barrier, &mut kx.cx.tx, &request.nonce, share, now, kx.cx.randomness.as_mut());
    match step.result {
        Ok(Verification::More) => {
            let shown = step.next.as_ref().map(|next| Kind::verification(&next.status()));
            kind.go_on(kx, step.next, None, false);
            Ok(kind.reply(shown.unwrap_or_default()))
        }
        Ok(Verification::Complete(barrier)) => {
            let nonce = before.verification.map(|verification| verification.nonce).unwrap_or_default();
            kind.go_on(kx, step.next, Some(barrier), false);
            Ok(kind.reply(json!({ "nonce": nonce, "complete": true })))
        }
        Err(error) => Err(failed(kx, kind, Step::Verify, (error, step.next), &before)),
    }
}

fn restart_verification(kx: &mut Kx, kind: Kind) -> Result<Reply, Fault> {
    let caller = kind.caller(kx);
    known(&caller)?;
    let current = kind.current(kx).ok_or_else(|| kind.not_configured())?;
    may_cancel(&caller, &current.status().owner)?;
    let now = moment(kx);
    let next = current.restart_verification(now, kx.cx.randomness.as_mut());
    let reply = kind.reply(Kind::verification(&next.status()));
    kind.go_on(kx, Some(next), None, false);
    Ok(reply)
}

fn read_backup(kx: &mut Kx, shares_for: SharesFor) -> Result<Reply, Fault> {
    let backup = Backup::load(&mut kx.cx.tx, shares_for).map_err(|error| Fault::internal(error.to_string()))?;
    let backup = backup.ok_or_else(|| Fault::invalid("no backed-up keys found"))?;
    let base64 = |hex: &String| hex_bytes(hex).map(|bytes| STANDARD.encode(bytes));
    let keys_base64: Map<String, Value> = backup
        .keys
        .iter()
        .map(|(fingerprint, keys)| (fingerprint.clone(), keys.iter().filter_map(base64).collect()))
        .collect();
    Ok(Reply::legacy(json!({ "nonce": backup.nonce, "keys": backup.keys, "keys_base64": keys_base64 })))
}

fn hex_bytes(hex: &str) -> Option<Vec<u8>> {
    let (pairs, _) = hex.as_bytes().as_chunks::<2>();
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
