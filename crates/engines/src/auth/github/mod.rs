//! The `github` login method: people log in with a personal access token, which GitHub (or a server with its API) tells
//! the user, the organizations and the teams of.
//!
//! Paths: `config` (update, read), `map/teams/<name>` and `map/users/<name>` (update, read, delete; LIST `map/teams/` and
//! `map/users/`) and, without a token, `login`. Storage keys: `config`, `team/<name>`, `user/<name>`. Names are
//! [`engine::Name`]s with one spelling; names that come from GitHub fold capitals, which it does not tell apart.
//!
//! A login holds if the user is a member of the configured organization, by its id: a name may change hands. The token's
//! policies are the configured ones, those of the user and those of each team in the organization, by slug and by name.
//! A renewal asks GitHub again with the same personal access token: it fails when that is revoked, when the user has left
//! the organization, or when the policies are others now.
//!
//! Limits: [`directory::ORGANIZATION_PAGES_MAX`] pages of organizations and [`directory::TEAM_PAGES_MAX`] of teams, of a
//! hundred each.

mod config;
mod directory;
mod login;
mod maps;
mod record;
#[cfg(test)]
mod tests;
mod wire;

use engine::{Class, Cx, Engine, Fault, LoginRecord, Options, Route, Table, TokenParams};

/// The login method.
pub fn engine() -> impl Engine {
    Github { table: table() }
}

struct Github {
    table: Table<Cx>,
}

impl Engine for Github {
    fn kind(&self) -> &'static str {
        "github"
    }

    fn class(&self) -> Class {
        Class::Auth
    }

    fn summary(&self) -> &'static str {
        "Log in with a GitHub personal access token"
    }

    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.table
    }

    fn renew_login(&self, cx: &mut Cx, record: &LoginRecord) -> Result<TokenParams, Fault> {
        login::renew(cx, record)
    }
}

fn table() -> Table<Cx> {
    Table::new(vec![
        Route::at("config", "The organization whose members log in.").write(config::write).read(config::read),
        // The alias is known when GitHub has answered; failures are not counted by it.
        Route::at("login", "Log in with a personal access token.").login(|_| None).write(login::login),
        Route::at("map/teams", "List the mapped teams.").list(maps::list_teams),
        Route::at("map/teams/{key}", "The policies of a team, by its slug.")
            .write(maps::write_team)
            .read(maps::read_team)
            .delete(maps::delete_team),
        Route::at("map/users", "List the mapped users.").list(maps::list_users),
        Route::at("map/users/{key}", "The policies of a user, by user name.")
            .write(maps::write_user)
            .read(maps::read_user)
            .delete(maps::delete_user),
    ])
}
