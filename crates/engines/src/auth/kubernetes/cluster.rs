//! What the cluster's API is asked: whether a JWT is good (TokenReview), the labels of a namespace, the annotations of a
//! service account.

use super::claims::Account;
use super::record::Config;
use engine::outside::{HttpCall, Method, ServiceAccountFile, Trust, undecided};
use engine::{Cx, Fault, Secret};
use serde::Deserialize;
use serde_json::json;
use std::collections::BTreeMap;

/// Whom messages speak of.
const API: &str = "the Kubernetes API";
/// Annotations that become metadata of an alias begin with this.
const ALIAS_METADATA: &str = "vault.hashicorp.com/alias-metadata-";
/// Annotations that are taken.
const ANNOTATIONS_MAX: usize = 64;

/// The API of one cluster, asked with one token.
pub(super) struct Cluster {
    base: String,
    trust: Trust,
    bearer: Secret<String>,
}

#[derive(Deserialize)]
struct TokenReview {
    status: Option<ReviewStatus>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReviewStatus {
    authenticated: bool,
    user: Option<User>,
    audiences: Option<Vec<String>>,
    error: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct User {
    username: String,
    uid: String,
}

#[derive(Deserialize)]
struct Object {
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Metadata {
    uid: String,
    labels: Option<BTreeMap<String, String>>,
    annotations: Option<BTreeMap<String, String>>,
}

impl Cluster {
    /// The cluster as configured. Without a reviewer's token, the service account of this server reviews, and outside of
    /// a cluster the JWT reviews itself.
    pub(super) fn new(cx: &Cx, config: &Config, jwt: &str) -> Result<Self, Fault> {
        let base = if config.host.contains("://") { config.host.clone() } else { format!("https://{}", config.host) };
        let local = |file| if config.no_local_files { Ok(None) } else { cx.outside.service_account(file) };
        let authorities = match config.authority.as_str() {
            // Without TLS there is nobody to trust or not.
            _ if !base.starts_with("https://") => String::new(),
            "" => local(ServiceAccountFile::Authority)?.map_or(String::new(), |pem| pem.as_str().to_owned()),
            authority => authority.to_owned(),
        };
        let bearer = match config.reviewer.as_str() {
            "" => local(ServiceAccountFile::Token)?.unwrap_or_else(|| Secret::text(jwt)),
            reviewer => Secret::text(reviewer),
        };
        Ok(Self { base: base.trim_end_matches('/').to_owned(), trust: Trust { authorities }, bearer })
    }

    /// Lets the cluster review a JWT: it has to be good, for the audience if there is one, and of the account it claims.
    pub(super) fn review(&self, cx: &Cx, jwt: &str, account: &Account, audience: &str) -> Result<(), Fault> {
        let spec = match audience {
            "" => json!({ "token": jwt }),
            audience => json!({ "token": jwt, "audiences": [audience] }),
        };
        let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview", "spec": spec });
        let call = self.call(Method::Post, "/apis/authentication.k8s.io/v1/tokenreviews").json(&body);
        let answer = cx.outside.about_token(call, API)?;
        let TokenReview { status } = answer.json().ok_or_else(|| unusable("its answer is not a TokenReview"))?;
        // A member that is `null` is one that is not there.
        let status = status.unwrap_or_default();
        let user = status.user.unwrap_or_default();
        let audiences = status.audiences.unwrap_or_default();
        let other_audience =
            !audience.is_empty() && !audiences.is_empty() && !audiences.iter().any(|accepted| accepted == audience);
        let good = status.authenticated
            && status.error.is_none_or(|error| error.is_empty())
            && user.username == account.user_name()
            && user.uid == account.uid
            && !other_audience;
        if good { Ok(()) } else { Err(Fault::Denied) }
    }

    /// The labels of a namespace.
    pub(super) fn labels(&self, cx: &Cx, account: &Account) -> Result<BTreeMap<String, String>, Fault> {
        let path = format!("/api/v1/namespaces/{}", account.namespace);
        let answer = cx.outside.about_token(self.call(Method::Get, &path), API)?;
        let object: Object = answer.json().ok_or_else(|| unusable("its answer is not a Namespace"))?;
        Ok(object.metadata.labels.unwrap_or_default())
    }

    /// What the annotations of the service account say of its alias.
    pub(super) fn alias_metadata(&self, cx: &Cx, account: &Account) -> Result<BTreeMap<String, String>, Fault> {
        let path = format!("/api/v1/namespaces/{}/serviceaccounts/{}", account.namespace, account.name);
        let answer = cx.outside.about_token(self.call(Method::Get, &path), API)?;
        let object: Object = answer.json().ok_or_else(|| unusable("its answer is not a ServiceAccount"))?;
        // Another account of the same name may have come meanwhile.
        if object.metadata.uid != account.uid {
            return Err(Fault::Denied);
        }
        let annotations = object.metadata.annotations.unwrap_or_default().into_iter();
        let wanted = annotations.filter_map(|(name, value)| Some((name.strip_prefix(ALIAS_METADATA)?.to_owned(), value)));
        Ok(wanted.take(ANNOTATIONS_MAX).collect())
    }

    fn call(&self, method: Method, path: &str) -> HttpCall {
        HttpCall::new(method, format!("{}{path}", self.base))
            .header("authorization", format!("Bearer {}", self.bearer.as_str()))
            .header("accept", "application/json")
            .trusting(self.trust.clone())
    }
}

fn unusable(why: &str) -> Fault {
    undecided(API, why)
}
