//! Renewing tokens. A renewal asks the login method again, never passes a maximum, and never makes a token endless.

use super::lookup::at_accessor;
use super::{LoginLink, Token, TokenRef, find, save};
use crate::leases::{self, LeaseEntry};
use crate::mounts::MountTable;
use crate::{Kx, issue};
use engine::{Fault, Reply, Seconds, Secret};
use std::sync::Arc;

engine::request! {
    /// Renews a token.
    pub struct RenewByText {
        /// The token.
        token: engine::SecretText,
        /// Seconds asked for.
        increment: Seconds,
    }
}

engine::request! {
    /// Renews a token by its accessor.
    pub struct RenewByAccessor {
        /// Accessor of the token.
        accessor: String,
        /// Seconds asked for.
        increment: Seconds,
    }
}

engine::request! {
    /// Renews the token of the request.
    pub struct RenewOwn {
        /// Seconds asked for.
        increment: Seconds,
    }
}

pub(super) fn by_text(kx: &mut Kx, request: RenewByText) -> Result<Reply, Fault> {
    let text = request.token.0.expose().clone();
    if text.is_empty() {
        return Err(Fault::invalid("missing token ID"));
    }
    let kernel = kx.kernel.clone();
    let missing = || Fault::invalid("token not found");
    let (at, token) = find(&kernel, &mut kx.tx, &text)?.ok_or_else(missing)?;
    if token.ended(kx.now) || !super::lookup::visible(kx, &token)? {
        return Err(missing());
    }
    renewed(kx, at, token, request.increment.0, text)
}

pub(super) fn by_accessor(kx: &mut Kx, request: RenewByAccessor) -> Result<Reply, Fault> {
    let (at, token) = at_accessor(kx, &request.accessor)?;
    renewed(kx, at, token, request.increment.0, String::new())
}

pub(super) fn own(kx: &mut Kx, request: RenewOwn) -> Result<Reply, Fault> {
    let session = kx.session()?.clone();
    let text = kx.request.token.as_ref().map(|token| token.expose().clone()).unwrap_or_default();
    match session.at.clone() {
        Some(at) => renewed(kx, at, session.token.clone(), request.increment.0, text),
        None => Err(Fault::invalid("batch tokens cannot be renewed")),
    }
}

fn renewed(kx: &mut Kx, at: TokenRef, token: Arc<Token>, increment: i64, text: String) -> Result<Reply, Fault> {
    let token = renew(kx, &at, &token, increment)?;
    let issued = super::Issued { text: Secret::new(text), at: Some(at), token };
    let auth = issue::auth(kx, &issued)?;
    Ok(Reply { auth: Some(Box::new(auth)), ..Reply::default() })
}

/// Renews a token by so many seconds; 0 takes what it was made with.
pub fn renew(kx: &mut Kx, at: &TokenRef, token: &Token, increment: i64) -> Result<Token, Fault> {
    // Asked here, where every way to a renewal meets: a token that ended but waits for the expiry job stays ended.
    if token.ended(kx.now) {
        return Err(Fault::invalid("lease expired"));
    }
    if token.expires.is_none() {
        return Err(Fault::invalid("invalid lease ID"));
    }
    if !token.renewable {
        return Err(Fault::invalid("lease is not renewable"));
    }
    let (period, default_ttl, max_ttl) = bounds(kx, token)?;
    let wanted = if period > 0 {
        period
    } else if increment > 0 {
        increment
    } else if token.creation_ttl > 0 {
        token.creation_ttl
    } else {
        default_ttl
    };
    let bounded = Token { period, ..token.clone() };
    let asked = kx.now.plus_seconds(wanted);
    let expires = bounded.latest_end(max_ttl).map_or(asked, |latest| latest.min(asked));
    if expires <= kx.now {
        return Err(Fault::invalid("past the max TTL, cannot renew"));
    }
    let ttl = kx.now.seconds_until(expires);
    let renewed = Token { expires: Some(expires), renewed: Some(kx.now), ttl, period, ..token.clone() };
    save(&mut kx.tx, at, &renewed)?;
    if let Some(lease) = leases::load(&mut kx.tx, &at.namespace, &token.lease)? {
        let later = LeaseEntry { expires, renewed: Some(kx.now), ..lease.clone() };
        leases::replace(&mut kx.tx, &lease, &later)?;
    }
    Ok(renewed)
}

/// Period, default and maximum that hold now: the login method's if a login made the token, its own otherwise.
fn bounds(kx: &mut Kx, token: &Token) -> Result<(i64, i64, i64), Fault> {
    let settings = kx.kernel.settings.clone();
    let Some(LoginLink { mount_accessor, record }) = &token.login else {
        return Ok((token.period, settings.default_lease_ttl, settings.max_lease_ttl));
    };
    let kernel = kx.kernel.clone();
    let table = MountTable::load(&kernel.memo, &mut kx.tx, &token.namespace)?;
    let gone = || Fault::invalid("login method of the token is gone");
    let mount = table.by_accessor(mount_accessor).cloned().ok_or_else(gone)?;
    let view = kernel.view(&mount);
    let params = kx.on_mount(&mount, |engine, cx| engine.renew_login(cx, record))?;
    let max_ttl = if params.max_ttl > 0 { params.max_ttl.min(view.max_lease_ttl) } else { view.max_lease_ttl };
    let default_ttl = if params.ttl > 0 { params.ttl } else { view.default_lease_ttl };
    Ok((params.period, default_ttl, max_ttl))
}
