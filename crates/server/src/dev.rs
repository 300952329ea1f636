//! Development mode: a store in memory that is initialised, unsealed and has kv at `secret/` before the first request.

use crate::config::{Config, TlsConfig};
use crate::options::Options;
use crate::shell::Shell;
use crate::{drive, seal, ticker};
use barrier::{Initialiser, ShareRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{Class, Fault, Secret, SystemRandomness, Tx};
use kernel::bootstrap;
use std::sync::Arc;

/// What the person at the terminal is shown.
pub struct DevKeys {
    /// The one unseal key, in base64.
    pub unseal_key: String,
    /// Root token.
    pub root_token: String,
}

/// Makes the development store ready.
pub async fn prepare(shell: &Shell, options: &Options) -> Result<DevKeys, Fault> {
    let request = ShareRequest::new(1, 1, Vec::new()).map_err(|error| Fault::internal(error.to_string()))?;
    let root = options.dev_root_token_id.clone();
    let made = seal::initialise(shell, &Initialiser::Shamir(request), root).await?;
    let share = made.issued.shares.first().ok_or_else(|| Fault::internal("no share was made"))?;
    let unseal_key = STANDARD.encode(share.as_slice());
    seal::give_share(shell, Secret::new(share.as_slice().to_vec()))?;
    mount_kv(shell, if options.dev_kv_v1 || options.dev_leased_kv { "1" } else { "2" }).await?;
    Ok(DevKeys { unseal_key, root_token: made.root_token.expose().clone() })
}

async fn mount_kv(shell: &Shell, version: &str) -> Result<(), Fault> {
    let open = shell.unsealed().ok_or_else(|| Fault::internal("development store is sealed"))?;
    let snapshot = shell.log.snapshot();
    let tx = Tx::new(snapshot.clone(), open.barrier(snapshot.as_ref())?);
    let options = [("version".to_owned(), version.to_owned())].into();
    let mut randomness = SystemRandomness;
    let tx = bootstrap::mount(
        &open.kernel,
        tx,
        shell.clock.now(),
        Box::new(SystemRandomness),
        ("secret/", Class::Secret, "kv"),
        options,
        Arc::new(ticker::own_request()),
    )?;
    let commit = tx.into_commit(&mut |bytes| engine::Randomness::fill(&mut randomness, bytes))?;
    drive::submit(shell, commit).await.map_err(|error| Fault::internal(error.to_string()))
}

/// Shows keys and addresses, and keeps the token where the command line looks for it.
pub fn announce(keys: &DevKeys, urls: &[&str], options: &Options) {
    let address = urls.first().copied().unwrap_or_default();
    println!("==> Coffer server configuration:\n");
    println!("         Listeners: {}", urls.join(", "));
    println!("           Storage: inmem\n");
    println!("WARNING! Development mode is on: everything is in memory, unsealed, and lost when the process ends.");
    println!("Do not use it for anything but trying Coffer out.\n");
    println!("You may need to set the following environment variables:\n\n    export VAULT_ADDR='{address}'\n");
    println!("The unseal key and root token are shown below in case you want to seal/unseal or authenticate.\n");
    println!("Unseal Key: {}", keys.unseal_key);
    println!("Root Token: {}\n", keys.root_token);
    println!("==> Coffer server started! Log data will stream in below:\n");
    if !options.dev_no_store_token
        && let Err(error) = store_token(&keys.root_token)
    {
        tracing::warn!(error = %error, "root token could not be stored");
    }
}

fn store_token(token: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let Some(home) = std::env::home_dir() else { return Ok(()) };
    let path = home.join(".vault-token");
    let fresh = home.join(format!(".vault-token.{}", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(token.as_bytes())?;
    std::fs::rename(fresh, path)
}

/// Makes a certificate for the development listener and puts it, with its authority, where clients can find it.
pub fn with_tls(config: &mut Config, options: &Options) -> std::io::Result<()> {
    let folder = match &options.dev_tls_cert_dir {
        Some(folder) => folder.clone(),
        None => std::env::temp_dir().join(format!("coffer-dev-{}", std::process::id())),
    };
    std::fs::create_dir_all(&folder)?;
    let ca_key = rcgen::KeyPair::generate().map_err(std::io::Error::other)?;
    let mut ca = rcgen::CertificateParams::new(Vec::new()).map_err(std::io::Error::other)?;
    ca.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    ca.distinguished_name.push(rcgen::DnType::CommonName, "coffer development authority");
    let ca_certificate = ca.self_signed(&ca_key).map_err(std::io::Error::other)?;
    let issuer = rcgen::Issuer::new(ca, ca_key);
    let key = rcgen::KeyPair::generate().map_err(std::io::Error::other)?;
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    let leaf = rcgen::CertificateParams::new(names).map_err(std::io::Error::other)?;
    let leaf = leaf.signed_by(&key, &issuer).map_err(std::io::Error::other)?;
    std::fs::write(folder.join("vault-ca.pem"), ca_certificate.pem())?;
    std::fs::write(folder.join("vault-cert.pem"), leaf.pem())?;
    std::fs::write(folder.join("vault-key.pem"), key.serialize_pem())?;
    let tls = TlsConfig {
        cert_file: folder.join("vault-cert.pem"),
        key_file: folder.join("vault-key.pem"),
        ..TlsConfig::default()
    };
    for listener in &mut config.listeners {
        listener.tls = Some(tls.clone());
    }
    config.api_addr = config.api_addr.replacen("http:", "https:", 1);
    Ok(())
}
