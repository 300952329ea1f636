//! Tokens: who is alive, what they may, and what they wrap.

use super::{Model, Seen, plain, same};
use crate::operation::{NewToken, What, Wish};
use serde_json::{Value, json};

/// Seconds that nothing passes unless it is tuned.
pub(super) const SYSTEM_MAX: i64 = 2_764_800;

/// What a token may do, beside what every token may with itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    Root,
    /// Everything in its namespace and below.
    Full,
    /// The secrets of its namespace, while the policy allows it.
    Flip,
    /// Nothing.
    Nothing,
    /// It wraps a reply.
    Wrapping,
}

/// A token.
#[derive(Debug, Clone)]
pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) accessor: String,
    /// Id of its lease, as far as the run looked it up.
    pub(crate) lease: String,
    pub(crate) space: String,
    pub(crate) parent: Option<usize>,
    pub(crate) policy: Policy,
    pub(crate) issued: i64,
    /// `None` for those that never end.
    pub(crate) expires: Option<i64>,
    pub(crate) ttl: i64,
    pub(crate) explicit: i64,
    pub(crate) period: i64,
    /// 0 is no limit.
    pub(crate) uses: i64,
    pub(crate) batch: bool,
    pub(crate) gone: bool,
    hidden: Option<String>,
    /// What it wraps.
    pub(crate) wrapped: Option<String>,
}

impl Token {
    /// A token that never ends.
    pub(crate) fn endless(text: &str, policy: Policy, space: &str) -> Self {
        Self {
            text: text.to_owned(),
            accessor: String::new(),
            lease: String::new(),
            space: space.to_owned(),
            parent: None,
            policy,
            issued: 0,
            expires: None,
            ttl: 0,
            explicit: 0,
            period: 0,
            uses: 0,
            batch: false,
            gone: false,
            hidden: None,
            wrapped: None,
        }
    }

    pub(crate) fn ended(&self, now: i64) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// A token that lives so many seconds from now.
    pub(super) fn timed(policy: Policy, space: &str, now: i64, ttl: i64, seen: &Seen) -> Option<Self> {
        let (text, accessor) = seen.token.clone()?;
        let endless = Self::endless(&text, policy, space);
        Some(Self { accessor, issued: now, ttl, expires: Some(now + ttl), ..endless })
    }
}

impl Model {
    /// Whether a token works at a moment.
    pub(crate) fn alive(&self, number: usize, now: i64) -> bool {
        let Some(token) = self.tokens.get(number) else { return false };
        let parent = token.parent.filter(|_| token.batch).and_then(|parent| self.tokens.get(parent));
        !token.gone && !token.ended(now) && parent.is_none_or(|parent| !parent.gone && !parent.ended(now))
    }

    /// Whether a live token may do something in a namespace at or below its own.
    pub(super) fn may(&self, actor: &Token, wish: &Wish) -> bool {
        let home = self.spaces.get(&actor.space);
        let at_home = actor.space == wish.space;
        match actor.policy {
            Policy::Root => true,
            Policy::Full if home.is_some_and(|home| home.full) => true,
            Policy::Flip if at_home && home.is_some_and(|home| home.flip) && wish.what.is_of_secrets() => true,
            // What it does with itself is the same from every namespace that it serves.
            _ if matches!(wish.what, What::Lookup | What::Renew { .. } | What::RevokeSelf) => {
                actor.policy != Policy::Wrapping
            }
            Policy::Full | Policy::Flip | Policy::Nothing => at_home && wish.what.is_own(),
            Policy::Wrapping => at_home && matches!(wish.what, What::Unwrap { .. }),
        }
    }

    /// Counts a use; whether it was the last.
    pub(super) fn spend(&mut self, number: usize) -> bool {
        let Some(token) = self.tokens.get_mut(number).filter(|token| token.uses > 0) else { return false };
        if token.uses > 1 {
            token.uses -= 1;
            return false;
        }
        true
    }

    /// A token goes with its leases and all below it; batch tokens notice by themselves.
    pub(super) fn revoke_tree(&mut self, number: usize) {
        let mut pending = vec![number];
        while let Some(number) = pending.pop() {
            self.end(number);
            let children = self.tokens.iter().enumerate();
            let children = children.filter(|(_, token)| token.parent == Some(number) && !token.batch && !token.gone);
            pending.extend(children.map(|(child, _)| child));
        }
    }

    fn end(&mut self, number: usize) {
        self.tokens.get_mut(number).into_iter().for_each(|token| token.gone = true);
        self.leases.iter_mut().filter(|lease| lease.token == Some(number)).for_each(|lease| lease.gone = true);
    }

    /// Whether a token's record can be seen from a namespace.
    fn visible(&self, token: usize, from: &str) -> bool {
        self.tokens
            .get(token)
            .is_some_and(|token| !token.gone && (from.is_empty() || token.space.is_empty() || token.space == from))
    }

    pub(super) fn act_on_tokens(&mut self, wish: &Wish, now: i64, seen: &Seen) -> Option<(u16, Option<String>)> {
        let is_batch = |number: usize| self.tokens.get(number).is_some_and(|token| token.batch);
        match &wish.what {
            What::Create(new) => Some((self.create(wish, new, now, seen), None)),
            What::Lookup => Some(self.look_up(wish.actor, now, seen)),
            What::Renew { increment } => Some((self.renew(wish.actor, *increment, now), None)),
            What::RevokeSelf if is_batch(wish.actor) => plain(400),
            What::RevokeSelf => {
                self.revoke_tree(wish.actor);
                plain(200)
            }
            What::Revoke { token } if is_batch(*token) => plain(400),
            What::Revoke { token } => {
                if self.visible(*token, &wish.space) {
                    self.revoke_tree(*token);
                }
                plain(200)
            }
            What::RevokeOrphan { token } => Some((self.revoke_alone(*token, &wish.space), None)),
            What::RevokeAccessor { token } => {
                if self.tokens.get(*token).is_some_and(|token| !token.gone && token.space == wish.space) {
                    self.revoke_tree(*token);
                }
                plain(200)
            }
            What::LookupAccessor { token } => {
                let here = self.tokens.get(*token).is_some_and(|token| token.space == wish.space && !token.batch);
                plain(if here && self.alive(*token, now) { 200 } else { 400 })
            }
            What::RenewTokenLease { token } => {
                let here = self.tokens.get(*token).is_some_and(|token| token.space == wish.space && !token.gone);
                Some((if here { self.renew(*token, 0, now) } else { 400 }, None))
            }
            What::Hide { .. } | What::Find => Some(self.act_on_hidden(wish, seen)),
            _ => None,
        }
    }

    fn create(&mut self, wish: &Wish, new: &NewToken, now: i64, seen: &Seen) -> u16 {
        let Some(actor) = self.tokens.get(wish.actor) else { return 403 };
        if actor.batch || actor.uses > 0 {
            return 400;
        }
        let wanted = if new.period > 0 { new.period } else { new.ttl };
        let ttl = if new.explicit > 0 { wanted.min(new.explicit) } else { wanted };
        let policy = match new.policy {
            "full" => Policy::Full,
            "flip" => Policy::Flip,
            _ => Policy::Nothing,
        };
        if let Some(token) = Token::timed(policy, &wish.space, now, ttl, seen) {
            let parent = Some(wish.actor).filter(|_| !new.orphan);
            let (explicit, period, uses, batch) = (new.explicit, new.period, new.uses, new.batch);
            self.tokens.push(Token { parent, explicit, period, uses, batch, ..token });
        }
        200
    }

    fn look_up(&self, actor: usize, now: i64, seen: &Seen) -> (u16, Option<String>) {
        let Some(token) = self.tokens.get(actor) else { return (403, None) };
        let number = |name: &str| seen.data.get(name).and_then(Value::as_i64).unwrap_or(-1);
        let ttl = token.expires.map_or(0, |expires| expires - now);
        (200, same("ttl", &number("ttl"), &ttl).or_else(|| same("uses left", &number("num_uses"), &token.uses)))
    }

    fn renew(&mut self, number: usize, increment: i64, now: i64) -> u16 {
        let Some(token) = self.tokens.get_mut(number) else { return 400 };
        let wrapping = token.policy == Policy::Wrapping;
        if token.batch || token.expires.is_none() || token.ended(now) || wrapping {
            return 400;
        }
        let wanted = [token.period, increment, token.ttl].into_iter().find(|ttl| *ttl > 0).unwrap_or(SYSTEM_MAX);
        let mut expires = now + wanted;
        if token.explicit > 0 {
            expires = expires.min(token.issued + token.explicit);
        }
        if token.period == 0 {
            expires = expires.min(token.issued + SYSTEM_MAX);
        }
        if expires <= now {
            return 400;
        }
        token.expires = Some(expires);
        200
    }

    fn revoke_alone(&mut self, number: usize, from: &str) -> u16 {
        let batch = self.tokens.get(number).is_none_or(|token| token.batch);
        if batch || !self.visible(number, from) {
            return 400;
        }
        let children = self.tokens.iter_mut().filter(|token| token.parent == Some(number) && !token.batch);
        children.for_each(|token| token.parent = None);
        self.end(number);
        200
    }

    fn act_on_hidden(&mut self, wish: &Wish, seen: &Seen) -> (u16, Option<String>) {
        let Some(token) = self.tokens.get_mut(wish.actor) else { return (403, None) };
        match (&wish.what, token.batch) {
            (_, true) => (400, None),
            (What::Hide { value }, false) => {
                token.hidden = Some(value.clone());
                (200, None)
            }
            _ => match &token.hidden {
                Some(value) => (200, same("cubbyhole", &seen.data, &json!({ "v": value }))),
                None => (404, None),
            },
        }
    }

    pub(super) fn act_on_wrapped(&mut self, wish: &Wish, now: i64, seen: &Seen) -> Option<(u16, Option<String>)> {
        let (number, again) = match &wish.what {
            What::Wrap { value, ttl } => {
                self.add_wrapping(&wish.space, value.clone(), *ttl, now, seen);
                return plain(200);
            }
            What::Unwrap { token } => (*token, false),
            What::Rewrap { token } => (*token, true),
            _ => return None,
        };
        let own = number == wish.actor && !again;
        if !own && !self.may_take(wish, now) {
            return plain(403);
        }
        let here = |token: &&Token| wish.space.is_empty() || token.space == wish.space;
        let found = self.tokens.get(number).filter(here).filter(|_| self.alive(number, now));
        let Some((value, ttl)) = found.and_then(|token| Some((token.wrapped.clone()?, token.ttl))) else {
            return plain(400);
        };
        self.revoke_tree(number);
        if again {
            self.add_wrapping(&wish.space, value, ttl, now, seen);
            return plain(200);
        }
        Some((200, same("what was wrapped", &seen.data, &json!({ "v": value }))))
    }

    /// Holding a wrapping token is not enough: whoever names it has to be good for the path.
    fn may_take(&self, wish: &Wish, now: i64) -> bool {
        let actor = self.tokens.get(wish.actor).filter(|_| self.alive(wish.actor, now));
        let actor = actor.filter(|actor| actor.space.is_empty() || actor.space == wish.space);
        actor.is_some_and(|actor| self.may(actor, wish))
    }

    fn add_wrapping(&mut self, space: &str, value: String, ttl: i64, now: i64, seen: &Seen) {
        let token = Token::timed(Policy::Wrapping, space, now, ttl, seen);
        self.tokens.extend(token.map(|token| Token { uses: 1, wrapped: Some(value), explicit: ttl, ..token }));
    }
}

impl What {
    fn is_of_secrets(&self) -> bool {
        self.mount().is_some_and(|mount| matches!(mount, "kv1" | "kv2"))
    }

    /// Whether the default policy covers it.
    fn is_own(&self) -> bool {
        matches!(
            self,
            Self::Lookup
                | Self::Renew { .. }
                | Self::RevokeSelf
                | Self::Hide { .. }
                | Self::Find
                | Self::Wrap { .. }
                | Self::Unwrap { .. }
                | Self::RenewLease { .. }
                | Self::RenewTokenLease { .. }
        )
    }
}
