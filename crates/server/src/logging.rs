//! The operational log: text or JSON on standard error, never a secret. Levels can be changed while running, for all
//! parts of the product or for one.

use crate::config::Config;
use crate::options::Options;
use crate::shell::Shell;
use crate::shell::lock;
use std::collections::BTreeMap;
use std::sync::{Mutex, OnceLock};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

/// The loggers that clients may name, each with the modules that log under it. More specific modules win.
const LOGGERS: [(&str, &[&str]); 5] = [
    ("audit", &["server::audit", "server::audit_config"]),
    ("barrier", &["barrier", "server::seal", "server::sealed"]),
    ("core", &["server", "kernel", "engine", "engines", "coffer", "cli"]),
    ("expiration", &["server::ticker"]),
    ("storage", &["store", "server::storage"]),
];

static LOG: OnceLock<Log> = OnceLock::new();

struct Log {
    handle: reload::Handle<Targets, Registry>,
    configured: LevelFilter,
    /// Level by logger.
    levels: Mutex<BTreeMap<&'static str, LevelFilter>>,
}

/// Starts logging. What the command line says wins over the environment, and that over the configuration.
pub fn start(options: &Options, config: &Config) {
    let chosen = |option: &Option<String>, variable: &str, configured: &str| {
        let option = option.clone().filter(|value| !value.is_empty());
        option.or_else(|| crate::run::environment(variable)).unwrap_or_else(|| configured.to_owned())
    };
    let configured = parse(&chosen(&options.log_level, "LOG_LEVEL", &config.log_level));
    let levels: BTreeMap<_, _> = LOGGERS.iter().map(|(name, _)| (*name, configured)).collect();
    let (filter, handle) = reload::Layer::new(targets(&levels));
    let layer = match chosen(&options.log_format, "LOG_FORMAT", &config.log_format).as_str() {
        "json" => fmt::layer().json().flatten_event(true).with_writer(std::io::stderr).boxed(),
        _ => {
            // Colours are for people, not for files.
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
            fmt::layer().with_target(false).with_ansi(colours).with_writer(std::io::stderr).boxed()
        }
    };
    // A second server in one process (tests) logs through the first one's subscriber.
    if tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().is_ok() {
        let _ = LOG.set(Log { handle, configured, levels: Mutex::new(levels) });
    }
}

/// Libraries only warn, whatever the level: what they trace of a connection could hold a token.
fn targets(levels: &BTreeMap<&'static str, LevelFilter>) -> Targets {
    let loudest = levels.values().max().copied().unwrap_or(LevelFilter::INFO);
    let of_modules = LOGGERS.iter().flat_map(|(name, modules)| {
        let level = levels.get(name).copied().unwrap_or(LevelFilter::INFO);
        modules.iter().map(move |module| (*module, level))
    });
    Targets::new().with_default(loudest.min(LevelFilter::WARN)).with_targets(of_modules)
}

fn parse(level: &str) -> LevelFilter {
    match level.to_ascii_lowercase().as_str() {
        "trace" => LevelFilter::TRACE,
        "debug" => LevelFilter::DEBUG,
        "warn" | "warning" => LevelFilter::WARN,
        "err" | "error" => LevelFilter::ERROR,
        _ => LevelFilter::INFO,
    }
}

fn name(level: LevelFilter) -> &'static str {
    match level {
        LevelFilter::TRACE => "trace",
        LevelFilter::DEBUG => "debug",
        LevelFilter::WARN => "warn",
        LevelFilter::ERROR => "error",
        _ => "info",
    }
}

impl Shell {
    /// Sets the level of a logger, or of all if the name is empty; `None` goes back to the configured one.
    pub fn set_log_level(&self, logger: &str, level: Option<&str>) {
        let Some(log) = LOG.get() else { return };
        let level = level.map_or(log.configured, parse);
        let mut levels = lock(&log.levels);
        for (_, known) in levels.iter_mut().filter(|(name, _)| logger.is_empty() || **name == logger) {
            *known = level;
        }
        if log.handle.reload(targets(&levels)).is_err() {
            tracing::error!("log level could not be changed");
        }
    }

    /// The level of each logger.
    pub fn log_levels(&self) -> BTreeMap<&'static str, &'static str> {
        match LOG.get() {
            Some(log) => lock(&log.levels).iter().map(|(logger, level)| (*logger, name(*level))).collect(),
            None => LOGGERS.iter().map(|(logger, _)| (*logger, "info")).collect(),
        }
    }
}
