//! `coffer server`: from options to a served process, and its quick, clean end.

use crate::config::{self, Config, Storage};
use crate::listener::Listener;
use crate::options::Options;
use crate::shell::Shell;
use crate::traces::{Collector, Traces};
use crate::{dev, logging, seal, ticker};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use store::Log;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Address of the development listener.
const DEV_ADDRESS: &str = "127.0.0.1:8200";

/// Runs the server until it is told to stop.
pub fn run(options: Options) -> ExitCode {
    keep_memory_private();
    // Only the first caller in a process installs it; any later one finds it there.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("error starting: {error}")),
    };
    match runtime.block_on(serve(options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// No core dump and no debugger of the same user: memory holds keys (fault F38).
fn keep_memory_private() {
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    let limited = setrlimit(Resource::Core, none);
    let hidden = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    if let Err(error) = limited.and(hidden) {
        eprintln!("WARNING: memory could not be kept out of core dumps: {error}");
    }
}

fn failed(error: &str) -> ExitCode {
    eprintln!("{error}");
    ExitCode::FAILURE
}

async fn serve(options: Options) -> Result<(), String> {
    let config = configuration(&options)?;
    logging::start(&options, &config);
    for warning in &config.warnings {
        tracing::warn!("{warning}");
    }
    let log = open(&config)?;
    let traces = Traces::start(Collector::configured(&config));
    let mut shell = Shell::new(log, config);
    shell.traces = traces;
    let shell = Arc::new(shell);
    let mut listeners = Vec::new();
    for listener in &shell.config.listeners {
        let bound = Listener::bind(listener.clone()).await;
        listeners.push(Arc::new(bound.map_err(|error| format!("error initializing listener: {error}"))?));
    }
    let pid_file = write_pid_file(&shell)?;
    let (stop, stopped) = watch::channel(false);
    let serving: Vec<_> = listeners
        .iter()
        .map(|listener| {
            let mut stopped = stopped.clone();
            let until = async move { drop(stopped.wait_for(|stop| *stop).await) };
            tokio::spawn(listener.clone().serve(shell.clone(), until))
        })
        .collect();
    let ticker = tokio::spawn(ticker::run(shell.clone()));
    let prepared = prepare(&shell, &options, &listeners).await;
    if prepared.is_ok() {
        signals(&shell, &listeners).await;
    }
    let _nobody_listens = stop.send(true);
    for task in serving {
        drop(task.await);
    }
    ticker.abort();
    shell.seal();
    shell.log.close();
    if let Some(path) = pid_file {
        drop(std::fs::remove_file(path));
    }
    prepared
}

fn configuration(options: &Options) -> Result<Config, String> {
    if options.dev {
        let address = options.dev_listen_address.clone().or_else(|| environment("DEV_LISTEN_ADDRESS"));
        let mut config = Config::development(address.as_deref().unwrap_or(DEV_ADDRESS));
        if options.dev_tls {
            dev::with_tls(&mut config, options).map_err(|error| format!("error making a certificate: {error}"))?;
        }
        return Ok(config);
    }
    if options.config.is_empty() {
        return Err("Must specify at least one config path using -config, or use -dev to try it out".to_owned());
    }
    config::read(&options.config).map_err(|error| format!("error loading configuration: {error}"))
}

/// An environment variable under any of our prefixes.
pub(crate) fn environment(name: &str) -> Option<String> {
    ["COFFER_", "BAO_", "VAULT_"]
        .iter()
        .find_map(|prefix| std::env::var(format!("{prefix}{name}")).ok())
        .filter(|value| !value.is_empty())
}

fn open(config: &Config) -> Result<Arc<dyn Log>, String> {
    match &config.storage {
        Storage::Memory => Ok(Arc::new(store::memory::MemoryLog::new())),
        Storage::Local { path, .. } => crate::storage::open(path),
    }
}

async fn prepare(shell: &Arc<Shell>, options: &Options, listeners: &[Arc<Listener>]) -> Result<(), String> {
    let urls: Vec<&str> = listeners.iter().map(|listener| listener.url.as_str()).collect();
    if options.dev && !options.dev_skip_init {
        let options = Options {
            dev_root_token_id: options.dev_root_token_id.clone().or_else(|| environment("DEV_ROOT_TOKEN_ID")),
            ..options.clone()
        };
        let keys = dev::prepare(shell, &options)
            .await
            .map_err(|error| format!("error preparing development mode: {error}"))?;
        dev::announce(&keys, &urls, &options);
        return Ok(());
    }
    if let Some(key) = shell.config.static_key()
        && seal::sealed(shell).map_err(|error| error.to_string())?.is_some()
    {
        seal::unseal_static(shell, &key).map_err(|error| format!("error unsealing: {error}"))?;
    }
    println!("==> Coffer server configuration:\n");
    println!("         Listeners: {}", urls.join(", "));
    println!("           Storage: {}", shell.config.storage_type());
    println!("           Version: {}\n", shell.config.version);
    println!("==> Coffer server started! Log data will stream in below:\n");
    Ok(())
}

fn write_pid_file(shell: &Shell) -> Result<Option<PathBuf>, String> {
    let Some(path) = shell.config.pid_file.clone() else { return Ok(None) };
    std::fs::write(&path, std::process::id().to_string())
        .map_err(|error| format!("error writing {}: {error}", path.display()))?;
    Ok(Some(path))
}

/// Waits for the signal to stop; reads files again on SIGHUP.
async fn signals(shell: &Arc<Shell>, listeners: &[Arc<Listener>]) {
    let handlers = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()), signal(SignalKind::hangup()));
    let (Ok(mut interrupt), Ok(mut terminate), Ok(mut hangup)) = handlers else {
        tracing::error!("signals cannot be handled");
        return;
    };
    loop {
        tokio::select! {
            _ = interrupt.recv() => return,
            _ = terminate.recv() => return,
            _ = hangup.recv() => reload(shell, listeners),
            () = shell.reload.notified() => reload(shell, listeners),
            () = shell.stop.notified() => return,
        }
    }
}

fn reload(shell: &Arc<Shell>, listeners: &[Arc<Listener>]) {
    shell.audit.reopen();
    for listener in listeners {
        listener.reload();
    }
    tracing::info!("certificates and audit files were read again");
}
