//! Tidying: certificates, revocations and issuers that ended some time ago are forgotten.
//!
//! A run is a cursor in `state/tidy`. The request that starts it does a first page, the background job the rest, page by
//! page, so that no transaction is as large as the store. What is on a list stays there until its certificate has ended
//! and the safety buffer is over (S87), whatever is asked.

use super::answers::{serial_text, warned};
use super::fetch::{self, CERTIFICATES};
use super::issuer::{DefaultIssuer, ISSUERS, Issuer, rebuild_chains};
use super::revoke::{REVOKED, Revoked};
use super::tidy_plan::{PAGE_SIZE_MAX, Plan};
use super::wire::{AutoTidyFields, TidyFields};
use super::crl;
use engine::{Cx, Fault, Page, Record, Reply, Route, Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const CONFIG: &str = "config/auto-tidy";
const STATE: &str = "state/tidy";
const NOTHING: &str = "Enable at least one tidy operation to be run (tidy_cert_store / tidy_revoked_certs / \
    tidy_invalid_certs / tidy_revoked_cert_issuer_associations / tidy_expired_issuers / tidy_move_legacy_ca_bundle / \
    tidy_acme).";

pub(super) fn routes() -> Vec<Route<Cx>> {
    vec![
        Route::at("tidy", "Forget what ended.").write(start),
        Route::at("tidy-cancel", "Stop tidying.").write(cancel),
        Route::at("tidy-status", "How far tidying is.").read(status),
        Route::at("config/auto-tidy", "When tidying runs by itself.").read(read).write(write),
    ]
}

/// How far a run is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
enum Stage {
    /// None was ever started.
    #[default]
    Inactive,
    /// Looking at certificates, behind this serial number.
    Certificates(String),
    /// Looking at revocations, behind this serial number.
    Revocations(String),
    /// All is done.
    Finished,
    /// Somebody stopped it.
    Cancelled,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Run {
    stage: Stage,
    plan: Plan,
    started: Timestamp,
    finished: Option<Timestamp>,
    certificates_deleted: u64,
    revocations_deleted: u64,
    issuers_unknown: u64,
}

impl Record for Run {
    const KIND: &'static str = "pki-tidy/1";
}

impl Run {
    fn load(cx: &mut Cx) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(STATE)?)
    }

    fn save(&self, cx: &mut Cx) -> Result<(), Fault> {
        Ok(cx.tx.save(STATE, self)?)
    }

    const fn is_under_way(&self) -> bool {
        matches!(self.stage, Stage::Certificates(_) | Stage::Revocations(_))
    }

    fn begin(cx: &mut Cx, plan: Plan) -> Result<Self, Fault> {
        let started = cx.now;
        let run = Self { stage: Stage::Certificates(String::new()), plan, started, ..Self::default() };
        run.save(cx)?;
        Ok(run)
    }

    /// Looks at one page; how many records it forgot.
    fn advance(&mut self, cx: &mut Cx, limit: usize) -> Result<usize, Fault> {
        let size = usize::try_from(self.plan.page_size.clamp(1, PAGE_SIZE_MAX)).unwrap_or(1).min(limit.max(1));
        let done = match self.stage.clone() {
            Stage::Certificates(after) => self.look_at_certificates(cx, after, size)?,
            Stage::Revocations(after) => self.look_at_revocations(cx, after, size)?,
            Stage::Inactive | Stage::Finished | Stage::Cancelled => return Ok(0),
        };
        self.save(cx)?;
        Ok(done)
    }

    fn look_at_certificates(&mut self, cx: &mut Cx, after: String, size: usize) -> Result<usize, Fault> {
        if !self.plan.tidy_cert_store && !self.plan.tidy_invalid_certs {
            self.stage = Stage::Revocations(String::new());
            return Ok(0);
        }
        let serials = cx.tx.list(CERTIFICATES, &Page { after, limit: Some(size) })?;
        let mut done = 0;
        for serial in &serials {
            let ended = match fetch::load(cx, serial) {
                Ok(Some(certificate)) => self.plan.tidy_cert_store && self.is_over(cx, certificate.not_after(), false),
                Ok(None) => false,
                Err(Fault::Internal(_)) => self.plan.tidy_invalid_certs,
                Err(other) => return Err(other),
            };
            // What is revoked belongs to the next stage, which keeps certificate and revocation together.
            if ended && Revoked::load(cx, serial)?.is_none() {
                cx.tx.delete(&format!("{CERTIFICATES}{serial}"));
                self.certificates_deleted += 1;
                done += 1;
            }
        }
        self.stage = match serials.last() {
            Some(last) if serials.len() == size => Stage::Certificates(last.clone()),
            _ => Stage::Revocations(String::new()),
        };
        Ok(done)
    }

    fn look_at_revocations(&mut self, cx: &mut Cx, after: String, size: usize) -> Result<usize, Fault> {
        let wanted = self.plan.tidy_revoked_certs || self.plan.tidy_revoked_cert_issuer_associations;
        let serials = if wanted { cx.tx.list(REVOKED, &Page { after, limit: Some(size) })? } else { Vec::new() };
        let mut done = 0;
        for serial in &serials {
            let Some(mut revoked) = Revoked::load(cx, serial)? else { continue };
            if self.plan.tidy_revoked_certs && self.is_over(cx, revoked.not_after, true) {
                cx.tx.delete(&format!("{REVOKED}{serial}"));
                cx.tx.delete(&format!("{CERTIFICATES}{serial}"));
                self.revocations_deleted += 1;
                done += 1;
            } else if self.plan.tidy_revoked_cert_issuer_associations && Issuer::load(cx, &revoked.issuer_id)?.is_none() {
                self.issuers_unknown += 1;
                if let Some(id) = signer_of(cx, serial)? {
                    revoked.issuer_id = id;
                    revoked.save(cx, serial)?;
                }
            }
        }
        match serials.last() {
            Some(last) if serials.len() == size => self.stage = Stage::Revocations(last.clone()),
            _ => self.finish(cx)?,
        }
        Ok(done)
    }

    fn is_over(&self, cx: &Cx, not_after: i64, revoked: bool) -> bool {
        let buffer = if revoked { self.plan.revoked_safety_buffer } else { self.plan.safety_buffer };
        not_after.saturating_add(buffer.max(1)) < cx.now.seconds()
    }

    fn finish(&mut self, cx: &mut Cx) -> Result<(), Fault> {
        if self.plan.tidy_expired_issuers {
            self.forget_issuers(cx)?;
        }
        if self.revocations_deleted > 0 {
            crl::rebuild(cx)?;
        }
        (self.stage, self.finished) = (Stage::Finished, Some(cx.now));
        Ok(())
    }

    /// Issuers that ended, but for the default one. Their keys stay, as upstream.
    fn forget_issuers(&self, cx: &mut Cx) -> Result<(), Fault> {
        let default = DefaultIssuer::load(cx)?.default;
        for issuer in Issuer::all(cx)? {
            let ends = issuer.parsed()?.not_after().saturating_add(self.plan.issuer_safety_buffer);
            if issuer.id != default && ends < cx.now.seconds() {
                cx.tx.delete(&format!("{ISSUERS}{}", issuer.id));
                crl::forget_issuer(cx, &issuer.id);
            }
        }
        rebuild_chains(cx)
    }
}

fn signer_of(cx: &mut Cx, serial: &str) -> Result<Option<String>, Fault> {
    let Some(certificate) = fetch::load(cx, serial)? else { return Ok(None) };
    for issuer in Issuer::all(cx)? {
        if certificate.is_issued_by(&issuer.parsed()?) && serial_text(certificate.serial()) == serial {
            return Ok(Some(issuer.id));
        }
    }
    Ok(None)
}

/// A step of the run under way, or the begin of one that is due.
pub(super) fn step(cx: &mut Cx, limit: usize) -> Result<usize, Fault> {
    match Run::load(cx)? {
        Some(mut run) if run.is_under_way() => run.advance(cx, limit),
        last => {
            let Some(plan) = cx.tx.load::<Plan>(CONFIG)?.filter(|plan| plan.enabled) else { return Ok(0) };
            let since = last.map_or(i64::MIN, |run| run.started.seconds());
            if since.saturating_add(plan.interval_duration) > cx.now.seconds() {
                return Ok(0);
            }
            Run::begin(cx, plan)?.advance(cx, limit)
        }
    }
}

fn start(cx: &mut Cx, sent: TidyFields) -> Result<Reply, Fault> {
    let mut plan = Plan::default();
    plan.apply(sent, false)?;
    let warning = if plan.does_nothing() {
        format!("Manual tidy requested but no tidy operations were set. {NOTHING}")
    } else {
        "Tidy operation successfully started. Any information from the operation will be printed to the server logs.".to_owned()
    };
    if Run::load(cx)?.is_some_and(|run| run.is_under_way()) {
        return Ok(Reply::empty().status(202).warn("Tidy operation already in progress."));
    }
    let mut run = Run::begin(cx, plan)?;
    let limit = usize::try_from(PAGE_SIZE_MAX).unwrap_or(1);
    // One page of each kind at once: most mounts are done with that.
    run.advance(cx, limit)?;
    if matches!(run.stage, Stage::Revocations(_)) {
        run.advance(cx, limit)?;
    }
    Ok(warned(Reply::empty().status(202), vec![warning]))
}

fn cancel(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    match Run::load(cx)? {
        Some(mut run) if run.is_under_way() => {
            (run.stage, run.finished) = (Stage::Cancelled, Some(cx.now));
            run.save(cx)?;
            status(cx, ())
        }
        _ => Ok(Reply::empty()
            .status(200)
            .warn("Tidy operation cannot be cancelled as none is currently running.")),
    }
}

fn status(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let run = Run::load(cx)?;
    let state = match run.as_ref().map(|run| &run.stage) {
        None | Some(Stage::Inactive) => "Inactive",
        Some(Stage::Certificates(_) | Stage::Revocations(_)) => "Running",
        Some(Stage::Finished) => "Finished",
        Some(Stage::Cancelled) => "Cancelled",
    };
    let mut data = serde_json::to_value(run.as_ref().map(|run| run.plan.clone()).unwrap_or_default()).unwrap_or_default();
    let counted = |count: fn(&Run) -> u64| run.as_ref().map_or(0, count);
    let time = |moment: Option<Timestamp>| moment.map_or(Value::Null, |moment| moment.to_rfc3339().into());
    let finished = run.as_ref().and_then(|run| run.finished);
    let more = json!({
        "acme_account_deleted_count": 0,
        "acme_account_revoked_count": 0,
        "acme_orders_deleted_count": 0,
        "cert_store_deleted_count": counted(|run| run.certificates_deleted),
        "current_cert_store_count": null,
        "current_revoked_cert_count": null,
        "error": null,
        "internal_backend_uuid": cx.mount.uuid,
        "last_auto_tidy_finished": time(finished),
        "message": null,
        "missing_issuer_cert_count": counted(|run| run.issuers_unknown),
        "revoked_cert_deleted_count": counted(|run| run.revocations_deleted),
        "state": state,
        "time_finished": time(finished),
        "time_started": time(run.as_ref().map(|run| run.started)),
        "total_acme_account_count": 0,
    });
    if let (Some(members), Value::Object(more)) = (data.as_object_mut(), more) {
        for name in [
            "enabled",
            "interval_duration",
            "maintain_stored_certificate_counts",
            "publish_stored_certificate_count_metrics",
        ] {
            members.remove(name);
        }
        members.extend(more);
    }
    Ok(Reply::data(data))
}

fn read(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    Ok(Reply::data(cx.tx.load::<Plan>(CONFIG)?.unwrap_or_default()))
}

fn write(cx: &mut Cx, (sent, auto): (TidyFields, AutoTidyFields)) -> Result<Reply, Fault> {
    let mut plan = cx.tx.load::<Plan>(CONFIG)?.unwrap_or_default();
    plan.apply(sent, true)?;
    plan.enabled = auto.enabled.unwrap_or(plan.enabled);
    if let Some(Seconds(interval)) = auto.interval_duration {
        if interval < 1 {
            return Err(Fault::invalid(format!("given interval_duration must be at least one second; got: {interval}")));
        }
        plan.interval_duration = interval;
    }
    plan.maintain_stored_certificate_counts =
        auto.maintain_stored_certificate_counts.unwrap_or(plan.maintain_stored_certificate_counts);
    plan.publish_stored_certificate_count_metrics =
        auto.publish_stored_certificate_count_metrics.unwrap_or(plan.publish_stored_certificate_count_metrics);
    if plan.enabled && plan.does_nothing() {
        return Err(Fault::invalid(format!("Auto-tidy enabled but no tidy operations were requested. {NOTHING}")));
    }
    cx.tx.save(CONFIG, &plan)?;
    Ok(Reply::data(plan))
}
