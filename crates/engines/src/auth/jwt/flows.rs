//! Logins at the provider (OpenID Connect Core 1.0): beginning one, completing it where the provider sends the browser
//! back, and telling a client that waits for it.

use super::config::Config;
use super::flow::{Flow, NONCE_BYTES_MAX, Verified};
use super::id_token;
use super::login::{identity, named};
use super::pages;
use super::provider::{Discovery, Tokens, query};
use super::role::{CallbackMode, Role, RoleType};
use super::wire::{BeginRequest, CallbackRequest, PollRequest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::crypto::{digest, same};
use engine::{Cx, Fault, Name, Randomness as _, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Seconds between polls, where neither role nor provider says.
const POLL_SECONDS: i64 = 5;
/// Longest and longest-lived of what a provider may ask a device to wait, in seconds.
const POLL_SECONDS_MAX: i64 = 60;
const DEVICE_SECONDS_MAX: i64 = 1_800;
/// Longest reason of a provider that is passed on, in bytes.
const REASON_BYTES_MAX: usize = 256;
const FAILED: &str = "OpenBao login failed.";
const GONE: &str = "OpenBao login failed. Expired or missing OAuth state.";
const PENDING: &str = "authorization_pending";
const DEVICE_GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// Begins a login: the address to send the user to.
pub(super) fn begin(cx: &mut Cx, request: BeginRequest) -> Result<Reply, Fault> {
    let config = Config::load(cx)?;
    if !config.has_client() {
        return Err(Fault::invalid("OIDC login is not configured for this mount"));
    }
    if request.role.is_empty() && config.default_role.is_empty() {
        return Err(Fault::invalid("missing role"));
    }
    let (name, role) = named(cx, &config, &request.role)?;
    let device = role.callback_mode == CallbackMode::Device;
    if request.redirect_uri.is_empty() && !device {
        return Err(Fault::invalid("missing redirect_uri"));
    }
    let client_nonce = request.client_nonce.0.as_str();
    if client_nonce.len() > NONCE_BYTES_MAX {
        return Err(Fault::invalid("client_nonce is too long"));
    }
    if role.callback_mode != CallbackMode::Client && client_nonce.is_empty() {
        return Err(Fault::invalid("missing client_nonce"));
    }
    let allowed = device || role.allowed_redirect_uris.iter().any(|uri| redirects_to(uri, &request.redirect_uri));
    if role.role_type != RoleType::Oidc || !allowed {
        // Upstream's answer to every login that cannot begin.
        return Ok(no_address());
    }
    let Ok(discovery) = Discovery::current(cx, &config)? else { return Ok(no_address()) };
    if device {
        return begin_device(cx, &config, &discovery, &name, &role, client_nonce);
    }
    let state = state(cx, &config);
    let mut flow = Flow::new(cx, &name, state.split_once(',').map_or(state.as_str(), |(state, _)| state));
    flow.mode = role.callback_mode;
    flow.redirect_uri = request.redirect_uri;
    flow.client_nonce = client_nonce.to_owned();
    flow.nonce = format!("n_{}", cx.randomness.base62(32));
    if !config.implicit() {
        flow.verifier = cx.randomness.base62(43);
    }
    flow.begin(cx)?;
    let auth_url = address(&config, &discovery, &role, &flow, &state);
    if flow.mode == CallbackMode::Client {
        return Ok(Reply::data(json!({ "auth_url": auth_url })));
    }
    Ok(waiting(&auth_url, &state, poll_interval(&role, None)))
}

/// Where the provider sends the browser to.
pub(super) fn callback(cx: &mut Cx, request: CallbackRequest) -> Result<Reply, Fault> {
    let flow = Flow::find(cx, request.state.0.as_str())?.ok_or_else(|| Fault::invalid(GONE))?;
    match flow.mode {
        CallbackMode::Client => {
            let result = complete(cx, &flow, &request);
            ended(cx, &flow, result)
        }
        CallbackMode::Direct => direct(cx, flow, &request),
        CallbackMode::Device => Err(Fault::invalid(GONE)),
    }
}

/// Tells a waiting client whether its login is complete, and logs it in if so.
pub(super) fn poll(cx: &mut Cx, request: PollRequest) -> Result<Reply, Fault> {
    let flow = Flow::find(cx, request.state.0.as_str())?;
    let flow = flow.filter(|flow| flow.mode != CallbackMode::Client).ok_or_else(|| Fault::invalid(GONE))?;
    if let Err(fault) = known_client(&flow, request.client_nonce.0.as_str()) {
        return ended(cx, &flow, Err(fault));
    }
    if let Some(verified) = &flow.verified {
        let result = logged_in(cx, &flow, verified.clone());
        return ended(cx, &flow, result);
    }
    if flow.mode == CallbackMode::Direct {
        return Err(Fault::invalid(PENDING));
    }
    poll_device(cx, flow)
}

/// The client completes the login: it shows what the provider sent to it.
fn complete(cx: &mut Cx, flow: &Flow, request: &CallbackRequest) -> Result<Reply, Fault> {
    known_client(flow, request.client_nonce.0.as_str())?;
    if !request.error.is_empty() {
        let reason: String = request.error.chars().take(REASON_BYTES_MAX).collect();
        return Err(Fault::invalid(format!("{FAILED} {reason}")));
    }
    let (code, id_token) = (request.code.0.as_str(), request.id_token.0.as_str());
    let verified = exchange(cx, flow, code, id_token)?;
    logged_in(cx, flow, verified)
}

/// The browser of a 'direct' login: the user is asked first, the provider after that, and the client gets the token.
fn direct(cx: &mut Cx, mut flow: Flow, request: &CallbackRequest) -> Result<Reply, Fault> {
    if !request.error.is_empty() || flow.verified.is_some() {
        return Ok(pages::failure());
    }
    let (name, role) = role_of(cx, &flow)?;
    let consent = request.confirmation.0.as_str();
    if !consent.is_empty() {
        // A form of our own page alone brings it: the provider's redirect, which others can cause, is a GET.
        let given = cx.operation.writes() && !flow.confirmation.is_empty();
        if !given || !same(flow.confirmation.as_bytes(), consent.as_bytes()) {
            return Ok(pages::failure());
        }
    } else {
        flow.code = request.code.0.as_str().to_owned();
        flow.id_token = request.id_token.0.as_str().to_owned();
        if flow.code.is_empty() && flow.id_token.is_empty() {
            return Ok(pages::failure());
        }
        if !role.oidc_disable_confirmation {
            flow.confirmation = cx.randomness.base62(32);
            flow.save(cx)?;
            let page = pages::confirmation(name.as_str(), &flow.initiator, request.state.0.as_str(), &flow.confirmation);
            return Ok(page);
        }
    }
    match exchange(cx, &flow, &flow.code, &flow.id_token) {
        Ok(verified) => {
            flow.verified = Some(verified);
            flow.code.clear();
            flow.id_token.clear();
            flow.save(cx)?;
            Ok(pages::success())
        }
        Err(fault) if fails_login(&fault) => {
            flow.end(cx);
            Ok(pages::failure())
        }
        Err(fault) => Err(fault),
    }
}

fn begin_device(
    cx: &mut Cx,
    config: &Config,
    discovery: &Discovery,
    name: &Name,
    role: &Role,
    client_nonce: &str,
) -> Result<Reply, Fault> {
    let Ok(device) = discovery.device(cx, config, scope(role))? else { return Ok(no_address()) };
    let state = state(cx, config);
    let mut flow = Flow::new(cx, name, state.split_once(',').map_or(state.as_str(), |(state, _)| state));
    flow.mode = CallbackMode::Device;
    flow.client_nonce = client_nonce.to_owned();
    flow.device_code = device.device_code;
    flow.interval = poll_interval(role, device.interval);
    flow.expires = cx.now.plus_seconds(device.expires_in.clamp(0, DEVICE_SECONDS_MAX));
    flow.begin(cx)?;
    let address = device.verification_uri_complete.unwrap_or(device.verification_uri);
    Ok(waiting(&address, &state, flow.interval))
}

/// Asks the provider whether the user has been there, not more often than it wants to be asked.
fn poll_device(cx: &mut Cx, mut flow: Flow) -> Result<Reply, Fault> {
    if cx.now < flow.next_poll {
        return Err(Fault::invalid(PENDING));
    }
    let (config, discovery) = provider(cx)?;
    let fields = [
        ("grant_type", DEVICE_GRANT.to_owned()),
        ("device_code", flow.device_code.clone()),
        ("client_id", config.oidc_client_id.clone()),
    ];
    let tokens = match discovery.tokens(cx, &config, fields.into())? {
        Ok(tokens) => tokens,
        Err(reason) if reason == PENDING || reason == "slow_down" => {
            if reason == "slow_down" {
                // RFC 8628 section 3.5.
                flow.interval = (flow.interval + 5).min(POLL_SECONDS_MAX);
            }
            flow.next_poll = cx.now.plus_seconds(flow.interval);
            flow.save(cx)?;
            return Ok(Reply::refusing(Fault::invalid(PENDING)));
        }
        Err(reason) => return ended(cx, &flow, Err(Fault::invalid(format!("{FAILED} {reason}")))),
    };
    let result = role_of(cx, &flow)
        .and_then(|(_, role)| id_token::verify(cx, &config, &discovery, &role, &flow, &tokens))
        .and_then(|verified| logged_in(cx, &flow, verified));
    ended(cx, &flow, result)
}

/// Asks the provider for who the user is, by what it sent.
fn exchange(cx: &mut Cx, flow: &Flow, code: &str, id_token: &str) -> Result<Verified, Fault> {
    let (config, discovery) = provider(cx)?;
    let tokens = match (flow.verifier.is_empty(), code.is_empty(), id_token.is_empty()) {
        (false, false, _) => {
            let fields = [
                ("grant_type", "authorization_code".to_owned()),
                ("code", code.to_owned()),
                ("code_verifier", flow.verifier.clone()),
                ("redirect_uri", flow.redirect_uri.clone()),
            ];
            discovery.tokens(cx, &config, fields.into())?.map_err(|reason| not_exchanged(&reason))?
        }
        (true, _, false) => Tokens { id_token: id_token.to_owned(), ..Tokens::default() },
        _ => return Err(Fault::invalid(format!("{FAILED} No code or id_token received."))),
    };
    let (_, role) = role_of(cx, flow)?;
    id_token::verify(cx, &config, &discovery, &role, flow, &tokens)
}

/// The role's login for a user that the provider named.
fn logged_in(cx: &mut Cx, flow: &Flow, verified: Verified) -> Result<Reply, Fault> {
    let (name, role) = role_of(cx, flow)?;
    if !role.token.bound_cidrs.admit(cx.request.peer.ip()) {
        return Err(Fault::Denied);
    }
    Ok(Reply::login(identity(&name, role, &verified.claims, verified.granted)?))
}

/// Ends a flow whatever came of it, unless it was nobody's doing that it failed.
fn ended(cx: &mut Cx, flow: &Flow, result: Result<Reply, Fault>) -> Result<Reply, Fault> {
    match result {
        Err(fault) if fails_login(&fault) => {
            flow.end(cx);
            Ok(Reply::refusing(fault))
        }
        Err(fault) => Err(fault),
        Ok(reply) => {
            flow.end(cx);
            Ok(reply)
        }
    }
}

/// Whether a fault is the login's own, rather than an answer that is waited for, or a failure of this server's.
fn fails_login(fault: &Fault) -> bool {
    !matches!(fault, Fault::Outside(_) | Fault::Store(_) | Fault::Internal(_))
}

fn known_client(flow: &Flow, nonce: &str) -> Result<(), Fault> {
    if flow.client_nonce.is_empty() || same(flow.client_nonce.as_bytes(), nonce.as_bytes()) {
        return Ok(());
    }
    Err(Fault::invalid("invalid client_nonce"))
}

fn role_of(cx: &mut Cx, flow: &Flow) -> Result<(Name, Role), Fault> {
    let gone = || Fault::invalid(format!("{FAILED} Role could not be found"));
    let name = Name::folded(&flow.role).ok_or_else(gone)?;
    let role = Role::load(cx, &name)?.ok_or_else(gone)?;
    Ok((name, role))
}

fn provider(cx: &mut Cx) -> Result<(Config, Discovery), Fault> {
    let config = Config::load(cx)?;
    let discovery = Discovery::current(cx, &config)?.map_err(|reason| not_exchanged(&reason))?;
    Ok((config, discovery))
}

pub(super) fn not_exchanged(why: &str) -> Fault {
    Fault::invalid(format!("{FAILED} Error exchanging oidc code: {why:?}."))
}

/// The provider's address with what it has to know.
fn address(config: &Config, discovery: &Discovery, role: &Role, flow: &Flow, state: &str) -> String {
    let mut fields = BTreeMap::from([
        ("client_id", config.oidc_client_id.clone()),
        ("nonce", flow.nonce.clone()),
        ("redirect_uri", flow.redirect_uri.clone()),
        ("response_type", if config.implicit() { "id_token".to_owned() } else { "code".to_owned() }),
        ("scope", scope(role)),
        ("state", state.to_owned()),
    ]);
    if config.oidc_response_mode == "form_post" {
        fields.insert("response_mode", config.oidc_response_mode.clone());
    }
    if !flow.verifier.is_empty() {
        let challenge = URL_SAFE_NO_PAD.encode(digest::sha256(&[flow.verifier.as_bytes()]));
        fields.extend([("code_challenge", challenge), ("code_challenge_method", "S256".to_owned())]);
    }
    if role.max_age > 0 {
        fields.insert("max_age", role.max_age.to_string());
    }
    let endpoint = &discovery.authorization_endpoint;
    let joint = if endpoint.contains('?') { '&' } else { '?' };
    format!("{endpoint}{joint}{}", query(&fields))
}

fn scope(role: &Role) -> String {
    let mut scopes = vec!["openid"];
    scopes.extend(role.oidc_scopes.iter().map(String::as_str).filter(|scope| *scope != "openid"));
    scopes.join(" ")
}

/// A new state. In a namespace it names that, so that one redirect address serves all of them.
fn state(cx: &mut Cx, config: &Config) -> String {
    let state = format!("st_{}", cx.randomness.base62(32));
    let namespace = namespace(cx);
    if config.namespace_in_state && !namespace.is_empty() { format!("{state},ns={namespace}") } else { state }
}

/// The path of the mount's namespace, as the request spelled it: header, then path.
fn namespace(cx: &Cx) -> String {
    let header = cx.request.namespace.as_deref().unwrap_or_default().trim_matches('/');
    let whole = cx.request.path.as_str();
    let before = whole.find(&format!("{}{}", cx.mount.path, cx.path)).and_then(|at| whole.get(..at));
    let parts = [header, before.unwrap_or_default().trim_matches('/')];
    parts.into_iter().filter(|part| !part.is_empty() && *part != "root").collect::<Vec<_>>().join("/")
}

fn no_address() -> Reply {
    Reply::data(json!({ "auth_url": "" }))
}

fn waiting(auth_url: &str, state: &str, interval: i64) -> Reply {
    Reply::data(json!({ "auth_url": auth_url, "state": state, "poll_interval": Value::from(interval.to_string()) }))
}

fn poll_interval(role: &Role, of_provider: Option<i64>) -> i64 {
    let wanted = if role.poll_interval > 0 { role.poll_interval } else { of_provider.unwrap_or(POLL_SECONDS) };
    wanted.clamp(1, POLL_SECONDS_MAX)
}

/// Whether an address is the one that is allowed: the same text, or the same on this machine's own address with another
/// port, since clients listen on any that is free (RFC 8252 section 7.3).
pub(super) fn redirects_to(allowed: &str, sent: &str) -> bool {
    let without_port = |uri: &str| -> Option<String> {
        let rest = uri.strip_prefix("http://")?;
        let host = ["localhost", "127.0.0.1", "[::1]"].into_iter().find(|host| rest.starts_with(host))?;
        let behind = rest.strip_prefix(host)?;
        let path = match behind.strip_prefix(':') {
            Some(port) => port.trim_start_matches(|letter: char| letter.is_ascii_digit()),
            None => behind,
        };
        (path.is_empty() || path.starts_with('/')).then(|| format!("{host}{path}"))
    };
    allowed == sent || without_port(allowed).is_some_and(|allowed| Some(allowed) == without_port(sent))
}
