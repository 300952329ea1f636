//! One audit device: its options, its key and where its lines go.

use super::entry::CallerText;
use super::file::{FileSink, Grouped};
use super::filter::Filter;
use super::queue::{QueueSink, Queued};
use super::sinks;
use crate::clock::Clock;
use arc_swap::ArcSwap;
use engine::crypto::{MacKey, hex_onto};
use engine::{Headers, Request, Timestamp};
use kernel::audit::AuditDevice;
use kernel::authenticate::Session;
use kernel::pipeline::Facts;
use quick_cache::sync::Cache;
use rustix::fs::Mode;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, Weak};

/// A device that takes entries.
pub struct Device {
    /// Its name, with a trailing slash.
    pub path: String,
    /// Tells it from another of the same name.
    pub uuid: String,
    /// Its options.
    pub options: Options,
    /// Why its options are no good: a device that stores nothing, so that nothing goes unaudited for it.
    refused: Option<String>,
    /// Hashes values for this device alone.
    pub key: MacKey,
    kind: String,
    settings: BTreeMap<String, String>,
    /// Where lines go; empty as long as it could not be opened.
    sink: OnceLock<Sink>,
    /// Headers to show, by lower-case name, and whether by hash.
    headers: ArcSwap<BTreeMap<String, bool>>,
    clock: Arc<Clock>,
    /// Whether the last entry could not be stored.
    broken: AtomicBool,
    /// Whether an entry is under way that shows whether a broken device works again.
    probed: AtomicBool,
    stored: AtomicU64,
    failed: AtomicU64,
    /// The hash of the empty text, which many replies hold.
    empty: [u8; 32],
    /// Who asked, by the hash of their token, as long as the session is the same.
    callers: Cache<String, (Weak<Session>, Arc<CallerText>)>,
}

/// Callers whose text a device remembers.
const CALLERS_MAX: usize = 1_024;

enum Sink {
    File(Arc<FileSink>),
    Queue(QueueSink),
    Discard,
}

/// An entry on its way.
pub(super) enum Pending {
    Done(Result<(), DeviceError>),
    Grouped(Grouped),
    Waiting(Queued),
}

impl Pending {
    /// Whether it goes to a regular file, which does not block.
    pub(super) fn is_of_file(&self) -> bool {
        matches!(self, Self::Grouped(_))
    }
}

/// Options of all kinds of device.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Options {
    /// Values in clear: for debugging only.
    pub log_raw: bool,
    /// Accessors by hash (the default).
    pub hmac_accessor: bool,
    /// Takes only what it admits.
    pub filter: Option<Filter>,
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
    /// A device of a kind with upstream's option names, not opened yet.
    pub fn new(record: &AuditDevice, key: MacKey, clock: Arc<Clock>) -> Self {
        let (options, refused) = match Options::parse(&record.options) {
            Ok(options) => (options, None),
            Err(error) => (Options { hmac_accessor: true, ..Options::default() }, Some(error.to_string())),
        };
        Self {
            path: record.path.clone(),
            uuid: record.uuid.clone(),
            options,
            refused,
            empty: key.mac(&[]),
            callers: Cache::new(CALLERS_MAX),
            key,
            kind: record.kind.clone(),
            settings: record.options.clone(),
            sink: OnceLock::new(),
            headers: ArcSwap::default(),
            clock,
            broken: AtomicBool::new(false),
            probed: AtomicBool::new(false),
            stored: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        }
    }

    /// Opens it. What cannot be opened is tried again with every entry.
    pub fn open(&self) -> Result<(), DeviceError> {
        self.sink().map(drop)
    }

    fn sink(&self) -> Result<&Sink, DeviceError> {
        if let Some(sink) = self.sink.get() {
            return Ok(sink);
        }
        if let Some(why) = &self.refused {
            return Err(DeviceError::Options(why.clone()));
        }
        let opened = match self.kind.as_str() {
            "file" => file_sink(&self.settings)?,
            "socket" => Sink::Queue(sinks::socket(&self.settings)?),
            "syslog" => Sink::Queue(sinks::syslog(&self.settings)?),
            "http" => Sink::Queue(sinks::http(&self.settings)?),
            kind => return Err(DeviceError::Options(format!("unknown backend type: {kind:?}"))),
        };
        // Whoever opened it first keeps it; a file that was opened twice was not written to.
        Ok(self.sink.get_or_init(|| opened))
    }

    /// Whether the device's filter lets a request through.
    pub fn wants(&self, request: &Request, facts: &Facts) -> bool {
        self.options.filter.as_ref().is_none_or(|filter| filter.admits(request, facts))
    }

    /// Whether this device writes to the file at a path.
    pub fn writes_to(&self, path: &Path) -> bool {
        matches!(self.sink.get(), Some(Sink::File(sink)) if sink.is_at(path))
    }

    /// Begins to store lines, given as JSON objects.
    pub(super) fn begin(&self, objects: Vec<Vec<u8>>) -> Pending {
        match self.sink() {
            Ok(Sink::File(sink)) => match sink.add(&objects, || self.now()) {
                Ok(grouped) => Pending::Grouped(grouped),
                Err(error) => Pending::Done(Err(error)),
            },
            Ok(Sink::Queue(sink)) => match sink.queue(objects) {
                Ok(queued) => Pending::Waiting(queued),
                Err(error) => Pending::Done(Err(error)),
            },
            Ok(Sink::Discard) => Pending::Done(Ok(())),
            Err(error) => Pending::Done(Err(error)),
        }
    }

    /// Waits until lines are stored, or their time is over; whether they are.
    pub(super) async fn end(&self, pending: Pending) -> bool {
        let result = match pending {
            Pending::Done(result) => result,
            Pending::Grouped(grouped) => grouped.written().await,
            Pending::Waiting(queued) => queued.written().await,
        };
        match result {
            Ok(()) => {
                self.stored.fetch_add(1, Ordering::Relaxed);
                if self.broken.load(Ordering::Relaxed) && self.broken.swap(false, Ordering::Relaxed) {
                    tracing::warn!(device = %self.path, "audit device works again");
                }
                true
            }
            Err(error) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
                if !self.broken.swap(true, Ordering::Relaxed) {
                    tracing::error!(device = %self.path, error = %error, "audit device is broken");
                }
                false
            }
        }
    }

    /// Offers an entry to a broken device without waiting for it: one at a time, until one is stored. The others count as
    /// failed.
    pub(super) fn probe(self: &Arc<Self>, objects: Vec<Vec<u8>>) {
        if self.probed.swap(true, Ordering::AcqRel) {
            self.failed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let device = self.clone();
        tokio::spawn(async move {
            let pending = device.begin(objects);
            device.end(pending).await;
            device.probed.store(false, Ordering::Release);
        });
    }

    /// Whether the last entry could not be stored.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Relaxed)
    }

    /// Entries that it stored, and that it could not store.
    pub fn counts(&self) -> (u64, u64) {
        (self.stored.load(Ordering::Relaxed), self.failed.load(Ordering::Relaxed))
    }

    /// Opens its file again.
    pub fn reopen(&self) -> Result<(), DeviceError> {
        match self.sink()? {
            Sink::File(sink) => sink.reopen(),
            Sink::Queue(_) | Sink::Discard => Ok(()),
        }
    }

    /// Appends the hash of a value as a JSON string.
    pub(super) fn hash_onto(&self, out: &mut Vec<u8>, value: &str) {
        let mac = if value.is_empty() { self.empty } else { self.key.mac(&[value.as_bytes()]) };
        out.extend_from_slice(b"\"hmac-sha256:");
        hex_onto(out, &mac);
        out.push(b'"');
    }

    /// Who asks, as it stands in entries, written anew only when it may be another. The hash that a service token is kept
    /// by stands for its text; a device that shows texts in clear remembers none.
    pub(super) fn caller(&self, session: &Arc<Session>, write: impl FnOnce() -> CallerText) -> Arc<CallerText> {
        let Some(at) = session.at.as_ref().filter(|_| !self.options.log_raw) else { return Arc::new(write()) };
        if let Some((known, caller)) = self.callers.get(at.hash.as_str())
            && std::ptr::eq(known.as_ptr(), Arc::as_ptr(session))
        {
            return caller;
        }
        let caller = Arc::new(write());
        self.callers.insert(at.hash.clone(), (Arc::downgrade(session), caller.clone()));
        caller
    }

    /// The moment of an entry.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Changes which headers it shows.
    pub fn show_headers(&self, headers: Arc<BTreeMap<String, bool>>) {
        self.headers.store(headers);
    }

    /// The headers that this device shows.
    pub fn headers(&self, headers: &Headers) -> BTreeMap<String, Vec<String>> {
        let configured = self.headers.load();
        let shown = configured.iter().map(|(name, by_hash)| {
            let show = |value: &str| if *by_hash { super::entry::hashed(&self.key, value) } else { value.to_owned() };
            (name.clone(), headers.values(name).map(show).collect::<Vec<_>>())
        });
        shown.filter(|(_, values)| !values.is_empty()).collect()
    }
}

/// The path that a file device's options name, under either of its names.
pub fn file_path(settings: &BTreeMap<String, String>) -> Result<&str, DeviceError> {
    match (settings.get("file_path"), settings.get("path")) {
        // S34: two names for one thing is how a guard on one of them is walked around.
        (Some(_), Some(_)) => Err(DeviceError::Options("file_path and path must not both be set".into())),
        (Some(path), None) | (None, Some(path)) => Ok(path),
        (None, None) => Err(DeviceError::Options("file_path is required".into())),
    }
}

/// Whether a device of a kind could be made with these options, without opening anything.
pub fn check_options(kind: &str, settings: &BTreeMap<String, String>) -> Result<(), DeviceError> {
    Options::parse(settings)?;
    match kind {
        "file" => file_path(settings).map(drop),
        "socket" | "syslog" | "http" => Ok(()),
        kind => Err(DeviceError::Options(format!("unknown audit backend: {kind:?}"))),
    }
}

fn file_sink(settings: &BTreeMap<String, String>) -> Result<Sink, DeviceError> {
    match file_path(settings)? {
        "discard" => Ok(Sink::Discard),
        "stdout" => Ok(Sink::Queue(sinks::stdout()?)),
        path if FileSink::is_regular_or_new(Path::new(path))? => {
            FileSink::open(Path::new(path), mode(settings)?).map(|sink| Sink::File(Arc::new(sink)))
        }
        path => Ok(Sink::Queue(sinks::pipe(Path::new(path))?)),
    }
}

/// The permissions that a file is given; `None` leaves those it has.
fn mode(settings: &BTreeMap<String, String>) -> Result<Option<Mode>, DeviceError> {
    match settings.get("mode").map(String::as_str) {
        None | Some("0600" | "600") => Ok(Some(Mode::RUSR | Mode::WUSR)),
        Some("0640" | "640") => Ok(Some(Mode::RUSR | Mode::WUSR | Mode::RGRP)),
        Some("0000" | "000" | "0") => Ok(None),
        Some(_) => Err(DeviceError::Options("mode must be 0600, 0640, or 0000 to leave it as it is".into())),
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
        mode(options)?;
        let filter = options.get("filter").filter(|text| !text.is_empty()).map(|text| Filter::parse(text));
        Ok(Self {
            log_raw: flag("log_raw", false)?,
            hmac_accessor: flag("hmac_accessor", true)?,
            filter: filter.transpose().map_err(|error| DeviceError::Options(error.to_string()))?,
        })
    }
}
