//! `sys/wrapping/*`.

use crate::{Kx, authorize, pipeline::Answer, wrapping};
use engine::{Fault, Input, Reply, Route, SecretText};
use serde_json::json;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("wrapping/wrap", "Wrap the data of the request.").write(wrap),
        Route::at("wrapping/unwrap", "Unwrap a reply, once.").unauthenticated().write(unwrap),
        Route::at("wrapping/lookup", "Look at a wrapping token without using it up.")
            .unauthenticated()
            .read(lookup)
            .write(lookup),
        Route::at("wrapping/rewrap", "Move a wrapped reply to a new token.").unauthenticated().write(rewrap),
    ]
}

engine::request! {
    /// Names a wrapping token.
    pub struct WrappingToken {
        /// The token; that of the request if absent.
        token: SecretText,
    }
}

fn wrap(kx: &mut Kx, input: Input) -> Result<Reply, Fault> {
    if kx.request.wrap_ttl.is_none() {
        return Err(Fault::invalid("endpoint requires response wrapping to be used"));
    }
    Ok(Reply::data(input.body))
}

/// The token to look at: named in the body, or the request's own. That the caller holds it is all the right it takes;
/// with a token named in the body, the caller's own token has to be good too.
fn named(kx: &Kx, request: &WrappingToken) -> Result<String, Fault> {
    let own = kx.request.token.as_ref().map(|token| token.expose().clone());
    match request.token.0.expose().as_str() {
        "" => own.ok_or_else(|| refused("token is empty")),
        text => Ok(text.to_owned()),
    }
}

fn refused(why: &str) -> Fault {
    Fault::Status(403, vec![format!("error validating wrapping token: {why}")])
}

/// Whether the caller may take what another token wraps: holding that token is not enough, the caller's own has to be
/// good for the path.
fn may_take(kx: &Kx, token: &str, path: &str) -> Result<(), Fault> {
    let own = kx.request.token.as_ref().is_some_and(|own| own.expose() == token);
    match (own && path == UNWRAP, &kx.session) {
        (true, _) => Ok(()),
        (false, None) => Err(Fault::Denied),
        (false, Some(_)) if authorize::may(kx, path) => Ok(()),
        (false, Some(_)) => Err(Fault::Forbidden),
    }
}

/// What a wrapping token alone is good for.
const UNWRAP: &str = "sys/wrapping/unwrap";

fn unwrap(kx: &mut Kx, request: WrappingToken) -> Result<Reply, Fault> {
    let token = named(kx, &request)?;
    may_take(kx, &token, UNWRAP)?;
    let wrapped = wrapping::take(kx, &token)?;
    let Answer { reply, lease, auth, wrap_info } = wrapping::unwrapped(wrapped);
    kx.unwrapped = Some(crate::exchange::Unwrapped { lease, wrap_info });
    Ok(Reply { auth: auth.map(Box::new), ..reply })
}

fn lookup(kx: &mut Kx, request: WrappingToken) -> Result<Reply, Fault> {
    let token = named(kx, &request)?;
    let wrapped = wrapping::peek(kx, &token)?;
    Ok(Reply::data(json!({
        "creation_path": wrapped.creation_path,
        "creation_time": wrapped.created.to_rfc3339(),
        "creation_ttl": wrapped.ttl,
    })))
}

fn rewrap(kx: &mut Kx, request: WrappingToken) -> Result<Reply, Fault> {
    let token = named(kx, &request)?;
    may_take(kx, &token, "sys/wrapping/rewrap")?;
    let mut wrapped = wrapping::take(kx, &token)?;
    wrapped.created = kx.now;
    let info = wrapping::wrap(kx, wrapped)?;
    kx.unwrapped = Some(crate::exchange::Unwrapped { lease: None, wrap_info: Some(info) });
    Ok(Reply::empty())
}
