//! The connection and the organization. A write changes what it names.

use super::directory;
use super::record::Config;
use super::wire::WriteConfig;
use engine::{Cx, Fault, Reply, TokenFields};
use serde_json::{Map, Value};

/// Longest name of an organization on GitHub.
const ORGANIZATION_BYTES_MAX: usize = 100;

/// Configures the connection; asks for the id of the organization if it is not given.
pub(super) fn write(cx: &mut Cx, (sent, mut fields): (WriteConfig, TokenFields)) -> Result<Reply, Fault> {
    let mut config = Config::load(cx)?.unwrap_or_default();
    fields.token_policies = fields.token_policies.or(sent.policies);
    fields.token_ttl = fields.token_ttl.or(sent.ttl);
    fields.token_max_ttl = fields.token_max_ttl.or(sent.max_ttl);
    fields.apply(&mut config.token)?;
    if let Some(base) = sent.base_url {
        if !base.is_empty() && !base.starts_with("https://") && !base.starts_with("http://") {
            return Err(Fault::invalid("base_url must be an http or https address"));
        }
        config.base_url = base;
    }
    let known = (config.organization.clone(), config.organization_id);
    if let Some(organization) = sent.organization {
        config.organization = organization;
    }
    if config.organization.is_empty() {
        return Err(Fault::invalid("organization is a required parameter"));
    }
    if !is_name(&config.organization) {
        return Err(Fault::invalid("organization is no name of an organization"));
    }
    config.organization_id = match sent.organization_id {
        Some(id) if id > 0 => id,
        // The id of another organization would let its members in.
        _ if known.0 == config.organization && known.1 > 0 => known.1,
        _ => directory::organization_id(cx, &config)?,
    };
    config.save(cx)?;
    Ok(Reply::empty())
}

/// Shows the connection.
pub(super) fn read(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let Some(config) = Config::load(cx)? else { return Ok(Reply::empty()) };
    let mut data = Map::new();
    data.insert("base_url".to_owned(), config.base_url.into());
    data.insert("organization".to_owned(), config.organization.into());
    data.insert("organization_id".to_owned(), config.organization_id.into());
    config.token.reply_into(&mut data);
    Ok(Reply::data(Value::Object(data)))
}

/// Whether a text can be the name of an organization, and so stand in a path of the API.
fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    name.len() <= ORGANIZATION_BYTES_MAX && name.bytes().all(allowed)
}
