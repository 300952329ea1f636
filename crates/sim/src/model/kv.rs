//! Secrets: with versions and without.

use super::{Model, Mount, Seen, plain, same};
use crate::operation::{What, Wish};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Versions kept of a secret.
const VERSIONS_KEPT: usize = 10;

/// A secret with versions.
#[derive(Debug, Clone, Default)]
pub(crate) struct Secret {
    pub(crate) current: u64,
    versions: BTreeMap<u64, Version>,
}

#[derive(Debug, Clone)]
struct Version {
    data: Map<String, Value>,
    deleted: bool,
    destroyed: bool,
}

impl Secret {
    fn add(&mut self, data: Map<String, Value>) -> u64 {
        self.current += 1;
        self.versions.insert(self.current, Version { data, deleted: false, destroyed: false });
        while self.versions.len() > VERSIONS_KEPT {
            self.versions.pop_first();
        }
        self.current
    }

    fn readable(&self, number: u64) -> Option<&Version> {
        self.versions.get(&number).filter(|version| !version.deleted && !version.destroyed)
    }
}

impl Model {
    fn plain_secrets(&mut self, space: &str, mount: &str) -> Option<&mut BTreeMap<String, String>> {
        match self.spaces.get_mut(space)?.mounts.get_mut(mount)? {
            Mount::Plain(secrets) => Some(secrets),
            _ => None,
        }
    }

    fn secrets(&mut self, space: &str) -> Option<&mut BTreeMap<String, Secret>> {
        match self.spaces.get_mut(space)?.mounts.get_mut("kv2")? {
            Mount::Versioned(secrets) => Some(secrets),
            _ => None,
        }
    }

    /// The newest version of a secret, for those who choose what to do next.
    pub(crate) fn current(&self, space: &str, name: &str) -> u64 {
        match self.spaces.get(space).and_then(|space| space.mounts.get("kv2")) {
            Some(Mount::Versioned(secrets)) => secrets.get(name).map_or(0, |secret| secret.current),
            _ => 0,
        }
    }

    pub(super) fn act_on_secrets(&mut self, wish: &Wish, _now: i64, seen: &Seen) -> Option<(u16, Option<String>)> {
        let space = wish.space.as_str();
        match &wish.what {
            What::Put { mount, name, value } => {
                self.plain_secrets(space, mount)?.insert(name.clone(), value.clone());
                plain(200)
            }
            What::Get { mount, name } => match self.plain_secrets(space, mount)?.get(name) {
                Some(value) => Some((200, same("secret", &seen.data, &json!({ "v": value })))),
                None => plain(404),
            },
            What::Delete { mount, name } => {
                self.plain_secrets(space, mount)?.remove(name);
                plain(200)
            }
            What::GetVersion { name, version } => Some(self.read_version(space, name, *version, seen)),
            _ => self.change_version(wish, seen),
        }
    }

    fn read_version(&mut self, space: &str, name: &str, version: u64, seen: &Seen) -> (u16, Option<String>) {
        let Some(secret) = self.secrets(space).and_then(|secrets| secrets.get(name)) else { return (404, None) };
        let number = if version == 0 { secret.current } else { version };
        match secret.readable(number) {
            Some(version) => {
                let data = seen.data.get("data").cloned().unwrap_or_default();
                (200, same("version", &data, &Value::Object(version.data.clone())))
            }
            None => (404, None),
        }
    }

    fn change_version(&mut self, wish: &Wish, seen: &Seen) -> Option<(u16, Option<String>)> {
        let told = |number: u64| {
            let version = seen.data.get("version").and_then(Value::as_u64);
            Some((200, same("number of the new version", &version, &Some(number))))
        };
        let secrets = self.secrets(&wish.space);
        match &wish.what {
            What::PutVersion { name, value, cas } => {
                let secrets = secrets?;
                let current = secrets.get(name).map_or(0, |secret| secret.current);
                if cas.is_some_and(|cas| cas != current) {
                    return plain(400);
                }
                let data = Map::from_iter([("v".to_owned(), value.clone().into())]);
                told(secrets.entry(name.clone()).or_default().add(data))
            }
            What::Patch { name, value } => {
                let Some(secret) = secrets?.get_mut(name) else { return plain(404) };
                let Some(mut data) = secret.readable(secret.current).map(|version| version.data.clone()) else {
                    return plain(404);
                };
                data.insert("p".to_owned(), value.clone().into());
                told(secret.add(data))
            }
            What::DeleteVersion { name } => {
                let version = secrets?.get_mut(name).and_then(|secret| secret.versions.get_mut(&secret.current));
                version.into_iter().for_each(|version| version.deleted = true);
                plain(200)
            }
            What::Undelete { name, version } => {
                let version = secrets?.get_mut(name).and_then(|secret| secret.versions.get_mut(version));
                version.into_iter().filter(|version| !version.destroyed).for_each(|version| version.deleted = false);
                plain(200)
            }
            What::Destroy { name, version } => {
                let version = secrets?.get_mut(name).and_then(|secret| secret.versions.get_mut(version));
                version.into_iter().for_each(|version| version.destroyed = true);
                plain(200)
            }
            What::Forget { name } => {
                secrets?.remove(name);
                plain(200)
            }
            _ => None,
        }
    }
}
