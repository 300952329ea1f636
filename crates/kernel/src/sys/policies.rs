//! `sys/policy`, `sys/policies/acl`, `sys/policies/password`: stored policies.

use crate::policies::{BUILT_IN, PolicyRecord};
use crate::policy::{PasswordPolicy, Policy};
use crate::{Kx, authorize, keys};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{Body, Fault, Flags, Input, Record, Reply, Route, Seconds, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wire::join_errors;

/// Bytes of a policy's text.
const POLICY_BYTES_MAX: usize = 1 << 20;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("policy", "List policies.").read(list_legacy).list(list_legacy),
        Route::at("policies/acl", "List policies.").list(list),
        Route::at("policies/detailed/acl", "List policies with what is known of each.").list(list_detailed),
        Route::at("policies/detailed/acl/{name:path}", "List policies below a name with what is known of each.")
            .list(list_detailed_below),
        Route::at("policies/password", "List password policies.").list(list_password),
        Route::at("policies/password/{name}/generate", "Generate a password.").read(generate),
        Route::at("policies/password/{name}", "Manage a password policy.")
            .read(read_password)
            .write(write_password)
            .delete(delete_password),
        Route::at("policy/{name:path}", "Manage a policy.").read(read_legacy).write(write).delete(delete),
        Route::at("policies/acl/{name:path}", "Manage a policy.")
            .read(read)
            .write(write)
            .patch(patch)
            .delete(delete)
            .list(list_below),
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

/// The canonical name of the policy that a path spells. The caller's rights were checked for the spelling in the path;
/// for another one they are checked again, for the name that is meant (S02).
fn meant(kx: &Kx, spelled: &str) -> Result<String, Fault> {
    let name = canonical(spelled)?;
    authorize::check_spelling(kx, spelled, &name, Flags::default())?;
    Ok(name)
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

/// The policies whose names go on below a name, by their whole names.
fn list_below(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    names_below(kx, &request.name).map(Reply::keys)
}

fn names_below(kx: &mut Kx, name: &str) -> Result<Vec<String>, Fault> {
    let folder = format!("{}/", name.trim_end_matches('/'));
    let mut names = names(kx)?;
    names.retain(|name| name.starts_with(&folder));
    Ok(names)
}

fn list_legacy(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let names = names(kx)?;
    Ok(Reply::legacy(json!({ "keys": names, "policies": names })))
}

fn list_detailed(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let names = names(kx)?;
    with_details(kx, names)
}

fn list_detailed_below(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let names = names_below(kx, &request.name)?;
    with_details(kx, names)
}

fn with_details(kx: &mut Kx, names: Vec<String>) -> Result<Reply, Fault> {
    let mut infos = serde_json::Map::new();
    for name in &names {
        if let Some(policy) = load(kx, name)? {
            infos.insert(name.clone(), details(&policy));
        } else if name == "root" {
            infos.insert(name.clone(), root());
        }
    }
    Ok(Reply::keys_with_info(names, infos))
}

fn details(policy: &PolicyRecord) -> Value {
    view(policy, "policy")
}

/// A policy as reading it alone shows it. Vault's clients compare the whole reply with the two members that they know;
/// the others come with a policy that uses them, and in the detailed list.
fn shown(policy: &PolicyRecord, text: &str) -> Value {
    if policy.cas_required || policy.expiration.is_some() {
        view(policy, text)
    } else {
        json!({ "name": policy.name, text: policy.text })
    }
}

/// A policy as replies show it; older paths name its text otherwise.
fn view(policy: &PolicyRecord, text: &str) -> Value {
    let mut view = json!({
        "allow_slashes_in_identity_templates": false,
        "allow_wildcards_in_identity_templates": false,
        "cas_required": policy.cas_required,
        "modified": policy.modified.to_rfc3339(),
        "name": policy.name,
        text: policy.text,
        "version": policy.version,
    });
    if let (Some(end), Some(members)) = (policy.expiration, view.as_object_mut()) {
        members.insert("expiration".into(), end.to_rfc3339().into());
    }
    view
}

/// The root policy in the detailed list. It has no text and never changes.
fn root() -> Value {
    json!({
        "allow_slashes_in_identity_templates": false,
        "allow_wildcards_in_identity_templates": false,
        "cas_required": false,
        "name": "root",
        "policy": "",
        "version": 0,
    })
}

fn read(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let name = meant(kx, &request.name)?;
    if name == "root" && kx.namespace.is_root() {
        return Ok(Reply::data(json!({ "name": "root", "policy": "" })));
    }
    Ok(load(kx, &name)?.map_or_else(Reply::empty, |policy| Reply::data(shown(&policy, "policy"))))
}

fn read_legacy(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let name = meant(kx, &request.name)?;
    if name == "root" && kx.namespace.is_root() {
        return Ok(Reply::legacy(json!({ "name": "root", "rules": "" })));
    }
    Ok(load(kx, &name)?.map_or_else(Reply::empty, |policy| Reply::legacy(shown(&policy, "rules"))))
}

fn write(kx: &mut Kx, request: Write) -> Result<Reply, Fault> {
    let name = meant(kx, &request.name)?;
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
    let cas_required = request.cas_required.unwrap_or_else(|| known.as_ref().is_some_and(|known| known.cas_required));
    check_version(known.as_ref(), cas_required, request.cas)?;
    let now = kx.now;
    let expiration = expiration(now, request.expiration, request.ttl)?;
    let record = PolicyRecord {
        name: name.clone(),
        text,
        modified: now,
        version: known.as_ref().map_or(0, |known| known.version) + 1,
        cas_required,
        expiration,
    };
    let key = keys::policy(&kx.namespace_id(), &name);
    kx.tx.save(&key, &record)?;
    let folded = name != request.name;
    Ok(if folded { Reply::empty().warn(format!("policy name was converted to {name}")) } else { Reply::empty() })
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

/// Checks what a write says it replaces: a version, or with -1 that there is nothing yet.
fn check_version(known: Option<&PolicyRecord>, required: bool, cas: Option<i64>) -> Result<(), Fault> {
    let matches = match (cas, known) {
        (None, _) if required => return Err(Fault::invalid("check-and-set parameter required for this call")),
        (None, _) | (Some(-1), None) => true,
        (Some(wanted), known) => known.is_some_and(|known| u64::try_from(wanted) == Ok(known.version)),
    };
    if matches { Ok(()) } else { Err(Fault::invalid("check-and-set parameter did not match the current version")) }
}

fn patch(kx: &mut Kx, input: Input) -> Result<Reply, Fault> {
    let name = input.field("name").and_then(Value::as_str).map(exact).transpose()?.unwrap_or_default();
    let known = load(kx, &name)?.ok_or_else(|| Fault::invalid("policy not found"))?;
    let mut request = <Write as engine::RequestBody>::parse(&input)?;
    if request.policy.is_empty() && request.rules.is_empty() {
        request.policy = known.text;
    }
    let written = write(kx, request)?;
    Ok(Reply { body: Body::Data(Value::Null), ..written.status(200) })
}

fn delete(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let name = exact(&request.name)?;
    if BUILT_IN.contains(&name.as_str()) {
        let shown = if name == "default" { name } else { format!("{name:?}") };
        return Err(Fault::invalid(format!("cannot delete {shown} policy")));
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
    let record = record.ok_or_else(no_password_policy)?;
    Ok(Reply::data(json!({ "policy": record.text })))
}

fn no_password_policy() -> Fault {
    Fault::missing(join_errors(&["policy does not exist"]))
}

/// Upstream says what is wrong with a password policy in the form it has for several errors.
fn bad_password_policy(why: &str) -> Fault {
    Fault::invalid(join_errors(&[why]))
}

fn write_password(kx: &mut Kx, request: Write) -> Result<Reply, Fault> {
    if request.policy.is_empty() {
        return Err(bad_password_policy("missing policy"));
    }
    let text = STANDARD.decode(&request.policy).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = text.filter(|text| PasswordPolicy::parse(text).is_ok()).unwrap_or(request.policy);
    PasswordPolicy::parse(&text).map_err(|error| bad_password_policy(&format!("invalid password policy: {error}")))?;
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
        return Err(no_password_policy());
    };
    let policy =
        PasswordPolicy::parse(&record.text).map_err(|_| Fault::internal("stored password policy does not parse"))?;
    let password = policy
        .generate(kx.cx.randomness.as_mut())
        .map_err(|error| Fault::invalid(format!("failed to generate password: {error}")))?;
    Ok(Reply::data(json!({ "password": password })))
}
