//! Paths that name who asks: `{{identity.entity.id}}` and its kin.
//!
//! Every value that is put in must be one opaque segment (S04): not empty, without `/`, `*`, `+`, `..` and control
//! characters. Anything else, and anything unknown, makes the whole path fail; what then becomes of its rule is decided
//! in [`super::acl`] (S05).

use std::collections::BTreeMap;

/// What a token's identity puts into templates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateContext {
    /// The entity, if the token has one.
    pub entity: Option<EntityView>,
    /// The groups the entity is in, directly, through other groups, or from outside.
    pub groups: Vec<GroupView>,
}

/// An entity as templates see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntityView {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
    /// Aliases, at most one for each mount: the one that logged in (S07, S08). Of two for one mount neither counts.
    pub aliases: Vec<AliasView>,
}

/// An alias as templates see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AliasView {
    /// Accessor of the mount it belongs to.
    pub mount_accessor: String,
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Metadata from the login.
    pub metadata: BTreeMap<String, String>,
    /// Metadata from the operator.
    pub custom_metadata: BTreeMap<String, String>,
}

/// A group as templates see it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupView {
    /// Id.
    pub id: String,
    /// Name. Of two groups of one name neither counts by name.
    pub name: String,
    /// Metadata.
    pub metadata: BTreeMap<String, String>,
}

/// A path with parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    Parameter(String),
}

/// A `{{` or `}}` without its partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unbalanced;

impl Template {
    /// `None` for a text without parameters.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, Unbalanced> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("{{") {
            let (parameter, after) = after.split_once("}}").ok_or(Unbalanced)?;
            if before.contains("}}") || parameter.contains("{{") {
                return Err(Unbalanced);
            }
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Parameter(parameter.trim().to_owned()));
            rest = after;
        }
        if rest.contains("}}") {
            return Err(Unbalanced);
        }
        if parts.is_empty() {
            return Ok(None);
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Some(Self { parts }))
    }

    /// The path for somebody; `None` if a parameter is unknown or its value is not one opaque segment.
    pub(super) fn render(&self, context: Option<&TemplateContext>) -> Option<String> {
        let mut path = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => path.push_str(text),
                Part::Parameter(name) => path.push_str(value(context?, name).filter(|value| is_opaque_segment(value))?),
            }
        }
        Some(path)
    }
}

fn is_opaque_segment(value: &str) -> bool {
    let harmful = |character: char| matches!(character, '/' | '*' | '+') || character.is_control();
    !value.is_empty() && value != "." && !value.contains("..") && !value.contains(harmful)
}

fn value<'a>(context: &'a TemplateContext, name: &str) -> Option<&'a str> {
    let name = name.strip_prefix("identity.")?;
    if let Some(rest) = name.strip_prefix("entity.") {
        return entity_value(context.entity.as_ref()?, rest);
    }
    if let Some(rest) = name.strip_prefix("groups.ids.") {
        let (id, field) = rest.split_once('.')?;
        let group = only(context.groups.iter().filter(|group| group.id == id))?;
        return if field == "name" { Some(&group.name) } else { metadata_value(&group.metadata, field) };
    }
    let rest = name.strip_prefix("groups.names.")?;
    if let Some(name) = rest.strip_suffix(".id") {
        return only(context.groups.iter().filter(|group| group.name == name)).map(|group| group.id.as_str());
    }
    let (name, key) = rest.split_once(".metadata.")?;
    let group = only(context.groups.iter().filter(|group| group.name == name))?;
    group.metadata.get(key).map(String::as_str)
}

fn entity_value<'a>(entity: &'a EntityView, field: &str) -> Option<&'a str> {
    match field {
        "id" => return Some(&entity.id),
        "name" => return Some(&entity.name),
        _ => {}
    }
    let Some(rest) = field.strip_prefix("aliases.") else { return metadata_value(&entity.metadata, field) };
    let (accessor, field) = rest.split_once('.')?;
    let alias = only(entity.aliases.iter().filter(|alias| alias.mount_accessor == accessor))?;
    match field {
        "id" => Some(&alias.id),
        "name" => Some(&alias.name),
        _ => match field.strip_prefix("custom_metadata.") {
            Some(key) => alias.custom_metadata.get(key).map(String::as_str),
            None => metadata_value(&alias.metadata, field),
        },
    }
}

fn metadata_value<'a>(metadata: &'a BTreeMap<String, String>, field: &str) -> Option<&'a str> {
    metadata.get(field.strip_prefix("metadata.")?).map(String::as_str)
}

/// The only one; which of several is meant is not guessed.
fn only<T>(mut candidates: impl Iterator<Item = T>) -> Option<T> {
    let first = candidates.next()?;
    candidates.next().is_none().then_some(first)
}
