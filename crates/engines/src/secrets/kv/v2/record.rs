//! What is stored.

use engine::{Cx, Fault, Record, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

/// Where metadata is.
pub(in super::super) const METADATA_FOLDER: &str = "meta/";
/// Versions kept where nobody says how many.
const VERSIONS_KEPT_DEFAULT: u32 = 10;
/// Kind of the data of a version: its JSON as it stands.
const VERSION_KIND: &str = "kv2-version/1";

/// Settings of the mount. All zero until they are written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Config {
    /// Versions to keep; 0 leaves it to the key, and then to the default.
    pub(super) max_versions: u32,
    /// Whether each write of data has to say which version it replaces.
    pub(super) cas_required: bool,
    /// Whether each write of metadata has to say which version of it it replaces.
    pub(super) metadata_cas_required: bool,
    /// Seconds after which a version is deleted; 0 is not set, negative forbids it to keys too.
    pub(super) delete_version_after: i64,
}

impl Record for Config {
    const KIND: &'static str = "kv2-config/1";
}

impl Config {
    /// The settings of the mount.
    pub(super) fn load(cx: &mut Cx) -> Result<Self, Fault> {
        Ok(cx.tx.load("config")?.unwrap_or_default())
    }

    /// Writes them.
    pub(super) fn save(&self, cx: &mut Cx) -> Result<(), Fault> {
        Ok(cx.tx.save("config", self)?)
    }
}

/// One secret without its data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Metadata {
    /// When the first write was.
    pub(super) created: Timestamp,
    /// When data or metadata was last written.
    pub(super) updated: Timestamp,
    /// Number of the newest version; 0 if there never was one.
    pub(super) current: u64,
    /// How often the metadata was written.
    pub(super) metadata_version: u64,
    /// As in [`Config`], for this key.
    pub(super) max_versions: u32,
    /// As in [`Config`], for this key.
    pub(super) cas_required: bool,
    /// As in [`Config`], for this key.
    pub(super) metadata_cas_required: bool,
    /// As in [`Config`], for this key; never negative.
    pub(super) delete_version_after: i64,
    /// What users note about the secret.
    pub(super) custom: BTreeMap<String, String>,
    /// The versions that are kept, oldest first, the newest being `current`.
    versions: Vec<Version>,
}

impl Record for Metadata {
    const KIND: &'static str = "kv2-meta/1";
}

/// One version without its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "(Timestamp, Option<Timestamp>, bool)", into = "(Timestamp, Option<Timestamp>, bool)")]
pub(super) struct Version {
    /// When it was written.
    pub(super) created: Timestamp,
    /// When it is or was deleted.
    pub(super) deletion: Option<Timestamp>,
    /// Whether its data is gone for good.
    pub(super) destroyed: bool,
}

impl From<(Timestamp, Option<Timestamp>, bool)> for Version {
    fn from((created, deletion, destroyed): (Timestamp, Option<Timestamp>, bool)) -> Self {
        Self { created, deletion, destroyed }
    }
}

impl From<Version> for (Timestamp, Option<Timestamp>, bool) {
    fn from(version: Version) -> Self {
        (version.created, version.deletion, version.destroyed)
    }
}

impl Version {
    /// Whether it is deleted by now.
    pub(super) fn is_deleted(&self, now: Timestamp) -> bool {
        self.deletion.is_some_and(|deletion| deletion <= now)
    }

    /// Whether its data can be read.
    pub(super) fn is_readable(&self, now: Timestamp) -> bool {
        !self.destroyed && !self.is_deleted(now)
    }
}

impl Metadata {
    /// Of a secret that is written for the first time.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            created: now,
            updated: now,
            current: 0,
            metadata_version: 0,
            max_versions: 0,
            cas_required: false,
            metadata_cas_required: false,
            delete_version_after: 0,
            custom: BTreeMap::new(),
            versions: Vec::new(),
        }
    }

    /// The metadata of a secret.
    pub(super) fn load(cx: &mut Cx, name: &str) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(&metadata_key(name))?)
    }

    /// The metadata of a secret, to look at only.
    pub(super) fn load_shared(cx: &mut Cx, name: &str) -> Result<Option<Arc<Self>>, Fault> {
        Ok(cx.tx.load_shared(&metadata_key(name))?)
    }

    /// Whether there is a secret.
    pub(super) fn exists(cx: &mut Cx, name: &str) -> Result<bool, Fault> {
        Ok(cx.tx.exists(&metadata_key(name))?)
    }

    /// Writes it.
    pub(super) fn save(&self, cx: &mut Cx, name: &str) -> Result<(), Fault> {
        Ok(cx.tx.save(&metadata_key(name), self)?)
    }

    /// Deletes it with the data of all versions.
    pub(super) fn delete(self, cx: &mut Cx, name: &str) {
        for number in self.first()..=self.current {
            delete_data(cx, name, number);
        }
        cx.tx.delete(&metadata_key(name));
    }

    /// The versions that are kept and their numbers, oldest first.
    pub(super) fn versions(&self) -> impl Iterator<Item = (u64, &Version)> {
        (self.first()..).zip(&self.versions)
    }

    /// A version that is kept.
    pub(super) fn version(&self, number: u64) -> Option<&Version> {
        self.versions.get(self.place(number)?)
    }

    /// A version that is kept.
    pub(super) fn version_mut(&mut self, number: u64) -> Option<&mut Version> {
        let place = self.place(number)?;
        self.versions.get_mut(place)
    }

    /// The oldest version that is kept, or 0 as long as none was dropped.
    pub(super) fn oldest(&self) -> u64 {
        if self.first() > 1 { self.first() } else { 0 }
    }

    /// When a version that is written or undeleted now is to be deleted: the shorter of what mount and key say.
    pub(super) fn deletion(&self, config: &Config, now: Timestamp) -> Option<Timestamp> {
        let seconds = match (config.delete_version_after, self.delete_version_after) {
            (mount, _) if mount < 0 => return None,
            (0, key) => key,
            (mount, 0) => mount,
            (mount, key) => mount.min(key),
        };
        (seconds > 0).then(|| now.plus_seconds(seconds))
    }

    /// Adds a version; returns its number.
    pub(super) fn add(&mut self, config: &Config, now: Timestamp) -> u64 {
        let deletion = self.deletion(config, now);
        self.versions.push(Version { created: now, deletion, destroyed: false });
        self.current += 1;
        self.updated = now;
        self.current
    }

    /// Drops the versions over the limit; returns their numbers. The larger limit of mount and key holds.
    pub(super) fn prune(&mut self, config: &Config) -> Range<u64> {
        let kept = match config.max_versions.max(self.max_versions) {
            0 => VERSIONS_KEPT_DEFAULT,
            kept => kept,
        };
        let first = self.first();
        let surplus = self.versions.len().saturating_sub(usize::try_from(kept).unwrap_or(usize::MAX));
        self.versions.drain(..surplus);
        first..self.first()
    }

    /// Number of the oldest version that is kept, or of the next one if none is.
    fn first(&self) -> u64 {
        let kept = u64::try_from(self.versions.len()).unwrap_or(u64::MAX);
        (self.current + 1).saturating_sub(kept)
    }

    fn place(&self, number: u64) -> Option<usize> {
        usize::try_from(number.checked_sub(self.first())?).ok()
    }
}

/// The data of a version, as JSON.
pub(super) fn load_data(cx: &mut Cx, name: &str, number: u64) -> Result<serde_json::Value, Fault> {
    let plain = cx.tx.get(VERSION_KIND, &data_key(name, number))?;
    let plain = plain.ok_or_else(|| Fault::internal("a version has no data"))?;
    serde_json::from_slice(&plain).map_err(|_| Fault::internal("a version's data is no JSON"))
}

/// Writes the data of a version.
pub(super) fn save_data(cx: &mut Cx, name: &str, number: u64, data: Vec<u8>) {
    cx.tx.put(VERSION_KIND, &data_key(name, number), data);
}

/// Deletes the data of a version.
pub(super) fn delete_data(cx: &mut Cx, name: &str, number: u64) {
    cx.tx.delete(&data_key(name, number));
}

fn metadata_key(name: &str) -> String {
    format!("{METADATA_FOLDER}{name}")
}

/// No two versions share a key: the number is what follows the last slash, and what precedes it is the name.
fn data_key(name: &str, number: u64) -> String {
    format!("version/{name}/{number}")
}
