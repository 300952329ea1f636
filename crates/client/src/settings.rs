//! Where the server is and how to talk to it, from the environment and from flags.

use super::ClientError;
use reqwest::{Certificate, Identity};
use std::path::Path;
use std::time::Duration;
use zeroize::Zeroizing;

/// Address used if none is given.
const DEFAULT_ADDRESS: &str = "https://127.0.0.1:8200";

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
    /// Takes any certificate of the server. Unsafe.
    pub skip_verify: bool,
    /// Time for a request.
    pub timeout: Duration,
    /// Retries of requests that may be retried.
    pub retries_max: u32,
    /// Asks for wrapped replies.
    pub wrap_ttl: Option<String>,
}

impl Settings {
    /// From the environment: `COFFER_X`, `BAO_X` or `VAULT_X`, the first that is set.
    pub fn from_environment() -> Self {
        let flag = |name: &str| {
            variable(name).is_some_and(|value| matches!(value.as_str(), "1" | "t" | "true" | "TRUE" | "True"))
        };
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
            skip_verify: flag("SKIP_VERIFY"),
            timeout: Duration::from_secs(timeout.filter(|seconds| *seconds > 0).unwrap_or(60)),
            retries_max: variable("MAX_RETRIES").and_then(|text| text.parse().ok()).unwrap_or(2),
            wrap_ttl: variable("WRAP_TTL"),
        }
    }

    pub(crate) fn build(&self) -> Result<(reqwest::Client, String), ClientError> {
        let mut builder = reqwest::Client::builder()
            .timeout(self.timeout)
            .redirect(reqwest::redirect::Policy::none())
            .tls_danger_accept_invalid_certs(self.skip_verify)
            .user_agent("coffer");
        let mut roots = Vec::new();
        for certificate in self.authorities()? {
            roots.extend(Certificate::from_pem_bundle(&certificate).map_err(settings)?);
        }
        if !roots.is_empty() {
            builder = builder.tls_certs_only(roots);
        }
        if let (Some(certificate), Some(key)) = (&self.client_cert, &self.client_key) {
            let mut pem = read(certificate)?;
            pem.push(b'\n');
            pem.extend(read(key)?);
            builder = builder.identity(Identity::from_pem(&pem).map_err(settings)?);
        }
        let base = match self.address.strip_prefix("unix://") {
            Some(path) => {
                builder = builder.unix_socket(Path::new(path));
                "http://localhost".to_owned()
            }
            None => self.address.clone(),
        };
        Ok((builder.build().map_err(settings)?, base))
    }

    fn authorities(&self) -> Result<Vec<Vec<u8>>, ClientError> {
        if let Some(file) = &self.ca_cert {
            return Ok(vec![read(file)?]);
        }
        let Some(folder) = &self.ca_path else { return Ok(Vec::new()) };
        let failed = |error: std::io::Error| ClientError::Settings(format!("{folder}: {error}"));
        let entries = std::fs::read_dir(folder).map_err(failed)?;
        entries
            .map(|entry| entry.map_err(failed))
            .filter_map(|entry| entry.map(|entry| entry.path()).ok())
            .filter(|path| path.is_file())
            .map(|path| read(&path.display().to_string()))
            .collect()
    }
}

/// A variable under any of the three prefixes.
pub fn variable(name: &str) -> Option<String> {
    ["COFFER_", "BAO_", "VAULT_"]
        .iter()
        .filter_map(|prefix| std::env::var(format!("{prefix}{name}")).ok())
        .find(|value| !value.is_empty())
}

fn read(path: &str) -> Result<Vec<u8>, ClientError> {
    std::fs::read(path).map_err(|error| ClientError::Settings(format!("{path}: {error}")))
}

fn settings(error: reqwest::Error) -> ClientError {
    ClientError::Settings(error.to_string())
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("address", &self.address)
            .field("namespace", &self.namespace)
            .finish_non_exhaustive()
    }
}
