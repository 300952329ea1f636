//! TEMPORARY placeholder until the policy module lands; overwrite freely.
use serde_json::{Map, Value};
use wire::Operation;
pub struct Policy; 
pub struct TemplateContext;
pub struct Acl { root: bool }
pub struct Attached<'a> { pub name: &'a str, pub prefix: &'a str, pub policy: &'a Policy }
pub struct Check<'a> { pub path: &'a str, pub operation: Operation, pub parameters: Option<&'a Map<String, Value>>, pub wrap_ttl: Option<u64> }
pub struct Decision { pub allowed: bool, pub sudo: bool }
impl Policy { pub fn parse(_t: &str) -> Result<Policy, String> { Ok(Policy) } }
impl Acl {
    pub fn root() -> Self { Acl { root: true } }
    pub fn compile(_a: &[Attached<'_>], _t: Option<&TemplateContext>) -> Acl { Acl { root: false } }
    pub fn check(&self, _c: &Check<'_>) -> Decision { Decision { allowed: self.root, sudo: self.root } }
    pub fn capabilities(&self, _p: &str) -> Vec<&'static str> { vec!["deny"] }
}

impl Acl { pub fn touches(&self, _p: &str) -> bool { self.root } pub fn resultant(&self) -> Value { serde_json::json!({"root": self.root}) } }
pub struct PasswordPolicy;
impl PasswordPolicy { pub fn parse(_t: &str) -> Result<Self, String> { Ok(Self) } pub fn generate(&self, _r: &mut dyn crypto::Randomness) -> Result<String, String> { Ok(String::new()) } }
