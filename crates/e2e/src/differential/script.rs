//! The script files: what a step says and how they are read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Map, Value};

use crate::failure::{Context, Failure, Outcome};

/// One file of steps.
#[derive(Debug, Clone)]
pub struct Script {
    /// The file's name without its ending.
    pub name: String,
    /// Whether the servers start uninitialised; otherwise they are initialised, unsealed and `$root` is known.
    pub fresh: bool,
    /// The steps in order.
    pub steps: Vec<Step>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Step {
    /// What the difference list calls it: `script/METHOD path`, or with its own words.
    pub name: String,
    /// The verb.
    pub method: String,
    /// The path after `/v1/`, with `$captures`.
    pub path: String,
    /// The token, usually a capture; empty for none.
    pub token: String,
    /// A JSON body, with `$captures` in its strings.
    pub body: Option<Value>,
    /// A body sent as it is.
    pub raw: Option<String>,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// What to remember: capture name to JSON pointer in the reply.
    pub save: BTreeMap<String, String>,
    /// Whether further steps are derived from this one.
    pub variants: bool,
    /// JSON pointers in the reply below which nothing is compared.
    pub ignore: Vec<String>,
}

impl Script {
    /// Reads every `*.json` file of `folder`, by name.
    ///
    /// # Errors
    /// If a file cannot be read or holds an unknown or malformed field.
    pub fn read_all(folder: &Path) -> Outcome<Vec<Script>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).at(folder.display())? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                paths.push(path);
            }
        }
        paths.sort();
        paths.iter().map(|path| Script::read(path).at(path.display())).collect()
    }

    fn read(path: &Path) -> Outcome<Script> {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let value: Value = serde_json::from_str(&fs::read_to_string(path)?)?;
        let fresh = value.get("fresh").and_then(Value::as_bool).unwrap_or(false);
        let steps = value.get("steps").and_then(Value::as_array).ok_or_else(|| Failure::new("no `steps` list"))?;
        let mut read = Vec::new();
        for step in steps {
            let fields = step.as_object().ok_or_else(|| Failure::new(format!("not an object: {step}")))?;
            read.push(Step::read(&name, fields).at(step)?);
        }
        Ok(Script { name, fresh, steps: read })
    }
}

impl Step {
    fn read(script: &str, fields: &Map<String, Value>) -> Outcome<Step> {
        const KNOWN: [&str; 9] = ["do", "name", "as", "body", "raw", "headers", "save", "variants", "ignore"];
        if let Some(unknown) = fields.keys().find(|key| !KNOWN.contains(&key.as_str())) {
            return Err(Failure::new(format!("unknown field `{unknown}`")));
        }
        let word = |key: &str| fields.get(key).and_then(Value::as_str).map(str::to_owned);
        let action = word("do").ok_or_else(|| Failure::new("no `do`"))?;
        let (method, path) = action.split_once(' ').ok_or_else(|| Failure::new("`do` is not `METHOD path`"))?;
        let pairs = |key: &str| -> Vec<(String, String)> {
            let object = fields.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
            object.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect()
        };
        let ignore = fields.get("ignore").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(Step {
            name: format!("{script}/{}", word("name").unwrap_or_else(|| action.clone())),
            method: method.to_owned(),
            path: path.to_owned(),
            token: word("as").unwrap_or_else(|| "$root".to_owned()),
            body: fields.get("body").cloned(),
            raw: word("raw"),
            headers: pairs("headers"),
            save: pairs("save").into_iter().collect(),
            variants: fields.get("variants").and_then(Value::as_bool).unwrap_or(true),
            ignore: ignore.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect(),
        })
    }
}
