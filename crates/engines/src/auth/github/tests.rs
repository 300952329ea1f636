//! The method against a GitHub that is played by a closure.

use super::engine;
use engine::bench::Bench;
use engine::outside::{Call, CallAnswer, CallFailure, HttpAnswer};
use engine::{Fault, Login, LoginRecord, Secret};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// What GitHub knows, and what it was asked.
struct Hub {
    user: Value,
    organizations: Vec<Value>,
    teams: Vec<Value>,
    revoked: bool,
    status: u16,
    failure: Option<CallFailure>,
    asked: Vec<String>,
}

type Shared = Rc<RefCell<Hub>>;

impl Hub {
    fn answer(&mut self, call: &Call) -> Result<CallAnswer, CallFailure> {
        let Call::Http(call) = call else { panic!("no file is read") };
        let path = call.url.strip_prefix("https://hub.example/api/v3/").expect("the configured server is asked");
        self.asked.push(path.to_owned());
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let bearer = call.headers.iter().find(|(name, _)| *name == "authorization").map(|(_, value)| value.as_str());
        let known = bearer == Some("Bearer pat") && !self.revoked;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let (status, body, link) = match path {
            "orgs/acme" => (200, json!({ "id": 7, "login": "acme" }), String::new()),
            _ if path.starts_with("orgs/") => (404, json!({}), String::new()),
            _ if !known => (401, json!({ "message": "Bad credentials" }), String::new()),
            "user" => (200, self.user.clone(), String::new()),
            "user/orgs" => page(&self.organizations, query),
            "user/teams" => page(&self.teams, query),
            other => panic!("{other}"),
        };
        let status = if self.status == 0 { status } else { self.status };
        let body = Secret::new(body.to_string().into_bytes());
        Ok(CallAnswer::Http(Arc::new(HttpAnswer { status, link, max_age: None, body })))
    }
}

/// Pages of two.
fn page(all: &[Value], query: &str) -> (u16, Value, String) {
    let page: usize = query.split_once("&page=").map_or(1, |(_, page)| page.parse().unwrap());
    assert!(query.starts_with("per_page=100"));
    let items: Vec<Value> = all.iter().skip((page - 1) * 2).take(2).cloned().collect();
    let more = all.len() > page * 2;
    let elsewhere = "<https://elsewhere.example/steal>; rel=\"next\", <https://x>; rel=\"last\"";
    (200, items.into(), if more { elsewhere.to_owned() } else { "<https://x>; rel=\"first\"".to_owned() })
}

fn team(name: &str, slug: &str, organization: u64) -> Value {
    json!({ "name": name, "slug": slug, "organization": { "id": organization } })
}

fn mounted() -> (Bench, Shared) {
    let mut bench = Bench::new(engine(), &[]);
    let hub = Rc::new(RefCell::new(Hub {
        user: json!({ "login": "Ann-Lee", "id": 1 }),
        organizations: vec![json!({ "id": 1 }), json!({ "id": 2 }), json!({ "id": 7 })],
        teams: vec![team("Red Team", "red-team", 7), team("Other", "other", 8), team("blue", "blue", 7)],
        revoked: false,
        status: 0,
        failure: None,
        asked: Vec::new(),
    }));
    let answering = hub.clone();
    bench.outside(move |call| answering.borrow_mut().answer(call));
    let config = json!({
        "organization": "acme", "base_url": "https://hub.example/api/v3/", "token_policies": "all", "token_ttl": "500m",
    });
    bench.write("config", config).unwrap();
    for (path, value) in [("teams/red-team", "Red, shared"), ("teams/other", "other"), ("users/ann-lee", "ann,shared")] {
        bench.write(&format!("map/{path}"), json!({ "value": value })).unwrap();
    }
    hub.borrow_mut().asked.clear();
    (bench, hub)
}

fn log_in(bench: &mut Bench, token: &str) -> Result<Login, Fault> {
    Ok(*bench.write("login", json!({ "token": token }))?.login.expect("a login that holds has an identity"))
}

fn kept(login: &Login) -> LoginRecord {
    let mut policies = login.token.policies.clone();
    policies.push("default".to_owned());
    let (alias, metadata) = (login.alias.name.clone(), login.metadata.clone());
    LoginRecord { alias, binding: login.binding.clone(), policies, metadata }
}

#[test]
fn a_member_logs_in_with_the_policies_of_user_and_teams() {
    let (mut bench, hub) = mounted();
    let login = log_in(&mut bench, "pat").unwrap();
    assert_eq!((login.alias.name.as_str(), login.display_name.as_str()), ("Ann-Lee", "Ann-Lee"));
    assert_eq!((login.metadata["org"].as_str(), login.metadata["username"].as_str()), ("acme", "Ann-Lee"));
    assert_eq!(login.token.policies, ["all", "ann", "red", "shared"]);
    assert_eq!((login.token.ttl, login.groups), (30_000, vec!["Red Team".into(), "blue".into(), "red-team".into()]));
    let pages = ["user", "user/orgs?per_page=100", "user/orgs?per_page=100&page=2"];
    let teams = ["user/teams?per_page=100", "user/teams?per_page=100&page=2"];
    assert_eq!(hub.borrow().asked, [pages.as_slice(), &teams].concat(), "and no address that the server gave");
}

#[test]
fn who_is_no_member_does_not_log_in() {
    let (mut bench, hub) = mounted();
    hub.borrow_mut().organizations.truncate(2);
    let text = "1 error occurred:\n\t* user is not part of required org\n\n";
    assert!(matches!(log_in(&mut bench, "pat"), Err(Fault::Status(500, texts)) if texts == [text]));
    assert!(matches!(log_in(&mut bench, "other"), Err(Fault::Denied)), "an unknown token");
    hub.borrow_mut().organizations = vec![json!({ "id": 7 }); 200];
    assert!(matches!(log_in(&mut bench, "pat"), Err(Fault::Status(503, _))), "a list without end");
}

#[test]
fn what_cannot_be_a_token_asks_nobody() {
    let (mut bench, hub) = mounted();
    assert!(matches!(log_in(&mut bench, ""), Err(Fault::Invalid(texts)) if texts == ["missing token"]));
    for token in ["a b", "a\r\nhost: x", "\u{e9}", &"x".repeat(1_025)] {
        assert!(matches!(log_in(&mut bench, token), Err(Fault::Denied)), "{token}");
    }
    bench.write("config", json!({ "token_bound_cidrs": "10.0.0.0/8" })).unwrap();
    assert!(matches!(log_in(&mut bench, "pat"), Err(Fault::Denied)), "from elsewhere");
    assert!(hub.borrow().asked.is_empty());
}

#[test]
fn a_github_that_does_not_answer_decides_nothing() {
    let (mut bench, hub) = mounted();
    for status in [301, 429, 502] {
        hub.borrow_mut().status = status;
        assert!(matches!(log_in(&mut bench, "pat"), Err(Fault::Status(503, _))), "{status}");
    }
    hub.borrow_mut().status = 0;
    hub.borrow_mut().failure = Some(CallFailure::Untrusted);
    let text = "GitHub was asked about the token, but its certificate could not be verified";
    assert!(matches!(log_in(&mut bench, "pat"), Err(Fault::Status(503, texts)) if texts == [text]));
}

#[test]
fn a_renewal_asks_again() {
    let (mut bench, hub) = mounted();
    let login = kept(&log_in(&mut bench, "pat").unwrap());
    bench.renew_login(&login).unwrap();
    hub.borrow_mut().revoked = true;
    assert!(matches!(bench.renew_login(&login), Err(Fault::Denied)));
    hub.borrow_mut().revoked = false;
    hub.borrow_mut().user = json!({ "login": "bob" });
    assert!(matches!(bench.renew_login(&login), Err(Fault::Denied)), "another user");
    hub.borrow_mut().user = json!({ "login": "ann-lee" });
    bench.renew_login(&login).unwrap();
    bench.write("map/users/ann-lee", json!({ "value": "ann" })).unwrap();
    bench.renew_login(&login).unwrap();
    bench.write("map/users/ann-lee", json!({ "value": "more" })).unwrap();
    let text = "1 error occurred:\n\t* policies do not match\n\n";
    assert!(matches!(bench.renew_login(&login), Err(Fault::Status(500, texts)) if texts == [text]));
    bench.write("map/users/ann-lee", json!({ "value": "ann" })).unwrap();
    hub.borrow_mut().organizations.clear();
    assert!(matches!(bench.renew_login(&login), Err(Fault::Status(500, _))), "no member any more");
}

#[test]
fn the_organization_is_known_by_its_id() {
    let (mut bench, hub) = mounted();
    assert_eq!(bench.data("config").unwrap()["organization_id"], 7);
    bench.write("config", json!({ "token_ttl": "1h" })).unwrap();
    assert!(hub.borrow().asked.is_empty(), "what is known is not asked again");
    let unknown = "unable to fetch the organization_id, you must manually set it in the config";
    let other = bench.write("config", json!({ "organization": "evil" }));
    assert!(matches!(other, Err(Fault::Invalid(texts)) if texts == [unknown]), "an id is never kept for another name");
    bench.write("config", json!({ "organization": "evil", "organization_id": 9 })).unwrap();
    assert_eq!(bench.data("config").unwrap()["organization_id"], 9);
    for (body, text) in [
        (json!({ "organization": "" }), "organization is a required parameter"),
        (json!({ "organization": "a/../b" }), "organization is no name of an organization"),
        (json!({ "base_url": "ftp://x" }), "base_url must be an http or https address"),
    ] {
        assert!(matches!(bench.write("config", body), Err(Fault::Invalid(texts)) if texts == [text]));
    }
    assert_eq!(bench.data("config").unwrap()["organization"], "evil", "what is refused changes nothing");
}

#[test]
fn mappings_are_kept_as_they_are_sent() {
    let (mut bench, _) = mounted();
    assert_eq!(bench.data("map/teams/red-team").unwrap(), json!({ "key": "red-team", "value": "Red, shared" }));
    assert_eq!(bench.data("map/users/nobody").unwrap(), Value::Null);
    assert_eq!(bench.list("map/teams").unwrap(), ["other", "red-team"]);
    assert_eq!(bench.list("map/users").unwrap(), ["ann-lee"]);
    bench.delete("map/teams/other").unwrap();
    assert_eq!(bench.list("map/teams").unwrap(), ["red-team"]);
    assert!(bench.write("map/teams/Red", json!({ "value": "x" })).is_err(), "one spelling");
    assert!(bench.write("map/teams/big", json!({ "value": "x".repeat(20_000) })).is_err());
}

#[test]
fn without_a_connection_nobody_logs_in() {
    let mut bench = Bench::new(engine(), &[]);
    assert!(matches!(log_in(&mut bench, "pat"), Err(Fault::Invalid(texts)) if texts == ["configuration has not been set"]));
    assert_eq!(bench.data("config").unwrap(), Value::Null);
}
