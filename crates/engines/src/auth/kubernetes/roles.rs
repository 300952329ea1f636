//! Roles: create, change, read, list, delete.

use super::record::{AliasSource, ROLES, Role, key};
use super::selector::Selector;
use super::wire::{ListRoles, OldNames, RolePath, WriteRole};
use engine::{CommaList, Cx, Fault, Name, Reply, TokenFields};
use serde_json::{Map, Value};

/// Most entries of a list of names or namespaces.
pub(super) const BOUND_MAX: usize = 1_024;

/// Whether a role exists, for telling create from update.
pub(super) fn exists(cx: &mut Cx, path: RolePath) -> Result<bool, Fault> {
    let name = Name::exact(&path.name)?;
    Ok(cx.tx.exists(&key(&name))?)
}

type Write = (RolePath, (WriteRole, (OldNames, TokenFields)));

/// Creates or changes a role.
pub(super) fn write(cx: &mut Cx, (path, (sent, (old_names, fields))): Write) -> Result<Reply, Fault> {
    let name = Name::exact(&path.name)?;
    let mut role = Role::load(cx, &name)?.unwrap_or_default();
    role.apply_token(old_names, fields)?;
    role.apply_bounds(sent)?;
    role.save(cx, &name)?;
    Ok(role.token.warn_of_maximum(&cx.mount, Reply::empty()))
}

/// Shows a role.
pub(super) fn read(cx: &mut Cx, path: RolePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.name)?;
    Ok(Role::load(cx, &name)?.map_or_else(Reply::empty, |role| Reply::data(role.shown())))
}

/// Deletes a role; one that does not exist is no error.
pub(super) fn delete(cx: &mut Cx, path: RolePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.name)?;
    cx.tx.delete(&key(&name));
    Ok(Reply::empty())
}

/// Lists the roles.
pub(super) fn list(cx: &mut Cx, _request: ListRoles) -> Result<Reply, Fault> {
    Ok(Reply::keys(cx.tx.list(ROLES, &cx.page)?))
}

impl Role {
    fn apply_bounds(&mut self, sent: WriteRole) -> Result<(), Fault> {
        if let Some(CommaList(names)) = sent.bound_service_account_names {
            self.names = names;
        }
        if let Some(CommaList(namespaces)) = sent.bound_service_account_namespaces {
            self.namespaces = namespaces;
        }
        if let Some(selector) = sent.bound_service_account_namespace_selector {
            if !selector.is_empty() && Selector::parse(&selector).is_none() {
                return Err(Fault::invalid("invalid \"bound_service_account_namespace_selector\" configured"));
            }
            self.selector = selector;
        }
        if let Some(audience) = sent.audience {
            self.audience = audience;
        }
        match sent.alias_name_source.as_deref() {
            None => {}
            Some("serviceaccount_uid" | "") => self.alias = AliasSource::Uid,
            Some("serviceaccount_name") => self.alias = AliasSource::Name,
            Some(_) => {
                return Err(Fault::invalid(
                    "invalid alias_name_source, must be one of: serviceaccount_uid, serviceaccount_name",
                ));
            }
        }
        if self.names.is_empty() {
            return Err(Fault::invalid("\"bound_service_account_names\" can not be empty"));
        }
        if self.namespaces.is_empty() && self.selector.is_empty() {
            return Err(Fault::invalid(
                "\"bound_service_account_namespaces\" can not be empty if \
                 \"bound_service_account_namespace_selector\" is not set",
            ));
        }
        let mixed = |bound: &[String]| bound.len() > 1 && bound.iter().any(|one| one == "*");
        if mixed(&self.names) || mixed(&self.namespaces) {
            return Err(Fault::invalid("can not mix \"*\" with values"));
        }
        if self.names.len() > BOUND_MAX || self.namespaces.len() > BOUND_MAX {
            return Err(Fault::invalid(format!("a role has at most {BOUND_MAX} names and namespaces")));
        }
        Ok(())
    }

    fn apply_token(&mut self, old_names: OldNames, mut fields: TokenFields) -> Result<(), Fault> {
        let marks = &mut self.old;
        alias(&mut fields.token_policies, old_names.policies, &mut marks.policies);
        alias(&mut fields.token_num_uses, old_names.num_uses, &mut marks.num_uses);
        alias(&mut fields.token_ttl, old_names.ttl, &mut marks.ttl);
        alias(&mut fields.token_max_ttl, old_names.max_ttl, &mut marks.max_ttl);
        alias(&mut fields.token_period, old_names.period, &mut marks.period);
        alias(&mut fields.token_bound_cidrs, old_names.bound_cidrs, &mut marks.bound_cidrs);
        fields.apply(&mut self.token)
    }

    /// What a read shows.
    fn shown(&self) -> Value {
        let mut data = Map::new();
        let source = match self.alias {
            AliasSource::Uid => "serviceaccount_uid",
            AliasSource::Name => "serviceaccount_name",
        };
        let mut show = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
        show("alias_name_source", source.into());
        if !self.audience.is_empty() {
            show("audience", self.audience.clone().into());
        }
        show("bound_service_account_names", self.names.clone().into());
        show("bound_service_account_namespace_selector", self.selector.clone().into());
        let namespaces = Some(&self.namespaces).filter(|namespaces| !namespaces.is_empty());
        show("bound_service_account_namespaces", namespaces.map_or(Value::Null, |list| list.clone().into()));
        self.old_names_into(&mut data);
        self.token.reply_into(&mut data);
        Value::Object(data)
    }

    /// Repeats parameters under the old names they were set by.
    fn old_names_into(&self, data: &mut Map<String, Value>) {
        let (token, old) = (&self.token, &self.old);
        let numbers = [
            ("num_uses", old.num_uses, token.num_uses),
            ("ttl", old.ttl, token.ttl),
            ("max_ttl", old.max_ttl, token.max_ttl),
            ("period", old.period, token.period),
        ];
        for (name, marked, value) in numbers {
            if marked && value > 0 {
                data.insert(name.to_owned(), value.into());
            }
        }
        if old.policies && !token.policies.is_empty() {
            data.insert("policies".to_owned(), token.policies.clone().into());
        }
        if old.bound_cidrs && !token.bound_cidrs.is_empty() {
            data.insert("bound_cidrs".to_owned(), token.bound_cidrs.texts().into());
        }
    }
}

/// The new name wins; a read repeats the value under the old name only if that was among what was sent last.
fn alias<T>(new: &mut Option<T>, old: Option<T>, mark: &mut bool) {
    if new.is_some() || old.is_some() {
        *mark = old.is_some();
    }
    if new.is_none() {
        *new = old;
    }
}
