//! Where a secret is: its mount, what version of kv the mount has, and its key there.

use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag};
use crate::session::Session;
use client::{ClientError, Request};

/// The mount.
pub static MOUNT: Flag<Option<String>> =
    Flag::new("mount", "PATH", "Where the engine is mounted; the argument is the key below it then.");

/// Where a secret is.
pub struct Place {
    /// Mount, with a slash at its end.
    pub mount: String,
    /// Key below it.
    pub key: String,
    /// Whether the engine keeps versions.
    pub versioned: bool,
}

impl Place {
    /// From the argument and `-mount`.
    pub fn of(session: &Session, arguments: &Arguments, argument: &str) -> Outcome<Self> {
        let key = argument.trim_matches('/');
        let named =
            arguments.get(&MOUNT).map(|mount| mount.trim_matches('/').to_owned()).filter(|mount| !mount.is_empty());
        let whole = match &named {
            Some(mount) => format!("{mount}/{key}"),
            None => key.to_owned(),
        };
        let (mount, versioned) = mount(session, named.as_deref().unwrap_or(&whole))?;
        let bare = mount.trim_end_matches('/');
        let rest = whole.strip_prefix(bare).unwrap_or(&whole).trim_matches('/').to_owned();
        Ok(Self { mount, key: rest, versioned })
    }

    /// A place that must have a key.
    pub fn of_secret(session: &Session, arguments: &Arguments) -> Outcome<Self> {
        let place = Self::of(session, arguments, arguments.at(0))?;
        if place.key.is_empty() {
            return Err(Failure::usage(format!("{} is a mount and not a secret.", place.mount))
                .hint(format!("\"{{program}} kv list {}\" shows what is in it.", place.mount)));
        }
        Ok(place)
    }

    /// The path of the API: `area` is a part of engines of version 2 only.
    pub fn path(&self, area: &str) -> String {
        if self.versioned {
            format!("{}{area}/{}", self.mount, self.key)
        } else {
            format!("{}{}", self.mount, self.key)
        }
    }

    /// That the engine keeps versions.
    pub fn must_be_versioned(&self, command: &str) -> Outcome {
        if self.versioned {
            return Ok(());
        }
        Err(Failure::usage(format!("{command} needs a kv engine of version 2, and {} keeps no versions.", self.mount))
            .hint(format!("\"{{program}} kv enable-versioning {}\" turns it into one.", self.mount)))
    }
}

/// The mount of a path and whether it keeps versions.
fn mount(session: &Session, path: &str) -> Outcome<(String, bool)> {
    let request = Request::read(&format!("sys/internal/ui/mounts/{path}"));
    let reply = match session.ask(&request) {
        Ok(reply) => reply,
        // A server that does not know the question is older than versions.
        Err(ClientError::Refused(refusal)) if refusal.status == 404 => return Ok((String::new(), false)),
        Err(error) => return Err(Failure::of_client("finding the mount", &error)),
    };
    let of = |pointer: &str| {
        reply.data().pointer(pointer).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned()
    };
    Ok((of("/path"), of("/options/version") == "2"))
}
