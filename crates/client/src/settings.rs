//! Where the server is and how to talk to it, from the environment and from flags.

use super::{ClientError, Rate, address};
use reqwest::{Certificate, Identity, Url};
use std::net::{SocketAddr, ToSocketAddrs as _};
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// Address used if none is given.
pub const DEFAULT_ADDRESS: &str = "https://127.0.0.1:8200";

/// Settings of a client.
#[derive(Clone)]
pub struct Settings {
    /// `http`, `https` or `unix` address.
    pub address: String,
    /// Token.
    pub token: Option<Zeroizing<String>>,
    /// Namespace.
    pub namespace: Option<String>,
    /// PEM file with authorities.
    pub ca_cert: Option<String>,
    /// Folder of PEM files with authorities.
    pub ca_path: Option<String>,
    /// PEM file with the client's certificate.
    pub client_cert: Option<String>,
    /// PEM file with the client's key.
    pub client_key: Option<String>,
    /// Name that the server's certificate must have, instead of the address's.
    pub tls_server_name: Option<String>,
    /// Takes any certificate of the server. Unsafe.
    pub skip_verify: bool,
    /// Follows no redirect.
    pub disable_redirects: bool,
    /// Time for a request.
    pub timeout: Duration,
    /// Retries of requests that may be retried.
    pub retries_max: u32,
    /// How many requests are sent in a second; as many as there are if absent.
    pub rate: Option<Rate>,
    /// Asks for wrapped replies.
    pub wrap_ttl: Option<String>,
    /// Answers of a second factor, one header each.
    pub mfa: Vec<String>,
    /// Further headers.
    pub extra_headers: Vec<(String, String)>,
}

impl Settings {
    /// From the environment: `COFFER_X`, `BAO_X` or `VAULT_X`, the first that is set.
    pub fn from_environment() -> Self {
        let flag = |name: &str| variable(name).is_some_and(|value| is_true(&value));
        let timeout = variable("CLIENT_TIMEOUT")
            .and_then(|text| wire::scalar::parse_duration(&text))
            .and_then(|seconds| u64::try_from(seconds).ok());
        Self {
            address: variable("ADDR").unwrap_or_else(|| DEFAULT_ADDRESS.to_owned()),
            token: variable("TOKEN").map(Zeroizing::new),
            namespace: variable("NAMESPACE"),
            ca_cert: variable("CACERT"),
            ca_path: variable("CAPATH"),
            client_cert: variable("CLIENT_CERT"),
            client_key: variable("CLIENT_KEY"),
            tls_server_name: variable("TLS_SERVER_NAME"),
            skip_verify: flag("SKIP_VERIFY"),
            disable_redirects: flag("DISABLE_REDIRECTS"),
            timeout: Duration::from_secs(timeout.filter(|seconds| *seconds > 0).unwrap_or(60)),
            retries_max: variable("MAX_RETRIES").and_then(|text| text.parse().ok()).unwrap_or(2),
            rate: variable("RATE_LIMIT").and_then(|text| Rate::parse(&text)),
            wrap_ttl: variable("WRAP_TTL"),
            mfa: variable("MFA").into_iter().collect(),
            extra_headers: Vec::new(),
        }
    }

    /// Headers of every request: name, value, whether it is secret.
    pub(crate) fn headers(&self, unwrapped: bool) -> Vec<(&str, &str, bool)> {
        let mut headers = Vec::new();
        if let Some(token) = &self.token {
            headers.push(("X-Vault-Token", token.as_str(), true));
        }
        if let Some(namespace) = &self.namespace {
            headers.push(("X-Vault-Namespace", namespace.as_str(), false));
        }
        if let Some(ttl) = self.wrap_ttl.as_ref().filter(|_| !unwrapped) {
            headers.push(("X-Vault-Wrap-TTL", ttl.as_str(), false));
        }
        headers.extend(self.mfa.iter().map(|answer| ("X-Vault-MFA", answer.as_str(), true)));
        headers.extend(self.extra_headers.iter().map(|(name, value)| (name.as_str(), value.as_str(), true)));
        headers
    }

    pub(crate) fn build(&self) -> Result<(reqwest::Client, String), ClientError> {
        let mut builder = reqwest::Client::builder()
            .timeout(self.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .tls_danger_accept_invalid_certs(self.skip_verify)
            .user_agent("coffer");
        if let Some(roots) = self.authorities()? {
            builder = builder.tls_certs_only(roots);
        }
        if let Some(identity) = self.identity()? {
            builder = builder.identity(identity);
        }
        if let Some(path) = self.address.strip_prefix("unix://") {
            builder = builder.unix_socket(Path::new(path)).no_proxy();
            return Ok((builder.build().map_err(settings)?, "http://localhost".to_owned()));
        }
        let mut url: Url = self.address.parse().map_err(|_| address::not_valid(&self.address))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(address::not_valid(&self.address));
        }
        // A proxy named for the wide world must not be handed what is meant for this machine.
        if is_loopback(&url) {
            builder = builder.no_proxy();
        }
        if let Some(name) = &self.tls_server_name {
            builder = builder.resolve_to_addrs(name, &targets(&url)?);
            url.set_host(Some(name)).map_err(|_| ClientError::Settings(format!("{name} is no name of a server")))?;
        }
        Ok((builder.build().map_err(settings)?, url.to_string()))
    }

    /// The authorities named, or none for those of the system.
    fn authorities(&self) -> Result<Option<Vec<Certificate>>, ClientError> {
        let (place, files) = match (&self.ca_cert, &self.ca_path) {
            (Some(file), _) => (file, vec![file.clone()]),
            (None, Some(folder)) => (folder, files_of(folder)?),
            (None, None) => return Ok(None),
        };
        let mut roots = Vec::new();
        for file in files {
            roots.extend(Certificate::from_pem_bundle(&read(&file)?).map_err(settings)?);
        }
        if roots.is_empty() {
            return Err(ClientError::Settings(format!("{place} holds no certificate")));
        }
        Ok(Some(roots))
    }

    fn identity(&self) -> Result<Option<Identity>, ClientError> {
        match (&self.client_cert, &self.client_key) {
            (None, None) => Ok(None),
            (Some(certificate), Some(key)) => {
                let mut pem = Zeroizing::new(read(certificate)?);
                pem.push(b'\n');
                pem.extend(Zeroizing::new(read(key)?).iter());
                Identity::from_pem(&pem).map(Some).map_err(settings)
            }
            _ => Err(ClientError::Settings("a client certificate and its key must be given together".to_owned())),
        }
    }
}

/// A variable under any of the three prefixes.
pub fn variable(name: &str) -> Option<String> {
    ["COFFER_", "BAO_", "VAULT_"]
        .iter()
        .filter_map(|prefix| std::env::var(format!("{prefix}{name}")).ok())
        .find(|value| !value.is_empty())
}

/// Whether a switch is on, in any of the ways that Go programs write it.
pub fn is_true(text: &str) -> bool {
    matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True")
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Where the host of an address really is.
fn targets(url: &Url) -> Result<Vec<SocketAddr>, ClientError> {
    let host = url.host_str().unwrap_or_default();
    let port = url.port_or_known_default().unwrap_or(443);
    let found = format!("{host}:{port}").to_socket_addrs();
    found.map(Iterator::collect).map_err(|error| ClientError::Connection(format!("{host}: {error}")))
}

fn files_of(folder: &str) -> Result<Vec<String>, ClientError> {
    let failed = |error: std::io::Error| ClientError::Settings(format!("{folder}: {error}"));
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            files.push(path.display().to_string());
        }
    }
    files.sort();
    Ok(files)
}

fn read(path: &str) -> Result<Vec<u8>, ClientError> {
    std::fs::read(path).map_err(|error| ClientError::Settings(format!("{path}: {error}")))
}

fn settings(error: reqwest::Error) -> ClientError {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    ClientError::Settings(text)
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}
