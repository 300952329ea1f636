//! Tests of identity, through the pipeline where there is a route and directly where the pipeline calls.

mod entities;
mod groups;
mod history;
mod logins;
mod oidc;
mod rights;
mod tokens;
mod world;
