//! The `userpass` login method: users with passwords, kept here.
//!
//! Paths: `users/<name>` (create, update, read, delete; LIST `users/`), `users/<name>/password`, `users/<name>/policies`
//! and, without a token, `login/<name>`. A user is one record at `user/<name>`; passwords are kept as Argon2id hashes,
//! and bcrypt hashes from elsewhere are taken as they are. Names are [`engine::Name`]s: administration uses their one
//! spelling, logins fold capitals.

mod login;
mod record;
#[cfg(test)]
mod tests;
mod users;
mod wire;

use engine::{Class, Cx, Engine, Fault, LoginRecord, Options, Route, Table, TokenParams};

/// The login method.
pub fn engine() -> impl Engine {
    Userpass { table: table() }
}

struct Userpass {
    table: Table<Cx>,
}

impl Engine for Userpass {
    fn kind(&self) -> &'static str {
        "userpass"
    }

    fn class(&self) -> Class {
        Class::Auth
    }

    fn summary(&self) -> &'static str {
        "Log in with a username and password"
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
        Route::at("login/{username}", "Log in with a username and password.")
            .login(login::alias)
            .heavy()
            .write(login::login),
        Route::at("users", "List the users.").list(users::list),
        Route::at("users/{username}", "Manage users allowed to authenticate.")
            .heavy()
            .create_or_update(users::exists, users::write)
            .read(users::read)
            .delete(users::delete),
        Route::at("users/{username}/password", "Reset user's password.").heavy().write(users::write_password),
        Route::at("users/{username}/policies", "Update the policies associated with the username.")
            .write(users::write_policies),
    ])
}
