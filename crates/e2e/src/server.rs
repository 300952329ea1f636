//! A server under judgement, started from a configuration file in a folder of its own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::failure::{Context, Failure, Outcome};
use crate::http::{Answer, Client, Request};
use crate::process::Process;

/// How long a server may take to answer its first request.
const START_PATIENCE: Duration = Duration::from_secs(20);

static FOLDERS_MADE: AtomicU32 = AtomicU32::new(0);

/// The `storage` stanza.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// Kept in memory.
    Memory,
    /// `storage "raft"`, one node: the peer's durable store, our embedded one.
    Durable,
}

/// What to start and how.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The server binary.
    pub binary: PathBuf,
    /// Where it keeps its data.
    pub storage: Storage,
    /// Words put before the binary, such as `taskset -c 0` or `strace …`.
    pub wrapper: Vec<String>,
    /// Whether rekey and generate-root are open to everybody, as the peer's are by default.
    pub open_ceremonies: bool,
    /// Further top-level configuration keys.
    pub extra: Value,
    /// Further listeners, each an object such as `{"unix": {"address": "…"}}`.
    pub listeners: Vec<Value>,
    /// Further environment variables.
    pub environment: Vec<(String, String)>,
}

impl Settings {
    /// That binary on that storage, with nothing around it.
    pub fn new(binary: &Path, storage: Storage) -> Settings {
        Settings {
            binary: binary.to_owned(),
            storage,
            wrapper: Vec::new(),
            open_ceremonies: true,
            extra: json!({}),
            listeners: Vec::new(),
            environment: Vec::new(),
        }
    }
}

/// The binary that tests judge: `COFFER_BINARY`, or the newest build in cargo's target folder.
///
/// # Errors
/// If there is none: a test that judges nothing must not pass.
pub fn binary_under_test() -> Outcome<PathBuf> {
    if let Some(named) = std::env::var_os("COFFER_BINARY") {
        return Ok(PathBuf::from(named).canonicalize()?);
    }
    let age = |path: &PathBuf| path.metadata().and_then(|metadata| metadata.modified()).ok();
    let built = ["release/coffer", "debug/coffer"].map(|name| target_folder().join(name));
    let newest = built.into_iter().filter(|path| path.is_file()).max_by_key(age);
    newest.ok_or_else(|| Failure::new("no server to judge: run `cargo build --package cli`, or set COFFER_BINARY"))
}

/// Cargo's target folder: the one that this program was built in.
fn target_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let marked = program.ancestors().find(|folder| folder.join("CACHEDIR.TAG").is_file());
    marked.map_or_else(|| PathBuf::from("target"), Path::to_owned)
}

/// A folder that is removed with its owner.
pub struct Folder(PathBuf);

impl Folder {
    /// A new empty folder below `COFFER_E2E_DIRECTORY`, or below `e2e` in cargo's target folder.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new(name: &str) -> Outcome<Folder> {
        let base = std::env::var_os("COFFER_E2E_DIRECTORY").map_or_else(|| target_folder().join("e2e"), PathBuf::from);
        let number = FOLDERS_MADE.fetch_add(1, Ordering::Relaxed);
        let path = base.join(format!("{name}-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).at(path.display())?;
        Ok(Folder(path.canonicalize()?))
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::env::var_os("COFFER_E2E_KEEP").is_none() {
            let _gone_already = fs::remove_dir_all(&self.0);
        }
    }
}

/// A running server.
pub struct Server {
    /// The process; the server itself unless a wrapper stays in front of it.
    pub process: Process,
    /// How to reach it.
    pub client: Client,
    /// The unseal shares in base64, once initialised.
    pub shares: Vec<String>,
    /// The root token, once initialised.
    pub root_token: String,
    settings: Settings,
    folder: Folder,
}

impl Server {
    /// Starts a server that is not initialised, and waits for its first answer.
    ///
    /// # Errors
    /// If it ends or stays silent; the message holds the end of its log.
    pub fn start(settings: &Settings) -> Outcome<Server> {
        let folder = Folder::new("server")?;
        fs::create_dir_all(folder.path().join("data"))?;
        let address = free_address()?;
        let configuration = configuration(settings, folder.path(), address, free_address()?);
        fs::write(folder.path().join("server.json"), configuration.to_string())?;
        let process = launch(settings, folder.path())?;
        let mut server = Server {
            process,
            client: Client::new(address),
            shares: Vec::new(),
            root_token: String::new(),
            settings: settings.clone(),
            folder,
        };
        server.await_answer()?;
        Ok(server)
    }

    /// Starts, initialises with one share and unseals.
    ///
    /// # Errors
    /// If any of these steps fails.
    pub fn start_unsealed(settings: &Settings) -> Outcome<Server> {
        let mut server = Server::start(settings)?;
        server.initialise()?;
        server.unseal()?;
        Ok(server)
    }

    /// Where its data, configuration and log are.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts the killed server again on the same folder and address, and waits for its first answer.
    ///
    /// # Errors
    /// If it ends or stays silent.
    pub fn restart(&mut self) -> Outcome<Duration> {
        self.restart_with(self.settings.wrapper.clone())
    }

    /// The same behind other wrapper words.
    ///
    /// # Errors
    /// If it ends or stays silent.
    pub fn restart_with(&mut self, wrapper: Vec<String>) -> Outcome<Duration> {
        self.process.kill();
        let start = Instant::now();
        self.settings.wrapper = wrapper;
        self.process = launch(&self.settings, self.folder.path())?;
        self.await_answer()?;
        Ok(start.elapsed())
    }

    /// Initialises with one share.
    ///
    /// # Errors
    /// If the server refuses.
    pub fn initialise(&mut self) -> Outcome<()> {
        let request =
            Request::api("PUT", "sys/init", "").with_json(&json!({"secret_shares": 1, "secret_threshold": 1}));
        let answer = self.client.send(&request)?;
        self.shares = vec![answer.text_at("/keys_base64/0").at("init")?];
        self.root_token = answer.text_at("/root_token").at("init")?;
        Ok(())
    }

    /// Unseals with the known shares and waits until the server is active.
    ///
    /// # Errors
    /// If it stays sealed or passive for twenty seconds.
    pub fn unseal(&self) -> Outcome<()> {
        for share in &self.shares {
            let request = Request::api("PUT", "sys/unseal", "").with_json(&json!({"key": share}));
            let answer = self.client.send(&request)?;
            if answer.status != 200 {
                return Err(Failure::new(format!("unseal: {} {}", answer.status, error_text(&answer))));
            }
        }
        let start = Instant::now();
        while start.elapsed() < START_PATIENCE {
            if self.client.send(&Request::api("GET", "sys/health", "")).is_ok_and(|answer| answer.status == 200) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(Failure::new(format!("still not active after unseal; its log ends:\n{}", self.process.log_tail(20))))
    }

    /// The same with another share, which is known from then on if it opens.
    ///
    /// # Errors
    /// If it does not open the server.
    pub fn unseal_with(&mut self, share: &str) -> Outcome<()> {
        let known = std::mem::replace(&mut self.shares, vec![share.to_owned()]);
        let unsealed = self.unseal();
        if unsealed.is_err() {
            self.shares = known;
        }
        unsealed
    }

    /// Sends a request as root and wants a success.
    ///
    /// # Errors
    /// If the reply's status is 400 or above.
    pub fn as_root(&self, method: &str, path: &str, body: Option<Value>) -> Outcome<Answer> {
        let mut request = Request::api(method, path, &self.root_token);
        if let Some(body) = body {
            request = request.with_json(&body);
        }
        let answer = self.client.send(&request).at(format!("{method} {path}"))?;
        if answer.status >= 400 {
            let text = error_text(&answer);
            return Err(Failure::new(format!("{method} {path}: {} {text}", answer.status)));
        }
        Ok(answer)
    }

    fn await_answer(&mut self) -> Outcome<()> {
        let start = Instant::now();
        let quick = Client { patience: Duration::from_secs(2), ..self.client };
        while start.elapsed() < START_PATIENCE {
            if quick.send(&Request::api("GET", "sys/seal-status", "")).is_ok() {
                return Ok(());
            }
            if let Some(status) = self.process.ended() {
                let log = self.process.log_tail(20);
                return Err(Failure::new(format!("the server ended at start with {status}; its log ends:\n{log}")));
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Err(Failure::new(format!("no answer in 20 s; the server's log ends:\n{}", self.process.log_tail(20))))
    }
}

/// The `errors` of a reply, joined; empty if there are none.
pub fn error_text(answer: &Answer) -> String {
    let json = answer.json();
    let errors = json.get("errors").and_then(Value::as_array).cloned().unwrap_or_default();
    errors.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("; ")
}

/// A loopback address whose port was free a moment ago.
///
/// # Errors
/// If the system has no free port.
pub fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn configuration(settings: &Settings, folder: &Path, address: SocketAddr, cluster: SocketAddr) -> Value {
    let storage = match settings.storage {
        Storage::Memory => json!({"inmem": {}}),
        Storage::Durable => json!({"raft": {"path": folder.join("data"), "node_id": "one"}}),
    };
    let mut listeners = vec![json!({"tcp": {
        "address": address.to_string(),
        "cluster_address": cluster.to_string(),
        "tls_disable": true,
        "disable_unauthed_rekey_endpoints": !settings.open_ceremonies,
        "disable_unauthed_generate_root_endpoints": !settings.open_ceremonies,
    }})];
    listeners.extend(settings.listeners.iter().cloned());
    let mut configuration = json!({
        "storage": storage,
        "listener": listeners,
        "api_addr": format!("http://{address}"),
        "cluster_addr": format!("https://{cluster}"),
        "cluster_name": "judged",
        "disable_mlock": true,
        "unsafe_allow_api_audit_creation": true,
        "log_level": "warn",
    });
    if let (Some(target), Some(extra)) = (configuration.as_object_mut(), settings.extra.as_object()) {
        target.extend(extra.clone());
    }
    configuration
}

fn launch(settings: &Settings, folder: &Path) -> Outcome<Process> {
    let mut words = settings.wrapper.iter();
    let mut command = match words.next() {
        None => Command::new(&settings.binary),
        Some(first) => {
            let mut command = Command::new(first);
            command.args(words).arg(&settings.binary);
            command
        }
    };
    command.arg("server").arg(format!("-config={}", folder.join("server.json").display()));
    command.current_dir(folder).env("HOME", folder);
    command.envs(settings.environment.iter().map(|(name, value)| (name, value)));
    for name in ["VAULT_ADDR", "VAULT_TOKEN", "BAO_ADDR", "BAO_TOKEN", "COFFER_ADDR", "COFFER_TOKEN"] {
        command.env_remove(name);
    }
    Process::start(command, &folder.join("server.log"))
}
