//! What clients ask: the operations that a run mixes, and the requests they become.

use crate::model::Model;
use engine::Operation;
use serde_json::{Value, json};

/// A request before it is one.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) token: String,
    pub(crate) namespace: String,
    pub(crate) operation: Operation,
    pub(crate) path: String,
    pub(crate) body: Value,
    pub(crate) wrap_ttl: Option<i64>,
}

impl Default for Ask {
    fn default() -> Self {
        Self {
            token: String::new(),
            namespace: String::new(),
            operation: Operation::Read,
            path: String::new(),
            body: Value::Null,
            wrap_ttl: None,
        }
    }
}

/// Somebody asks for something somewhere.
#[derive(Debug, Clone)]
pub(crate) struct Wish {
    /// Number of the token in the model.
    pub(crate) actor: usize,
    /// Path of the namespace; the root is empty.
    pub(crate) space: String,
    pub(crate) what: What,
}

/// What a token is asked to be.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NewToken {
    pub(crate) policy: &'static str,
    pub(crate) ttl: i64,
    pub(crate) uses: i64,
    pub(crate) explicit: i64,
    pub(crate) period: i64,
    pub(crate) orphan: bool,
    pub(crate) batch: bool,
}

/// Numbers name tokens, leases and secret-ids of the model.
#[derive(Debug, Clone)]
pub(crate) enum What {
    Put {
        mount: String,
        name: String,
        value: String,
    },
    Get {
        mount: String,
        name: String,
    },
    Delete {
        mount: String,
        name: String,
    },
    PutVersion {
        name: String,
        value: String,
        cas: Option<u64>,
    },
    Patch {
        name: String,
        value: String,
    },
    GetVersion {
        name: String,
        version: u64,
    },
    DeleteVersion {
        name: String,
    },
    Undelete {
        name: String,
        version: u64,
    },
    Destroy {
        name: String,
        version: u64,
    },
    Forget {
        name: String,
    },
    Create(NewToken),
    Lookup,
    Renew {
        increment: i64,
    },
    RevokeSelf,
    Revoke {
        token: usize,
    },
    RevokeOrphan {
        token: usize,
    },
    RevokeAccessor {
        token: usize,
    },
    LookupAccessor {
        token: usize,
    },
    Hide {
        value: String,
    },
    Find,
    Wrap {
        value: String,
        ttl: i64,
    },
    Unwrap {
        token: usize,
    },
    Rewrap {
        token: usize,
    },
    Lease,
    RenewLease {
        lease: usize,
        increment: i64,
    },
    RevokeLease {
        lease: usize,
    },
    RenewTokenLease {
        token: usize,
    },
    NewSecretId {
        uses: i64,
        ttl: i64,
    },
    Login {
        secret_id: Option<usize>,
    },
    Policy {
        allows: bool,
    },
    Mount {
        path: String,
    },
    Unmount {
        path: String,
    },
    Remount {
        from: String,
        to: String,
    },
    NewSpace,
    DeleteSpace,
    Lock,
    /// With the key of the lock that was seen when the wish was made; none asks for it by `sudo`.
    Unlock {
        key: String,
    },
    Quota {
        max: Option<u64>,
    },
    /// Installs a new term of the barrier's keys.
    Rotate,
    Identity(Ask),
}

/// The namespace that comes and goes, below the root.
pub(crate) const GUEST: &str = "n";
/// Secrets without versions.
pub(crate) const PLAIN: &str = "kv1";

/// The policy that allows and forbids in turn.
pub(crate) fn flipping(allows: bool) -> String {
    let capabilities = if allows { r#""create", "read", "update", "delete", "patch""# } else { r#""deny""# };
    format!(
        "path \"kv1/*\" {{ capabilities = [{capabilities}] }}\npath \"kv2/*\" {{ capabilities = [{capabilities}] }}"
    )
}

impl Wish {
    /// The request, with what the model knows of texts and ids.
    pub(crate) fn ask(&self, model: &Model) -> Ask {
        let (operation, path, body) = self.what.request(model, &self.space);
        let wrap_ttl = if let What::Wrap { ttl, .. } = self.what { Some(ttl) } else { None };
        let ask = Ask { operation, path, body, wrap_ttl, ..Ask::default() };
        let ask = if let What::Identity(asked) = &self.what { asked.clone() } else { ask };
        let token = model.token(self.actor).map(|token| token.text.clone()).unwrap_or_default();
        Ask { token, namespace: self.space.clone(), ..ask }
    }
}

impl What {
    /// What it is called.
    pub(crate) fn name(&self) -> String {
        format!("{self:?}").split([' ', '(']).next().unwrap_or_default().to_owned()
    }

    /// Whether its route needs no token.
    pub(crate) fn is_open(&self) -> bool {
        matches!(self, Self::Unwrap { .. } | Self::Rewrap { .. } | Self::Login { .. })
    }

    fn request(&self, model: &Model, space: &str) -> (Operation, String, Value) {
        self.of_secrets()
            .or_else(|| self.of_tokens(model))
            .or_else(|| self.of_leases(model, space))
            .unwrap_or_else(|| self.of_system())
    }

    fn of_secrets(&self) -> Option<(Operation, String, Value)> {
        use Operation::{Delete, Patch, Read, Update};
        Some(match self {
            Self::Put { mount, name, value } => (Update, format!("{mount}/{name}"), json!({ "v": value })),
            Self::Get { mount, name } => (Read, format!("{mount}/{name}"), Value::Null),
            Self::Delete { mount, name } => (Delete, format!("{mount}/{name}"), Value::Null),
            Self::PutVersion { name, value, cas } => {
                let options = cas.map_or(json!({}), |cas| json!({ "cas": cas }));
                (Update, format!("kv2/data/{name}"), json!({ "data": { "v": value }, "options": options }))
            }
            Self::Patch { name, value } => (Patch, format!("kv2/data/{name}"), json!({ "data": { "p": value } })),
            Self::GetVersion { name, version } => (Read, format!("kv2/data/{name}"), json!({ "version": version })),
            Self::DeleteVersion { name } => (Delete, format!("kv2/data/{name}"), Value::Null),
            Self::Undelete { name, version } => {
                (Update, format!("kv2/undelete/{name}"), json!({ "versions": [version] }))
            }
            Self::Destroy { name, version } => {
                (Update, format!("kv2/destroy/{name}"), json!({ "versions": [version] }))
            }
            Self::Forget { name } => (Delete, format!("kv2/metadata/{name}"), Value::Null),
            Self::Hide { value } => (Update, "cubbyhole/own".to_owned(), json!({ "v": value })),
            Self::Find => (Read, "cubbyhole/own".to_owned(), Value::Null),
            _ => return None,
        })
    }

    fn of_tokens(&self, model: &Model) -> Option<(Operation, String, Value)> {
        use Operation::{Read, Update};
        let text = |token: &usize| model.token(*token).map(|token| token.text.clone()).unwrap_or_default();
        let accessor = |token: &usize| model.token(*token).map(|token| token.accessor.clone()).unwrap_or_default();
        let own = |name: &str| format!("auth/token/{name}");
        Some(match self {
            Self::Create(new) => (Update, own("create"), new.body()),
            Self::Lookup => (Read, own("lookup-self"), Value::Null),
            Self::Renew { increment } => (Update, own("renew-self"), json!({ "increment": increment })),
            Self::RevokeSelf => (Update, own("revoke-self"), Value::Null),
            Self::Revoke { token } => (Update, own("revoke"), json!({ "token": text(token) })),
            Self::RevokeOrphan { token } => (Update, own("revoke-orphan"), json!({ "token": text(token) })),
            Self::RevokeAccessor { token } => (Update, own("revoke-accessor"), json!({ "accessor": accessor(token) })),
            Self::LookupAccessor { token } => (Update, own("lookup-accessor"), json!({ "accessor": accessor(token) })),
            Self::Wrap { value, .. } => (Update, "sys/wrapping/wrap".to_owned(), json!({ "v": value })),
            Self::Unwrap { token } => (Update, "sys/wrapping/unwrap".to_owned(), json!({ "token": text(token) })),
            Self::Rewrap { token } => (Update, "sys/wrapping/rewrap".to_owned(), json!({ "token": text(token) })),
            _ => return None,
        })
    }

    fn of_leases(&self, model: &Model, space: &str) -> Option<(Operation, String, Value)> {
        use Operation::{Read, Update};
        let id = |lease: &usize| model.lease(*lease).map(|lease| lease.id.clone()).unwrap_or_default();
        Some(match self {
            Self::Lease => (Read, "accounts/creds".to_owned(), Value::Null),
            Self::RenewLease { lease, increment } => {
                (Update, "sys/leases/renew".to_owned(), json!({ "lease_id": id(lease), "increment": increment }))
            }
            Self::RevokeLease { lease } => (Update, "sys/leases/revoke".to_owned(), json!({ "lease_id": id(lease) })),
            Self::RenewTokenLease { token } => {
                let lease = model.token(*token).map(|token| token.lease.clone()).unwrap_or_default();
                (Update, "sys/leases/renew".to_owned(), json!({ "lease_id": lease }))
            }
            Self::NewSecretId { uses, ttl } => {
                (Update, "auth/approle/role/r/secret-id".to_owned(), json!({ "num_uses": uses, "ttl": ttl }))
            }
            Self::Login { secret_id } => {
                let text = secret_id.and_then(|number| model.secret_id(number)).map(|known| known.text.clone());
                let text = text.unwrap_or_else(|| "wrong".to_owned());
                let body = json!({ "role_id": format!("role-of-{space}"), "secret_id": text });
                (Update, "auth/approle/login".to_owned(), body)
            }
            _ => return None,
        })
    }

    fn of_system(&self) -> (Operation, String, Value) {
        use Operation::{Delete, Update};
        let sys = |name: &str| format!("sys/{name}");
        match self {
            Self::Policy { allows } => (Update, sys("policies/acl/flip"), json!({ "policy": flipping(*allows) })),
            Self::Mount { path } => {
                (Update, sys(&format!("mounts/{path}")), json!({ "type": "kv", "options": { "version": "1" } }))
            }
            Self::Unmount { path } => (Delete, sys(&format!("mounts/{path}")), Value::Null),
            Self::Remount { from, to } => (Update, sys("remount"), json!({ "from": from, "to": to })),
            Self::Rotate => (Update, sys("rotate"), Value::Null),
            Self::NewSpace => (Update, sys(&format!("namespaces/{GUEST}")), Value::Null),
            Self::DeleteSpace => (Delete, sys(&format!("namespaces/{GUEST}")), Value::Null),
            Self::Lock => (Update, sys(&format!("namespaces/api-lock/lock/{GUEST}")), Value::Null),
            Self::Unlock { key } => {
                (Update, sys(&format!("namespaces/api-lock/unlock/{GUEST}")), json!({ "unlock_key": key }))
            }
            Self::Quota { max: Some(max) } => {
                (Update, sys("quotas/lease-count/q"), json!({ "path": "a/accounts/", "max_leases": max }))
            }
            _ => (Delete, sys("quotas/lease-count/q"), Value::Null),
        }
    }
}

impl NewToken {
    fn body(&self) -> Value {
        let mut body = json!({ "policies": [self.policy], "ttl": self.ttl });
        let Some(members) = body.as_object_mut() else { return body };
        let mut put = |name: &str, value: i64| {
            if value > 0 {
                members.insert(name.to_owned(), value.into());
            }
        };
        put("num_uses", self.uses);
        put("explicit_max_ttl", self.explicit);
        put("period", self.period);
        if self.orphan {
            members.insert("no_parent".to_owned(), true.into());
        }
        if self.batch {
            members.insert("type".to_owned(), "batch".into());
        }
        body
    }
}
