//! Upstream's words for the two families of paths that change shares: `sys/rekey` answers without an envelope,
//! `sys/rotate` with one, and they name things differently.

use barrier::ceremony::{CeremonyError, RekeyStatus, VerificationStatus};
use barrier::{ShareFormatError, ShareRequestError, SharesFor, SharesIssued};
use engine::{Fault, Reply};
use serde_json::{Value, json};

/// A family of paths.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// `sys/rekey`, `sys/rekey-recovery-key`.
    Rekey,
    /// `sys/rotate/root`, `sys/rotate/recovery`.
    Rotate,
}

/// Which paths, and which shares they change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    pub(super) family: Family,
    pub(super) shares_for: SharesFor,
}

/// Which shares a step takes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// The old ones.
    Update,
    /// The new ones.
    Verify,
}

impl Kind {
    /// The family's reply.
    pub(super) fn reply(self, body: Value) -> Reply {
        match self.family {
            Family::Rekey => Reply::raw_json(body),
            Family::Rotate => Reply::data(body),
        }
    }

    /// The state of a change of shares, for which `required` old shares are needed.
    pub(super) fn status(self, status: Option<&RekeyStatus>, required: usize) -> Value {
        let Some(status) = status else { return self.idle(required) };
        let verification_nonce = status.verification.as_ref().map_or("", |verification| verification.nonce.as_str());
        let mut shown = json!({
            "nonce": status.nonce,
            "started": true,
            "t": status.threshold,
            "n": status.shares,
            "progress": status.progress,
            "required": required,
            "verification_required": status.verification_required,
        });
        let recipients = !status.fingerprints.is_empty();
        if self.family == Family::Rekey || recipients {
            set(&mut shown, "pgp_fingerprints", fingerprints(&status.fingerprints));
            set(&mut shown, "backup", status.backup.into());
        }
        if self.family == Family::Rotate || !verification_nonce.is_empty() {
            set(&mut shown, "verification_nonce", verification_nonce.into());
        }
        shown
    }

    fn idle(self, required: usize) -> Value {
        match self.family {
            Family::Rotate => json!({ "started": false, "t": 0, "n": 0, "required": required }),
            Family::Rekey => json!({
                "nonce": "",
                "started": false,
                "t": 0,
                "n": 0,
                "progress": 0,
                "required": required,
                "pgp_fingerprints": null,
                "backup": false,
                "verification_required": false,
            }),
        }
    }

    /// New shares.
    pub(super) fn issued(self, status: &RekeyStatus, issued: &SharesIssued, verification_nonce: Option<&str>) -> Value {
        let (hex, base64) = super::share_texts(issued);
        let mut shown = json!({
            "nonce": status.nonce,
            "complete": true,
            "keys": hex,
            "keys_base64": base64,
            "pgp_fingerprints": fingerprints(&issued.fingerprints),
            "backup": status.backup,
            "verification_required": status.verification_required,
        });
        if self.family == Family::Rotate || verification_nonce.is_some() {
            set(&mut shown, "verification_nonce", verification_nonce.unwrap_or_default().into());
        }
        shown
    }

    /// The state of the verification of a change.
    pub(super) fn verification(status: &RekeyStatus) -> Value {
        let idle = VerificationStatus { nonce: String::new(), progress: 0 };
        let verification = status.verification.as_ref().unwrap_or(&idle);
        json!({
            "nonce": verification.nonce,
            "started": status.verification.is_some(),
            "t": status.threshold,
            "n": status.shares,
            "progress": verification.progress,
        })
    }

    /// The fault of a share that is none.
    pub(super) fn bad_share(self, error: ShareFormatError) -> Fault {
        match (self.family, error) {
            (Family::Rotate, ShareFormatError::Missing) => Fault::invalid("missing required field 'key'"),
            (_, error) => Fault::invalid(error.to_string()),
        }
    }

    /// The fault of a change that cannot start.
    pub(super) fn bad_start(self, error: CeremonyError) -> Fault {
        match error {
            CeremonyError::AlreadyStarted => Fault::invalid(format!("{} already in progress", self.noun())),
            CeremonyError::Shares(ShareRequestError::Recipients) if self.family == Family::Rekey => {
                Fault::invalid("incorrect number of PGP keys for rekey")
            }
            CeremonyError::Shares(error) => self.bad_configuration(&error),
            other => general(other),
        }
    }

    /// The fault of shares that cannot be made as wanted.
    pub(super) fn bad_configuration(self, why: &impl std::fmt::Display) -> Fault {
        let family = if self.family == Family::Rekey { "rekey" } else { "rotate" };
        Fault::invalid(format!("invalid {family} seal configuration: {why}"))
    }

    /// There is nothing to give a share to.
    pub(super) fn not_started(self, step: Step) -> Fault {
        Fault::invalid(match (self.family, step, self.shares_for) {
            (Family::Rotate, _, _) => "no rotation in progress",
            (Family::Rekey, Step::Verify, _) => "no rekey in progress",
            (Family::Rekey, Step::Update, SharesFor::Unseal) => "no barrier rekey in progress",
            (Family::Rekey, Step::Update, SharesFor::Recovery) => "no recovery rekey in progress",
        })
    }

    /// There is nothing to look at or to end.
    pub(super) fn not_configured(self) -> Fault {
        Fault::invalid(format!("no {} configuration found", self.noun()))
    }

    /// Old shares are no longer wanted.
    pub(super) fn finished(self, verification: &VerificationStatus) -> Fault {
        let what = match self.family {
            Family::Rekey => "rekey operation",
            Family::Rotate => "rotation",
        };
        Fault::invalid(format!(
            "{what} already finished; verification must be performed; nonce for the verification operation is {:?}",
            verification.nonce
        ))
    }

    /// The fault of a share that was refused.
    pub(super) fn refused(self, step: Step, error: CeremonyError, status: &RekeyStatus) -> Fault {
        match (error, step) {
            (CeremonyError::NotStarted, _) => self.not_started(step),
            (CeremonyError::Nonce, Step::Update) => {
                let what = if self.family == Family::Rekey { "this rekey operation" } else { "rotation" };
                Fault::invalid(format!("incorrect nonce supplied; nonce for {what} is {:?}", status.nonce))
            }
            (CeremonyError::Nonce, Step::Verify) => {
                let nonce = status.verification.as_ref().map_or("", |verification| verification.nonce.as_str());
                Fault::invalid(format!("incorrect nonce supplied; nonce for this verify operation is {nonce:?}"))
            }
            (CeremonyError::ShareRepeated, _) => {
                let what = match (step, self.family) {
                    (Step::Verify, _) => "verify operation",
                    (Step::Update, Family::Rekey) => "generation operation",
                    (Step::Update, Family::Rotate) => "rotation",
                };
                Fault::invalid(format!("given key has already been provided during this {what}"))
            }
            (CeremonyError::WrongNewShares, _) => {
                Fault::invalid(format!("{} verification failed; incorrect key shares supplied", self.noun()))
            }
            (other, _) => general(other),
        }
    }

    fn noun(self) -> &'static str {
        match self.family {
            Family::Rekey => "rekey",
            Family::Rotate => "rotation",
        }
    }
}

/// The fault of an error that has one wording everywhere.
pub(super) fn general(error: CeremonyError) -> Fault {
    match error {
        CeremonyError::Denied => Fault::Denied,
        CeremonyError::Barrier(error) => Fault::internal(error.to_string()),
        // One text for whatever is wrong with the shares (F35).
        CeremonyError::WrongShares => Fault::invalid("failed to compute root key: invalid key shares"),
        CeremonyError::Unsupported => Fault::invalid("recovery keys not supported"),
        other => Fault::invalid(other.to_string()),
    }
}

fn fingerprints(of: &[String]) -> Value {
    if of.is_empty() { Value::Null } else { of.into() }
}

fn set(shown: &mut Value, name: &str, value: Value) {
    if let Some(members) = shown.as_object_mut() {
        members.insert(name.to_owned(), value);
    }
}
