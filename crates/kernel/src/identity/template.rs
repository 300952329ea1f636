//! How an entity and its groups fill templated policies: the one place that knows the shape of [`TemplateContext`].

use super::record::{Entity, Group};
use crate::policy::{AliasView, EntityView, GroupView, TemplateContext};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;

/// What `{{identity.…}}` may name.
pub(super) fn context(entity: &Entity, groups: &[Group]) -> TemplateContext {
    let aliases = entity.aliases.iter().map(|alias| AliasView {
        mount_accessor: alias.mount_accessor.clone(),
        id: alias.id.clone(),
        name: alias.name.clone(),
        metadata: alias.metadata.clone().unwrap_or_default(),
        custom_metadata: alias.custom_metadata.clone().unwrap_or_default(),
    });
    let groups = groups.iter().map(|group| GroupView {
        id: group.id.clone(),
        name: group.name.clone(),
        metadata: group.metadata.clone(),
    });
    let entity = EntityView {
        id: entity.id.clone(),
        name: entity.name.clone(),
        metadata: entity.metadata.clone().unwrap_or_default(),
        aliases: aliases.collect(),
    };
    TemplateContext { entity: Some(entity), groups: groups.collect() }
}

/// Names everything that [`context`] depends on: equal fingerprints mean equal contexts. Every part carries its length
/// or kind, so that no two different identities run together.
pub(super) fn fingerprint(namespace: &str, entity: &Entity, groups: &[Group]) -> String {
    let mut parts = Parts::default();
    parts.add(namespace);
    parts.add(&entity.id);
    parts.add(&entity.name);
    parts.pairs(entity.metadata.as_ref());
    for alias in &entity.aliases {
        parts.add(&alias.mount_accessor);
        parts.add(&alias.id);
        parts.add(&alias.name);
        parts.pairs(alias.metadata.as_ref());
        parts.pairs(alias.custom_metadata.as_ref());
    }
    parts.mark('g');
    for group in groups {
        parts.add(&group.id);
        parts.add(&group.name);
        parts.pairs(Some(&group.metadata));
    }
    parts.digest()
}

#[derive(Default)]
struct Parts(Vec<u8>);

impl Parts {
    fn add(&mut self, text: &str) {
        self.0.extend_from_slice(&text.len().to_le_bytes());
        self.0.extend_from_slice(text.as_bytes());
    }

    fn mark(&mut self, kind: char) {
        self.0.push(u8::try_from(kind).unwrap_or_default());
    }

    fn pairs(&mut self, pairs: Option<&super::record::Metadata>) {
        self.mark('m');
        self.0.extend_from_slice(&pairs.map_or(0, |pairs| pairs.len()).to_le_bytes());
        for (key, value) in pairs.into_iter().flatten() {
            self.add(key);
            self.add(value);
        }
    }

    fn digest(self) -> String {
        STANDARD_NO_PAD.encode(crypto::digest::sha256(&[&self.0]))
    }
}
