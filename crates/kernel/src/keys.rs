//! Where everything lies in the store. The first segment is a namespace id, the second an area; every look-up of an id
//! carries its namespace (security decision D6), so that one tenant's id is another tenant's nothing.

use wire::Timestamp;

/// Id of the root namespace, and its first key segment.
pub const ROOT: &str = "root";

/// Folder of all namespaces, by id.
pub const NAMESPACES: &str = "root/namespaces/";

/// Ordered by time: what ends when. One index for all namespaces, so that one job reads it front to back.
pub const DUE: &str = "root/due/";

/// A namespace's record.
pub fn namespace(id: &str) -> String {
    format!("{NAMESPACES}{id}")
}

/// Folder of a namespace's mounts, by uuid.
pub fn mounts(namespace: &str) -> String {
    format!("{namespace}/mounts/")
}

/// A mount's record.
pub fn mount(namespace: &str, uuid: &str) -> String {
    format!("{namespace}/mounts/{uuid}")
}

/// Folder of what a mount's engine stores.
pub fn mount_data(namespace: &str, uuid: &str) -> String {
    format!("{namespace}/data/{uuid}/")
}

/// Folder of ACL policies, by name.
pub fn policies(namespace: &str) -> String {
    format!("{namespace}/policy/")
}

/// An ACL policy.
pub fn policy(namespace: &str, name: &str) -> String {
    format!("{namespace}/policy/{name}")
}

/// A password policy.
pub fn password_policy(namespace: &str, name: &str) -> String {
    format!("{namespace}/password-policy/{name}")
}

/// A service token, by keyed hash.
pub fn token(namespace: &str, hash: &str) -> String {
    format!("{namespace}/token/{hash}")
}

/// Accessor to token hash.
pub fn accessor(namespace: &str, accessor: &str) -> String {
    format!("{namespace}/token-accessor/{accessor}")
}

/// Folder of a token's children: names are `namespace:hash`.
pub fn token_children(namespace: &str, parent: &str) -> String {
    format!("{namespace}/token-child/{parent}/")
}

/// Folder of a token's leases: names are `namespace:lease id`, since a token makes leases in the namespaces below its own
/// too.
pub fn token_leases(namespace: &str, hash: &str) -> String {
    format!("{namespace}/token-lease/{hash}/")
}

/// Folder of the namespaces below its own in whose cubbyholes a token keeps something: names are their ids.
pub fn token_cubbyholes(namespace: &str, hash: &str) -> String {
    format!("{namespace}/token-cubbyhole/{hash}/")
}

/// A token role.
pub fn token_role(namespace: &str, name: &str) -> String {
    format!("{namespace}/token-role/{name}")
}

/// A lease, by its id.
pub fn lease(namespace: &str, id: &str) -> String {
    format!("{namespace}/lease/{id}")
}

/// The due entry of a lease.
pub fn due(at: Timestamp, namespace: &str, lease: &str) -> String {
    format!("{DUE}{}/{namespace}/{lease}", at.sort_key())
}

/// A wrapped reply, by the hash of its wrapping token.
pub fn wrapped(namespace: &str, hash: &str) -> String {
    format!("{namespace}/wrapped/{hash}")
}

/// Folder of audit devices.
pub const AUDIT: &str = "root/audit/";

/// Folder of configuration that requests may change.
pub const CONFIG: &str = "root/config/";
