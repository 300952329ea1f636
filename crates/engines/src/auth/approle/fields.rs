//! The paths below a role that show, set and clear one of its fields each.

use super::role::{Role, blocks, list_or_null};
use super::roles::not_negative;
use super::wire::{
    BindSecretIdField, BoundCidrListField, PeriodField, PoliciesField, RolePath, SecretIdBoundCidrsField,
    SecretIdNumUsesField, SecretIdTtlField, TokenBoundCidrsField, TokenMaxTtlField, TokenNumUsesField, TokenTtlField,
};
use engine::{BoundCidrs, CommaList, Cx, Fault, Name, Reply, RequestBody, Route, Seconds, TokenFields};
use serde_json::{Map, json};

/// The routes.
pub(super) fn routes() -> Vec<Route<Cx>> {
    of_bounds().into_iter().chain(of_secret_ids()).chain(of_tokens()).collect()
}

fn of_bounds() -> Vec<Route<Cx>> {
    vec![
        field("role/{role_name}/policies", "Policies of the role.", read_policies, write_policies, |role| {
            role.token.policies.clear();
        }),
        field(
            "role/{role_name}/bound-cidr-list",
            "Deprecated: CIDR blocks that secret-ids may be presented from.",
            |role| {
                Reply::data(json!({ "bound_cidr_list": list_or_null(&role.secret_id_bound_cidrs) })).warn(
                    "The \"bound_cidr_list\" field is deprecated and will be removed. Please use \
                     \"secret_id_bound_cidrs\" instead.",
                )
            },
            |role, sent: BoundCidrListField| write_bound_cidrs(role, sent.bound_cidr_list),
            |role| role.secret_id_bound_cidrs = BoundCidrs::default(),
        ),
        field(
            "role/{role_name}/secret-id-bound-cidrs",
            "CIDR blocks that secret-ids may be presented from.",
            |role| Reply::data(json!({ "secret_id_bound_cidrs": list_or_null(&role.secret_id_bound_cidrs) })),
            |role, sent: SecretIdBoundCidrsField| write_bound_cidrs(role, sent.secret_id_bound_cidrs),
            |role| role.secret_id_bound_cidrs = BoundCidrs::default(),
        ),
        field(
            "role/{role_name}/token-bound-cidrs",
            "CIDR blocks that tokens may be used from.",
            |role| Reply::data(json!({ "token_bound_cidrs": list_or_null(&role.token.bound_cidrs) })),
            |role, sent: TokenBoundCidrsField| {
                TokenFields { token_bound_cidrs: sent.token_bound_cidrs, ..TokenFields::default() }
                    .apply(&mut role.token)
            },
            |role| role.token.bound_cidrs = BoundCidrs::default(),
        ),
    ]
}

fn of_secret_ids() -> Vec<Route<Cx>> {
    vec![
        field(
            "role/{role_name}/bind-secret-id",
            "Whether logins need a secret-id.",
            |role| Reply::data(json!({ "bind_secret_id": role.bind_secret_id })),
            |role, sent: BindSecretIdField| {
                role.bind_secret_id = sent.bind_secret_id.ok_or_else(|| missing("bind_secret_id"))?;
                Ok(())
            },
            |role| role.bind_secret_id = true,
        ),
        field(
            "role/{role_name}/secret-id-num-uses",
            "Number of times a new secret-id can be used.",
            |role| Reply::data(json!({ "secret_id_num_uses": role.secret_id_num_uses })),
            |role, sent: SecretIdNumUsesField| {
                let uses = sent.secret_id_num_uses.ok_or_else(|| missing("secret_id_num_uses"))?;
                role.secret_id_num_uses = not_negative(uses, "secret_id_num_uses")?;
                Ok(())
            },
            |role| role.secret_id_num_uses = 0,
        ),
        field(
            "role/{role_name}/secret-id-ttl",
            "Duration after which a new secret-id expires.",
            |role| Reply::data(json!({ "secret_id_ttl": role.secret_id_ttl })),
            |role, sent: SecretIdTtlField| {
                let Seconds(ttl) = sent.secret_id_ttl.ok_or_else(|| missing("secret_id_ttl"))?;
                role.secret_id_ttl = not_negative(ttl, "secret_id_ttl")?;
                Ok(())
            },
            |role| role.secret_id_ttl = 0,
        ),
    ]
}

fn of_tokens() -> Vec<Route<Cx>> {
    vec![
        field("role/{role_name}/period", "Period of the tokens.", read_period, write_period, |role| {
            role.token.period = 0;
        }),
        field(
            "role/{role_name}/token-num-uses",
            "Number of times a token can be used.",
            |role| Reply::data(json!({ "token_num_uses": role.token.num_uses })),
            |role, sent: TokenNumUsesField| {
                let uses = Some(sent.token_num_uses.ok_or_else(|| missing("token_num_uses"))?);
                TokenFields { token_num_uses: uses, ..TokenFields::default() }.apply(&mut role.token)
            },
            |role| role.token.num_uses = 0,
        ),
        field(
            "role/{role_name}/token-ttl",
            "Initial TTL of the tokens.",
            |role| Reply::data(json!({ "token_ttl": role.token.ttl })),
            write_token_ttl,
            |role| role.token.ttl = 0,
        ),
        field(
            "role/{role_name}/token-max-ttl",
            "Maximum lifetime of the tokens.",
            |role| Reply::data(json!({ "token_max_ttl": role.token.max_ttl })),
            write_token_max_ttl,
            |role| role.token.max_ttl = 0,
        ),
    ]
}

/// One field: shown, set and cleared. As upstream, a role that does not exist reads as nothing, clears as done, and
/// makes a write an unsupported path.
fn field<R: RequestBody + 'static>(
    path: &'static str,
    summary: &'static str,
    read: fn(&Role) -> Reply,
    write: fn(&mut Role, R) -> Result<(), Fault>,
    clear: fn(&mut Role),
) -> Route<Cx> {
    Route::at(path, summary)
        .read(move |cx: &mut Cx, path: RolePath| {
            let name = Name::exact(&path.role_name)?;
            Ok(Role::load(cx, &name)?.as_ref().map_or_else(Reply::empty, read))
        })
        .write(move |cx: &mut Cx, (path, sent): (RolePath, R)| {
            let name = Name::exact(&path.role_name)?;
            let mut role = Role::load(cx, &name)?.ok_or(Fault::UnsupportedPath)?;
            write(&mut role, sent)?;
            role.save(cx, &name)?;
            Ok(Reply::empty())
        })
        .delete(move |cx: &mut Cx, path: RolePath| {
            let name = Name::exact(&path.role_name)?;
            if let Some(mut role) = Role::load(cx, &name)? {
                clear(&mut role);
                role.save(cx, &name)?;
            }
            Ok(Reply::empty())
        })
}

fn read_policies(role: &Role) -> Reply {
    let mut data = Map::new();
    data.insert("token_policies".into(), role.token.policies.clone().into());
    role.old_policies_into(&mut data);
    Reply::data(data)
}

fn write_policies(role: &mut Role, sent: PoliciesField) -> Result<(), Fault> {
    role.old_policies = sent.policies.is_some();
    let policies = sent.token_policies.or(sent.policies).ok_or_else(|| missing("token_policies"))?;
    TokenFields { token_policies: Some(policies), ..TokenFields::default() }.apply(&mut role.token)
}

fn read_period(role: &Role) -> Reply {
    let mut data = Map::new();
    data.insert("token_period".into(), role.token.period.into());
    role.old_period_into(&mut data);
    Reply::data(data)
}

fn write_period(role: &mut Role, sent: PeriodField) -> Result<(), Fault> {
    role.old_period = sent.period.is_some();
    let period = sent.token_period.or(sent.period).ok_or_else(|| missing("period"))?;
    TokenFields { token_period: Some(period), ..TokenFields::default() }.apply(&mut role.token)
}

/// Nothing sent changes nothing; an empty list is an error, since DELETE clears it.
fn write_bound_cidrs(role: &mut Role, sent: Option<CommaList>) -> Result<(), Fault> {
    let Some(CommaList(list)) = sent else { return Ok(()) };
    if list.is_empty() {
        return Err(missing("bound_cidr_list"));
    }
    role.secret_id_bound_cidrs = blocks(&list, "CIDR blocks").map_err(Fault::invalid)?;
    Ok(())
}

fn write_token_ttl(role: &mut Role, sent: TokenTtlField) -> Result<(), Fault> {
    let ttl = sent.token_ttl.ok_or_else(|| missing("token_ttl"))?;
    if role.token.max_ttl > 0 && ttl.0 > role.token.max_ttl {
        return Err(Fault::invalid("token_ttl should not be greater than token_max_ttl"));
    }
    TokenFields { token_ttl: Some(ttl), ..TokenFields::default() }.apply(&mut role.token)
}

fn write_token_max_ttl(role: &mut Role, sent: TokenMaxTtlField) -> Result<(), Fault> {
    let max_ttl = sent.token_max_ttl.ok_or_else(|| missing("token_max_ttl"))?;
    if max_ttl.0 > 0 && role.token.ttl > max_ttl.0 {
        return Err(Fault::invalid("token_max_ttl should be greater than or equal to token_ttl"));
    }
    TokenFields { token_max_ttl: Some(max_ttl), ..TokenFields::default() }.apply(&mut role.token)
}

fn missing(name: &str) -> Fault {
    Fault::invalid(format!("missing {name}"))
}
