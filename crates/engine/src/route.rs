//! The route table: one typed row per path drives dispatch, help, OpenAPI, the no-rights test and the endpoint inventory.

use crate::{Fault, Field, Input, Reply, RequestBody};
use serde_json::Value;
use wire::Operation;

mod tail;

pub use tail::Tail;

type Run<C> = Box<dyn Fn(&mut C, &Input) -> Result<Reply, Fault> + Send + Sync>;
type Exists<C> = Box<dyn Fn(&mut C, &Input) -> Result<bool, Fault> + Send + Sync>;
type AliasOf = Box<dyn Fn(&Input) -> Option<String> + Send + Sync>;

/// Properties of a route, beside its path and handlers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Flags {
    /// Needs no token.
    pub unauthenticated: bool,
    /// Needs the `sudo` capability.
    pub sudo: bool,
    /// Exists in the root namespace only.
    pub root_namespace_only: bool,
    /// Costs so much CPU that it must not run among ordinary requests.
    pub heavy: bool,
    /// Costs that much if the request has one of these fields, as a batch does.
    pub heavy_with: &'static [&'static str],
    /// A login: failures count against the lockout of its alias.
    pub login: bool,
    /// A step of a ceremony, open to holders of a share who have no token: the handler checks the share.
    pub ceremony: Option<Ceremony>,
}

/// The ceremonies that a listener may open to everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ceremony {
    /// New shares of the unseal or recovery key.
    Rekey,
    /// A new root token.
    GenerateRoot,
}

/// One operation of a route.
pub struct Action<C> {
    /// `Create` and `Update` share one handler where the route can tell them apart.
    pub operation: Operation,
    /// Declared parameters.
    pub fields: Vec<Field>,
    run: Run<C>,
}

/// A path pattern with its operations.
///
/// Patterns are literal segments, `{name}` for one segment, `{name:path}` for all the rest (at least one segment) and
/// `{name:any}` for all the rest, which may be empty. One trailing slash of the request is ignored.
pub struct Route<C> {
    /// The pattern.
    pub path: &'static str,
    /// One line for help and OpenAPI.
    pub summary: &'static str,
    /// Its properties.
    pub flags: Flags,
    /// Its operations.
    pub actions: Vec<Action<C>>,
    exists: Option<Exists<C>>,
    alias: Option<AliasOf>,
    segments: Vec<Segment>,
}

#[derive(Clone, Copy)]
enum Segment {
    Literal(&'static str),
    Name(&'static str),
    Rest { name: &'static str, may_be_empty: bool },
}

impl Flags {
    /// Whether a request with this input costs so much CPU.
    pub fn is_heavy(&self, input: &Input) -> bool {
        self.heavy || self.heavy_with.iter().any(|field| input.field(field).is_some())
    }
}

impl<C: 'static> Route<C> {
    /// A route without operations.
    pub fn at(path: &'static str, summary: &'static str) -> Self {
        let segments =
            path.trim_end_matches('/').split('/').filter(|segment| !segment.is_empty()).map(Segment::parse).collect();
        Self { path, summary, flags: Flags::default(), actions: Vec::new(), exists: None, alias: None, segments }
    }

    /// Adds an operation.
    #[must_use]
    pub fn on<R: RequestBody + 'static>(
        mut self,
        operation: Operation,
        handler: impl Fn(&mut C, R) -> Result<Reply, Fault> + Send + Sync + 'static,
    ) -> Self {
        let run: Run<C> = Box::new(move |cx, input| handler(cx, R::parse(input)?));
        self.actions.push(Action { operation, fields: R::fields(), run });
        self
    }

    /// Serves `GET`.
    #[must_use]
    pub fn read<R: RequestBody + 'static>(
        self,
        handler: impl Fn(&mut C, R) -> Result<Reply, Fault> + Send + Sync + 'static,
    ) -> Self {
        self.on(Operation::Read, handler)
    }

    /// Serves `POST` and `PUT` as `update`, whether the object exists or not.
    #[must_use]
    pub fn write<R: RequestBody + 'static>(
        self,
        handler: impl Fn(&mut C, R) -> Result<Reply, Fault> + Send + Sync + 'static,
    ) -> Self {
        self.on(Operation::Update, handler)
    }

    /// Serves `POST` and `PUT` as `create` or `update`, as `exists` says.
    #[must_use]
    pub fn create_or_update<R: RequestBody + 'static, E: RequestBody + 'static>(
        mut self,
        exists: impl Fn(&mut C, E) -> Result<bool, Fault> + Send + Sync + 'static,
        handler: impl Fn(&mut C, R) -> Result<Reply, Fault> + Send + Sync + 'static,
    ) -> Self {
        self.exists = Some(Box::new(move |cx, input| exists(cx, E::parse(input)?)));
        self.on(Operation::Update, handler)
    }

    /// Serves `DELETE`.
    #[must_use]
    pub fn delete<R: RequestBody + 'static>(
        self,
        handler: impl Fn(&mut C, R) -> Result<Reply, Fault> + Send + Sync + 'static,
    ) -> Self {
        self.on(Operation::Delete, handler)
    }

    /// Serves `LIST`.
    #[must_use]
    pub fn list<R: RequestBody + 'static>(
        self,
        handler: impl Fn(&mut C, R) -> Result<Reply, Fault> + Send + Sync + 'static,
    ) -> Self {
        self.on(Operation::List, handler)
    }

    /// Serves `PATCH`.
    #[must_use]
    pub fn patch<R: RequestBody + 'static>(
        self,
        handler: impl Fn(&mut C, R) -> Result<Reply, Fault> + Send + Sync + 'static,
    ) -> Self {
        self.on(Operation::Patch, handler)
    }

    /// Needs no token.
    #[must_use]
    pub fn unauthenticated(mut self) -> Self {
        self.flags.unauthenticated = true;
        self
    }

    /// Needs `sudo`.
    #[must_use]
    pub fn sudo(mut self) -> Self {
        self.flags.sudo = true;
        self
    }

    /// Exists in the root namespace only.
    #[must_use]
    pub fn root_namespace_only(mut self) -> Self {
        self.flags.root_namespace_only = true;
        self
    }

    /// Costs CPU (password hashing and the like).
    #[must_use]
    pub fn heavy(mut self) -> Self {
        self.flags.heavy = true;
        self
    }

    /// Costs CPU if the request has one of these fields.
    #[must_use]
    pub fn heavy_with(mut self, fields: &'static [&'static str]) -> Self {
        self.flags.heavy_with = fields;
        self
    }

    /// Opens it to holders of a share without a token. The handler must refuse whoever has neither right nor share.
    #[must_use]
    pub fn share_holders(mut self, ceremony: Ceremony) -> Self {
        self.flags.ceremony = Some(ceremony);
        self
    }

    /// Marks a login (which needs no token); `alias` names the alias that is tried, in canonical form, for the lockout.
    #[must_use]
    pub fn login(mut self, alias: impl Fn(&Input) -> Option<String> + Send + Sync + 'static) -> Self {
        self.flags.unauthenticated = true;
        self.flags.login = true;
        self.alias = Some(Box::new(alias));
        self
    }

    /// The action that serves an operation; a write that does not tell create from update serves both.
    pub fn action(&self, operation: Operation) -> Option<&Action<C>> {
        let wanted = if operation == Operation::Create { Operation::Update } else { operation };
        self.actions.iter().find(|action| action.operation == wanted)
    }

    /// The operations it serves, with `Create` where it tells that apart.
    pub fn operations(&self) -> Vec<Operation> {
        let mut operations: Vec<Operation> = self.actions.iter().map(|action| action.operation).collect();
        if self.exists.is_some() {
            operations.push(Operation::Create);
        }
        operations
    }

    /// Whether it tells create from update.
    pub fn tells_create(&self) -> bool {
        self.exists.is_some()
    }

    /// `Create` or `Update` for a write, by asking the route.
    pub fn create_or_update_now(&self, cx: &mut C, input: &Input) -> Result<Operation, Fault> {
        match &self.exists {
            Some(exists) => Ok(if exists(cx, input)? { Operation::Update } else { Operation::Create }),
            None => Ok(Operation::Update),
        }
    }

    /// The alias that a login tries.
    pub fn alias(&self, input: &Input) -> Option<String> {
        self.alias.as_ref().and_then(|alias| alias(input))
    }

    fn takes_rest(&self) -> bool {
        matches!(self.segments.last(), Some(Segment::Rest { .. }))
    }

    fn matches(&self, path: &str) -> Option<Vec<(&'static str, String)>> {
        // Most routes that are tried do not match: they cost no allocation.
        if !self.walk(path, &mut |_, _| {}) {
            return None;
        }
        let mut names = Vec::new();
        self.walk(path, &mut |name, value| names.push((name, value.to_owned())));
        Some(names)
    }

    /// Whether the pattern matches a path; `take` gets the values on the way.
    fn walk(&self, path: &str, take: &mut dyn FnMut(&'static str, &str)) -> bool {
        let mut rest = path.strip_suffix('/').unwrap_or(path);
        let mut done = rest.is_empty();
        for segment in &self.segments {
            if let Segment::Rest { name, may_be_empty } = segment {
                if done && !may_be_empty {
                    return false;
                }
                // The rest keeps the request's own trailing slash off: a folder and its name are one object to a route.
                take(name, rest);
                return true;
            }
            if done {
                return false;
            }
            let (head, tail) = match rest.split_once('/') {
                Some((head, tail)) => (head, Some(tail)),
                None => (rest, None),
            };
            match segment {
                Segment::Literal(literal) if *literal == head => {}
                Segment::Name(name) => take(name, head),
                _ => return false,
            }
            match tail {
                Some(tail) => rest = tail,
                None => {
                    rest = "";
                    done = true;
                }
            }
        }
        done
    }
}

impl Segment {
    fn parse(text: &'static str) -> Self {
        match text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            None => Segment::Literal(text),
            Some(name) => match name.split_once(':') {
                Some((name, "path")) => Segment::Rest { name, may_be_empty: false },
                Some((name, _any)) => Segment::Rest { name, may_be_empty: true },
                None => Segment::Name(name),
            },
        }
    }
}

impl<C> Action<C> {
    /// Runs the handler.
    pub fn run(&self, cx: &mut C, input: &Input) -> Result<Reply, Fault> {
        (self.run)(cx, input)
    }
}

/// The routes of an engine. The first that matches wins, so authors put the narrower first.
pub struct Table<C> {
    routes: Vec<Route<C>>,
}

/// A route and the values of its path parameters.
pub struct Matched<'a, C> {
    /// The route.
    pub route: &'a Route<C>,
    /// Name and value of each parameter.
    pub names: Vec<(&'static str, String)>,
}

/// A route that serves an operation.
pub struct Found<'a, C> {
    /// The route.
    pub route: &'a Route<C>,
    /// The operation's handler.
    pub action: &'a Action<C>,
    /// Name and value of each path parameter.
    pub names: Vec<(&'static str, String)>,
}

/// Outcome of a look-up.
pub enum Lookup<'a, C> {
    /// Here it is.
    Found(Found<'a, C>),
    /// There is a route, but it does not serve the operation.
    UnsupportedOperation,
    /// There is no route.
    UnsupportedPath,
}

impl<C: 'static> Table<C> {
    /// A table of these routes.
    pub fn new(routes: Vec<Route<C>>) -> Self {
        Self { routes }
    }

    /// All routes, in order.
    pub fn routes(&self) -> &[Route<C>] {
        &self.routes
    }

    /// The first route that matches a path below the mount.
    pub fn matched(&self, path: &str) -> Option<Matched<'_, C>> {
        self.routes.iter().find_map(|route| route.matches(path).map(|names| Matched { route, names }))
    }

    /// The first route that matches a path and serves the operation. A listing asks for a folder: one that no route takes
    /// (but for those that take all the rest of a path) is met by no path at all, as upstream has it.
    pub fn lookup(&self, path: &str, operation: Operation) -> Lookup<'_, C> {
        let lists = matches!(operation, Operation::List | Operation::Scan);
        let mut known = false;
        for route in &self.routes {
            let Some(names) = route.matches(path) else { continue };
            if let Some(action) = route.action(operation) {
                return Lookup::Found(Found { route, action, names });
            }
            known |= !lists || route.takes_rest();
        }
        if known { Lookup::UnsupportedOperation } else { Lookup::UnsupportedPath }
    }
}

impl<C> Found<'_, C> {
    /// The request's parameters with the path's merged in, which win.
    pub fn input(&self, request: &Input) -> Input {
        let mut input = request.clone();
        for (name, value) in &self.names {
            input.fields.insert((*name).to_owned(), Value::String(value.clone()));
        }
        input
    }
}

#[cfg(test)]
mod tests;
