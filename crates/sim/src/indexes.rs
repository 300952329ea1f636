//! Every index against its record, and every record against its indexes, over the whole decrypted key space.

use kernel::identity::{self, Entity, Folded, Group};
use kernel::leases::{LeaseEntry, LeaseOf};
use kernel::mounts::MountEntry;
use kernel::namespaces::Namespace;
use kernel::tokens::Token;
use kernel::{keys, wrapping};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::Arc;
use store::{Cipher, Snapshot, StoreError, Tx, prefix_end};

/// Areas that hold nothing but indexes.
const INDEXES: [&str; 13] = [
    "token-accessor",
    "token-child",
    "token-lease",
    "due",
    "wrapped",
    "entity-name",
    "entity-merged",
    "alias",
    "alias-factor",
    "group-name",
    "member",
    "group-member",
    "group-parent",
];

/// What was found, and what has to be there.
struct Survey {
    tx: Tx,
    keys: BTreeSet<String>,
    mounts: BTreeMap<String, MountEntry>,
    /// Index entries that records ask for.
    expected: BTreeSet<String>,
    /// Index entries that are there.
    actual: BTreeSet<String>,
    /// Records that others lean on, with who does.
    needed: BTreeMap<String, String>,
    /// Private storage of tokens that are there.
    cubbyholes: BTreeSet<String>,
    /// Private storage that is there, and a key in it.
    hidden: BTreeMap<String, String>,
}

/// Says what does not fit, if anything.
pub fn check(snapshot: Arc<dyn Snapshot>, cipher: Arc<dyn Cipher>) -> Result<(), String> {
    let keys = keys_of(snapshot.as_ref()).map_err(|error| error.to_string())?;
    let mut survey = Survey {
        tx: Tx::new(snapshot, cipher),
        keys: BTreeSet::new(),
        mounts: BTreeMap::new(),
        expected: BTreeSet::new(),
        actual: BTreeSet::new(),
        needed: BTreeMap::new(),
        cubbyholes: BTreeSet::new(),
        hidden: BTreeMap::new(),
    };
    survey.places(&keys)?;
    for key in &keys {
        survey.record(key).map_err(|error| format!("{key}: {error}"))?;
    }
    survey.keys = keys;
    survey.judge()
}

fn keys_of(snapshot: &dyn Snapshot) -> Result<BTreeSet<String>, StoreError> {
    let mut keys = BTreeSet::new();
    snapshot.visit("", &prefix_end(""), &mut |key, _, _| {
        keys.insert(key.to_owned());
        ControlFlow::Continue(())
    })?;
    Ok(keys)
}

/// Namespace, area and the rest of a key.
fn split(key: &str) -> (&str, &str, &str) {
    let (namespace, rest) = key.split_once('/').unwrap_or((key, ""));
    let (area, rest) = rest.split_once('/').unwrap_or((rest, ""));
    (namespace, area, rest)
}

impl Survey {
    /// Namespaces and mounts: every key has to lie in one that exists.
    fn places(&mut self, keys: &BTreeSet<String>) -> Result<(), String> {
        let mut namespaces = BTreeSet::from([keys::ROOT.to_owned(), "barrier".to_owned()]);
        for key in keys.range(keys::NAMESPACES.to_owned()..prefix_end(keys::NAMESPACES)) {
            let namespace = self.tx.load::<Namespace>(key).map_err(|error| error.to_string())?;
            namespaces.extend(namespace.map(|namespace| namespace.id));
        }
        for key in keys {
            let (namespace, area, rest) = split(key);
            let secret = namespace == "barrier" && area == "namespace";
            if !namespaces.contains(if secret { rest } else { namespace }) {
                return Err(format!("{key} lies in a namespace that is gone"));
            }
            if area == "mounts" {
                let entry = self.tx.load::<MountEntry>(key).map_err(|error| error.to_string())?;
                self.mounts.extend(entry.map(|entry| (rest.to_owned(), entry)));
            }
        }
        Ok(())
    }

    fn record(&mut self, key: &str) -> Result<(), String> {
        let (namespace, area, rest) = split(key);
        if namespace == "barrier" {
            return Ok(());
        }
        if INDEXES.contains(&area) {
            self.actual.insert(key.to_owned());
        }
        match area {
            "token" => self.token(namespace, key, rest),
            "lease" => self.lease(key),
            "entity" => self.entity(namespace, key),
            "group" => self.group(namespace, key),
            "member" => self.mirrored(namespace, key, rest, "group-member", ["entity", "group"]),
            "group-member" => self.mirrored(namespace, key, rest, "member", ["group", "entity"]),
            "data" => self.data(namespace, key, rest),
            "lockout" => {
                let accessor = rest.split('/').next().unwrap_or_default();
                let known = self.mounts.values().any(|mount| mount.accessor == accessor);
                if known { Ok(()) } else { Err("counts failures of a mount that is gone".to_owned()) }
            }
            _ => Ok(()),
        }
    }

    fn load<T: store::Record>(&mut self, key: &str) -> Result<T, String> {
        let record = self.tx.load::<T>(key).map_err(|error| error.to_string())?;
        record.ok_or_else(|| "is not there".to_owned())
    }

    fn need(&mut self, key: String, by: &str) {
        self.needed.insert(key, by.to_owned());
    }

    fn token(&mut self, namespace: &str, key: &str, hash: &str) -> Result<(), String> {
        let token: Token = self.load(key)?;
        let index = keys::accessor(namespace, &token.accessor);
        let found = self.tx.get("token-accessor/1", &index).map_err(|error| error.to_string())?;
        if found.is_some_and(|found| found.as_slice() != hash.as_bytes()) {
            return Err("its accessor leads elsewhere".to_owned());
        }
        self.expected.insert(index);
        if let Some(parent) = &token.parent {
            let children = keys::token_children(&parent.namespace, &parent.hash);
            self.expected.insert(format!("{children}{namespace}:{hash}"));
            self.need(keys::token(&parent.namespace, &parent.hash), key);
        }
        if token.policies == [wrapping::POLICY] {
            self.expected.insert(keys::wrapped(namespace, hash));
        }
        if let Some(expires) = token.expires {
            let lease: LeaseEntry = self.load(&keys::lease(namespace, &token.lease))?;
            let fits = matches!(&lease.of, LeaseOf::Token { hash: of } if of == hash);
            if !fits || lease.expires != expires {
                return Err("its lease is of another token or ends at another time".to_owned());
            }
        }
        self.cubbyholes.insert(token.cubbyhole);
        Ok(())
    }

    fn lease(&mut self, key: &str) -> Result<(), String> {
        let lease: LeaseEntry = self.load(key)?;
        self.expected.insert(keys::due(lease.due(), &lease.namespace, &lease.id));
        match &lease.of {
            LeaseOf::Nothing => {}
            LeaseOf::Token { hash } => self.need(keys::token(&lease.namespace, hash), key),
            LeaseOf::Secret { mount, token, internal } => {
                self.need(keys::mount(&lease.namespace, mount), key);
                let account = internal.get("name").and_then(Value::as_str).unwrap_or_default();
                self.expected.insert(format!("{}account/{account}", keys::mount_data(&lease.namespace, mount)));
                if let Some(at) = token {
                    let folder = keys::token_leases(&at.namespace, &at.hash);
                    self.expected.insert(format!("{folder}{}:{}", lease.namespace, lease.id));
                    self.need(keys::token(&at.namespace, &at.hash), key);
                }
            }
        }
        Ok(())
    }

    fn entity(&mut self, namespace: &str, key: &str) -> Result<(), String> {
        let entity: Entity = self.load(key)?;
        let folded = |name: &str| Folded::new(name).map_err(|fault| fault.to_string());
        self.expected.insert(identity::keys::entity_name(namespace, &folded(&entity.name)?));
        for alias in &entity.aliases {
            self.expected.insert(identity::keys::alias(namespace, &alias.id));
            let name = folded(&alias.name)?;
            self.expected.insert(identity::keys::alias_factor(namespace, &alias.mount_accessor, &name));
            if !self.mounts.values().any(|mount| mount.accessor == alias.mount_accessor) {
                return Err("has an alias on a mount that is gone".to_owned());
            }
        }
        let merged = entity.merged.iter().map(|id| identity::keys::entity_merged(namespace, id));
        self.expected.extend(merged);
        Ok(())
    }

    fn group(&mut self, namespace: &str, key: &str) -> Result<(), String> {
        let group: Group = self.load(key)?;
        let name = Folded::new(&group.name).map_err(|fault| fault.to_string())?;
        self.expected.insert(identity::keys::group_name(namespace, &name));
        Ok(())
    }

    /// An index that is kept in both directions.
    fn mirrored(&mut self, namespace: &str, key: &str, rest: &str, area: &str, of: [&str; 2]) -> Result<(), String> {
        let (from, to) = rest.split_once('/').ok_or("is no pair")?;
        self.expected.insert(format!("{namespace}/{area}/{to}/{from}"));
        for (kind, id) in of.into_iter().zip([from, to]) {
            self.need(format!("{namespace}/{kind}/{id}"), key);
        }
        Ok(())
    }

    fn data(&mut self, namespace: &str, key: &str, rest: &str) -> Result<(), String> {
        let (uuid, rest) = rest.split_once('/').ok_or("lies in no mount")?;
        let kind = self.mounts.get(uuid).map(|mount| mount.kind.clone()).ok_or("lies in a mount that is gone")?;
        let folder = keys::mount_data(namespace, uuid);
        match (kind.as_str(), rest.split_once('/').unwrap_or((rest, ""))) {
            ("cubbyhole", (owner, _)) => {
                self.hidden.insert(owner.to_owned(), key.to_owned());
                Ok(())
            }
            ("accounts", _) | ("approle", ("accessor" | "expiry", _)) => {
                self.actual.insert(key.to_owned());
                Ok(())
            }
            ("approle", ("secret_id", of)) => self.secret_id(&folder, key, of),
            ("kv", ("version", of)) => {
                let (name, _) = of.rsplit_once('/').unwrap_or((of, ""));
                self.need(format!("{folder}meta/{name}"), key);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn secret_id(&mut self, folder: &str, key: &str, of: &str) -> Result<(), String> {
        let (role, hash) = of.split_once('/').ok_or("is of no role")?;
        let plain = self.tx.get("approle-secret-id/1", key).map_err(|error| error.to_string())?;
        let record: Value = serde_json::from_slice(&plain.ok_or("is not there")?).map_err(|error| error.to_string())?;
        let accessor = record.get("accessor").and_then(Value::as_str).unwrap_or_default();
        self.expected.insert(format!("{folder}accessor/{role}/{accessor}"));
        let expires = record.get("expires").cloned().unwrap_or_default();
        let expires: Option<engine::Timestamp> = serde_json::from_value(expires).map_err(|error| error.to_string())?;
        self.expected.extend(expires.map(|at| format!("{folder}expiry/{}/{role}/{hash}", at.sort_key())));
        self.need(format!("{folder}role/{role}"), key);
        Ok(())
    }

    fn judge(&self) -> Result<(), String> {
        if let Some(key) = self.expected.difference(&self.actual).next() {
            return Err(format!("index entry {key} is missing"));
        }
        if let Some(key) = self.actual.difference(&self.expected).next() {
            return Err(format!("index entry {key} has no record"));
        }
        if let Some((_, key)) = self.hidden.iter().find(|(owner, _)| !self.cubbyholes.contains(*owner)) {
            return Err(format!("{key} belongs to no token"));
        }
        match self.needed.iter().find(|(key, _)| !self.keys.contains(*key)) {
            Some((key, by)) => Err(format!("{by} leans on {key}, which is gone")),
            None => Ok(()),
        }
    }
}
