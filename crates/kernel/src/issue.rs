//! What a reply asks for beside its data: the token of a login, the lease of a secret.

use crate::exchange::Leased;
use crate::leases::{self, LeaseEntry, LeaseOf};
use crate::mounts::MountEntry;
use crate::tokens::{self, Issued, LoginLink, NewToken};
use crate::{Kx, identity, quotas};
use engine::{Class, Fault, Lease, Login, LoginRecord, TokenKind, TokenParams};
use std::sync::Arc;
use wire::Auth;

/// Random characters at the end of a lease id.
const LEASE_CHARACTERS: usize = 24;

/// Makes the token of a login that held.
pub fn token(
    kx: &mut Kx,
    mount: &Arc<MountEntry>,
    path: &str,
    login: Login,
    warnings: &mut Vec<String>,
) -> Result<Auth, Fault> {
    // S21: only a login method makes tokens.
    if mount.class != Class::Auth {
        return Err(Fault::internal("a secrets engine returned a login"));
    }
    let kernel = kx.kernel.clone();
    let view = kernel.view(mount);
    let now = kx.now;
    let entity_id = identity::login(
        &mut kx.cx.tx,
        &identity::LoginIdentity {
            namespace: mount.namespace.clone(),
            mount_accessor: mount.accessor.clone(),
            mount_path: mount.path.clone(),
            mount_kind: mount.kind.clone(),
            name: login.alias.name.clone(),
            metadata: login.alias.metadata.clone(),
            groups: login.groups.clone(),
        },
        now,
        kx.cx.randomness.as_mut(),
    )?
    .unwrap_or_default();
    let kind = kind(login.token.kind, mount.config.token_type);
    if kind == TokenKind::Service {
        quotas::check_lease(kx, &mount.namespace, path)?;
    }
    let ttl = first_ttl(&login.token, &view, warnings);
    let policies = own_policies(&login.token)?;
    // A batch token is handed to the client whole and is never renewed: what a renewal would need stays out of it.
    let binding = if kind == TokenKind::Service { login.binding } else { serde_json::Value::Null };
    let new = NewToken {
        namespace: mount.namespace.clone(),
        policies: policies.clone(),
        path: path.to_owned(),
        display_name: display_name(mount, &login.display_name),
        metadata: login.metadata.clone(),
        num_uses: login.token.num_uses,
        ttl,
        explicit_max_ttl: login.token.explicit_max_ttl,
        period: login.token.period,
        renewable: kind == TokenKind::Service,
        entity_id,
        kind,
        bound_cidrs: bound_cidrs(kx, &login.token)?,
        login: Some(LoginLink {
            mount_accessor: mount.accessor.clone(),
            record: LoginRecord { alias: login.alias.name, binding, policies, metadata: login.metadata },
        }),
        ..NewToken::default()
    };
    let issued = tokens::create(&kernel, &mut kx.cx.tx, now, kx.cx.randomness.as_mut(), new)?;
    auth(kx, &issued)
}

/// What the client is told of a token.
pub fn auth(kx: &mut Kx, issued: &Issued) -> Result<Auth, Fault> {
    let kernel = kx.kernel.clone();
    let token = &issued.token;
    let mut identity_policies = match token.entity_id.as_str() {
        "" => Vec::new(),
        _ if token.no_identity_policies => Vec::new(),
        entity => identity::view(&kernel, &mut kx.tx, &token.namespace, entity)?
            .map(|view| view.policies.iter().map(|(_, name)| name.clone()).collect())
            .unwrap_or_default(),
    };
    identity_policies.sort();
    identity_policies.dedup();
    let mut policies: Vec<String> = token.policies.iter().chain(&identity_policies).cloned().collect();
    policies.sort();
    policies.dedup();
    Ok(Auth {
        client_token: issued.text.expose().clone(),
        accessor: token.accessor.clone(),
        policies,
        token_policies: token.policies.clone(),
        identity_policies,
        metadata: (!token.metadata.is_empty()).then(|| token.metadata.clone()),
        lease_duration: u64::try_from(token.ttl).unwrap_or_default(),
        renewable: token.renewable,
        entity_id: token.entity_id.clone(),
        token_type: token.kind.name().to_owned(),
        orphan: token.parent.is_none(),
        mfa_requirement: None,
        num_uses: u64::try_from(token.num_uses).unwrap_or_default(),
    })
}

/// Puts what a secrets engine made under a lease.
pub fn lease(kx: &mut Kx, mount: &Arc<MountEntry>, path: &str, lease: Lease) -> Result<Leased, Fault> {
    let view = kx.kernel.view(mount);
    let wanted = if lease.ttl > 0 { lease.ttl } else { view.default_lease_ttl };
    let max_ttl = if lease.max_ttl > 0 { lease.max_ttl.min(view.max_lease_ttl) } else { view.max_lease_ttl };
    let ttl = if lease.advisory { wanted } else { wanted.min(max_ttl) };
    let duration = u64::try_from(ttl).unwrap_or_default();
    if lease.advisory {
        return Ok(Leased { id: String::new(), duration, renewable: false });
    }
    quotas::check_lease(kx, &mount.namespace, path)?;
    let session = kx.session()?.clone();
    // S76: a lease under a batch token ends with it, since the token itself cannot be revoked.
    let end = session.token.expires.filter(|_| session.at.is_none());
    let expires = end.map_or(kx.now.plus_seconds(ttl), |end| end.min(kx.now.plus_seconds(ttl)));
    let max_ttl = end.map_or(max_ttl, |end| kx.now.seconds_until(end).min(max_ttl));
    let entry = LeaseEntry {
        id: format!("{path}/{}", kx.cx.randomness.base62(LEASE_CHARACTERS)),
        namespace: mount.namespace.clone(),
        of: LeaseOf::Secret {
            mount: mount.uuid.clone(),
            // A batch token ends with its parent, and so does what was issued to it.
            token: session.at.clone().or_else(|| session.token.parent.clone()),
            internal: lease.internal,
        },
        path: path.to_owned(),
        issued: kx.now,
        expires,
        max_ttl,
        renewable: lease.renewable,
        ..LeaseEntry::default()
    };
    leases::write(&mut kx.tx, &entry)?;
    let duration = u64::try_from(kx.now.seconds_until(expires)).unwrap_or_default();
    Ok(Leased { id: entry.id, duration, renewable: lease.renewable })
}

fn kind(asked: TokenKind, tuned: TokenKind) -> TokenKind {
    match (tuned, asked) {
        (TokenKind::Batch, _) => TokenKind::Batch,
        (TokenKind::Service, _) => TokenKind::Service,
        (_, TokenKind::Batch) => TokenKind::Batch,
        (TokenKind::DefaultBatch, TokenKind::Default) => TokenKind::Batch,
        _ => TokenKind::Service,
    }
}

/// Role before mount before system (S77).
fn first_ttl(params: &TokenParams, view: &engine::Mount, warnings: &mut Vec<String>) -> i64 {
    let explicit = if params.explicit_max_ttl > 0 { params.explicit_max_ttl } else { i64::MAX };
    if params.period > 0 {
        return params.period.min(explicit);
    }
    let wanted = if params.ttl > 0 { params.ttl } else { view.default_lease_ttl };
    let max = if params.max_ttl > 0 { params.max_ttl.min(view.max_lease_ttl) } else { view.max_lease_ttl };
    let ttl = wanted.min(max).min(explicit).max(1);
    if ttl < wanted && params.ttl > 0 {
        warnings.push(format!(
            "TTL of \"{wanted}s\" exceeded the effective max_ttl of \"{ttl}s\"; TTL value is capped accordingly"
        ));
    }
    ttl
}

fn own_policies(params: &TokenParams) -> Result<Vec<String>, Fault> {
    let mut policies = engine::canonical_policies(params.policies.iter().cloned());
    // S72: no login gives root, however it got into a role.
    if policies.iter().any(|policy| policy == "root") {
        return Err(Fault::invalid("auth methods cannot create root tokens"));
    }
    if !params.no_default_policy && !policies.iter().any(|policy| policy == "default") {
        policies.push("default".to_owned());
        policies.sort();
    }
    Ok(policies)
}

fn bound_cidrs(kx: &Kx, params: &TokenParams) -> Result<engine::BoundCidrs, Fault> {
    let address = kx.request.peer.ip();
    if !params.bound_cidrs.admit(address) {
        return Err(Fault::Denied);
    }
    match address.filter(|_| params.strictly_bind_ip) {
        Some(address) => engine::BoundCidrs::parse(&[address.to_string()]),
        None => Ok(params.bound_cidrs.clone()),
    }
}

fn display_name(mount: &MountEntry, name: &str) -> String {
    let stem = mount.path.trim_start_matches("auth/").trim_end_matches('/').replace('/', "-");
    if name.is_empty() { stem } else { format!("{stem}-{name}") }
}
