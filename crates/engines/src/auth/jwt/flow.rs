//! A login at the provider that is under way, at `flow/<hash of its state>`, and the index `due/<time>/<hash>` by which
//! those that nobody completed are found.
//!
//! The state is what the provider and the browser carry; it is stored nowhere in clear. Whoever completes a login has to
//! show the client's nonce as well, if the client gave one. A flow is good for one login: completing it deletes it in the
//! transaction that issues the token, and so does failing.

use super::claims::Claims;
use super::role::CallbackMode;
use engine::crypto::{digest, hex};
use engine::{Cx, Fault, Name, Page, Record, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Seconds that a login at the provider may take.
pub(super) const FLOW_SECONDS: i64 = 300;
/// Longest state or nonce that a client may send, in bytes.
pub(super) const NONCE_BYTES_MAX: usize = 512;
/// Expired flows that the beginning of each new one removes, so that abandoned ones do not pile up.
const TIDIED_PER_FLOW: usize = 2;

/// A login under way.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Flow {
    /// Where it is stored.
    pub(super) hash: String,
    pub(super) role: String,
    pub(super) mode: CallbackMode,
    pub(super) redirect_uri: String,
    /// What the provider puts into its token.
    pub(super) nonce: String,
    /// Proof that the code is exchanged by who asked for it (RFC 7636); empty where there is no code.
    pub(super) verifier: String,
    /// What the client shows again; empty if it gave none.
    pub(super) client_nonce: String,
    /// The address that the login was begun from.
    pub(super) initiator: String,
    pub(super) expires: Timestamp,
    /// What the user's consent in the browser has to bring along; empty before it is asked for.
    pub(super) confirmation: String,
    /// What the provider sent before the user's consent: a code, a token.
    pub(super) code: String,
    pub(super) id_token: String,
    /// Of a login by device.
    pub(super) device_code: String,
    /// Seconds between polls.
    pub(super) interval: i64,
    /// Before this, the provider is not asked again.
    pub(super) next_poll: Timestamp,
    /// Who it is, once the provider has said so.
    pub(super) verified: Option<Verified>,
}

/// What the provider said of a user.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Verified {
    pub(super) claims: Claims,
    /// Tokens of the provider, by the names of the metadata that the role wants them in.
    pub(super) granted: BTreeMap<String, String>,
}

impl Record for Flow {
    const KIND: &'static str = "jwt-flow/1";
}

impl Flow {
    /// A new flow of a role.
    pub(super) fn new(cx: &Cx, role: &Name, state: &str) -> Self {
        Self {
            hash: hash(state),
            role: role.as_str().to_owned(),
            mode: CallbackMode::Client,
            redirect_uri: String::new(),
            nonce: String::new(),
            verifier: String::new(),
            client_nonce: String::new(),
            initiator: cx.request.peer.ip().map(|address| address.to_string()).unwrap_or_default(),
            expires: cx.now.plus_seconds(FLOW_SECONDS),
            confirmation: String::new(),
            code: String::new(),
            id_token: String::new(),
            device_code: String::new(),
            interval: 0,
            next_poll: cx.now,
            verified: None,
        }
    }

    /// The flow of a state, unless it is over. What a namespace added to the state is not part of it.
    pub(super) fn find(cx: &mut Cx, state: &str) -> Result<Option<Self>, Fault> {
        let state = state.split_once(",ns=").map_or(state, |(state, _)| state);
        if state.is_empty() || state.len() > NONCE_BYTES_MAX {
            return Ok(None);
        }
        let found = cx.tx.load::<Self>(&key(&hash(state)))?;
        Ok(found.filter(|flow| cx.now < flow.expires))
    }

    /// Writes it with its index.
    pub(super) fn begin(&self, cx: &mut Cx) -> Result<(), Fault> {
        Self::tidy(cx, TIDIED_PER_FLOW)?;
        cx.tx.save(&self.due(), &Due {})?;
        self.save(cx)
    }

    /// Writes what changed; the time it ends at never does.
    pub(super) fn save(&self, cx: &mut Cx) -> Result<(), Fault> {
        Ok(cx.tx.save(&key(&self.hash), self)?)
    }

    /// Ends it.
    pub(super) fn end(&self, cx: &mut Cx) {
        cx.tx.delete(&self.due());
        cx.tx.delete(&key(&self.hash));
    }

    /// Removes flows that are over, at most so many.
    pub(super) fn tidy(cx: &mut Cx, limit: usize) -> Result<usize, Fault> {
        let page = Page { limit: Some(limit), ..Page::all() };
        let now = cx.now.sort_key();
        let mut removed = 0;
        for name in cx.tx.scan(DUE, &page)? {
            let Some((time, hash)) = name.split_once('/') else { continue };
            if time > now.as_str() {
                break;
            }
            cx.tx.delete(&key(hash));
            cx.tx.delete(&format!("{DUE}{name}"));
            removed += 1;
        }
        Ok(removed)
    }

    fn due(&self) -> String {
        format!("{DUE}{}/{}", self.expires.sort_key(), self.hash)
    }
}

const DUE: &str = "due/";

/// An entry of the index.
#[derive(Serialize, Deserialize)]
struct Due {}

impl Record for Due {
    const KIND: &'static str = "jwt-due/1";
}

fn hash(state: &str) -> String {
    hex(&digest::sha256(&[state.as_bytes()]))
}

fn key(hash: &str) -> String {
    format!("flow/{hash}")
}
