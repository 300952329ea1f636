//! `sys/policy`, `sys/policies/acl`, `sys/policies/password`: stored policies.

use crate::policies::{BUILT_IN, PolicyRecord};
use crate::policy::{PasswordPolicy, Policy};
use crate::{Kx, keys};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{Fault, Input, Record, Reply, Route, Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Bytes of a policy's text.
const POLICY_BYTES_MAX: usize = 1 << 20;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("policy", "List policies.").read(list_legacy).list(list),
        Route::at("policies/acl", "List policies.").list(list),
        Route::at("policies/detailed/acl", "List policies with what is known of each.").list(list_detailed),
        Route::at("policies/password", "List password policies.").list(list_password),
        Route::at("policies/password/{name}/generate", "Generate a password.").read(generate),
        Route::at("policies/password/{name}", "Manage a password policy.")
            .read(read_password)
            .write(write_password)
            .delete(delete_password),
        Route::at("policy/{name:path}", "Manage a policy.").read(read_legacy).write(write).delete(delete),
        Route::at("policies/acl/{name:path}", "Manage a policy.").read(read).write(write).patch(patch).delete(delete),
    ]
}

engine::request! {
    /// Names a policy.
    pub struct Name {
        /// Name of the policy.
        name: String,
    }
}

engine::request! {
    /// Writes a policy.
    pub struct Write {
        /// Name of the policy.
        name: String,
        /// The rules.
        policy: String,
        /// Older name of `policy`.
        rules: String,
        /// Version that this write replaces; -1 is not checked.
        cas: Option<i64>,
        /// Whether writes must name the version they replace.
        cas_required: Option<bool>,
        /// When the policy ends.
        expiration: Option<String>,
        /// After how many seconds the policy ends.
        ttl: Option<Seconds>,
    }
}

/// The one form of a policy's name: S02 and S72 are about names that the check and the store saw differently. What is
/// not in canonical form but for letter case is refused.
fn canonical(name: &str) -> Result<String, Fault> {
    let folded = name.to_lowercase();
    if folded.trim() != folded
        || folded.is_empty()
        || !folded.chars().all(|c| c.is_ascii_graphic())
        || folded.contains("..")
    {
        return Err(Fault::invalid("policy name is not valid"));
    }
    Ok(folded)
}

/// A name that differs from its canonical form could pass a rule written for the canonical one.
fn exact(name: &str) -> Result<String, Fault> {
    let folded = canonical(name)?;
    if folded == name { Ok(folded) } else { Err(Fault::invalid("policy name must be lower case")) }
}

fn load(kx: &mut Kx, name: &str) -> Result<Option<PolicyRecord>, Fault> {
    let key = keys::policy(&kx.namespace_id(), name);
    let now = kx.now;
    Ok(kx.tx.load::<PolicyRecord>(&key)?.filter(|policy| policy.expiration.is_none_or(|end| end > now)))
}

fn names(kx: &mut Kx) -> Result<Vec<String>, Fault> {
    let folder = keys::policies(&kx.namespace_id());
    let page = kx.page.clone();
    let mut names: Vec<String> =
        kx.tx.scan(&folder, &page)?.into_iter().filter(|name| name != crate::wrapping::POLICY).collect();
    if kx.namespace.is_root() && page.after.as_str() < "root" && page.limit.is_none_or(|limit| names.len() < limit) {
        names.push("root".to_owned());
        names.sort();
    }
    Ok(names)
}

fn list(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let names = names(kx)?;
    Ok(Reply::keys(names))
}

fn list_legacy(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let names = names(kx)?;
    Ok(Reply::legacy(json!({ "keys": names, "policies": names })))
}

fn list_detailed(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let names = names(kx)?;
    let mut infos = serde_json::Map::new();
    for name in &names {
        if let Some(policy) = load(kx, name)? {
            infos.insert(name.clone(), details(&policy));
        }
    }
    Ok(Reply::keys_with_info(names, infos))
}

fn details(policy: &PolicyRecord) -> Value {
    let mut view = json!({
        "allow_slashes_in_identity_templates": false,
        "allow_wildcards_in_identity_templates": false,
        "cas_required": policy.cas_required,
        "modified": policy.modified.to_rfc3339(),
        "name": policy.name,
        "policy": policy.text,
        "version": policy.version,
    });
    if let (Some(end), Some(members)) = (policy.expiration, view.as_object_mut()) {
        members.insert("expiration".into(), end.to_rfc3339().into());
    }
    view
}

fn read(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let name = canonical(&request.name)?;
    if name == "root" && kx.namespace.is_root() {
        return Ok(Reply::data(json!({ "name": "root", "policy": "" })));
    }
    Ok(load(kx, &name)?.map_or_else(Reply::empty, |policy| Reply::data(details(&policy))))
}

fn read_legacy(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let name = canonical(&request.name)?;
    if name == "root" && kx.namespace.is_root() {
        return Ok(Reply::legacy(json!({ "name": "root", "rules": "" })));
    }
    let view = |policy: PolicyRecord| json!({ "name": policy.name, "rules": policy.text });
    Ok(load(kx, &name)?.map_or_else(Reply::empty, |policy| Reply::legacy(view(policy))))
}

fn write(kx: &mut Kx, request: Write) -> Result<Reply, Fault> {
    let name = canonical(&request.name)?;
    // S02: the caller's rights were checked for the spelling in the path. For another spelling of a name they are
    // checked again, for the name that is written.
    if name != request.name {
        let path = kx.request.path.as_str().replace(&request.name, &name);
        let may = crate::authorize::may(kx, path.trim_start_matches(&kx.namespace.path.clone()));
        if !may {
            return Err(Fault::Forbidden);
        }
    }
    if name == "root" || name == crate::wrapping::POLICY {
        return Err(Fault::invalid(format!("cannot update {name:?} policy")));
    }
    let text = if request.policy.is_empty() { request.rules } else { request.policy };
    if text.is_empty() {
        return Err(Fault::invalid("'policy' parameter not supplied or empty"));
    }
    let text = decoded(text);
    if text.len() > POLICY_BYTES_MAX {
        return Err(Fault::invalid("policy is too large"));
    }
    Policy::parse(&text).map_err(|error| Fault::invalid(format!("failed to parse policy: {error}")))?;
    let known = load(kx, &name)?;
    check_version(known.as_ref(), request.cas)?;
    let now = kx.now;
    let expiration = expiration(now, request.expiration, request.ttl)?;
    let record = PolicyRecord {
        name: name.clone(),
        text,
        modified: now,
        version: known.as_ref().map_or(0, |known| known.version) + 1,
        cas_required: request.cas_required.unwrap_or_else(|| known.is_some_and(|known| known.cas_required)),
        expiration,
    };
    let key = keys::policy(&kx.namespace_id(), &name);
    kx.tx.save(&key, &record)?;
    Ok(Reply::empty())
}

/// Clients may send the text in base64.
fn decoded(text: String) -> String {
    let plain = STANDARD.decode(text.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    plain.filter(|plain| Policy::parse(plain).is_ok()).unwrap_or(text)
}

fn expiration(now: Timestamp, at: Option<String>, ttl: Option<Seconds>) -> Result<Option<Timestamp>, Fault> {
    match (at.filter(|at| !at.is_empty()), ttl) {
        (Some(_), Some(_)) => Err(Fault::invalid("only one of 'expiration' and 'ttl' may be given")),
        (Some(at), None) => {
            let at = Timestamp::parse_rfc3339(&at).map_err(|error| Fault::invalid(format!("expiration is {error}")))?;
            if at <= now { Err(Fault::invalid("expiration must be in the future")) } else { Ok(Some(at)) }
        }
        (None, Some(Seconds(ttl))) if ttl > 0 => Ok(Some(now.plus_seconds(ttl))),
        _ => Ok(None),
    }
}

fn check_version(known: Option<&PolicyRecord>, cas: Option<i64>) -> Result<(), Fault> {
    let current = known.map_or(0, |known| known.version);
    match cas {
        None | Some(-1) if known.is_some_and(|known| known.cas_required) => {
            Err(Fault::invalid("check-and-set parameter required for this call"))
        }
        Some(wanted) if wanted >= 0 && u64::try_from(wanted) != Ok(current) => {
            Err(Fault::invalid("check-and-set parameter did not match the current version"))
        }
        _ => Ok(()),
    }
}

fn patch(kx: &mut Kx, input: Input) -> Result<Reply, Fault> {
    let name = input.field("name").and_then(Value::as_str).map(exact).transpose()?.unwrap_or_default();
    let Some(known) = load(kx, &name)? else { return Ok(Reply::empty()) };
    let mut request = <Write as engine::RequestBody>::parse(&input)?;
    if request.policy.is_empty() && request.rules.is_empty() {
        request.policy = known.text;
    }
    write(kx, request)
}

fn delete(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let name = exact(&request.name)?;
    if BUILT_IN.contains(&name.as_str()) {
        return Err(Fault::invalid(format!("cannot delete {name:?} policy")));
    }
    let key = keys::policy(&kx.namespace_id(), &name);
    kx.tx.delete(&key);
    Ok(Reply::empty())
}

/// A password policy as it is kept.
#[derive(Debug, Serialize, Deserialize)]
struct PasswordPolicyRecord {
    text: String,
}

impl Record for PasswordPolicyRecord {
    const KIND: &'static str = "password-policy/1";
}

fn list_password(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let folder = keys::password_policy(&kx.namespace_id(), "");
    let page = kx.page.clone();
    Ok(Reply::keys(kx.tx.list(&folder, &page)?))
}

fn read_password(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let key = keys::password_policy(&kx.namespace_id(), &request.name);
    let record = kx.tx.load::<PasswordPolicyRecord>(&key)?;
    Ok(record.map_or_else(Reply::empty, |record| Reply::data(json!({ "policy": record.text }))))
}

fn write_password(kx: &mut Kx, request: Write) -> Result<Reply, Fault> {
    if request.policy.is_empty() {
        return Err(Fault::invalid("missing policy"));
    }
    let text = STANDARD.decode(&request.policy).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.filter(|text| PasswordPolicy::parse(text).is_ok()).unwrap_or(request.policy);
    PasswordPolicy::parse(&text).map_err(|error| Fault::invalid(format!("invalid password policy: {error}")))?;
    let key = keys::password_policy(&kx.namespace_id(), &request.name);
    kx.tx.save(&key, &PasswordPolicyRecord { text })?;
    Ok(Reply::empty())
}

fn delete_password(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let key = keys::password_policy(&kx.namespace_id(), &request.name);
    kx.tx.delete(&key);
    Ok(Reply::empty())
}

fn generate(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let key = keys::password_policy(&kx.namespace_id(), &request.name);
    let Some(record) = kx.tx.load::<PasswordPolicyRecord>(&key)? else {
        return Err(Fault::missing("policy does not exist"));
    };
    let policy =
        PasswordPolicy::parse(&record.text).map_err(|_| Fault::internal("stored password policy does not parse"))?;
    let password = policy
        .generate(kx.cx.randomness.as_mut())
        .map_err(|error| Fault::invalid(format!("failed to generate password: {error}")))?;
    Ok(Reply::data(json!({ "password": password })))
}
