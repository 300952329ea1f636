//! Namespaces, what is mounted in them, their policies, and the quota.

use super::{Model, Secret, Seen};
use crate::operation::{GUEST, What, Wish};
use serde_json::Value;
use std::collections::BTreeMap;

/// A namespace.
#[derive(Debug, Clone, Default)]
pub(crate) struct Space {
    /// The key that opens it again.
    pub(crate) locked: Option<String>,
    pub(crate) mounts: BTreeMap<String, Mount>,
    /// Whether the policy `full` is there.
    pub(crate) full: bool,
    /// Whether the policy `flip` is there and allows.
    pub(crate) flip: bool,
    /// Accessor of its login method.
    pub(crate) accessor: String,
}

/// A mount.
#[derive(Debug, Clone)]
pub(crate) enum Mount {
    Plain(BTreeMap<String, String>),
    Versioned(BTreeMap<String, Secret>),
    Accounts,
    Approle,
}

impl Model {
    pub(super) fn act_on_spaces(&mut self, wish: &Wish, seen: &Seen) -> (u16, Option<String>) {
        let status = match &wish.what {
            What::Identity(_) => return self.note_identity(seen),
            What::Quota { max } => {
                self.quota = *max;
                // Deleting what is not there may be told.
                return (super::ANY, None);
            }
            What::Rotate => 200,
            What::NewSpace => {
                self.spaces.entry(GUEST.to_owned()).or_default();
                200
            }
            What::DeleteSpace => {
                self.delete_space();
                200
            }
            What::Lock => self.lock(seen),
            What::Unlock { key } => self.unlock(key),
            _ => self.mount(wish),
        };
        (status, None)
    }

    fn delete_space(&mut self) {
        self.spaces.remove(GUEST);
        let of_guest = |(number, token): (usize, &super::Token)| (token.space == GUEST).then_some(number);
        let tokens: Vec<usize> = self.tokens.iter().enumerate().filter_map(of_guest).collect();
        tokens.into_iter().for_each(|number| self.revoke_tree(number));
        self.leases.iter_mut().filter(|lease| lease.space == GUEST).for_each(|lease| lease.gone = true);
    }

    fn lock(&mut self, seen: &Seen) -> u16 {
        let Some(space) = self.spaces.get_mut(GUEST).filter(|space| space.locked.is_none()) else { return 400 };
        let key = seen.data.get("unlock_key").and_then(Value::as_str).unwrap_or_default();
        space.locked = Some(key.to_owned());
        200
    }

    /// Whoever may unlock at all has `sudo` too, so that no key does; a key opens the lock that it was given for alone.
    fn unlock(&mut self, key: &str) -> u16 {
        let Some(space) = self.spaces.get_mut(GUEST) else { return 400 };
        if space.locked.as_ref().is_none_or(|locked| !key.is_empty() && locked != key) {
            return 400;
        }
        space.locked = None;
        200
    }

    fn mount(&mut self, wish: &Wish) -> u16 {
        let Some(space) = self.spaces.get_mut(&wish.space) else { return 404 };
        match &wish.what {
            What::Policy { allows } => space.flip = *allows,
            What::Mount { path } if space.mounts.contains_key(path) => return 400,
            What::Mount { path } => drop(space.mounts.insert(path.clone(), Mount::Plain(BTreeMap::new()))),
            What::Unmount { path } => drop(space.mounts.remove(path)),
            What::Remount { from, to } => {
                let taken = from != to && space.mounts.contains_key(to);
                if taken || !space.mounts.contains_key(from) {
                    return 400;
                }
                let moved = space.mounts.remove(from);
                space.mounts.extend(moved.map(|mount| (to.clone(), mount)));
            }
            _ => {}
        }
        200
    }
}
