//! One audit device: its options, its key and where its lines go.

use super::file::FileSink;
use super::queue::QueueSink;
use super::sinks;
use crate::clock::Clock;
use engine::crypto::MacKey;
use engine::{Headers, Request, Timestamp};
use kernel::pipeline::Facts;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A device that takes entries.
pub struct Device {
    /// Its name, with a trailing slash.
    pub path: String,
    /// Tells it from another of the same name.
    pub uuid: String,
    /// Its options.
    pub options: Options,
    /// Hashes values for this device alone.
    pub key: MacKey,
    sink: Sink,
    clock: Arc<Clock>,
    broken: AtomicBool,
}

enum Sink {
    File(FileSink),
    Queue(QueueSink),
    Discard,
    Broken,
}

/// Options of all kinds of device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Values in clear: for debugging only.
    pub log_raw: bool,
    /// Accessors by hash (the default).
    pub hmac_accessor: bool,
    /// Entries of these mount types, operations or namespaces only: `field == "value"` joined by `and`.
    pub filter: Option<Filter>,
    /// Headers to show, by lower-case name, and whether by hash.
    pub headers: BTreeMap<String, bool>,
}

/// A conjunction of comparisons over an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(Vec<Comparison>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Comparison {
    field: String,
    equal: bool,
    value: String,
}

/// Why a device cannot be set up or cannot store an entry.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// Wrong options.
    #[error("{0}")]
    Options(String),
    /// The system said no.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It did not answer in time.
    #[error("audit device did not take the entry in time")]
    Deadline,
}

impl Device {
    /// Opens a device of a kind with upstream's option names.
    pub fn open(
        path: &str,
        uuid: &str,
        kind: &str,
        options: &BTreeMap<String, String>,
        headers: BTreeMap<String, bool>,
        key: MacKey,
        clock: Arc<Clock>,
    ) -> Result<Self, DeviceError> {
        let parsed = Options { headers, ..Options::parse(options)? };
        let sink = match kind {
            "file" => file_sink(options)?,
            "socket" => Sink::Queue(sinks::socket(options)?),
            "syslog" => Sink::Queue(sinks::syslog(options)?),
            "http" => Sink::Queue(sinks::http(options)?),
            _ => return Err(DeviceError::Options(format!("unknown audit backend: {kind:?}"))),
        };
        Ok(Self {
            path: path.to_owned(),
            uuid: uuid.to_owned(),
            options: parsed,
            key,
            sink,
            clock,
            broken: AtomicBool::new(false),
        })
    }

    /// A device that could not be opened: it stores nothing, so that requests do not go unaudited for it.
    pub fn broken(path: &str, uuid: &str) -> Self {
        Self {
            path: path.to_owned(),
            uuid: uuid.to_owned(),
            options: Options::default(),
            key: MacKey::new(&[0; 32]),
            sink: Sink::Broken,
            clock: Arc::default(),
            broken: AtomicBool::new(true),
        }
    }

    /// Whether the device's filter lets a request through.
    pub fn wants(&self, request: &Request, facts: &Facts) -> bool {
        self.options.filter.as_ref().is_none_or(|filter| filter.admits(request, facts))
    }

    /// Stores lines, given as JSON objects.
    pub async fn write(&self, objects: Vec<Vec<u8>>) -> Result<(), DeviceError> {
        let result = match &self.sink {
            Sink::File(sink) => sink.write(&objects),
            Sink::Queue(sink) => sink.write(objects).await,
            Sink::Discard => Ok(()),
            Sink::Broken => Err(DeviceError::Options("audit device could not be opened".into())),
        };
        if result.is_ok() && self.broken.swap(false, Ordering::Relaxed) {
            tracing::warn!(device = %self.path, "audit device works again");
        }
        result
    }

    /// Says once that the device is broken.
    pub fn report(&self, error: &DeviceError) {
        if !self.broken.swap(true, Ordering::Relaxed) {
            tracing::error!(device = %self.path, error = %error, "audit device is broken");
        }
    }

    /// Whether the last entry could not be stored.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Opens its file again.
    pub fn reopen(&self) -> Result<(), DeviceError> {
        match &self.sink {
            Sink::File(sink) => sink.reopen(),
            Sink::Queue(_) | Sink::Discard | Sink::Broken => Ok(()),
        }
    }

    /// The moment of an entry.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The headers that this device shows.
    pub fn headers(&self, headers: &Headers) -> BTreeMap<String, Vec<String>> {
        let shown = self.options.headers.iter().filter_map(|(name, by_hash)| Some((name, by_hash, headers.get(name)?)));
        shown
            .map(|(name, by_hash, values)| {
                let show =
                    |value: &String| if *by_hash { super::entry::hashed(&self.key, value) } else { value.clone() };
                (name.clone(), values.iter().map(show).collect())
            })
            .collect()
    }
}

fn file_sink(options: &BTreeMap<String, String>) -> Result<Sink, DeviceError> {
    let path = match (options.get("file_path"), options.get("path")) {
        // S34: two names for one thing is how a guard on one of them is walked around.
        (Some(_), Some(_)) => return Err(DeviceError::Options("file_path and path must not both be set".into())),
        (Some(path), None) | (None, Some(path)) => path,
        (None, None) => return Err(DeviceError::Options("file_path is required".into())),
    };
    if path == "discard" {
        return Ok(Sink::Discard);
    }
    if path == "stdout" {
        return Ok(Sink::Queue(sinks::stdout()));
    }
    let path = Path::new(path);
    if FileSink::is_regular_or_new(path)? {
        Ok(Sink::File(FileSink::open(path)?))
    } else {
        Ok(Sink::Queue(sinks::pipe(path)?))
    }
}

impl Options {
    /// Reads and checks the options that every kind has.
    pub fn parse(options: &BTreeMap<String, String>) -> Result<Self, DeviceError> {
        let flag = |name: &str, default: bool| match options.get(name) {
            None => Ok(default),
            Some(text) => wire::scalar::boolean(&text.clone().into())
                .map_err(|_| DeviceError::Options(format!("{name} is not a boolean"))),
        };
        if options.get("format").is_some_and(|format| format != "json") {
            return Err(DeviceError::Options("format must be json".into()));
        }
        // S33: a prefix turns a log into whatever the prefix says it is.
        if options.get("prefix").is_some_and(|prefix| !prefix.is_empty()) {
            return Err(DeviceError::Options("prefix is not supported".into()));
        }
        if let Some(mode) = options.get("mode")
            && !matches!(mode.as_str(), "0600" | "600" | "0640" | "640" | "0000" | "0")
        {
            return Err(DeviceError::Options("mode must be 0600 or 0640".into()));
        }
        Ok(Self {
            log_raw: flag("log_raw", false)?,
            hmac_accessor: flag("hmac_accessor", true)?,
            filter: options.get("filter").map(|text| Filter::parse(text)).transpose()?,
            headers: BTreeMap::new(),
        })
    }
}

impl Filter {
    const FIELDS: [&'static str; 5] = ["mount_point", "mount_type", "namespace", "operation", "path"];

    fn parse(text: &str) -> Result<Self, DeviceError> {
        let bad =
            || DeviceError::Options("filter is not of the form: field == \"value\" and field != \"value\"".into());
        let comparison = |part: &str| {
            let (field, equal, value) = match (part.split_once("=="), part.split_once("!=")) {
                (Some((field, value)), None) => (field, true, value),
                (None, Some((field, value))) => (field, false, value),
                _ => return Err(bad()),
            };
            let (field, value) = (field.trim(), value.trim().trim_matches('"'));
            if !Self::FIELDS.contains(&field) {
                return Err(bad());
            }
            Ok(Comparison { field: field.to_owned(), equal, value: value.to_owned() })
        };
        text.split(" and ").map(comparison).collect::<Result<Vec<_>, _>>().map(Self)
    }

    fn admits(&self, request: &Request, facts: &Facts) -> bool {
        let mount = facts.mount.as_deref();
        self.0.iter().all(|comparison| {
            let value = match comparison.field.as_str() {
                "mount_point" => mount.map_or("", |mount| &mount.path),
                "mount_type" => mount.map_or("", |mount| &mount.kind),
                "namespace" => facts.namespace.as_ref().map_or("", |namespace| &namespace.path),
                "operation" => facts.operation.unwrap_or(request.operation).name(),
                _ => &facts.path,
            };
            (value == comparison.value) == comparison.equal
        })
    }
}
