//! Making a root token by quorum. The token itself is the kernel's: this ceremony grants it, and hides it on its way.

use super::{Authority, CeremonyError, Collection, Step, authorised, is_quorum_key, quorum};
use crate::barrier::Barrier;
use crate::error::BarrierError;
use crate::place::Moment;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use crypto::openpgp::Recipient;
use crypto::{Randomness, Secret, Zeroizing};
use std::sync::Arc;
use store::Tx;

/// How the token is hidden on its way to whoever started.
#[derive(Clone, Debug)]
pub enum Disclosure {
    /// XOR with a one-time password of the token's length, which only whoever started knows.
    Otp(Arc<Secret<String>>),
    /// Encrypted to a public key.
    Recipient(Recipient),
}

/// What a generation is started with.
#[derive(Clone, Debug)]
pub struct GenerateRootRequest {
    /// How to hide the token; `None` to have a one-time password made.
    pub disclosure: Option<Disclosure>,
    /// The length of the token that the kernel will make, in bytes, which a one-time password has too.
    pub token_length: usize,
}

/// A generation that was just started.
#[derive(Debug)]
pub struct GenerateRootStarted {
    /// The ceremony.
    pub ceremony: GenerateRoot,
    /// The password that was made, to be told to the caller now and never again.
    pub otp: Option<Arc<Secret<String>>>,
}

/// A running generation.
#[derive(Clone, Debug)]
pub struct GenerateRoot {
    collection: Collection,
    disclosure: Disclosure,
}

/// The quorum agreed: exactly one root token may be made and encoded.
#[derive(Debug)]
pub struct Granted {
    disclosure: Disclosure,
}

/// A token as it is sent.
#[derive(Debug)]
pub struct EncodedToken {
    /// Base64 without padding of the XOR, or base64 of the OpenPGP message.
    pub encoded: String,
    /// The recipient's fingerprint; empty with a one-time password.
    pub fingerprint: String,
}

impl GenerateRoot {
    /// Starts a generation. If the request says nothing about disclosure, a one-time password of letters and digits is
    /// made.
    pub fn start(
        current: Option<&Self>,
        barrier: &Barrier,
        tx: &mut Tx,
        authority: Authority<'_>,
        request: GenerateRootRequest,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Result<GenerateRootStarted, CeremonyError> {
        let owner = authorised(barrier, tx, authority)?;
        quorum(barrier)?;
        if current.is_some_and(|current| current.collection.is_live(now)) {
            return Err(CeremonyError::AlreadyStarted);
        }
        let (disclosure, otp) = match request.disclosure {
            Some(Disclosure::Otp(otp)) if otp.as_str().len() != request.token_length => {
                return Err(CeremonyError::OtpLength);
            }
            Some(disclosure) => (disclosure, None),
            None => {
                let otp = Arc::new(Secret::new(randomness.base62(request.token_length)));
                (Disclosure::Otp(Arc::clone(&otp)), Some(otp))
            }
        };
        let ceremony = Self { collection: Collection::new(&owner, now, randomness), disclosure };
        Ok(GenerateRootStarted { ceremony, otp })
    }

    /// Whether it still runs.
    pub fn is_live(&self, now: Moment) -> bool {
        self.collection.is_live(now)
    }

    /// Identifies this generation.
    pub fn nonce(&self) -> &str {
        &self.collection.nonce
    }

    /// Who started it.
    pub fn owner(&self) -> &str {
        &self.collection.owner
    }

    /// Shares given so far.
    pub fn progress(&self) -> usize {
        self.collection.shares.len()
    }

    /// Shares needed with this barrier.
    pub fn required(barrier: &Barrier) -> Result<usize, CeremonyError> {
        quorum(barrier).map(|(_, required)| required)
    }

    /// The fingerprint of the key that the token will be encrypted to; empty with a one-time password.
    pub fn fingerprint(&self) -> &str {
        match &self.disclosure {
            Disclosure::Otp(_) => "",
            Disclosure::Recipient(recipient) => recipient.fingerprint(),
        }
    }

    /// Whether this authority may end it: any authorised caller, or a share holder.
    pub fn cancel(&self, barrier: &Barrier, tx: &mut Tx, authority: Authority<'_>) -> Result<(), CeremonyError> {
        authorised(barrier, tx, authority).map(|_| ())
    }

    /// Gives a share: `None` while more are needed.
    pub fn submit(
        &self,
        barrier: &Barrier,
        tx: &mut Tx,
        nonce: &str,
        share: Secret<Vec<u8>>,
        now: Moment,
    ) -> Step<Self, Option<Granted>> {
        match self.submitted(barrier, tx, nonce, share, now) {
            Ok((next, None)) => Step::on(next, Ok(None)),
            Ok((_, Some(granted))) => Step::end(Some(granted)),
            Err(CeremonyError::WrongShares) => {
                let mut next = self.clone();
                next.collection.shares.clear();
                Step::on(next, Err(CeremonyError::WrongShares))
            }
            Err(error) => Step::on(self.clone(), Err(error)),
        }
    }

    fn submitted(
        &self,
        barrier: &Barrier,
        tx: &mut Tx,
        nonce: &str,
        share: Secret<Vec<u8>>,
        now: Moment,
    ) -> Result<(Self, Option<Granted>), CeremonyError> {
        let mut next = self.clone();
        next.collection.add(nonce, share, now)?;
        let (shares_for, required) = quorum(barrier)?;
        if next.collection.shares.len() < required {
            return Ok((next, None));
        }
        let key = next.collection.combined();
        if !is_quorum_key(barrier, tx, shares_for, key.as_ref().map(|key| key.as_slice()))? {
            return Err(CeremonyError::WrongShares);
        }
        let granted = Granted { disclosure: next.disclosure.clone() };
        Ok((next, Some(granted)))
    }
}

impl Granted {
    /// Hides the token that was made.
    pub fn encode(
        self,
        token: &Secret<String>,
        randomness: &mut dyn Randomness,
    ) -> Result<EncodedToken, CeremonyError> {
        match self.disclosure {
            Disclosure::Otp(otp) if otp.as_str().len() != token.as_str().len() => Err(CeremonyError::OtpLength),
            Disclosure::Otp(otp) => {
                let hidden = token.as_str().bytes().zip(otp.as_str().bytes()).map(|(token, otp)| token ^ otp);
                let encoded = STANDARD_NO_PAD.encode(Zeroizing::new(hidden.collect::<Vec<u8>>()));
                Ok(EncodedToken { encoded, fingerprint: String::new() })
            }
            Disclosure::Recipient(recipient) => {
                let message = recipient.encrypt(randomness, token.as_str().as_bytes());
                let message = message.map_err(|_| BarrierError::Damaged("recipient of a token"))?;
                let encoded = base64::engine::general_purpose::STANDARD.encode(message);
                Ok(EncodedToken { encoded, fingerprint: recipient.fingerprint().to_owned() })
            }
        }
    }
}
