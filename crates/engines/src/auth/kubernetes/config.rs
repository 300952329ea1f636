//! The connection to the cluster. A write replaces the whole, as upstream.

use super::record::Config;
use super::wire::WriteConfig;
use engine::crypto::signing::PublicKey;
use engine::outside::ServiceAccountFile;
use engine::{Cx, Fault, Reply};
use serde_json::json;

/// Most keys that sign JWTs.
const KEYS_MAX: usize = 64;

/// Configures the connection.
pub(super) fn write(cx: &mut Cx, sent: WriteConfig) -> Result<Reply, Fault> {
    if sent.kubernetes_host.is_empty() {
        return Err(Fault::invalid("no host provided"));
    }
    if sent.disable_local_ca_jwt && sent.kubernetes_ca_cert.is_empty() {
        return Err(Fault::invalid("kubernetes_ca_cert must be given when disable_local_ca_jwt is true"));
    }
    let keys = sent.pem_keys.0;
    if keys.len() > KEYS_MAX || keys.iter().any(|key| PublicKey::all_from_pem(key).is_none()) {
        return Err(Fault::invalid("data does not contain any valid public keys"));
    }
    if sent.kubernetes_ca_cert.is_empty() && cx.outside.service_account(ServiceAccountFile::Authority)?.is_none() {
        return Err(Fault::invalid(
            "open /var/run/secrets/kubernetes.io/serviceaccount/ca.crt: no such file or directory",
        ));
    }
    let config = Config {
        host: sent.kubernetes_host,
        authority: sent.kubernetes_ca_cert,
        reviewer: sent.token_reviewer_jwt.0.as_str().to_owned(),
        keys,
        issuer: sent.issuer,
        any_issuer: sent.disable_iss_validation.unwrap_or(true),
        no_local_files: sent.disable_local_ca_jwt,
        annotations: sent.use_annotations_as_alias_metadata,
    };
    config.save(cx)?;
    Ok(Reply::empty())
}

/// Shows the connection without the reviewer's token.
pub(super) fn read(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let Some(config) = Config::load(cx)? else { return Ok(Reply::empty()) };
    Ok(Reply::data(json!({
        "disable_iss_validation": config.any_issuer,
        "disable_local_ca_jwt": config.no_local_files,
        "issuer": config.issuer,
        "kubernetes_ca_cert": config.authority,
        "kubernetes_host": config.host,
        "pem_keys": config.keys,
        "token_reviewer_jwt_set": !config.reviewer.is_empty(),
        "use_annotations_as_alias_metadata": config.annotations,
    })))
}
