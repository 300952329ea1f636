//! A new root token by quorum. `sys/generate-root` answers without an envelope, `sys/generate-root-token` with one.

use super::wording::general;
use super::{ANYONE, Who, admit, keep, known, may_cancel, moment, owner, running, who};
use crate::{Kx, bootstrap, tokens};
use barrier::ceremony::{
    Authority, CeremonyError, Disclosure, EncodedToken, GenerateRoot, GenerateRootRequest, Granted,
};
use barrier::parse_share;
use crypto::openpgp::Recipient;
use engine::{Ceremony, Fault, Reply, Route, SecretText};
use serde_json::{Value, json};
use std::sync::Arc;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let open = steps(Family::Open, ["generate-root/attempt", "generate-root/update"]);
    let mut all: Vec<Route<Kx>> = open.into_iter().map(|route| route.share_holders(Ceremony::GenerateRoot)).collect();
    all.extend(steps(Family::Enveloped, ["generate-root-token/attempt", "generate-root-token/update"]));
    all
}

fn steps(family: Family, [attempt, update]: [&'static str; 2]) -> [Route<Kx>; 2] {
    [
        Route::at(attempt, "Start, watch and cancel the generation of a root token.")
            .read(move |kx: &mut Kx, (): ()| status(kx, family))
            .write(move |kx: &mut Kx, request: Start| start(kx, family, request))
            .delete(move |kx: &mut Kx, (): ()| cancel(kx, family)),
        Route::at(update, "Give a share.").write(move |kx: &mut Kx, request: Submit| self::update(kx, family, request)),
    ]
}

engine::request! {
    /// Starts a generation.
    pub struct Start {
        /// One-time password of the token's length; made if neither it nor a key is given.
        otp: SecretText,
        /// OpenPGP public key to encrypt the token to.
        pgp_key: String,
        /// A share, from callers without a token.
        key: SecretText,
    }
}

engine::request! {
    /// Gives a share.
    pub struct Submit {
        /// The share in hex or base64.
        key: SecretText,
        /// Identifies the generation.
        nonce: String,
    }
}

/// The two sets of paths.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    /// `sys/generate-root`, open to share holders.
    Open,
    /// `sys/generate-root-token`, for callers with a token.
    Enveloped,
}

impl Family {
    fn caller(self, kx: &Kx) -> Who {
        who(kx, (self == Self::Open).then_some(Ceremony::GenerateRoot))
    }

    /// The state of a generation. `otp` is told once, when it was just made.
    fn attempt(self, current: Option<&GenerateRoot>, required: usize, otp: &str) -> Reply {
        let mut shown = json!({
            "started": current.is_some(),
            "progress": current.map_or(0, GenerateRoot::progress),
            "required": required,
            "complete": false,
            "otp": otp,
            "otp_length": tokens::ROOT_TOKEN_BYTES,
        });
        let more = match (self, current) {
            (Self::Open, current) => json!({
                "nonce": current.map_or("", GenerateRoot::nonce),
                "encoded_token": "",
                "encoded_root_token": "",
                "pgp_fingerprint": current.map_or("", GenerateRoot::fingerprint),
            }),
            (Self::Enveloped, Some(current)) => {
                json!({ "nonce": current.nonce(), "pgp_fingerprint": current.fingerprint() })
            }
            (Self::Enveloped, None) => json!({}),
        };
        extend(&mut shown, more);
        self.reply(shown)
    }

    /// What a share led to.
    fn progress(self, current: &GenerateRoot, progress: usize, required: usize, token: Option<&EncodedToken>) -> Reply {
        let encoded = token.map_or("", |token| token.encoded.as_str());
        let mut shown = json!({
            "nonce": current.nonce(),
            "started": true,
            "progress": progress,
            "required": required,
            "complete": token.is_some(),
            "encoded_token": encoded,
            "pgp_fingerprint": current.fingerprint(),
        });
        if self == Self::Open {
            extend(&mut shown, json!({ "encoded_root_token": encoded, "otp": "", "otp_length": 0 }));
        }
        self.reply(shown)
    }

    fn reply(self, shown: Value) -> Reply {
        match self {
            Self::Open => Reply::raw_json(shown),
            Self::Enveloped => Reply::data(shown),
        }
    }
}

fn current(kx: &Kx) -> Option<GenerateRoot> {
    running(kx).generate_root.filter(|current| current.is_live(moment(kx)))
}

fn go_on(kx: &mut Kx, next: Option<GenerateRoot>, failed: bool) {
    let mut all = running(kx);
    all.generate_root = next;
    keep(kx, all, None, failed);
}

fn required(kx: &Kx) -> Result<usize, Fault> {
    GenerateRoot::required(&kx.barrier).map_err(general)
}

fn status(kx: &mut Kx, family: Family) -> Result<Reply, Fault> {
    known(&family.caller(kx))?;
    Ok(family.attempt(current(kx).as_ref(), required(kx)?, ""))
}

fn start(kx: &mut Kx, family: Family, request: Start) -> Result<Reply, Fault> {
    let caller = family.caller(kx);
    let owner = owner(kx, caller, &request.key)?;
    let disclosure = disclosure(&request)?;
    // What nobody in particular started gives way to somebody who may (S27).
    let current = current(kx).filter(|current| owner == ANYONE || current.owner() != ANYONE);
    let wanted = GenerateRootRequest { disclosure, token_length: tokens::ROOT_TOKEN_BYTES };
    let (barrier, now) = (kx.barrier.clone(), moment(kx));
    let authority = Authority::Caller(&owner);
    let randomness = kx.cx.randomness.as_mut();
    let started = GenerateRoot::start(current.as_ref(), &barrier, &mut kx.cx.tx, authority, wanted, now, randomness)
        .map_err(refused)?;
    let otp = started.otp.as_ref().map_or("", |otp| otp.expose().as_str());
    let reply = family.attempt(Some(&started.ceremony), required(kx)?, otp);
    go_on(kx, Some(started.ceremony), false);
    Ok(reply)
}

fn disclosure(request: &Start) -> Result<Option<Disclosure>, Fault> {
    let otp = request.otp.0.expose();
    if !otp.is_empty() {
        return Ok(Some(Disclosure::Otp(Arc::new(engine::Secret::new(otp.clone())))));
    }
    if request.pgp_key.is_empty() {
        return Ok(None);
    }
    let bad = |error| Fault::invalid(format!("error parsing PGP key: error decoding given PGP key: {error}"));
    Recipient::parse(&request.pgp_key).map(Disclosure::Recipient).map(Some).map_err(bad)
}

fn cancel(kx: &mut Kx, family: Family) -> Result<Reply, Fault> {
    let caller = family.caller(kx);
    known(&caller)?;
    if let Some(current) = current(kx) {
        may_cancel(&caller, current.owner())?;
        go_on(kx, None, false);
    }
    Ok(Reply::empty())
}

fn update(kx: &mut Kx, family: Family, request: Submit) -> Result<Reply, Fault> {
    let caller = family.caller(kx);
    let share = match (parse_share(request.key.0.expose()), &caller) {
        (Ok(share), _) => share,
        (Err(_), Who::Unknown) => return Err(Fault::Denied),
        (Err(error), _) => return Err(bad_share(family, error)),
    };
    admit(kx, &caller, &share)?;
    if family == Family::Enveloped && request.nonce.is_empty() {
        return Err(Fault::invalid("nonce is required"));
    }
    let current = current(kx).ok_or_else(|| Fault::invalid("no root generation in progress"))?;
    let (barrier, now, required) = (kx.barrier.clone(), moment(kx), required(kx)?);
    let step = current.submit(&barrier, &mut kx.cx.tx, &request.nonce, share, now);
    match step.result {
        Ok(None) => {
            let progress = step.next.as_ref().map_or(0, GenerateRoot::progress);
            go_on(kx, step.next, false);
            Ok(family.progress(&current, progress, required, None))
        }
        Ok(Some(granted)) => {
            let token = token(kx, granted)?;
            go_on(kx, step.next, false);
            Ok(family.progress(&current, required, required, Some(&token)))
        }
        Err(CeremonyError::WrongShares) => {
            go_on(kx, step.next, true);
            Err(general(CeremonyError::WrongShares))
        }
        Err(CeremonyError::Nonce) => Err(Fault::invalid(format!(
            "incorrect nonce supplied; nonce for this root generation operation is {:?}",
            current.nonce()
        ))),
        Err(error) => Err(refused(error)),
    }
}

/// Makes the token that the quorum granted.
fn token(kx: &mut Kx, granted: Granted) -> Result<EncodedToken, Fault> {
    let kernel = kx.kernel.clone();
    let now = kx.now;
    let token = bootstrap::root_token(&kernel, &mut kx.cx.tx, now, kx.cx.randomness.as_mut(), None)?;
    granted.encode(&token, kx.cx.randomness.as_mut()).map_err(general)
}

fn bad_share(family: Family, error: barrier::ShareFormatError) -> Fault {
    match (family, error) {
        (Family::Enveloped, barrier::ShareFormatError::Missing) => Fault::invalid("key is required"),
        (_, error) => Fault::invalid(error.to_string()),
    }
}

fn refused(error: CeremonyError) -> Fault {
    match error {
        CeremonyError::AlreadyStarted => Fault::invalid("root generation already in progress for this namespace"),
        CeremonyError::NotStarted => Fault::invalid("no root generation in progress"),
        other => general(other),
    }
}

fn extend(shown: &mut Value, more: Value) {
    if let (Some(shown), Value::Object(more)) = (shown.as_object_mut(), more) {
        shown.extend(more);
    }
}
