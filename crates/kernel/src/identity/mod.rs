//! TEMPORARY placeholder until the identity module lands; overwrite freely.
use crate::{Kernel, Kx, policy::TemplateContext};
use engine::{Fault, Randomness, Table, Timestamp, Tx};
use std::collections::BTreeMap;
pub struct LoginIdentity { pub namespace: String, pub mount_accessor: String, pub mount_path: String, pub mount_kind: String, pub name: String, pub metadata: BTreeMap<String, String>, pub groups: Vec<String> }
pub struct View { pub policies: Vec<(String, String)>, pub template: TemplateContext, pub fingerprint: u64 }
pub fn table() -> Table<Kx> { Table::new(Vec::new()) }
pub fn login(_tx: &mut Tx, _l: &LoginIdentity, _n: Timestamp, _r: &mut dyn Randomness) -> Result<Option<String>, Fault> { Ok(None) }
pub fn view(_k: &Kernel, _tx: &mut Tx, _ns: &str, _e: &str) -> Result<Option<View>, Fault> { Ok(None) }
pub fn mount_removed(_tx: &mut Tx, _ns: &str, _a: &str) -> Result<(), Fault> { Ok(()) }
