//! Revocation lists: built when something is revoked, or before they end; kept until they are read.
//!
//! Each issuer that may sign lists has a complete one and the difference since it (`delta`). Issuers with the same subject
//! and key share what is on them, since verifiers cannot tell them apart. A revoked certificate stays listed until it has
//! ended (S87): what is listed is what `revoked/` holds, and tidying takes nothing from there before that.

use super::config::{CrlConfig, duration};
use super::issuer::{CRL_SIGNING, DefaultIssuer, Issuer};
use super::answers::unfit;
use super::revoke::{REVOKED, Revoked};
use super::fetch::serial_bytes;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::crypto::x509::{Certificate, ListTemplate, RevokedEntry, build_list};
use engine::{Cx, Fault, Page, Record};
use serde::{Deserialize, Serialize};

/// Where complete lists are.
pub(super) const COMPLETE: &str = "crl/";
/// Where delta lists are.
pub(super) const DELTA: &str = "delta/";
const STATE: &str = "state/crl";
/// The part of its time that a list has left when it is built anew without being asked: a quarter.
const RENEWAL_FRACTION: i64 = 4;

/// A list as it is stored.
#[derive(Serialize, Deserialize)]
struct List {
    der: String,
}

impl Record for List {
    const KIND: &'static str = "pki-crl/1";
}

/// What is known of the lists of a mount.
#[derive(Default, Serialize, Deserialize)]
struct State {
    /// Number of the last list.
    number: u64,
    /// Number of the last complete list.
    complete_number: u64,
    /// When the complete lists were built, seconds since 1970.
    built: i64,
    /// When the delta lists were built, seconds since 1970.
    delta_built: i64,
    /// When the complete lists end, seconds since 1970; 0 if there are none.
    ends: i64,
    /// Whether something was revoked since.
    pending: bool,
}

impl Record for State {
    const KIND: &'static str = "pki-crl-state/1";
}

impl State {
    fn load(cx: &mut Cx) -> Result<Self, Fault> {
        Ok(cx.tx.load(STATE)?.unwrap_or_default())
    }

    fn save(&self, cx: &mut Cx) -> Result<(), Fault> {
        Ok(cx.tx.save(STATE, self)?)
    }
}

/// Builds all lists anew.
pub(super) fn rebuild(cx: &mut Cx) -> Result<(), Fault> {
    let config = CrlConfig::load(cx)?;
    let mut state = State::load(cx)?;
    let now = cx.now.seconds();
    state.number += 2;
    state.complete_number = state.number - 1;
    (state.built, state.delta_built, state.pending) = (now, now, false);
    state.ends = now.saturating_add(duration(&config.expiry));
    let all = if config.disable { Vec::new() } else { all_revoked(cx)? };
    for (issuer, listed) in grouped(cx)? {
        let entries = entries(&all, &listed, i64::MIN);
        let complete = Plan { number: state.complete_number, base: None, entries: &entries, ends: state.ends };
        store(cx, COMPLETE, &issuer, &complete)?;
        let base = Some(state.complete_number);
        store(cx, DELTA, &issuer, &Plan { number: state.number, base, entries: &[], ends: state.ends })?;
    }
    state.save(cx)
}

/// Builds the delta lists anew: what was revoked since the complete ones.
pub(super) fn rebuild_delta(cx: &mut Cx) -> Result<(), Fault> {
    let mut state = State::load(cx)?;
    if state.ends == 0 {
        return rebuild(cx);
    }
    state.number += 1;
    (state.delta_built, state.pending) = (cx.now.seconds(), false);
    let all = all_revoked(cx)?;
    for (issuer, listed) in grouped(cx)? {
        let entries = entries(&all, &listed, state.built);
        let base = Some(state.complete_number);
        store(cx, DELTA, &issuer, &Plan { number: state.number, base, entries: &entries, ends: state.ends })?;
    }
    state.save(cx)
}

/// Notes that something was revoked, where lists are built by the clock.
pub(super) fn mark(cx: &mut Cx) -> Result<(), Fault> {
    let mut state = State::load(cx)?;
    state.pending = true;
    state.save(cx)
}

/// Builds what is due: lists that end soon, deltas whose interval is over.
pub(super) fn refresh(cx: &mut Cx) -> Result<(), Fault> {
    let state = State::load(cx)?;
    if state.ends == 0 {
        return Ok(());
    }
    let config = CrlConfig::load(cx)?;
    let now = cx.now.seconds();
    let early = if config.auto_rebuild {
        duration(&config.auto_rebuild_grace_period)
    } else {
        duration(&config.expiry) / RENEWAL_FRACTION
    };
    // Without deltas, what was revoked waits for the complete list.
    let waits = config.auto_rebuild && !config.enable_delta && state.pending;
    let interval = duration(&config.delta_rebuild_interval);
    let due = now.saturating_add(early) >= state.ends || waits && now >= state.built.saturating_add(interval);
    if due {
        rebuild(cx)
    } else if config.enable_delta && state.pending && now >= state.delta_built.saturating_add(interval) {
        rebuild_delta(cx)
    } else {
        Ok(())
    }
}

/// The DER of an issuer's list.
pub(super) fn load(cx: &mut Cx, kind: &str, issuer_id: &str) -> Result<Option<Vec<u8>>, Fault> {
    let Some(list) = cx.tx.load::<List>(&format!("{kind}{issuer_id}"))? else { return Ok(None) };
    STANDARD.decode(list.der).map(Some).map_err(|_| Fault::internal("a revocation list does not read"))
}

/// Forgets the lists of an issuer.
pub(super) fn forget_issuer(cx: &mut Cx, id: &str) {
    cx.tx.delete(&format!("{COMPLETE}{id}"));
    cx.tx.delete(&format!("{DELTA}{id}"));
}

/// Forgets all lists; numbers go on from where they are.
pub(super) fn forget(cx: &mut Cx) -> Result<(), Fault> {
    cx.tx.delete_all(COMPLETE)?;
    cx.tx.delete_all(DELTA)?;
    let state = State { ends: 0, pending: false, ..State::load(cx)? };
    state.save(cx)
}

struct Plan<'a> {
    number: u64,
    base: Option<u64>,
    entries: &'a [RevokedEntry],
    ends: i64,
}

fn store(cx: &mut Cx, kind: &str, issuer: &Issuer, plan: &Plan<'_>) -> Result<(), Fault> {
    let Some(key) = issuer.private(cx)? else { return Ok(()) };
    let authority: Certificate = issuer.parsed()?;
    let template = ListTemplate {
        authority: &authority,
        this_update: cx.now.seconds(),
        next_update: plan.ends,
        number: plan.number,
        base_number: plan.base,
        entries: plan.entries,
    };
    let der = build_list(&template, &key, issuer.list_scheme(&key)).map_err(unfit)?;
    cx.tx.save(&format!("{kind}{}", issuer.id), &List { der: STANDARD.encode(der) })?;
    Ok(())
}

/// The issuers that sign lists, each with the ids of those whose certificates are on its list. What belongs to an issuer
/// that is gone is on the default's.
fn grouped(cx: &mut Cx) -> Result<Vec<(Issuer, Vec<String>)>, Fault> {
    let default = DefaultIssuer::load(cx)?.default;
    let issuers = Issuer::all(cx)?;
    let mut names = Vec::with_capacity(issuers.len());
    for issuer in &issuers {
        let certificate = issuer.parsed()?;
        names.push((certificate.subject().clone(), certificate.public_key().identifier()));
    }
    let signs = |issuer: &Issuer| issuer.usage.contains(CRL_SIGNING) && !issuer.key_id.is_empty();
    let grouped = issuers.iter().zip(&names).filter(|(issuer, _)| signs(issuer)).map(|(issuer, name)| {
        let same = issuers.iter().zip(&names).filter(|(_, other)| *other == name);
        let mut listed: Vec<String> = same.map(|(other, _)| other.id.clone()).collect();
        if issuer.id == default {
            listed.push(String::new());
        }
        (issuer.clone(), listed)
    });
    Ok(grouped.collect())
}

fn all_revoked(cx: &mut Cx) -> Result<Vec<(String, Revoked)>, Fault> {
    let serials = cx.tx.list(REVOKED, &Page::default())?;
    let mut all = Vec::with_capacity(serials.len());
    for serial in serials {
        if let Some(revoked) = Revoked::load(cx, &serial)? {
            all.push((serial, revoked));
        }
    }
    Ok(all)
}

fn entries(all: &[(String, Revoked)], listed: &[String], since: i64) -> Vec<RevokedEntry> {
    let on = all.iter().filter(|(_, revoked)| listed.contains(&revoked.issuer_id) && revoked.at.seconds() >= since);
    on.filter_map(|(serial, revoked)| {
        Some(RevokedEntry { serial: serial_bytes(serial)?, revoked: revoked.at.seconds() })
    })
    .collect()
}

/// The certificate list of an issuer as PEM.
pub(super) fn pem(der: &[u8]) -> String {
    engine::crypto::x509::pem_encode("X509 CRL", der)
}
