//! Configuration of a mount: URLs in certificates, revocation lists, cluster addresses, default issuer and key.

use super::crl;
use super::issuer::{DefaultIssuer, Issuer, unknown};
use super::key::{DefaultKey, Key};
use super::wire::{WriteCluster, WriteCrl, WriteDefaultIssuer, WriteDefaultKey, WriteUrls};
use engine::{CommaList, Cx, Fault, FieldType as _, Record, Reply, Route, Seconds};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const URLS: &str = "config/urls";
const CLUSTER: &str = "config/cluster";
const CRL: &str = "config/crl";

pub(super) fn routes() -> Vec<Route<Cx>> {
    vec![
        Route::at("config/urls", "URLs in issued certificates.").read(read_urls).write(write_urls),
        Route::at("config/crl", "Settings of revocation lists and OCSP.").read(read_crl).write(write_crl),
        Route::at("config/cluster", "Addresses of this cluster.").read(read_cluster).write(write_cluster),
        Route::at("config/issuers", "The default issuer.").read(read_issuers).write(write_issuers),
        Route::at("root/replace", "Make another issuer the default.").write(replace),
        Route::at("config/keys", "The default key.").read(read_keys).write(write_keys),
    ]
}

/// Where certificates say that things are.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Urls {
    pub(super) issuing_certificates: Vec<String>,
    pub(super) crl_distribution_points: Vec<String>,
    pub(super) delta_crl_distribution_points: Vec<String>,
    pub(super) ocsp_servers: Vec<String>,
    pub(super) enable_templating: bool,
}

impl Record for Urls {
    const KIND: &'static str = "pki-urls/1";
}

impl Urls {
    /// The mount's.
    pub(super) fn load(cx: &mut Cx) -> Result<Self, Fault> {
        Ok(cx.tx.load(URLS)?.unwrap_or_default())
    }

    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.issuing_certificates.is_empty()
            && self.crl_distribution_points.is_empty()
            && self.delta_crl_distribution_points.is_empty()
            && self.ocsp_servers.is_empty()
    }

    /// Takes what was sent.
    pub(super) fn apply(&mut self, sent: &WriteUrls) -> Result<(), Fault> {
        self.enable_templating = sent.enable_templating.unwrap_or(self.enable_templating);
        let templates = self.enable_templating;
        let set = |name: &str, list: &mut Vec<String>, sent: &Option<CommaList>| {
            let Some(CommaList(urls)) = sent else { return Ok(()) };
            if let Some(bad) = urls.iter().find(|url| !(is_url(url) || templates && url.contains("{{"))) {
                return Err(Fault::invalid(format!(
                    "invalid URL found in Authority Information Access (AIA) parameter {name}: {bad}"
                )));
            }
            list.clone_from(urls);
            Ok(())
        };
        set("issuing_certificates", &mut self.issuing_certificates, &sent.issuing_certificates)?;
        set("crl_distribution_points", &mut self.crl_distribution_points, &sent.crl_distribution_points)?;
        set(
            "delta_crl_distribution_points",
            &mut self.delta_crl_distribution_points,
            &sent.delta_crl_distribution_points,
        )?;
        set("ocsp_servers", &mut self.ocsp_servers, &sent.ocsp_servers)
    }

    /// With its templates filled in.
    pub(super) fn filled(&self, issuer_id: &str, cluster: &Cluster) -> Self {
        let fill = |list: &[String]| -> Vec<String> {
            list.iter()
                .map(|url| {
                    url.replace("{{issuer_id}}", issuer_id)
                        .replace("{{cluster_path}}", &cluster.path)
                        .replace("{{cluster_aia_path}}", &cluster.aia_path)
                })
                .collect()
        };
        Self {
            issuing_certificates: fill(&self.issuing_certificates),
            crl_distribution_points: fill(&self.crl_distribution_points),
            delta_crl_distribution_points: fill(&self.delta_crl_distribution_points),
            ocsp_servers: fill(&self.ocsp_servers),
            enable_templating: false,
        }
    }
}

/// Addresses of this cluster, for templates.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Cluster {
    pub(super) path: String,
    pub(super) aia_path: String,
}

impl Record for Cluster {
    const KIND: &'static str = "pki-cluster/1";
}

impl Cluster {
    /// As configured.
    pub(super) fn load(cx: &mut Cx) -> Result<Self, Fault> {
        Ok(cx.tx.load(CLUSTER)?.unwrap_or_default())
    }
}

/// Settings of revocation lists and OCSP; durations as they were written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct CrlConfig {
    pub(super) allow_expired_cert_revocation: bool,
    pub(super) auto_rebuild: bool,
    pub(super) auto_rebuild_grace_period: String,
    pub(super) delta_rebuild_interval: String,
    pub(super) disable: bool,
    pub(super) enable_delta: bool,
    pub(super) expiry: String,
    pub(super) ocsp_disable: bool,
    pub(super) ocsp_expiry: String,
}

impl Record for CrlConfig {
    const KIND: &'static str = "pki-crl-config/1";
}

impl Default for CrlConfig {
    fn default() -> Self {
        Self {
            allow_expired_cert_revocation: false,
            auto_rebuild: false,
            auto_rebuild_grace_period: "12h".to_owned(),
            delta_rebuild_interval: "15m".to_owned(),
            disable: false,
            enable_delta: false,
            expiry: "72h".to_owned(),
            ocsp_disable: false,
            ocsp_expiry: "12h".to_owned(),
        }
    }
}

impl CrlConfig {
    /// As configured.
    pub(super) fn load(cx: &mut Cx) -> Result<Self, Fault> {
        Ok(cx.tx.load(CRL)?.unwrap_or_default())
    }

    /// Takes what was sent, and checks the whole.
    fn apply(&mut self, sent: WriteCrl) -> Result<(), Fault> {
        let durations = [
            ("expiry", &mut self.expiry, sent.expiry),
            ("ocsp_expiry", &mut self.ocsp_expiry, sent.ocsp_expiry),
            ("auto_rebuild_grace_period", &mut self.auto_rebuild_grace_period, sent.auto_rebuild_grace_period),
            ("delta_rebuild_interval", &mut self.delta_rebuild_interval, sent.delta_rebuild_interval),
        ];
        for (name, kept, sent) in durations {
            let Some(text) = sent else { continue };
            if parsed(&text).is_none() {
                return Err(Fault::invalid(format!("given {name} could not be decoded: expected a duration")));
            }
            *kept = text;
        }
        self.disable = sent.disable.unwrap_or(self.disable);
        self.ocsp_disable = sent.ocsp_disable.unwrap_or(self.ocsp_disable);
        self.auto_rebuild = sent.auto_rebuild.unwrap_or(self.auto_rebuild);
        self.enable_delta = sent.enable_delta.unwrap_or(self.enable_delta);
        self.allow_expired_cert_revocation =
            sent.allow_expired_cert_revocation.unwrap_or(self.allow_expired_cert_revocation);
        self.check()
    }

    fn check(&self) -> Result<(), Fault> {
        let expiry = &self.expiry;
        if duration(expiry) < 1 {
            return Err(Fault::invalid("expiry must be at least one second"));
        }
        if self.auto_rebuild && duration(&self.auto_rebuild_grace_period) >= duration(expiry) {
            return Err(Fault::invalid(format!(
                "CRL auto-rebuilding grace period ({}) must be strictly shorter than CRL expiry ({expiry}) value when \
                 auto-rebuilding of CRLs is enabled",
                self.auto_rebuild_grace_period
            )));
        }
        if self.enable_delta && !self.auto_rebuild {
            return Err(Fault::invalid(
                "Delta CRLs cannot be enabled when auto rebuilding is disabled as the complete CRL is always regenerated!",
            ));
        }
        if self.enable_delta && duration(&self.delta_rebuild_interval) >= duration(expiry) {
            return Err(Fault::invalid(format!(
                "CRL delta rebuild window ({}) must be strictly shorter than CRL expiry ({expiry}) value when delta CRLs \
                 are enabled",
                self.delta_rebuild_interval
            )));
        }
        Ok(())
    }
}

/// A duration that was checked when it was written; what does not read is none.
pub(super) fn duration(text: &str) -> i64 {
    parsed(text).unwrap_or_default()
}

/// A duration, not negative.
pub(super) fn parsed(text: &str) -> Option<i64> {
    Seconds::take(Some(&Value::from(text))).ok().map(|Seconds(seconds)| seconds).filter(|seconds| *seconds >= 0)
}

/// Whether a text is an absolute URL: what is checked is what keeps it from being taken for something else.
pub(super) fn is_url(text: &str) -> bool {
    let scheme = text.split_once("://");
    scheme.is_some_and(|(scheme, rest)| {
        !scheme.is_empty()
            && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
            && !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_graphic())
    })
}

fn read_urls(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    Ok(Reply::data(Urls::load(cx)?))
}

fn write_urls(cx: &mut Cx, sent: WriteUrls) -> Result<Reply, Fault> {
    let mut urls = Urls::load(cx)?;
    urls.apply(&sent)?;
    cx.tx.save(URLS, &urls)?;
    Ok(Reply::data(urls))
}

fn read_crl(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    Ok(Reply::data(CrlConfig::load(cx)?))
}

fn write_crl(cx: &mut Cx, sent: WriteCrl) -> Result<Reply, Fault> {
    let mut config = CrlConfig::load(cx)?;
    let disabled = config.disable;
    config.apply(sent)?;
    cx.tx.save(CRL, &config)?;
    if disabled != config.disable {
        crl::rebuild(cx)?;
    }
    Ok(Reply::data(config))
}

fn read_cluster(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    Ok(Reply::data(Cluster::load(cx)?))
}

fn write_cluster(cx: &mut Cx, sent: WriteCluster) -> Result<Reply, Fault> {
    let mut cluster = Cluster::load(cx)?;
    for (name, kept, sent) in [("path", &mut cluster.path, sent.path), ("aia_path", &mut cluster.aia_path, sent.aia_path)]
    {
        let Some(url) = sent else { continue };
        if !url.is_empty() && !is_url(&url) {
            return Err(Fault::upstream_error(format!("invalid, non-URL {name} given to cluster: {url}")));
        }
        *kept = url;
    }
    cx.tx.save(CLUSTER, &cluster)?;
    Ok(Reply::data(cluster))
}

fn read_issuers(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    Ok(Reply::data(DefaultIssuer::load(cx)?))
}

fn write_issuers(cx: &mut Cx, sent: WriteDefaultIssuer) -> Result<Reply, Fault> {
    let reference = sent.default.unwrap_or_default();
    set_default_issuer(cx, &reference, sent.default_follows_latest_issuer)
}

fn replace(cx: &mut Cx, sent: WriteDefaultIssuer) -> Result<Reply, Fault> {
    let reference = sent.default.unwrap_or_else(|| "next".to_owned());
    set_default_issuer(cx, &reference, sent.default_follows_latest_issuer)
}

fn set_default_issuer(cx: &mut Cx, reference: &str, follows: Option<bool>) -> Result<Reply, Fault> {
    if reference.is_empty() || reference == "default" {
        return Err(Fault::invalid("Invalid issuer specification; must be non-empty and can't be 'default'."));
    }
    let issuer = match Issuer::find(cx, reference) {
        Err(Fault::Status(500, _)) => {
            return Err(Fault::invalid(format!("Error resolving issuer reference: {}", unknown(reference))));
        }
        other => other?,
    };
    let mut default = DefaultIssuer::load(cx)?;
    default.default.clone_from(&issuer.id);
    default.default_follows_latest_issuer = follows.unwrap_or(default.default_follows_latest_issuer);
    default.save(cx)?;
    let reply = Reply::data(&default);
    if issuer.key_id.is_empty() {
        return Ok(reply.warn(
            "This selected default issuer has no key associated with it. Some operations like issuing certificates and \
             signing CRLs will be unavailable with the requested default issuer until a key is imported or the default \
             issuer is changed.",
        ));
    }
    Ok(reply)
}

fn read_keys(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    Ok(Reply::data(DefaultKey::load(cx)?))
}

fn write_keys(cx: &mut Cx, sent: WriteDefaultKey) -> Result<Reply, Fault> {
    let reference = sent.default.unwrap_or_default();
    if reference.is_empty() || reference == "default" {
        return Err(Fault::invalid("Invalid key specification; must be non-empty and can't be 'default'."));
    }
    let key = Key::find(cx, &reference)?.ok_or_else(|| {
        Fault::invalid(format!(
            "Error resolving issuer reference: unable to find PKI key for reference: {reference}"
        ))
    })?;
    let default = DefaultKey { default: key.id };
    default.save(cx)?;
    Ok(Reply::data(json!({ "default": default.default })))
}
