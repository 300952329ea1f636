//! A command's conversation with the server: requests, their preview, progress, and printing what came back.

use crate::common;
use crate::failure::{Failure, Outcome};
use crate::flags::Arguments;
use crate::preview::{self, Preview};
use crate::progress::Progress;
use crate::render::{self, envelope};
use crate::terminal::Terminal;
use crate::token_file;
use client::{Client, ClientError, Reply, Request, Settings};
use serde_json::Value;
use std::cell::RefCell;
use zeroize::Zeroizing;

/// How to print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Table,
    /// Indented.
    Json,
    /// YAML.
    Yaml,
    /// What the server sent.
    Raw,
}

/// A command's conversation with the server.
pub struct Session<'a> {
    /// The person.
    pub terminal: &'a Terminal,
    /// How to print.
    pub format: Format,
    /// The one field to print.
    pub field: Option<String>,
    preview: Option<Preview>,
    runtime: tokio::runtime::Runtime,
    client: RefCell<Client>,
}

impl<'a> Session<'a> {
    /// From environment, token file and flags.
    pub fn new(terminal: &'a Terminal, arguments: &Arguments) -> Outcome<Self> {
        let format = format(arguments)?;
        let mut settings = settings(arguments)?;
        if settings.token.is_none() {
            settings.token = token_file::read().map_err(|error| Failure::file("the token file", &error))?;
        }
        let failed = |error: ClientError| Failure::of_client("connecting", &error);
        let client = RefCell::new(Client::new(settings).map_err(failed)?);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| Failure::usage(format!("Error starting: {error}")))?;
        let preview = match (arguments.get(&common::OUTPUT_CURL), arguments.get(&common::OUTPUT_POLICY)) {
            (true, true) => return Err(Failure::usage("give -output-curl-string or -output-policy, not both")),
            (true, false) => Some(Preview::Curl),
            (false, true) => Some(Preview::Policy),
            (false, false) => None,
        };
        let field = arguments.get(&common::FIELD);
        Ok(Self { terminal, format, field, preview, runtime, client })
    }

    /// Asks the server; `tried` says what for, after "Error".
    pub fn send(&self, request: &Request, tried: &str) -> Outcome<Reply> {
        self.send_or(request)?.map_err(|error| Failure::of_client(tried, &error))
    }

    /// Asks the server, for commands that make something of a refusal.
    pub fn send_or(&self, request: &Request) -> Outcome<Result<Reply, ClientError>> {
        if let Some(preview) = self.preview {
            self.terminal.print(&preview::of(preview, &self.client.borrow(), request, &self.terminal.program)?)?;
            return Err(Failure::ended(0));
        }
        let sent = self.transmit(request);
        match sent {
            // What came back is a token for the reply: whatever the command makes of the reply, it has it no more.
            Ok(reply) if reply.body.get("wrap_info").is_some_and(Value::is_object) => {
                self.show(&reply)?;
                Err(Failure::ended(0))
            }
            other => Ok(other),
        }
    }

    /// Asks the server what a command has to know first: done even for a preview, and never wrapped.
    pub fn ask(&self, request: &Request) -> Result<Reply, ClientError> {
        self.transmit(&request.clone().unwrapped())
    }

    fn transmit(&self, request: &Request) -> Result<Reply, ClientError> {
        let client = self.client.borrow();
        self.runtime.block_on(Progress::watch(request, client.send(request)))
    }

    /// Waits a little, between two looks at something that takes its time.
    pub fn pause(&self, pause: std::time::Duration) {
        // The timer has to be made inside of the runtime.
        self.runtime.block_on(async { tokio::time::sleep(pause).await });
    }

    /// Until told otherwise, with this token and unwrapped replies.
    pub fn use_token(&self, token: Option<Zeroizing<String>>) {
        self.client.borrow_mut().set_token(token);
    }

    /// From now on replies are not wrapped.
    pub fn stop_wrapping(&self) {
        self.client.borrow_mut().set_wrap_ttl(None);
    }

    /// The settings in use.
    pub fn with_settings<T>(&self, look: impl FnOnce(&Settings) -> T) -> T {
        look(self.client.borrow().settings())
    }

    /// Whether a person reads the output.
    pub fn is_table(&self) -> bool {
        self.format == Format::Table
    }

    /// Prints a reply's envelope, or the field that was asked for.
    pub fn show(&self, reply: &Reply) -> Outcome {
        self.show_as(reply, || envelope::rows(reply))
    }

    /// Prints a reply's envelope to programs, and `table` to people.
    pub fn show_as(&self, reply: &Reply, table: impl FnOnce() -> String) -> Outcome {
        if self.field.is_some() {
            return self.show_field(&envelope::fields(reply));
        }
        if self.is_table() {
            self.show_warnings(reply);
        }
        self.print(&envelope::value(reply), table)
    }

    /// Prints the data of a reply without its envelope.
    pub fn show_data(&self, reply: &Reply) -> Outcome {
        if self.is_table() {
            self.show_warnings(reply);
        }
        self.show_value(reply.data(), || envelope::rows(reply))
    }

    /// Prints a reply to a write: what came back, or `done` if nothing did. Programs see nothing if nothing came.
    pub fn show_written(&self, reply: &Reply, done: &str) -> Outcome {
        let says = |name: &str| reply.body.get(name).is_some_and(|value| !value.is_null());
        if ["data", "auth"].iter().any(|name| says(name)) {
            return self.show(reply);
        }
        if says("warnings") && !self.is_table() {
            return self.show(reply);
        }
        self.show_warnings(reply);
        if self.is_table() { self.terminal.print(&format!("Success! {done}")) } else { Ok(()) }
    }

    /// Prints a value to programs and `table` to people; or the field that was asked for.
    pub fn show_value(&self, value: &Value, table: impl FnOnce() -> String) -> Outcome {
        if self.field.is_some() { self.show_field(value) } else { self.print(value, table) }
    }

    /// Says that something is done.
    pub fn success(&self, done: &str) -> Outcome {
        self.terminal.print(&format!("Success! {done}"))
    }

    /// Prints the keys of a list, or that there are none.
    pub fn show_keys(&self, keys: &[String], none: &str) -> Outcome {
        if keys.is_empty() {
            return self.nothing(none);
        }
        let rows = keys.iter().map(|key| vec![key.clone()]).collect();
        self.show_value(&keys.into(), || render::table(&["Keys"], &rows))
    }

    /// Nothing was found: an empty object for programs, a complaint for people.
    pub fn nothing(&self, none: &str) -> Outcome {
        if self.is_table() {
            return Err(Failure::refused(none));
        }
        self.terminal.print("{}")?;
        Err(Failure::ended(crate::failure::REFUSED))
    }

    /// What the server had to say besides.
    pub fn show_warnings(&self, reply: &Reply) {
        let warnings = reply.warnings();
        if !warnings.is_empty() {
            let lines: String = warnings.iter().map(|warning| format!("\n  * {warning}")).collect();
            self.terminal.warn(&format!("The following warnings were returned from the server:\n{lines}\n"));
        }
    }

    fn print(&self, value: &Value, table: impl FnOnce() -> String) -> Outcome {
        match self.format {
            Format::Table => self.terminal.print(&table()),
            Format::Json => self.terminal.print(&render::json(value)),
            Format::Yaml => self.terminal.print(&render::yaml(value)),
            Format::Raw => Err(Failure::usage("The format raw is for \"read\" only.")),
        }
    }

    fn show_field(&self, fields: &Value) -> Outcome {
        let name = self.field.as_deref().unwrap_or_default();
        let missing = || {
            let known: Vec<&str> =
                fields.as_object().map(|all| all.keys().map(String::as_str).collect()).unwrap_or_default();
            let failure = Failure::usage(format!("Field \"{name}\" not present in secret"));
            if known.is_empty() { failure } else { failure.hint(format!("The fields are: {}", known.join(", "))) }
        };
        let value = fields.get(name).ok_or_else(missing)?;
        match self.format {
            Format::Json => self.terminal.print_bare(render::json(value).as_bytes()),
            Format::Yaml => self.terminal.print_bare(render::yaml(value).as_bytes()),
            Format::Table | Format::Raw => self.terminal.print_bare(envelope::cell_text(name, value).as_bytes()),
        }
    }
}

fn format(arguments: &Arguments) -> Outcome<Format> {
    let format = arguments.get(&common::FORMAT).or_else(|| client::variable("FORMAT")).unwrap_or_default();
    match format.to_lowercase().as_str() {
        "" | "table" | "pretty" => Ok(Format::Table),
        "json" => Ok(Format::Json),
        "yaml" | "yml" => Ok(Format::Yaml),
        "raw" => Ok(Format::Raw),
        _ => Err(Failure::usage(format!("Invalid output format: {format}"))
            .hint("The formats are table, json, yaml and raw; VAULT_FORMAT sets one for all commands.".to_owned())),
    }
}

/// Settings of the environment, with what the flags say instead.
fn settings(arguments: &Arguments) -> Outcome<Settings> {
    let mut settings = Settings::from_environment();
    let text = |flag| arguments.get::<Option<String>>(flag).filter(|text| !text.is_empty());
    let agent = text(&common::AGENT_ADDRESS).or_else(|| client::variable("AGENT_ADDR"));
    if let Some(address) = agent.or_else(|| text(&common::ADDRESS)) {
        settings.address = address;
    }
    let replace = |place: &mut Option<String>, flag| {
        if let Some(value) = text(flag) {
            *place = Some(value);
        }
    };
    replace(&mut settings.ca_cert, &common::CA_CERT);
    replace(&mut settings.ca_path, &common::CA_PATH);
    replace(&mut settings.client_cert, &common::CLIENT_CERT);
    replace(&mut settings.client_key, &common::CLIENT_KEY);
    replace(&mut settings.namespace, &common::NAMESPACE);
    replace(&mut settings.tls_server_name, &common::TLS_SERVER_NAME);
    replace(&mut settings.wrap_ttl, &common::WRAP_TTL);
    settings.namespace =
        settings.namespace.map(|path| format!("{}/", path.trim_matches('/'))).filter(|path| path != "/");
    settings.skip_verify |= arguments.get(&common::TLS_SKIP_VERIFY);
    settings.disable_redirects |= arguments.get(&common::DISABLE_REDIRECTS);
    if arguments.has(&common::MFA) {
        settings.mfa = arguments.get(&common::MFA);
    }
    for (name, value) in arguments.get(&common::HEADER) {
        if name.to_lowercase().starts_with("x-vault-") {
            return Err(Failure::usage(format!("header {name}: X-Vault- headers cannot be set with -header")));
        }
        settings.extra_headers.push((name, value));
    }
    if arguments.get(&common::POLICY_OVERRIDE) {
        settings.extra_headers.push(("X-Vault-Policy-Override".to_owned(), "true".to_owned()));
    }
    Ok(settings)
}
