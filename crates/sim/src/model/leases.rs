//! Leases, and logins with secret-ids.

use super::{ANY, Model, Policy, Seen, Token, plain, tokens::SYSTEM_MAX};
use crate::accounts;
use crate::operation::{What, Wish};
use serde_json::Value;

/// Failures that close a login, and seconds that it stays closed.
const LOCKOUT: (u32, i64) = (5, 900);
/// Seconds that a token of a login lives.
pub(crate) const LOGIN_TTL: i64 = 100;

/// A lease of an account.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) id: String,
    pub(crate) space: String,
    /// The token it ends with.
    pub(crate) token: Option<usize>,
    pub(crate) expires: i64,
    /// Nothing renews it beyond.
    latest: i64,
    pub(crate) gone: bool,
}

/// A secret-id.
#[derive(Debug, Clone)]
pub(crate) struct SecretId {
    pub(crate) text: String,
    pub(crate) space: String,
    pub(crate) expires: Option<i64>,
    /// `None` is no limit.
    pub(crate) uses: Option<i64>,
}

impl Model {
    pub(super) fn act_on_leases(&mut self, wish: &Wish, now: i64, seen: &Seen) -> Option<(u16, Option<String>)> {
        match &wish.what {
            What::Lease => Some((self.new_lease(wish, now, seen), None)),
            What::RenewLease { lease, increment } => {
                let lease = self.leases.get_mut(*lease);
                let lease = lease.filter(|lease| !lease.gone && lease.space == wish.space && lease.expires > now);
                let Some(lease) = lease else { return plain(400) };
                let wanted = if *increment > 0 { *increment } else { accounts::TTL };
                let expires = (now + wanted).min(lease.latest);
                if expires <= now {
                    return plain(400);
                }
                lease.expires = expires;
                plain(200)
            }
            What::RevokeLease { lease } => {
                let lease = self.leases.get_mut(*lease).filter(|lease| lease.space == wish.space);
                lease.into_iter().for_each(|lease| lease.gone = true);
                plain(200)
            }
            What::NewSecretId { uses, ttl } => {
                let text = seen.data.get("secret_id").and_then(Value::as_str);
                self.secret_ids.extend(text.map(|text| SecretId {
                    text: text.to_owned(),
                    space: wish.space.clone(),
                    expires: (*ttl > 0).then(|| now + ttl),
                    uses: (*uses > 0).then_some(*uses),
                }));
                plain(200)
            }
            What::Login { secret_id } => Some((self.log_in(wish, *secret_id, now, seen), None)),
            _ => None,
        }
    }

    fn new_lease(&mut self, wish: &Wish, now: i64, seen: &Seen) -> u16 {
        let counted = self.leases.iter().filter(|lease| lease.space == "a" && !lease.gone).count();
        if wish.space == "a" && self.quota.is_some_and(|max| counted as u64 >= max) {
            return 429;
        }
        let Some(actor) = self.tokens.get(wish.actor) else { return 403 };
        let end = actor.expires.filter(|_| actor.batch).unwrap_or(i64::MAX);
        let token = if actor.batch { actor.parent } else { Some(wish.actor) };
        if let Some((id, _)) = seen.lease.clone() {
            let expires = (now + accounts::TTL).min(end);
            let latest = (now + SYSTEM_MAX).min(end);
            self.leases.push(Lease { id, space: wish.space.clone(), token, expires, latest, gone: false });
        }
        200
    }

    fn log_in(&mut self, wish: &Wish, secret_id: Option<usize>, now: i64, seen: &Seen) -> u16 {
        let (count, last) = self.failures.get(&wish.space).copied().unwrap_or_default();
        let recent = now < last + LOCKOUT.1;
        if count >= LOCKOUT.0 && recent {
            return 403;
        }
        let known = secret_id.and_then(|number| self.secret_ids.get_mut(number));
        let known = known.filter(|known| {
            known.space == wish.space
                && known.expires.is_none_or(|expires| now < expires)
                && known.uses.is_none_or(|uses| uses > 0)
        });
        let Some(known) = known else {
            let count = if recent { count } else { 0 };
            self.failures.insert(wish.space.clone(), (count + 1, now));
            return 400;
        };
        known.uses = known.uses.map(|uses| uses - 1);
        self.failures.remove(&wish.space);
        let token = Token::timed(Policy::Flip, &wish.space, now, LOGIN_TTL, seen);
        self.tokens.extend(token);
        200
    }

    /// What the expiry job does.
    pub(crate) fn expire(&mut self, now: i64) {
        for number in self.due_tokens(now) {
            self.revoke_tree(number);
        }
        self.leases.iter_mut().filter(|lease| lease.expires <= now).for_each(|lease| lease.gone = true);
    }

    /// Whether the expiry job has something to do.
    pub(crate) fn is_due(&self, now: i64) -> bool {
        !self.due_tokens(now).is_empty() || self.leases.iter().any(|lease| !lease.gone && lease.expires <= now)
    }

    fn due_tokens(&self, now: i64) -> Vec<usize> {
        let due = self.tokens.iter().enumerate();
        due.filter(|(_, token)| !token.batch && !token.gone && token.ended(now)).map(|(number, _)| number).collect()
    }

    /// Takes note of an answer about identities: the model only collects what can be asked about next.
    pub(super) fn note_identity(&mut self, seen: &Seen) -> (u16, Option<String>) {
        let id = seen.data.get("id").and_then(Value::as_str).map(str::to_owned);
        self.entities.extend(id.filter(|_| seen.status < 400));
        (ANY, None)
    }
}
