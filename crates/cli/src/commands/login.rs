//! `login`: a token for this terminal, by any method that needs no more than fields.

use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome};
use crate::fields;
use crate::flags::{Arguments, Flag};
use crate::render::envelope;
use crate::session::Session;
use crate::token_file;
use client::{Reply, Request};
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

static METHOD: Flag<Option<String>> = Flag::new(
    "method",
    "METHOD",
    "token, userpass, ldap, radius, approle, cert, jwt, oidc or kubernetes. Default: token.",
);
static PATH: Flag<Option<String>> = Flag::new("path", "PATH", "Where the method is mounted, if not at its own name.");
static NO_STORE: Flag<bool> = Flag::switch("no-store", "Does not put the token into ~/.vault-token.");
static NO_PRINT: Flag<bool> = Flag::switch("no-print", "Does not show the token; it is only stored.");
static TOKEN_ONLY: Flag<bool> = Flag::switch("token-only", "Prints the token alone, stores it nowhere. For scripts.");

/// `login`.
pub static LOGIN: Command = Command {
    name: "login",
    summary: "Log in and keep the token",
    arguments: "[TOKEN | K=V...]",
    count: Count::AtLeast(0),
    about: "Logs in and puts the token into ~/.vault-token, readable by you alone, where later commands find it. Passwords \
            and tokens that are not given are asked for and not shown.",
    examples: &[
        ("With a token, asked for", "login"),
        ("With a token from standard input", "login -"),
        ("As a user, with the password asked for", "login -method=userpass username=ann"),
        (
            "As a machine; the secret id comes from a file",
            "login -method=approle role_id=web secret_id=@/run/secret-id",
        ),
        ("At the page of a provider, whose address is printed", "login -method=oidc role=staff"),
    ],
    flags: &[&METHOD.about, &PATH.about, &NO_STORE.about, &NO_PRINT.about, &TOKEN_ONLY.about],
    action: Action::Remote(login),
};

/// What a method needs to know.
struct Method {
    name: &'static str,
    /// Whether the name of the user ends the path and a password is asked for.
    has_password: bool,
}

const METHODS: [Method; 7] = [
    Method { name: "userpass", has_password: true },
    Method { name: "ldap", has_password: true },
    Method { name: "radius", has_password: true },
    Method { name: "approle", has_password: false },
    Method { name: "cert", has_password: false },
    Method { name: "jwt", has_password: false },
    Method { name: "kubernetes", has_password: false },
];

/// Help for a method, for `auth help`.
pub(super) fn method_help(program: &str, name: &str) -> Option<String> {
    let method = METHODS.iter().find(|method| method.name == name);
    let (what, line) = match (name, method) {
        ("oidc", _) => (
            "Logs in at a provider's page; its address is printed, and a listener waits for the browser.",
            "login -method=oidc role=staff".to_owned(),
        ),
        ("token", _) => ("Logs in with a token that somebody made for you.", "login".to_owned()),
        (_, Some(method)) if method.has_password => {
            ("Logs in with a name and a password, which is asked for.", format!("login -method={name} username=ann"))
        }
        (_, Some(_)) => ("Logs in with the fields that the method wants.", format!("login -method={name} K=V...")),
        (_, None) => return None,
    };
    Some(format!("Usage: {program} login -method={name} [K=V...]\n\n  {what}\n\n      $ {program} {line}\n"))
}

fn login(session: &Session, arguments: &Arguments) -> Outcome {
    let name = arguments.get(&METHOD).unwrap_or_else(|| "token".to_owned());
    if name == "token" {
        let token = token(session, &arguments.positional)?;
        return finish(session, arguments, with_token(session, &token)?);
    }
    if name == "oidc" {
        let data = fields::parse(session.terminal, &arguments.positional)?;
        session.use_token(None);
        let reply = super::login_oidc::login(session, &mount(arguments, &name), data)?;
        return finish(session, arguments, reply);
    }
    let method = METHODS.iter().find(|method| method.name == name).ok_or_else(|| {
        Failure::usage(format!("Unknown auth method: {name}."))
            .hint("\"{program} auth list\" shows what is mounted; any method can be called with \"{program} write auth/PATH/login K=V...\".".into())
    })?;
    let path = mount(arguments, &name);
    let mut data = fields::parse(session.terminal, &arguments.positional)?;
    let target = if method.has_password { user(session, &path, &mut data)? } else { format!("auth/{path}/login") };
    session.use_token(None);
    let reply = session.send(&Request::write(&target, Value::Object(data)), "authenticating")?;
    finish(session, arguments, reply)
}

/// Where the method is mounted.
fn mount(arguments: &Arguments, method: &str) -> String {
    let path = arguments.get(&PATH).unwrap_or_else(|| method.to_owned());
    path.trim_matches('/').trim_start_matches("auth/").to_owned()
}

/// The path of a user, and the password among the data.
fn user(session: &Session, path: &str, data: &mut Map<String, Value>) -> Outcome<String> {
    let missing = || {
        Failure::usage("A name is missing: give username=NAME.")
            .hint("\"{program} login -method=userpass username=ann\" asks for the password.".to_owned())
    };
    let own = || std::env::var("USER").ok().filter(|_| session.terminal.interactive).map(Value::from);
    let name = data.remove("username").or_else(own).ok_or_else(missing)?;
    let name = name.as_str().ok_or_else(missing)?.to_owned();
    if !data.contains_key("password") {
        let password = session
            .terminal
            .ask_secret("Password", "Pipe it in with password=-, or name a file with password=@FILE.")?;
        data.insert("password".to_owned(), Value::from(password.as_str()));
    } else if let Some(Value::String(password)) = data.get_mut("password") {
        // A file or a pipe ends in a line break that is no part of the password.
        password.truncate(password.trim_end_matches(['\n', '\r']).len());
    }
    Ok(format!("auth/{path}/login/{name}"))
}

fn token(session: &Session, words: &[String]) -> Outcome<Zeroizing<String>> {
    let word = match words {
        [] => {
            let instead = "Pipe it in and give - as the argument, or set VAULT_TOKEN.";
            return session.terminal.ask_secret("Token", instead);
        }
        [word] => word.strip_prefix("token=").unwrap_or(word),
        _ => return Err(Failure::usage(format!("Too many arguments (expected 0 or 1, got {})", words.len()))),
    };
    if word == "-" {
        return Ok(Zeroizing::new(session.terminal.secret_input("Token")?.trim().to_owned()));
    }
    fields::warn_of_argument(session.terminal, "token");
    Ok(Zeroizing::new(word.to_owned()))
}

/// A token proves itself by being looked up; what is told of it stands in for the reply to a login.
fn with_token(session: &Session, token: &Zeroizing<String>) -> Outcome<Reply> {
    session.use_token(Some(token.clone()));
    session.stop_wrapping();
    let reply = session.send(&Request::read("auth/token/lookup-self"), "authenticating: error looking up token")?;
    let of = |name: &str| reply.data().get(name).cloned().unwrap_or_default();
    let auth = json!({
        "client_token": token.as_str(), "accessor": of("accessor"), "policies": of("policies"),
        "token_policies": of("policies"), "identity_policies": of("identity_policies"), "metadata": of("meta"),
        "lease_duration": of("ttl"), "renewable": of("renewable") == Value::Bool(true), "entity_id": of("entity_id"), "orphan": of("orphan"),
        "mfa_requirement": null,
    });
    let body = json!({ "request_id": "", "lease_id": "", "lease_duration": 0, "renewable": false, "data": null,
        "warnings": null, "auth": auth });
    Ok(Reply { status: 200, body, bytes: Vec::new() })
}

fn finish(session: &Session, arguments: &Arguments, reply: Reply) -> Outcome {
    let token = reply.body.pointer("/auth/client_token").and_then(Value::as_str).map(str::to_owned).map(Zeroizing::new);
    let Some(token) = token.filter(|token| !token.is_empty()) else {
        // A reply that asks for a second factor.
        return session.show(&reply);
    };
    if arguments.get(&TOKEN_ONLY) {
        return session.terminal.print_bare(token.as_bytes());
    }
    let stores = !arguments.get(&NO_STORE);
    if stores {
        token_file::write(&token).map_err(|error| Failure::file("the token file ~/.vault-token", &error))?;
    } else {
        session.terminal.say("The token was not stored; later commands find it in VAULT_TOKEN if you set that.\n");
    }
    if stores && client::variable("TOKEN").is_some() {
        session.terminal.warn("VAULT_TOKEN is set, and is used instead of the token that was stored now. Unset it.");
    }
    if arguments.get(&NO_PRINT) {
        return Ok(());
    }
    if session.is_table() && session.field.is_none() {
        let where_to = if stores { " The token is stored: later commands use it." } else { "" };
        session.success(&format!("You are now authenticated.{where_to}\n\n"))?;
    }
    session.show_as(&reply, || envelope::rows(&reply))
}
