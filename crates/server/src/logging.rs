//! The operational log: text or JSON on standard error, never a secret. Its level can be changed while running.

use crate::config::Config;
use crate::options::Options;
use crate::shell::Shell;
use std::sync::OnceLock;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt, reload};

type Handle = reload::Handle<LevelFilter, Registry>;

static LEVEL: OnceLock<(Handle, LevelFilter)> = OnceLock::new();

/// Starts logging.
pub fn start(options: &Options, config: &Config) {
    let level = options.log_level.as_deref().filter(|level| !level.is_empty()).unwrap_or(&config.log_level);
    let level = parse(level);
    let (filter, handle) = reload::Layer::new(level);
    let format = options.log_format.as_deref().unwrap_or(&config.log_format);
    let layer = match format {
        "json" => fmt::layer().json().with_writer(std::io::stderr).boxed(),
        _ => fmt::layer().with_target(false).with_writer(std::io::stderr).boxed(),
    };
    // A second server in one process (tests) logs through the first one's subscriber.
    if tracing_subscriber::registry().with(layer.with_filter(filter)).try_init().is_ok() {
        let _ = LEVEL.set((handle, level));
    }
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

impl Shell {
    /// Sets the level; `None` goes back to the configured one.
    pub fn set_log_level(&self, level: Option<&str>) {
        let Some((handle, configured)) = LEVEL.get() else { return };
        let level = level.map_or(*configured, parse);
        if handle.modify(|filter| *filter = level).is_err() {
            tracing::error!("log level could not be changed");
        }
    }

    /// The level in force.
    pub fn log_level(&self) -> &'static str {
        let level = LEVEL.get().and_then(|(handle, _)| handle.clone_current()).unwrap_or(LevelFilter::INFO);
        match level {
            LevelFilter::TRACE => "trace",
            LevelFilter::DEBUG => "debug",
            LevelFilter::WARN => "warn",
            LevelFilter::ERROR => "error",
            _ => "info",
        }
    }
}
