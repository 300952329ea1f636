//! From when until when a certificate is good.

use super::answers::duration_text;
use super::issuer::Issuer;
use super::role::Role;
use super::wire::NameFields;
use engine::crypto::x509::Certificate;
use engine::{Cx, Fault, Seconds, Timestamp};

/// The time a certificate is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    /// From when.
    pub(super) not_before: Timestamp,
    /// Until when.
    pub(super) not_after: Timestamp,
}

/// Finds the time that is asked for within what role, mount and issuer allow; clipped is told in `warnings`.
pub(super) fn window(
    cx: &Cx,
    role: &Role,
    sent: &NameFields,
    authority: Option<(&Issuer, &Certificate)>,
    warnings: &mut Vec<String>,
) -> Result<Window, Fault> {
    let asked = sent.ttl.map_or(0, |Seconds(ttl)| ttl);
    if asked < 0 {
        return Err(Fault::invalid("ttl cannot be negative"));
    }
    if asked > 0 && !sent.not_after.is_empty() {
        return Err(Fault::invalid(
            "Either ttl or not_after should be provided. Both should not be provided in the same request.",
        ));
    }
    let ttl = bounded(cx, role, asked, warnings);
    let not_before = begin(cx, role, sent)?;
    let not_after = end(cx, role, sent, ttl)?;
    let window = within(Window { not_before, not_after }, authority)?;
    if window.not_before >= window.not_after {
        return Err(Fault::invalid(format!(
            "The certificate's Not Before ({}) is later than the certificate's Not After ({})",
            window.not_before.to_rfc3339(),
            window.not_after.to_rfc3339()
        )));
    }
    Ok(window)
}

fn bounded(cx: &Cx, role: &Role, asked: i64, warnings: &mut Vec<String>) -> i64 {
    let default = if role.ttl > 0 { role.ttl } else { cx.mount.default_lease_ttl };
    let ttl = if asked > 0 { asked } else { default };
    let max = if role.max_ttl > 0 { role.max_ttl.min(cx.mount.max_lease_ttl) } else { cx.mount.max_lease_ttl };
    if ttl > max {
        warnings.push(format!(
            "TTL {:?} is longer than permitted maxTTL {:?}, so maxTTL is being used",
            duration_text(ttl),
            duration_text(max)
        ));
    }
    ttl.min(max)
}

fn begin(cx: &Cx, role: &Role, sent: &NameFields) -> Result<Timestamp, Fault> {
    let earliest = cx.now.plus_seconds(-role.not_before_duration);
    if sent.not_before.is_empty() {
        return if role.not_before.is_empty() { Ok(earliest) } else { time(&role.not_before) };
    }
    if role.not_before_bound == "forbid" {
        return Err(Fault::invalid("not_before_bound is set to forbid. not_before cannot be provided."));
    }
    let asked = time(&sent.not_before)?;
    if role.not_before_bound == "duration" && asked < earliest {
        return Err(Fault::invalid(format!(
            "not_before_bound is set to duration. Cannot satisfy request as it would result in notBefore of {} that is \
             older than the allowed not_before_duration of {}",
            asked.to_rfc3339(),
            duration_text(role.not_before_duration)
        )));
    }
    Ok(asked)
}

fn end(cx: &Cx, role: &Role, sent: &NameFields, ttl: i64) -> Result<Timestamp, Fault> {
    let latest = cx.now.plus_seconds(ttl);
    if sent.not_after.is_empty() {
        return if role.not_after.is_empty() { Ok(latest) } else { time(&role.not_after) };
    }
    let refused = |bound: &str, what: &str, asked: Timestamp| {
        Err(Fault::invalid(format!(
            "not_after_bound is set to {bound}. Cannot satisfy request as that would result in notAfter of {} that is \
             beyond {what}",
            asked.to_rfc3339()
        )))
    };
    let asked = time(&sent.not_after)?;
    match role.not_after_bound.as_str() {
        "permit" => Ok(asked),
        "forbid" => Err(Fault::invalid("not_after_bound is set to forbid. not_after cannot be provided.")),
        "ttl-limited" if asked > latest => refused("ttl-limited", &format!("the TTL of {}", duration_text(ttl)), asked),
        "ttl-limited" => Ok(asked),
        explicit if asked > time(explicit)? => refused(explicit, "it", asked),
        _ => Ok(asked),
    }
}

/// What the issuer says of certificates that would outlive it.
fn within(window: Window, authority: Option<(&Issuer, &Certificate)>) -> Result<Window, Fault> {
    let Some((issuer, certificate)) = authority else { return Ok(window) };
    let last = Timestamp::from_seconds(certificate.not_after());
    if window.not_after.seconds() <= last.seconds() {
        return Ok(window);
    }
    match issuer.leaf_not_after_behavior.as_str() {
        "permit" => Ok(window),
        "truncate" => Ok(Window { not_after: last, ..window }),
        _ => Err(Fault::invalid(format!(
            "cannot satisfy request, as TTL would result in notAfter of {} that is beyond the expiration of the CA \
             certificate at {}",
            window.not_after.to_rfc3339(),
            last.to_rfc3339()
        ))),
    }
}

fn time(text: &str) -> Result<Timestamp, Fault> {
    Timestamp::parse_rfc3339(text).map_err(|_| {
        Fault::invalid(format!(
            "parsing time {text:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {text:?} as \"2006\""
        ))
    })
}
