//! What GitHub's REST API tells: the id of an organization, and who a personal access token is of.

use super::record::Config;
use engine::outside::{HttpCall, Method, undecided};
use engine::{Cx, Fault};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Whom messages speak of.
const SERVER: &str = "GitHub";
/// GitHub's own API.
const GITHUB: &str = "https://api.github.com";
/// Pages of a user's organizations.
pub(super) const ORGANIZATION_PAGES_MAX: usize = 4;
/// Pages of a user's teams. With the organizations and the user, they stay below the calls that a request may make.
pub(super) const TEAM_PAGES_MAX: usize = 10;

/// Who a personal access token is of.
pub(super) struct Person {
    pub(super) login: String,
    /// Name and slug of each team in the organization.
    pub(super) teams: Vec<String>,
}

#[derive(Deserialize)]
struct User {
    login: String,
}

#[derive(Deserialize)]
struct Organization {
    id: u64,
}

#[derive(Deserialize)]
struct Team {
    #[serde(default)]
    name: String,
    #[serde(default)]
    slug: String,
    organization: Organization,
}

/// The id of the configured organization, which everybody may ask for.
pub(super) fn organization_id(cx: &Cx, config: &Config) -> Result<u64, Fault> {
    let call = call(config, None, &format!("orgs/{}", config.organization));
    let found = match cx.outside.http(call)? {
        Ok(answer) if answer.succeeded() => answer.json::<Organization>().map(|found| found.id).filter(|id| *id > 0),
        Ok(_) | Err(_) => None,
    };
    found.ok_or_else(|| Fault::invalid("unable to fetch the organization_id, you must manually set it in the config"))
}

/// Asks who a personal access token is of; fails if not a member of the organization.
pub(super) fn person(cx: &Cx, config: &Config, token: &str) -> Result<Person, Fault> {
    let answer = cx.outside.about_token(call(config, Some(token), "user"), SERVER)?;
    let User { login } = answer.json().ok_or_else(|| unusable("its answer is no user"))?;
    let organizations: Vec<Organization> = pages(cx, config, token, "user/orgs", ORGANIZATION_PAGES_MAX)?;
    if !organizations.iter().any(|organization| organization.id == config.organization_id) {
        return Err(Fault::upstream_error("user is not part of required org"));
    }
    let teams: Vec<Team> = pages(cx, config, token, "user/teams", TEAM_PAGES_MAX)?;
    let ours = teams.into_iter().filter(|team| team.organization.id == config.organization_id);
    let mut teams: Vec<String> = ours.flat_map(|team| [team.name, team.slug]).filter(|name| !name.is_empty()).collect();
    teams.sort();
    teams.dedup();
    Ok(Person { login, teams })
}

/// All pages of a list. The next page is asked for by its number, never by an address that the server gives.
fn pages<T: DeserializeOwned>(cx: &Cx, config: &Config, token: &str, path: &str, max: usize) -> Result<Vec<T>, Fault> {
    let mut all = Vec::new();
    for page in 1..=max {
        let number = if page == 1 { String::new() } else { format!("&page={page}") };
        let answer = cx.outside.about_token(call(config, Some(token), &format!("{path}?per_page=100{number}")), SERVER)?;
        // Nothing at all is an empty list.
        let items: Vec<T> = match answer.body.as_slice() {
            [] => Vec::new(),
            _ => answer.json().ok_or_else(|| unusable("its answer is no list"))?,
        };
        all.extend(items);
        if !answer.link.split(',').any(|link| link.contains("rel=\"next\"")) {
            return Ok(all);
        }
    }
    Err(unusable("its list is too long"))
}

fn call(config: &Config, token: Option<&str>, path: &str) -> HttpCall {
    let base = if config.base_url.is_empty() { GITHUB } else { &config.base_url };
    let call = HttpCall::new(Method::Get, format!("{}/{path}", base.trim_end_matches('/')));
    let call = call.header("accept", "application/vnd.github+json");
    match token {
        Some(token) => call.header("authorization", format!("Bearer {token}")),
        None => call,
    }
}

fn unusable(why: &str) -> Fault {
    undecided(SERVER, why)
}
