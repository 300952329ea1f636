//! Issuers: list, show, change, revoke, delete.

use super::answers::{serial_text, warned};
use super::issuer::{CRL_SIGNING, DefaultIssuer, ISSUERS, ISSUING, Issuer, USAGES, rebuild_chains, unknown};
use super::revoke::Revoked;
use super::role::{ROLES, Role};
use super::root::check_issuer_name;
use super::wire::{IssuerPath, ListRequest, WriteIssuer, WriteUrls};
use super::{crl, fetch};
use engine::crypto::x509::SignatureScheme;
use engine::{CommaList, Cx, Fault, Page, Reply, Route};
use serde_json::{Map, Value, json};

/// Roles that are looked at for a warning.
const ROLES_LOOKED_AT_MAX: usize = 1000;

pub(super) fn routes() -> Vec<Route<Cx>> {
    vec![
        Route::at("issuers", "List the issuers.").unauthenticated().list(list),
        Route::at("issuer/{issuer_ref}", "An issuer.").read(read).write(write).patch(patch).delete(delete),
        Route::at("issuer/{issuer_ref}/revoke", "Revoke an issuer.").write(revoke),
    ]
}

fn list(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    let ids = cx.tx.list(ISSUERS, &cx.page)?;
    let default = DefaultIssuer::load(cx)?.default;
    let mut info = Map::new();
    for id in &ids {
        let Some(issuer) = Issuer::load(cx, id)? else { continue };
        let shown = json!({
            "is_default": issuer.id == default,
            "issuer_name": issuer.name,
            "key_id": issuer.key_id,
            "serial_number": issuer.serial()?,
        });
        info.insert(id.clone(), shown);
    }
    Ok(Reply::keys_with_info(ids, info))
}

fn read(cx: &mut Cx, path: IssuerPath) -> Result<Reply, Fault> {
    if path.issuer_ref.is_empty() {
        return Err(Fault::UnsupportedPath);
    }
    Ok(Reply::data(Issuer::find(cx, &path.issuer_ref)?.shown()))
}

/// Upstream puts what is not sent back to its default; that would silently undo restrictions, so that here it stays, as
/// with PATCH.
fn write(cx: &mut Cx, (path, sent): (IssuerPath, WriteIssuer)) -> Result<Reply, Fault> {
    change(cx, &path.issuer_ref, sent)
}

fn patch(cx: &mut Cx, (path, sent): (IssuerPath, WriteIssuer)) -> Result<Reply, Fault> {
    change(cx, &path.issuer_ref, sent)
}

fn change(cx: &mut Cx, reference: &str, sent: WriteIssuer) -> Result<Reply, Fault> {
    let mut issuer = Issuer::find(cx, reference)?;
    if let Some(name) = sent.issuer_name {
        check_issuer_name(cx, &name, Some(&issuer.id))?;
        issuer.name = name;
    }
    if let Some(behavior) = sent.leaf_not_after_behavior {
        if !matches!(behavior.as_str(), "err" | "truncate" | "permit") {
            return Err(Fault::invalid(
                "Unknown value for field `leaf_not_after_behavior`. Possible values are `err`, `truncate`, and `permit`.",
            ));
        }
        issuer.leaf_not_after_behavior = behavior;
    }
    if let Some(CommaList(usage)) = sent.usage {
        set_usage(&mut issuer, usage)?;
    }
    if let Some(name) = sent.revocation_signature_algorithm {
        set_algorithm(cx, &mut issuer, &name)?;
    }
    issuer.urls.apply(&WriteUrls {
        issuing_certificates: sent.issuing_certificates,
        crl_distribution_points: sent.crl_distribution_points,
        delta_crl_distribution_points: sent.delta_crl_distribution_points,
        ocsp_servers: sent.ocsp_servers,
        enable_templating: sent.enable_aia_url_templating,
    })?;
    if let Some(CommaList(chain)) = sent.manual_chain {
        set_chain(cx, &mut issuer, chain)?;
    }
    issuer.save(cx)?;
    rebuild_chains(cx)?;
    crl::rebuild(cx)?;
    Ok(Reply::data(Issuer::find(cx, &issuer.id)?.shown()))
}

fn set_usage(issuer: &mut Issuer, usage: Vec<String>) -> Result<(), Fault> {
    if usage.iter().any(|name| !USAGES.contains(&name.as_str())) {
        return Err(Fault::invalid(format!(
            "Unable to parse specified usages: [{}] - valid values are {}",
            usage.join(" "),
            USAGES.join(",")
        )));
    }
    if issuer.revoked.is_some() && usage.iter().any(|name| name == ISSUING) {
        return Err(Fault::invalid("This issuer was revoked; unable to modify its usage to include certificate signing again."));
    }
    issuer.usage = usage.into_iter().chain(["read-only".to_owned()]).collect();
    Ok(())
}

fn set_algorithm(cx: &mut Cx, issuer: &mut Issuer, name: &str) -> Result<(), Fault> {
    if name.is_empty() {
        issuer.revocation_signature_algorithm = String::new();
        return Ok(());
    }
    let scheme = SignatureScheme::parse(name).ok_or_else(|| Fault::invalid("Unknown signature algorithm value"))?;
    if issuer.private(cx)?.is_some_and(|key| !scheme.fits(key.kind())) {
        return Err(Fault::invalid("the signature algorithm is none of the issuer's key"));
    }
    scheme.name().clone_into(&mut issuer.revocation_signature_algorithm);
    Ok(())
}

fn set_chain(cx: &mut Cx, issuer: &mut Issuer, references: Vec<String>) -> Result<(), Fault> {
    let mut ids = Vec::new();
    for reference in references {
        let found = if reference == "self" { issuer.clone() } else { Issuer::find(cx, &reference)? };
        ids.push(found.id);
    }
    if !ids.is_empty() && ids.first() != Some(&issuer.id) {
        return Err(Fault::upstream_error("manual chain has to begin with the issuer itself"));
    }
    issuer.manual_chain = ids;
    Ok(())
}

fn delete(cx: &mut Cx, path: IssuerPath) -> Result<Reply, Fault> {
    let Ok(issuer) = Issuer::find(cx, &path.issuer_ref) else { return Ok(Reply::data(Value::Null)) };
    cx.tx.delete(&format!("{ISSUERS}{}", issuer.id));
    let mut warnings = Vec::new();
    let mut default = DefaultIssuer::load(cx)?;
    if default.default == issuer.id {
        default.default = String::new();
        default.save(cx)?;
        warnings.push(format!(
            "Deleted issuer {} (via issuer_ref {}); this was configured as the default issuer. Operations without an \
             explicit issuer will not work until a new default is configured.",
            issuer.id, path.issuer_ref
        ));
    }
    let used = roles_that_name(cx, &path.issuer_ref)?;
    if used > 0 {
        warnings.push(format!("{used} roles reference {}", path.issuer_ref));
    }
    crl::forget_issuer(cx, &issuer.id);
    rebuild_chains(cx)?;
    Ok(warned(Reply::data(Value::Null), warnings))
}

fn roles_that_name(cx: &mut Cx, reference: &str) -> Result<usize, Fault> {
    let page = Page { limit: Some(ROLES_LOOKED_AT_MAX), ..Page::default() };
    let mut used = 0;
    for name in cx.tx.list(ROLES, &page)? {
        used += usize::from(Role::load(cx, &name)?.is_some_and(|role| role.issuer_ref == reference));
    }
    Ok(used)
}

fn revoke(cx: &mut Cx, path: IssuerPath) -> Result<Reply, Fault> {
    let mut issuer = match Issuer::find(cx, &path.issuer_ref) {
        Err(Fault::Status(..)) => return Err(Fault::invalid(unknown(&path.issuer_ref))),
        other => other?,
    };
    if issuer.revoked.is_none() {
        issuer.revoked = Some(cx.now);
        issuer.usage.remove(ISSUING);
        issuer.save(cx)?;
    }
    let warnings = list_as_revoked(cx, &issuer)?;
    crl::rebuild(cx)?;
    Ok(warned(Reply::data(issuer.shown()), warnings))
}

/// Puts the issuer's certificate on the lists of those in this mount that signed it.
fn list_as_revoked(cx: &mut Cx, issuer: &Issuer) -> Result<Vec<String>, Fault> {
    let certificate = issuer.parsed()?;
    let mut warnings = Vec::new();
    let mut listed = false;
    for parent in Issuer::all(cx)? {
        let may = parent.usage.contains(CRL_SIGNING) && !parent.key_id.is_empty();
        if parent.id != issuer.id && may && certificate.is_issued_by(&parent.parsed()?) && !certificate.is_self_signed() {
            listed = true;
            fetch::store(cx, &certificate)?;
            Revoked::new(issuer.revoked.unwrap_or(cx.now), &parent.id, &certificate)
                .save(cx, &serial_text(certificate.serial()))?;
            break;
        }
    }
    if certificate.is_self_signed() {
        warnings.push(
            "This issuer is a self-signed (potentially root) certificate. This means it may not be considered revoked if \
             there is not an external, cross-signed variant of this certificate. This issuer's serial number will not \
             appear on its own CRL."
                .to_owned(),
        );
    }
    if !listed {
        warnings.push(
            "This issuer lacks another parent issuer within the mount. This means it will not appear on any other CRLs and \
             may not be considered revoked by clients. Consider adding this issuer to its issuer's CRL as well if it is not \
             self-signed."
                .to_owned(),
        );
    }
    if DefaultIssuer::load(cx)?.default == issuer.id {
        warnings.push(
            "This issuer is currently configured as the default issuer for this mount; operations such as certificate \
             issuance may not work until a new default issuer is selected."
                .to_owned(),
        );
    }
    Ok(warnings)
}
