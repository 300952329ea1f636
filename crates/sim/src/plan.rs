//! What clients want next: chosen by the dice among what the model knows, things that ended included.

use crate::dice::Dice;
use crate::model::{Model, Policy};
use crate::operation::{Ask, GUEST, NewToken, PLAIN, What, Wish};
use crate::prepared::TENANTS;
use engine::Operation;
use serde_json::{Value, json};

/// Names of secrets: few, so that clients meet.
const NAMES: [&str; 2] = ["x", "x/y"];
/// Paths that are mounted, unmounted and moved.
const MOUNTS: [&str; 2] = ["m0", "m1"];
/// How far back tokens, leases and secret-ids are chosen from.
const RECENT: usize = 10;

pub(crate) struct Plan<'a> {
    pub(crate) dice: &'a mut Dice,
    pub(crate) model: &'a Model,
    /// Makes values unlike each other.
    pub(crate) event: u64,
    /// Seconds.
    pub(crate) now: i64,
}

impl Plan<'_> {
    pub(crate) fn wish(&mut self) -> Wish {
        let what = match self.dice.below(100) {
            0..14 => self.secrets(),
            14..32 => self.versions(),
            32..60 => self.tokens(),
            60..69 => self.wrapping(),
            69..79 => self.leases(),
            79..85 => self.logins(),
            85..92 => self.system(),
            _ => self.identity(),
        };
        let actor = self.actor(&what);
        let space = self.space(actor, &what);
        let what = self.at_home(what, &space);
        Wish { actor, space, what }
    }

    /// Mostly somebody who may; what one does with one's own token is not for the root token.
    fn actor(&mut self, what: &What) -> usize {
        let own = matches!(what, What::Lookup | What::Renew { .. } | What::RevokeSelf | What::Hide { .. } | What::Find);
        if !own && self.dice.chance(50) {
            return 0;
        }
        if self.dice.chance(25) {
            return self.token();
        }
        let tokens = self.model.tokens().iter().enumerate().rev();
        let live = tokens.filter(|(number, token)| {
            *number > 0 && token.policy != Policy::Wrapping && self.model.alive(*number, self.now)
        });
        let recent: Vec<usize> = live.map(|(number, _)| number).take(6).collect();
        self.dice.pick(&recent).copied().unwrap_or_default()
    }

    /// A recent token, live or not.
    fn token(&mut self) -> usize {
        self.recent(self.model.tokens().len())
    }

    fn recent(&mut self, length: usize) -> usize {
        let back = usize::try_from(self.dice.below(length.min(RECENT) as u64)).unwrap_or_default();
        length.saturating_sub(1 + back)
    }

    /// Mostly where the request can work, sometimes where it must not.
    fn space(&mut self, actor: usize, what: &What) -> String {
        let of = |number: &usize| self.model.token(*number).map(|token| token.space.clone());
        let meant = match what {
            What::NewSpace
            | What::DeleteSpace
            | What::Lock
            | What::Unlock { .. }
            | What::Quota { .. }
            | What::Rotate => {
                return String::new();
            }
            What::RevokeAccessor { token }
            | What::LookupAccessor { token }
            | What::Unwrap { token }
            | What::Rewrap { token }
            | What::RenewTokenLease { token } => of(token),
            What::RenewLease { lease, .. } | What::RevokeLease { lease } => {
                self.model.lease(*lease).map(|lease| lease.space.clone())
            }
            What::Login { secret_id: Some(known) } => self.model.secret_id(*known).map(|known| known.space.clone()),
            What::Hide { .. } | What::Find => return of(&actor).unwrap_or_default(),
            _ => of(&actor).filter(|home| !home.is_empty()),
        };
        let elsewhere = if self.dice.chance(12) { GUEST } else { self.dice.name(&TENANTS) };
        meant.filter(|_| self.dice.chance(92)).unwrap_or_else(|| elsewhere.to_owned())
    }

    /// What names a place is fitted to the namespace that it is asked in.
    fn at_home(&mut self, what: What, space: &str) -> What {
        match what {
            What::PutVersion { name, value, cas: Some(behind) } => {
                let cas = Some(self.model.current(space, &name).saturating_sub(behind));
                What::PutVersion { name, value: format!("{space}/{value}"), cas }
            }
            What::PutVersion { name, value, cas } => What::PutVersion { name, value: format!("{space}/{value}"), cas },
            What::Put { mount, name, value } => What::Put { mount, name, value: format!("{space}/{value}") },
            What::Identity(ask) => What::Identity(self.with_accessor(ask, space)),
            other => other,
        }
    }

    fn with_accessor(&self, mut ask: Ask, space: &str) -> Ask {
        let accessor = self.model.space(space).map(|space| space.accessor.clone()).unwrap_or_default();
        if let Some(member) = ask.body.get_mut("mount_accessor") {
            *member = accessor.into();
        }
        ask
    }

    fn value(&self) -> String {
        format!("value {}", self.event)
    }

    fn secrets(&mut self) -> What {
        let mount = if self.dice.chance(65) { PLAIN } else { self.dice.name(&MOUNTS) }.to_owned();
        let name = self.dice.name(&NAMES).to_owned();
        match self.dice.below(10) {
            0..5 => What::Put { mount, name, value: self.value() },
            5..9 => What::Get { mount, name },
            _ => What::Delete { mount, name },
        }
    }

    fn versions(&mut self) -> What {
        let name = self.dice.name(&NAMES).to_owned();
        let version = self.dice.below(5);
        let value = self.value();
        match self.dice.below(20) {
            0..3 => What::PutVersion { name, value, cas: None },
            // Against the newest version, or the one before.
            3..9 => What::PutVersion { name, value, cas: Some(u64::from(self.dice.chance(20))) },
            9..11 => What::Patch { name, value },
            11..15 => What::GetVersion { name, version },
            15..16 => What::DeleteVersion { name },
            16..17 => What::Undelete { name, version },
            17..18 => What::Destroy { name, version },
            18..19 => What::Forget { name },
            _ => What::GetVersion { name, version: 0 },
        }
    }

    fn tokens(&mut self) -> What {
        let token = self.token();
        match self.dice.below(28) {
            0..9 => What::Create(self.new_token()),
            9..16 => What::Lookup,
            16..18 => What::Renew { increment: i64::try_from(self.dice.below(3)).unwrap_or_default() * 20 },
            18..19 => What::RevokeSelf,
            19..21 if self.revocable(token) => What::Revoke { token },
            21..22 if self.revocable(token) => What::RevokeOrphan { token },
            22..23 if self.revocable(token) => What::RevokeAccessor { token },
            23..24 if self.revocable(token) => What::LookupAccessor { token },
            24..25 if self.has_lease(token) => What::RenewTokenLease { token },
            25..27 => What::Hide { value: self.value() },
            _ => What::Find,
        }
    }

    /// The root token stays, and what has no accessor is not named by it.
    fn revocable(&self, token: usize) -> bool {
        self.model.token(token).is_some_and(|token| !token.accessor.is_empty())
    }

    fn has_lease(&self, token: usize) -> bool {
        self.model.token(token).is_some_and(|token| !token.lease.is_empty())
    }

    fn new_token(&mut self) -> NewToken {
        let ttl = 5 + i64::try_from(self.dice.below(12)).unwrap_or_default() * 8;
        let policy = ["full", "full", "flip", "flip", "nothing"];
        let new = NewToken { policy: self.dice.name(&policy), ttl, ..NewToken::default() };
        match self.dice.below(10) {
            0..2 => NewToken { uses: 1 + i64::try_from(self.dice.below(3)).unwrap_or_default(), ..new },
            2 => NewToken { explicit: 30, ..new },
            3 => NewToken { period: 25, ..new },
            4 => NewToken { orphan: true, ..new },
            5..7 => NewToken { batch: true, orphan: self.dice.chance(30), ..new },
            _ => new,
        }
    }

    fn wrapping(&mut self) -> What {
        let wrapping = self.model.tokens().iter().enumerate();
        let wrapping = wrapping.filter(|(_, token)| token.policy == Policy::Wrapping).map(|(number, _)| number);
        let recent: Vec<usize> = wrapping.rev().take(2).collect();
        let chosen = if self.dice.chance(92) { self.dice.pick(&recent).copied() } else { Some(self.token()) };
        let ttl = 10 + i64::try_from(self.dice.below(5)).unwrap_or_default() * 10;
        match (self.dice.below(10), chosen.filter(|token| self.model.token(*token).is_some())) {
            (0..6, Some(token)) => What::Unwrap { token },
            (6, Some(token)) => What::Rewrap { token },
            _ => What::Wrap { value: self.value(), ttl },
        }
    }

    fn leases(&mut self) -> What {
        let count = self.model.leases().len();
        let lease = self.recent(count);
        let increment = i64::try_from(self.dice.below(4)).unwrap_or_default() * 30;
        match self.dice.below(10) {
            0..2 if count > 0 => What::RenewLease { lease, increment },
            2..4 if count > 0 => What::RevokeLease { lease },
            4 => What::Quota { max: self.dice.chance(60).then(|| 1 + self.dice.below(3)) },
            _ => What::Lease,
        }
    }

    fn logins(&mut self) -> What {
        let count = self.model.secret_ids().len();
        let known = self.model.secret_ids().iter().enumerate().rev();
        let usable = known.filter(|(_, known)| known.uses != Some(0) && known.expires.is_none_or(|end| end > self.now));
        let usable: Vec<usize> = usable.map(|(number, _)| number).take(2).collect();
        let any = Some(self.recent(count)).filter(|_| count > 0);
        let secret_id = if self.dice.chance(80) { self.dice.pick(&usable).copied().or(any) } else { any };
        let ttl = i64::try_from(self.dice.below(3)).unwrap_or_default() * 20;
        match self.dice.below(20) {
            0..6 => What::NewSecretId { uses: i64::try_from(self.dice.below(3)).unwrap_or_default(), ttl },
            6..10 => What::Login { secret_id: None },
            _ => What::Login { secret_id },
        }
    }

    fn system(&mut self) -> What {
        let path = self.dice.name(&MOUNTS).to_owned();
        match self.dice.below(20) {
            0..3 => What::Policy { allows: self.dice.chance(60) },
            3 if self.dice.chance(50) => What::Rotate,
            4..7 => What::Mount { path },
            7..9 => What::Unmount { path },
            9..12 => What::Remount { from: path, to: self.dice.name(&MOUNTS).to_owned() },
            12..15 => What::NewSpace,
            15 => What::DeleteSpace,
            16..18 if self.model.space(GUEST).is_some_and(|guest| guest.locked.is_none()) => What::Lock,
            18 => What::Lock,
            _ => {
                What::Unlock { key: self.model.space(GUEST).and_then(|space| space.locked.clone()).unwrap_or_default() }
            }
        }
    }

    fn identity(&mut self) -> What {
        let number = self.dice.below(3);
        let entities = self.model.entities();
        let known = self.recent(entities.len());
        let entity = entities.get(known).map_or("nobody", String::as_str);
        let other = entities.get(self.recent(entities.len())).map_or("nobody", String::as_str);
        let (operation, path, body) = match self.dice.below(12) {
            0..3 => (Operation::Update, format!("entity/name/e{number}"), json!({ "policies": ["nothing"] })),
            3 => (Operation::Delete, format!("entity/name/e{number}"), Value::Null),
            4..6 => {
                let alias = json!({ "name": format!("x{number}"), "canonical_id": entity, "mount_accessor": "" });
                (Operation::Update, "entity-alias".to_owned(), alias)
            }
            6 => {
                let merged = json!({ "from_entity_ids": [other], "to_entity_id": entity });
                (Operation::Update, "entity/merge".to_owned(), merged)
            }
            7..9 => {
                let members = json!({ "member_entity_ids": [entity, other], "policies": ["nothing"] });
                (Operation::Update, format!("group/name/g{number}"), members)
            }
            9 => (Operation::Delete, format!("group/name/g{number}"), Value::Null),
            10 => (Operation::Update, format!("entity/id/{entity}"), json!({ "name": format!("e{number}") })),
            _ => (Operation::Read, format!("entity/id/{entity}"), Value::Null),
        };
        let path = format!("identity/{}", path.trim_end_matches('/'));
        What::Identity(Ask { operation, path, body, ..Ask::default() })
    }
}
