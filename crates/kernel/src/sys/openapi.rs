//! `sys/internal/specs/openapi`: the OpenAPI 3.0.2 document of everything the caller has any right to, from the tables that
//! also serve the requests.

use super::mounts::table;
use crate::Kx;
use crate::mounts::MountEntry;
use crate::namespaces::Namespace;
use engine::{Action, Class, Fault, Field, FieldKind, Flags, Operation, Reply, Route, Table};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Mounts described at once: the document grows with them.
const MOUNTS_MAX: usize = 200;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let summary = "OpenAPI document of the routes the caller has any right to.";
    vec![Route::at("internal/specs/openapi", summary).unauthenticated().read(document).write(document)]
}

engine::request! {
    /// Asks for the document.
    pub struct Ask {
        /// Accepted.
        context: String,
        /// Whether paths of mounts are parameters, one set for each type of mount.
        generic_mount_paths: bool,
    }
}

fn document(kx: &mut Kx, request: Ask) -> Result<Reply, Fault> {
    super::ui::good_or_none(kx)?;
    let mut paths = Paths::default();
    if let Some(session) = kx.session.clone() {
        let kernel = kx.kernel.clone();
        let here = kx.namespace.path.clone();
        let mut kinds = BTreeSet::new();
        let mounts = table(kx)?;
        let seen =
            |entry: &&Arc<MountEntry>| session.caller.root || session.acl.touches(&format!("{here}{}", entry.path));
        for entry in mounts.entries().filter(seen).take(MOUNTS_MAX) {
            let base = match (entry.built_in(), request.generic_mount_paths) {
                (None, true) if !kinds.insert((entry.class, entry.kind.clone())) => continue,
                (None, true) => Base::generic(entry),
                _ => Base::of(entry),
            };
            match entry.built_in() {
                Some(built_in) => paths.add_table(&base, kernel.table(built_in), kx.namespace.is_root()),
                None => paths.add_table(&base, kernel.engine(entry.class, &entry.kind)?.table(&entry.options), true),
            }
        }
    }
    Ok(Reply::raw_json(whole("/v1", paths)))
}

/// The document of one mount, or of the route of one of its paths: what a help page brings along. Paths are relative to
/// the mount, which is the document's server.
pub(crate) fn of_mount<C: 'static>(
    namespace: &Namespace,
    entry: &MountEntry,
    table: &Table<C>,
    route: Option<&str>,
) -> Value {
    let root = namespace.is_root();
    let mut paths = Paths::default();
    let base = Base { path: "/".to_owned(), ..Base::of(entry) };
    for described in table.routes().iter().filter(|described| root || !described.flags.root_namespace_only) {
        if route.is_none_or(|route| route == described.path) {
            paths.add_route(&base, described);
        }
    }
    whole(&format!("/v1/{}{}", namespace.path, entry.path.trim_end_matches('/')), paths)
}

fn whole(server: &str, paths: Paths) -> Value {
    json!({
        "openapi": "3.0.2",
        "info": {
            "title": "Coffer API",
            "description": "HTTP API of Coffer. All paths are below `/v1/`.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{ "url": server }],
        "paths": paths.finish(),
        "components": { "schemas": {} },
    })
}

/// Where a mount's paths begin, and how its operations are named.
struct Base {
    path: String,
    name: String,
    tag: &'static str,
    parameter: Option<String>,
}

impl Base {
    fn of(entry: &MountEntry) -> Self {
        let words: Vec<&str> = entry.path.split(['/', '_']).filter(|word| !word.is_empty()).collect();
        Self { path: format!("/{}", entry.path), name: words.join("-"), tag: Self::tag(entry), parameter: None }
    }

    fn generic(entry: &MountEntry) -> Self {
        let parameter = format!("{}_mount_path", entry.kind);
        let stem = if entry.class == Class::Auth { "/auth/" } else { "/" };
        Self {
            path: format!("{stem}{{{parameter}}}/"),
            name: entry.kind.clone(),
            tag: Self::tag(entry),
            parameter: Some(parameter),
        }
    }

    fn tag(entry: &MountEntry) -> &'static str {
        match (entry.class, entry.kind.as_str()) {
            (Class::Auth, _) => "auth",
            (_, "system") => "system",
            (_, "identity") => "identity",
            _ => "secrets",
        }
    }
}

/// The paths of the document. Paths that differ in the names of their parameters alone are one.
#[derive(Default)]
struct Paths {
    items: BTreeMap<String, (String, Map<String, Value>)>,
    ids: BTreeSet<String>,
}

impl Paths {
    fn add_table<C: 'static>(&mut self, base: &Base, table: &Table<C>, root: bool) {
        for route in table.routes().iter().filter(|route| root || !route.flags.root_namespace_only) {
            self.add_route(base, route);
        }
    }

    fn add_route<C: 'static>(&mut self, base: &Base, route: &Route<C>) {
        let (pattern, names) = plain(route.path);
        let path = format!("{}{pattern}", base.path);
        let names: Vec<String> = base.parameter.iter().cloned().chain(names).collect();
        let shape = shape(&path);
        let operations = self.operations(base, route, &pattern, &names);
        let fields: Vec<Field> = route.actions.iter().flat_map(|action| action.fields.clone()).collect();
        let (_, item) = self.items.entry(shape).or_insert_with(|| (path, item(route, &names, &fields)));
        for (method, operation) in operations {
            item.entry(method).or_insert(operation);
        }
    }

    fn operations<C>(
        &mut self,
        base: &Base,
        route: &Route<C>,
        pattern: &str,
        names: &[String],
    ) -> Vec<(&'static str, Value)> {
        let mut operations = Vec::new();
        let reads =
            |action: &&Action<C>| matches!(action.operation, Operation::Read | Operation::List | Operation::Scan);
        let readers: Vec<&Action<C>> = route.actions.iter().filter(reads).collect();
        if let Some(first) = readers.first() {
            let id = self.id(base, first.operation.name(), pattern);
            operations.push(("get", get(base, route.summary, &readers, names, id)));
        }
        for action in &route.actions {
            let method = match action.operation {
                Operation::Update | Operation::Create => "post",
                Operation::Delete => "delete",
                Operation::Patch => "patch",
                _ => continue,
            };
            let verb = if method == "post" { "write" } else { action.operation.name() };
            let id = self.id(base, verb, pattern);
            operations.push((method, write(base, route, action, method, names, id)));
        }
        operations
    }

    /// A name for an operation that no other has.
    fn id(&mut self, base: &Base, verb: &str, pattern: &str) -> String {
        let word = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        let text: String = format!("{}-{verb}-{pattern}", base.name).chars().map(word).collect();
        let stem = text.split('-').filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-");
        let mut id = stem.clone();
        let mut number = 1;
        while !self.ids.insert(id.clone()) {
            number += 1;
            id = format!("{stem}{number}");
        }
        id
    }

    fn finish(self) -> Map<String, Value> {
        self.items.into_values().map(|(path, item)| (path, Value::Object(item))).collect()
    }
}

/// A pattern without the kinds of its parameters, and their names.
fn plain(pattern: &str) -> (String, Vec<String>) {
    let mut names = Vec::new();
    let segments = pattern.split('/').map(|segment| {
        let name = segment.strip_prefix('{').and_then(|segment| segment.strip_suffix('}'));
        let Some(name) = name else { return segment.to_owned() };
        let name = name.split(':').next().unwrap_or_default().to_owned();
        names.push(name.clone());
        format!("{{{name}}}")
    });
    let text = segments.collect::<Vec<_>>().join("/");
    (text, names)
}

fn shape(path: &str) -> String {
    path.split('/').map(|segment| if segment.starts_with('{') { "{}" } else { segment }).collect::<Vec<_>>().join("/")
}

fn item<C: 'static>(route: &Route<C>, names: &[String], fields: &[Field]) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("description".to_owned(), route.summary.into());
    let Flags { sudo, ceremony, .. } = route.flags;
    let unauthenticated = route.flags.unauthenticated || ceremony.is_some();
    let creates = route.tells_create();
    for (name, set) in [("unauthenticated", unauthenticated), ("sudo", sudo), ("createSupported", creates)] {
        if set {
            item.insert(format!("x-vault-{name}"), true.into());
        }
    }
    let described =
        |name: &String| fields.iter().find(|field| field.name == *name).map_or("", |field| field.description);
    let parameter = |name: &String| json!({ "name": name, "in": "path", "required": true, "description": described(name), "schema": { "type": "string" } });
    if !names.is_empty() {
        item.insert("parameters".to_owned(), names.iter().map(parameter).collect());
    }
    item
}

fn get<C>(base: &Base, summary: &str, readers: &[&Action<C>], names: &[String], id: String) -> Value {
    let mut parameters = Vec::new();
    let mut told = BTreeSet::new();
    let only = readers.len() == 1;
    for action in readers {
        if action.operation != Operation::Read {
            let name = action.operation.name();
            let schema = json!({ "type": "string", "enum": ["true"] });
            let description = format!("Set to `true` to {name}.");
            parameters.push(
                json!({ "name": name, "in": "query", "required": only, "description": description, "schema": schema }),
            );
            told.insert(name);
        }
        for field in action.fields.iter().filter(|field| !names.iter().any(|name| name == field.name)) {
            if told.insert(field.name) {
                let schema = schema(field.kind);
                parameters.push(
                    json!({ "name": field.name, "in": "query", "description": field.description, "schema": schema }),
                );
            }
        }
    }
    let mut operation =
        json!({ "summary": summary, "operationId": id, "tags": [base.tag], "responses": responses("200") });
    if let (false, Some(members)) = (parameters.is_empty(), operation.as_object_mut()) {
        members.insert("parameters".to_owned(), Value::Array(parameters));
    }
    operation
}

fn write<C>(base: &Base, route: &Route<C>, action: &Action<C>, method: &str, names: &[String], id: String) -> Value {
    let status = if method == "delete" { "204" } else { "200" };
    let mut operation =
        json!({ "summary": route.summary, "operationId": id, "tags": [base.tag], "responses": responses(status) });
    let fields = action.fields.iter().filter(|field| !names.iter().any(|name| name == field.name));
    let properties: Map<String, Value> = fields.map(|field| (field.name.to_owned(), property(field))).collect();
    // A body with DELETE means nothing (RFC 9110, 9.3.5).
    if let (false, "post" | "patch", Some(members)) = (properties.is_empty(), method, operation.as_object_mut()) {
        let media = if method == "patch" { "application/merge-patch+json" } else { "application/json" };
        let body = json!({ "content": { media: { "schema": { "type": "object", "properties": properties } } } });
        members.insert("requestBody".to_owned(), body);
    }
    operation
}

fn responses(status: &str) -> Value {
    let description = if status == "204" { "empty body" } else { "OK" };
    json!({ status: { "description": description } })
}

fn property(field: &Field) -> Value {
    let mut property = schema(field.kind);
    if let Some(members) = property.as_object_mut() {
        members.insert("description".to_owned(), field.description.into());
    }
    property
}

fn schema(kind: FieldKind) -> Value {
    match kind {
        FieldKind::String => json!({ "type": "string" }),
        FieldKind::Integer => json!({ "type": "integer" }),
        FieldKind::Boolean => json!({ "type": "boolean" }),
        FieldKind::Array => json!({ "type": "array", "items": { "type": "string" } }),
        FieldKind::Object => json!({ "type": "object" }),
        FieldKind::Seconds => json!({ "type": "string", "format": "seconds" }),
        FieldKind::Any => json!({}),
    }
}
