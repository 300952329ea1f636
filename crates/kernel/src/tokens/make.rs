//! The creation routes: what a caller may ask for, and what becomes of it.

use super::roles::{self, TokenRole};
use super::{NewToken, create as issue_token};
use crate::authenticate::Session;
use crate::{Kx, authorize, identity, issue, policies, quotas};
use engine::{CommaList, Fault, Pairs, Reply, Seconds, TokenKind};
use std::sync::Arc;

engine::request! {
    /// Creates a token.
    pub struct Create {
        /// Role, from the path.
        role_name: String,
        /// Text of the token; needs sudo.
        id: String,
        /// Policies; those of the caller if absent.
        policies: Option<CommaList>,
        /// Shown to the holder.
        meta: Pairs,
        /// Shown to the holder.
        metadata: Pairs,
        /// Makes an orphan; needs sudo.
        no_parent: bool,
        /// Leaves the default policy out.
        no_default_policy: bool,
        /// Deprecated: use ttl.
        lease: Option<Seconds>,
        /// First time to live.
        ttl: Option<Seconds>,
        /// Bound that no renewal passes.
        explicit_max_ttl: Option<Seconds>,
        /// Shown in audit.
        display_name: String,
        /// 0 is no limit.
        num_uses: i64,
        /// Makes a periodic token; needs sudo.
        period: Option<Seconds>,
        /// Whether it may be renewed.
        renewable: Option<bool>,
        /// `service` or `batch`.
        r#type: String,
        /// Alias whose entity the token gets.
        entity_alias: String,
    }
}

pub(super) fn create(kx: &mut Kx, request: Create) -> Result<Reply, Fault> {
    let orphan = request.no_parent;
    make(kx, Create { role_name: String::new(), ..request }, orphan, false)
}

pub(super) fn create_orphan(kx: &mut Kx, request: Create) -> Result<Reply, Fault> {
    make(kx, Create { role_name: String::new(), ..request }, true, true)
}

pub(super) fn create_by_role(kx: &mut Kx, request: Create) -> Result<Reply, Fault> {
    let orphan = request.no_parent;
    make(kx, request, orphan, false)
}

fn make(kx: &mut Kx, request: Create, orphan: bool, orphan_granted: bool) -> Result<Reply, Fault> {
    let session = kx.session()?.clone();
    let role = match request.role_name.as_str() {
        "" => None,
        name => Some(roles::load(kx, name)?.ok_or_else(|| Fault::invalid(format!("unknown role {name}")))?),
    };
    let sudo = session.caller.root || authorize::has_sudo(kx, &format!("auth/token/{}", kx.path));
    check_caller(&session, &request)?;
    check_privileges(&request, role.as_ref(), orphan && !orphan_granted, sudo)?;
    let kind = kind(&request, role.as_ref())?;
    let mut warnings = Vec::new();
    let policies = policies_of(&session, &request, role.as_ref(), sudo)?;
    if kind == TokenKind::Batch && policies.iter().any(|policy| policy == "root") {
        return Err(Fault::invalid("batch tokens cannot be root tokens"));
    }
    let entity_id = entity(kx, &session, &request, role.as_ref())?;
    let times = Times::of(kx, &session, &request, role.as_ref(), &policies, &mut warnings)?;
    for policy in policies.iter().filter(|policy| *policy != "root") {
        let namespace = kx.namespace_id();
        let kernel = kx.kernel.clone();
        if policies::parsed(&kernel, &mut kx.tx, &namespace, policy)?.is_none() {
            warnings.push(format!("Policy {policy:?} does not exist"));
        }
    }
    let orphan = role.as_ref().map_or(orphan, |role| role.orphan || orphan);
    let suffix = role.as_ref().map(|role| role.path_suffix.as_str()).filter(|suffix| !suffix.is_empty());
    let path =
        format!("auth/token/{}{}", kx.path.trim_end_matches('/'), suffix.map(|s| format!("/{s}")).unwrap_or_default());
    let renewable = kind == TokenKind::Service
        && request.renewable.unwrap_or(true)
        && role.as_ref().is_none_or(|role| role.renewable);
    let new = NewToken {
        namespace: kx.namespace_id(),
        id: (!request.id.is_empty()).then(|| request.id.clone()),
        parent: session.at.clone().filter(|_| !orphan),
        policies,
        path,
        display_name: display_name(&request.display_name),
        num_uses: uses(&request, role.as_ref()),
        metadata: if request.meta.0.is_empty() { request.metadata.0 } else { request.meta.0 },
        ttl: times.ttl,
        explicit_max_ttl: times.explicit_max_ttl,
        period: times.period,
        renewable,
        entity_id,
        kind,
        role: request.role_name,
        bound_cidrs: role.map(|role| role.token.bound_cidrs).unwrap_or_default(),
        ..NewToken::default()
    };
    if new.kind == TokenKind::Service && new.ttl > 0 {
        quotas::check_lease(kx, &new.namespace, &new.path)?;
    }
    let kernel = kx.kernel.clone();
    let now = kx.now;
    let issued = issue_token(&kernel, &mut kx.cx.tx, now, kx.cx.randomness.as_mut(), new)?;
    let auth = issue::auth(kx, &issued)?;
    Ok(Reply { auth: Some(Box::new(auth)), warnings, ..Reply::default() })
}

fn check_caller(session: &Session, request: &Create) -> Result<(), Fault> {
    if session.is_batch() {
        return Err(Fault::invalid("batch tokens cannot create more tokens"));
    }
    if session.token.num_uses > 0 {
        return Err(Fault::invalid("restricted use token cannot generate child tokens"));
    }
    if request.num_uses < 0 {
        return Err(Fault::invalid("number of uses cannot be negative"));
    }
    if request.id.starts_with("hvs.") {
        return Err(Fault::invalid("custom token ID cannot have the 'hvs.' prefix"));
    }
    if request.id.contains('.') {
        return Err(Fault::invalid("custom token ID cannot have a '.' in the value"));
    }
    // The prefixes tell our kinds of token apart; a chosen text must not pretend to be one.
    if request.id.starts_with("hvb") || request.id.chars().any(char::is_control) || request.id.len() > 1024 {
        return Err(Fault::invalid("custom token ID is not allowed"));
    }
    Ok(())
}

fn check_privileges(request: &Create, role: Option<&TokenRole>, orphan: bool, sudo: bool) -> Result<(), Fault> {
    if sudo {
        return Ok(());
    }
    let needs = |what: &str| Err(Fault::invalid(format!("root or sudo privileges required to {what}")));
    if !request.id.is_empty() {
        return needs("specify token id");
    }
    if orphan && role.is_none_or(|role| !role.orphan) {
        return needs("create orphan token");
    }
    if request.period.is_some_and(|Seconds(period)| period > 0) && role.is_none_or(|role| role.token.period == 0) {
        return needs("create periodic token");
    }
    Ok(())
}

fn kind(request: &Create, role: Option<&TokenRole>) -> Result<TokenKind, Fault> {
    let bad = || Fault::invalid("invalid 'token_type' value");
    let asked = match request.r#type.as_str() {
        "" => TokenKind::Default,
        "service" => TokenKind::Service,
        "batch" => TokenKind::Batch,
        _ => return Err(bad()),
    };
    let kind = match role.map(|role| role.token.kind) {
        Some(TokenKind::Service) => TokenKind::Service,
        Some(TokenKind::Batch) => TokenKind::Batch,
        Some(TokenKind::DefaultBatch) if asked == TokenKind::Default => TokenKind::Batch,
        _ if asked == TokenKind::Batch => TokenKind::Batch,
        _ => TokenKind::Service,
    };
    if kind == TokenKind::Batch {
        let refused = [
            (!request.id.is_empty(), "batch tokens cannot have a custom ID"),
            (request.num_uses > 0, "batch tokens cannot have \"num_uses\" set"),
            (request.period.is_some_and(|Seconds(period)| period > 0), "batch tokens cannot have \"period\" set"),
            (
                request.explicit_max_ttl.is_some_and(|Seconds(max)| max > 0),
                "batch tokens cannot have an explicit max TTL",
            ),
        ];
        if let Some((_, why)) = refused.into_iter().find(|(refused, _)| *refused) {
            return Err(Fault::invalid(why));
        }
    }
    Ok(kind)
}

fn policies_of(
    session: &Arc<Session>,
    request: &Create,
    role: Option<&TokenRole>,
    sudo: bool,
) -> Result<Vec<String>, Fault> {
    let own = &session.token.policies;
    let asked = request.policies.as_ref().map(|CommaList(names)| engine::canonical_policies(names.iter().cloned()));
    let asked = asked.filter(|names| !names.is_empty());
    let mut names = match (&asked, role) {
        (Some(names), _) => names.clone(),
        (None, Some(role)) if !role.allowed_policies.is_empty() => role.allowed_policies.clone(),
        (None, _) => own.clone(),
    };
    let leave_default = request.no_default_policy || role.is_some_and(|role| role.token.no_default_policy);
    let is_root = names.iter().any(|name| name == "root");
    if is_root {
        names = vec!["root".to_owned()];
    } else if leave_default {
        if asked.is_none() {
            names.retain(|name| name != "default");
        }
    } else if role.is_none_or(|role| !role.disallowed_policies.iter().any(|name| name == "default")) {
        names.push("default".to_owned());
    }
    names.sort();
    names.dedup();
    if let Some(role) = role.filter(|role| {
        role.allows_by_name() || !role.disallowed_policies.is_empty() || !role.disallowed_policies_glob.is_empty()
    }) {
        if names.iter().any(|name| name != "default" && role.refuses(name)) {
            return Err(role.refusal(&names));
        }
        if role.allows_by_name() && !is_root {
            return Ok(names);
        }
    }
    // S72: root gives root, and nothing else does.
    if is_root && !session.caller.root {
        return Err(Fault::invalid(if sudo {
            "root tokens may not be created without parent token being root"
        } else {
            "child policies must be subset of parent"
        }));
    }
    if !sudo && names.iter().any(|name| name != "default" && !own.contains(name)) {
        return Err(Fault::invalid("child policies must be subset of parent"));
    }
    Ok(names)
}

fn entity(kx: &mut Kx, session: &Session, request: &Create, role: Option<&TokenRole>) -> Result<String, Fault> {
    if request.entity_alias.is_empty() {
        return Ok(session.token.entity_id.clone());
    }
    let Some(role) = role else {
        return Err(Fault::invalid("'entity_alias' is only allowed in combination with token role"));
    };
    let alias = request.entity_alias.to_lowercase();
    if !role.allowed_entity_aliases.iter().any(|allowed| roles::glob_matches(allowed, &alias)) {
        return Err(Fault::invalid("invalid 'entity_alias' value"));
    }
    let mount = kx.mount.clone();
    let now = kx.now;
    let identity = identity::LoginIdentity {
        namespace: kx.namespace_id(),
        mount_accessor: mount.accessor.clone(),
        mount_path: mount.path.clone(),
        mount_kind: mount.kind.clone(),
        name: alias,
        metadata: Default::default(),
        groups: Vec::new(),
    };
    Ok(identity::login(&mut kx.cx.tx, &identity, now, kx.cx.randomness.as_mut())?.unwrap_or_default())
}

fn uses(request: &Create, role: Option<&TokenRole>) -> i64 {
    let bound = role.map_or(0, |role| role.token.num_uses);
    match (request.num_uses, bound) {
        (asked, 0) => asked,
        (0, bound) => bound,
        (asked, bound) => asked.min(bound),
    }
}

fn display_name(asked: &str) -> String {
    let plain: String = asked.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '-' }).collect();
    match plain.trim_end_matches('-') {
        "" => "token".to_owned(),
        name => format!("token-{name}"),
    }
}

/// The durations of a new token, in seconds.
struct Times {
    ttl: i64,
    explicit_max_ttl: i64,
    period: i64,
}

impl Times {
    fn of(
        kx: &Kx,
        session: &Session,
        request: &Create,
        role: Option<&TokenRole>,
        policies: &[String],
        warnings: &mut Vec<String>,
    ) -> Result<Self, Fault> {
        let sent = |seconds: Option<Seconds>, name: &str| match seconds {
            Some(Seconds(seconds)) if seconds < 0 => Err(Fault::invalid(format!("{name} must be positive"))),
            Some(Seconds(seconds)) => Ok(seconds),
            None => Ok(0),
        };
        let asked = sent(request.ttl.or(request.lease), "ttl")?;
        let explicit = sent(request.explicit_max_ttl, "explicit_max_ttl")?;
        let smaller = |a: i64, b: i64| {
            if a == 0 {
                b
            } else if b == 0 {
                a
            } else {
                a.min(b)
            }
        };
        let explicit_max_ttl = smaller(explicit, role.map_or(0, |role| role.token.explicit_max_ttl));
        let role_period = role.map_or(0, |role| role.token.period);
        let period = smaller(sent(request.period, "period")?, role_period);
        let root = policies.iter().any(|policy| policy == "root");
        if root && asked == 0 && period == 0 && explicit_max_ttl == 0 {
            // An expiring root token must not make an endless one.
            if session.token.expires.is_some() {
                return Err(Fault::invalid("expiring root tokens cannot create non-expiring root tokens"));
            }
            return Ok(Self { ttl: 0, explicit_max_ttl: 0, period: 0 });
        }
        let mount = &kx.mount;
        let wanted = if period > 0 {
            period
        } else if asked > 0 {
            asked
        } else {
            mount.default_lease_ttl
        };
        let max = if period > 0 { i64::MAX } else { mount.max_lease_ttl };
        let max = if explicit_max_ttl > 0 { max.min(explicit_max_ttl) } else { max };
        let ttl = wanted.min(max);
        if ttl < wanted {
            warnings.push(format!(
                "TTL of \"{}\" exceeded the effective max_ttl of \"{}\"; TTL value is capped accordingly",
                short(wanted),
                short(ttl)
            ));
        }
        Ok(Self { ttl, explicit_max_ttl, period })
    }
}

/// A duration as upstream's warnings print it: `1h`, `10m`, `90s`.
fn short(seconds: i64) -> String {
    match (seconds / 3600, seconds % 3600 / 60, seconds % 60) {
        (hours, 0, 0) if hours > 0 => format!("{hours}h"),
        (0, minutes, 0) if minutes > 0 => format!("{minutes}m"),
        (hours, minutes, 0) if hours > 0 => format!("{hours}h{minutes}m"),
        _ => format!("{seconds}s"),
    }
}
