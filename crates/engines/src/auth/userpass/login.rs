//! Logging in and renewing a login.

use super::record::User;
use super::wire::LoginRequest;
use engine::crypto::password;
use engine::{Alias, Cx, Fault, Input, Login, LoginRecord, Name, Reply, TokenParams};
use serde_json::Value;

/// The canonical user that a login tries, for its lockout: the same folding as the verifier's.
pub(super) fn alias(input: &Input) -> Option<String> {
    let spelling = input.field("username").and_then(Value::as_str)?;
    Name::folded(spelling).map(|name| name.as_str().to_owned())
}

/// Logs a user in.
pub(super) fn login(cx: &mut Cx, request: LoginRequest) -> Result<Reply, Fault> {
    let name = Name::folded(&request.username).ok_or(Fault::UnsupportedPath)?;
    let user = User::load(cx, &name)?;
    let Some(user) = verified(user, request.password.0.as_str(), &Argon2OrBcrypt) else {
        return Err(Fault::LoginFailed("invalid username or password".to_owned()));
    };
    if !user.token.bound_cidrs.admit(cx.request.peer.ip()) {
        return Err(Fault::Denied);
    }
    Ok(Reply::login(Login {
        alias: Alias { name: name.as_str().to_owned(), ..Alias::default() },
        display_name: name.as_str().to_owned(),
        metadata: [("username".to_owned(), name.as_str().to_owned())].into(),
        groups: Vec::new(),
        token: user.token,
        binding: Value::Null,
    }))
}

/// Renews a login: the user is still there and has the policies that the token was issued with.
pub(super) fn renew(cx: &mut Cx, login: &LoginRecord) -> Result<TokenParams, Fault> {
    let name = Name::folded(&login.alias).ok_or_else(|| Fault::internal("the alias of a login is no name"))?;
    let user = User::load(cx, &name)?.ok_or_else(|| Fault::invalid("username does not exist"))?;
    if !login.was_given(&user.token.policies) {
        return Err(Fault::upstream_error("failed to renew entry: policies have changed, not renewing"));
    }
    Ok(user.token)
}

/// What checks a password, at the same cost whether there is a user or not.
pub(super) trait Verifier {
    /// Whether the password is the one that the hash was made from.
    fn verify(&self, password: &str, hash: &str) -> bool;
    /// Spends the time of [`Verifier::verify`].
    fn spend(&self, password: &str);
}

/// The hashes of `crypto`.
struct Argon2OrBcrypt;

impl Verifier for Argon2OrBcrypt {
    fn verify(&self, text: &str, hash: &str) -> bool {
        password::verify(text.as_bytes(), hash)
    }

    fn spend(&self, text: &str) {
        password::dummy_verify(text.as_bytes());
    }
}

/// The user, if the password is right. Each attempt costs one verification: also for unknown users, no password and
/// passwords too long to be anybody's (security rows S58 and S59).
pub(super) fn verified(user: Option<User>, password: &str, verifier: &impl Verifier) -> Option<User> {
    let possible = !password.is_empty() && password.len() <= password::PASSWORD_BYTES_MAX;
    match user.filter(|_| possible) {
        Some(user) => verifier.verify(password, &user.password_hash).then_some(user),
        None => {
            verifier.spend(password);
            None
        }
    }
}
