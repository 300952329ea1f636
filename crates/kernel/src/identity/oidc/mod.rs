//! Identity tokens: `identity/oidc/*` signs a short JSON Web Token (RFC 7519) about the entity behind a token, and
//! publishes what others verify it with (OpenID Connect Discovery 1.0, RFC 7517).
//!
//! A named key signs for the roles that name it. It holds a signing key, the next one (published before it signs, so
//! that those who keep public keys know it in time) and the public halves of those that signed before, until tokens of
//! theirs can no longer be alive. Keys rotate by themselves ([`rotate_due`]). Private keys lie behind the barrier as every
//! record does.
//!
//! The provider for single sign-on (`provider`, `client`, `scope`, `assignment`) is not part of this.

mod config;
mod discovery;
mod introspection;
mod jwt;
mod named_key;
mod named_key_routes;
mod role_routes;
mod rotation;
mod signer;
mod template;
mod token;

pub use rotation::{KEYS_ROTATED_MAX, rotate_due};

use crate::Kx;
use engine::{Fault, Name, Route};

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let mut routes = config::routes();
    routes.extend(discovery::routes());
    routes.extend(named_key_routes::routes());
    routes.extend(role_routes::routes());
    routes.extend(token::routes());
    routes.extend(introspection::routes());
    routes
}

/// A name of a key or role in a path. It is what it is spelled as: upstream folds nothing here.
fn name_in_path(spelling: String) -> Result<String, Fault> {
    Name::folded(&spelling).map(|_| spelling).ok_or(Fault::UnsupportedPath)
}

/// Seconds that must not be negative.
fn not_negative(field: &str, seconds: i64) -> Result<i64, Fault> {
    if seconds >= 0 {
        return Ok(seconds);
    }
    Err(Fault::invalid(format!(
        "error converting input for field {field:?}: cannot provide negative value '{seconds}'"
    )))
}
