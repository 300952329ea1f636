//! `sys/config/cors` and `sys/config/ui/headers`.

use crate::web::{CORS, Cors, STANDARD_HEADERS, UI_HEADERS, UiHeaders};
use crate::{Kx, authorize};
use engine::{CommaList, Fault, Flags, Reply, Route, StringList};
use serde_json::{Value, json};

/// Origins, headers beside the standard ones, headers of a user interface.
const LISTED_MAX: usize = 100;
/// Bytes of a name or value.
const TEXT_BYTES_MAX: usize = 4_096;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let routes = vec![
        Route::at("config/cors", "Origins that browsers may call from.")
            .read(read_cors)
            .write(write_cors)
            .delete(delete_cors)
            .sudo(),
        Route::at("config/ui/headers", "List headers for a user interface.").list(list_headers),
        Route::at("config/ui/headers/{header}", "A header for a user interface.")
            .read(read_header)
            .write(write_header)
            .delete(delete_header)
            .sudo(),
    ];
    routes.into_iter().map(Route::root_namespace_only).collect()
}

engine::request! {
    /// Allows origins.
    pub struct WriteCors {
        /// Origins, or `*` alone.
        allowed_origins: CommaList,
        /// Headers beside the standard ones.
        allowed_headers: CommaList,
        /// Whether browsers may send credentials of their own; not together with `*`.
        allow_credentials: bool,
        /// Accepted.
        enable: Option<bool>,
    }
}

engine::request! {
    /// Names a header.
    pub struct HeaderName {
        /// Name.
        header: String,
        /// Whether to show all values.
        multivalue: bool,
    }
}

engine::request! {
    /// Sets a header.
    pub struct WriteHeader {
        /// Name.
        header: String,
        /// Values.
        values: StringList,
        /// Accepted.
        multivalue: bool,
    }
}

fn read_cors(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let Some(cors) = Cors::load(&mut kx.tx)? else { return Ok(Reply::legacy(json!({ "enabled": false }))) };
    Ok(Reply::legacy(json!({
        "enabled": true,
        "allowed_origins": cors.allowed_origins,
        "allowed_headers": cors.headers().collect::<Vec<_>>(),
        "allow_credentials": cors.allow_credentials,
    })))
}

fn write_cors(kx: &mut Kx, request: WriteCors) -> Result<Reply, Fault> {
    let CommaList(allowed_origins) = request.allowed_origins;
    let wildcard = allowed_origins.iter().any(|origin| origin == "*");
    if allowed_origins.is_empty() {
        return Err(Fault::invalid("at least one origin or the wildcard must be provided"));
    }
    if wildcard && allowed_origins.len() > 1 {
        return Err(Fault::invalid("to allow all origins the '*' must be the only value for allowed_origins"));
    }
    if wildcard && request.allow_credentials {
        return Err(Fault::invalid("credentials cannot be allowed to all origins"));
    }
    let standard = |name: &String| STANDARD_HEADERS.iter().any(|standard| standard.eq_ignore_ascii_case(name));
    let allowed_headers: Vec<String> = request.allowed_headers.0.into_iter().filter(|name| !standard(name)).collect();
    check_list(&allowed_origins, plain)?;
    check_list(&allowed_headers, token)?;
    let cors = Cors { allowed_origins, allowed_headers, allow_credentials: request.allow_credentials };
    kx.tx.save(CORS, &cors)?;
    Ok(Reply::empty())
}

fn check_list(texts: &[String], good: impl Fn(&str) -> bool) -> Result<(), Fault> {
    if texts.len() > LISTED_MAX || !texts.iter().all(|text| text.len() <= TEXT_BYTES_MAX && good(text)) {
        return Err(Fault::invalid("a value is too long or has characters that headers cannot have"));
    }
    Ok(())
}

/// What a header's value may hold.
fn plain(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

/// A header's name (RFC 9110, 5.6.2).
fn token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn delete_cors(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    kx.tx.delete(CORS);
    Ok(Reply::empty())
}

fn ui_headers(kx: &mut Kx) -> Result<UiHeaders, Fault> {
    Ok(kx.tx.load(UI_HEADERS)?.unwrap_or_default())
}

fn list_headers(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    Ok(Reply::keys(ui_headers(kx)?.0.into_keys().collect()))
}

/// The headers, for a caller whose rights cover the one that is meant: letter case tells no headers apart, but rules do.
fn headers_for(kx: &mut Kx, spelled: &str) -> Result<UiHeaders, Fault> {
    let headers = ui_headers(kx)?;
    if let Some(name) = headers.0.keys().find(|name| name.eq_ignore_ascii_case(spelled)) {
        authorize::check_spelling(kx, spelled, name, Flags { sudo: true, ..Flags::default() })?;
    }
    Ok(headers)
}

fn read_header(kx: &mut Kx, request: HeaderName) -> Result<Reply, Fault> {
    let UiHeaders(headers) = headers_for(kx, &request.header)?;
    let known = headers.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(&request.header));
    Ok(match known {
        None => Reply::empty(),
        Some((_, values)) if request.multivalue => Reply::data(json!({ "values": values })),
        Some((_, values)) => Reply::data(json!({ "value": values.first() })),
    })
}

fn write_header(kx: &mut Kx, request: WriteHeader) -> Result<Reply, Fault> {
    let StringList(values) = request.values;
    if values.is_empty() {
        return Err(Fault::invalid("header and values must be specified"));
    }
    if request.header.to_ascii_lowercase().starts_with("x-vault-") {
        return Err(Fault::invalid("X-Vault headers cannot be set"));
    }
    check_list(std::slice::from_ref(&request.header), token)?;
    check_list(&values, plain)?;
    let UiHeaders(mut headers) = headers_for(kx, &request.header)?;
    headers.retain(|name, _| !name.eq_ignore_ascii_case(&request.header));
    headers.insert(request.header, values);
    if headers.len() > LISTED_MAX {
        return Err(Fault::invalid("too many headers"));
    }
    kx.tx.save(UI_HEADERS, &UiHeaders(headers))?;
    Ok(Reply::data(Value::Null))
}

fn delete_header(kx: &mut Kx, request: HeaderName) -> Result<Reply, Fault> {
    let UiHeaders(mut headers) = headers_for(kx, &request.header)?;
    let before = headers.len();
    headers.retain(|name, _| !name.eq_ignore_ascii_case(&request.header));
    if headers.len() != before {
        kx.tx.save(UI_HEADERS, &UiHeaders(headers))?;
    }
    Ok(Reply::empty())
}
