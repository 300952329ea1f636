//! Random histories: whatever requests and logins do, indexes and what they index agree.

use super::world::{World, id};
use crate::identity::record::{Entity, Group, Link};
use crate::identity::{Folded, LoginIdentity, keys, mount_removed};
use crypto::{Randomness, SeededRandomness};
use engine::{Fault, Operation, Tx};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const NAMES: [&str; 6] = ["ann", "Ann", "bob", "b/c", "dan", "EVE"];
const STEPS: usize = 400;

/// The keys that there have to be for the records that there are.
fn wanted(tx: &mut Tx, kept: &[String]) -> BTreeSet<String> {
    let mut wanted = BTreeSet::new();
    let folded = |name: &str| Folded::new(name).unwrap();
    let below = |area: &str| {
        let prefix = format!("root/{area}/");
        kept.iter().filter_map(move |key| key.strip_prefix(&prefix).map(str::to_owned)).collect::<Vec<_>>()
    };
    for id in below("entity") {
        let entity: Entity = tx.load(&keys::entity("root", &id)).unwrap().unwrap();
        wanted.insert(keys::entity("root", &id));
        wanted.insert(keys::entity_name("root", &folded(&entity.name)));
        wanted.extend(entity.merged.iter().map(|merged| keys::entity_merged("root", merged)));
        let mounts: BTreeSet<&String> = entity.aliases.iter().map(|alias| &alias.mount_accessor).collect();
        assert_eq!(mounts.len(), entity.aliases.len(), "one alias for each mount");
        for alias in &entity.aliases {
            wanted.insert(keys::alias("root", &alias.id));
            wanted.insert(keys::alias_factor("root", &alias.mount_accessor, &folded(&alias.name)));
        }
    }
    for id in below("group") {
        let group: Group = tx.load(&keys::group("root", &id)).unwrap().unwrap();
        wanted.insert(keys::group("root", &id));
        wanted.insert(keys::group_name("root", &folded(&group.name)));
        if let Some(alias) = &group.alias {
            wanted.insert(keys::group_alias("root", &alias.id));
            wanted.insert(keys::group_alias_factor("root", &alias.mount_accessor, &folded(&alias.name)));
        }
    }
    // A membership is wanted if its other direction is there and both ends are.
    for (area, mirror, one, other) in [
        ("member", "group-member", "entity", "group"),
        ("group-member", "member", "group", "entity"),
        ("group-parent", "group-child", "group", "group"),
        ("group-child", "group-parent", "group", "group"),
    ] {
        for pair in below(area) {
            let (a, b) = pair.split_once('/').unwrap();
            let ends = kept.contains(&format!("root/{one}/{a}")) && kept.contains(&format!("root/{other}/{b}"));
            if ends && kept.contains(&format!("root/{mirror}/{b}/{a}")) {
                wanted.insert(format!("root/{area}/{pair}"));
            }
        }
    }
    wanted
}

fn check(world: &mut World, history: &[String]) {
    let kept = world.kept();
    let there: BTreeSet<String> = kept.iter().cloned().collect();
    world.tx(|tx, _| {
        let wanted = wanted(tx, &kept);
        let odd: Vec<&String> = there.symmetric_difference(&wanted).collect();
        assert!(odd.is_empty(), "{odd:#?} after {history:#?}");
        // What an index leads to has what the index says.
        for key in kept.iter().filter(|key| key.starts_with("root/alias-factor/") || key.starts_with("root/alias/")) {
            let link: Link = tx.load(key).unwrap().unwrap();
            let entity: Entity = tx.load(&keys::entity("root", &link.id)).unwrap().unwrap();
            let leads = entity.aliases.iter().any(|alias| {
                *key == keys::alias("root", &alias.id)
                    || *key == keys::alias_factor("root", &alias.mount_accessor, &Folded::new(&alias.name).unwrap())
            });
            assert!(leads, "{key} leads to another entity after {history:#?}");
        }
    });
}

struct Story {
    world: World,
    randomness: SeededRandomness,
    mounts: Vec<String>,
    /// Ids by what they are of, as [`Kind`] counts.
    known: [Vec<String>; 4],
}

#[derive(Clone, Copy)]
enum Kind {
    Entity,
    Alias,
    Group,
    GroupAlias,
}

impl Story {
    fn one_of(&mut self, items: &[String]) -> String {
        let count = u64::try_from(items.len()).unwrap();
        items.get(usize::try_from(self.randomness.below(count)).unwrap()).cloned().unwrap_or_default()
    }

    fn name(&mut self) -> String {
        self.one_of(&NAMES.map(str::to_owned))
    }

    /// Mostly an id of a kind that was made lately, sometimes of another kind.
    fn id(&mut self, kind: Kind) -> String {
        let kind = if self.randomness.below(12) == 0 { Kind::Alias } else { kind };
        let known: Vec<String> = self.known[kind as usize].iter().rev().take(8).cloned().collect();
        self.one_of(&[known, vec!["nobody".into()]].concat())
    }

    fn mount(&mut self) -> String {
        let mounts = self.mounts.clone();
        self.one_of(&mounts)
    }

    /// A random request; refused ones are part of the story.
    fn step(&mut self) -> String {
        let (name, mount) = (self.name(), self.mount());
        let (entity, member, alias) = (self.id(Kind::Entity), self.id(Kind::Entity), self.id(Kind::Alias));
        let (group, child, group_alias) = (self.id(Kind::Group), self.id(Kind::Group), self.id(Kind::GroupAlias));
        let keep: Vec<String> = self.known[Kind::Alias as usize].iter().step_by(2).cloned().collect();
        let (kind, path, body) = match self.randomness.below(16) {
            0 => (Kind::Entity, "entity".into(), json!({ "name": name })),
            1 => (Kind::Entity, "entity".into(), json!({ "id": entity, "name": name })),
            2 => (
                Kind::Alias,
                "entity-alias".into(),
                json!({ "name": name, "mount_accessor": mount, "canonical_id": entity }),
            ),
            3 => (Kind::Alias, "entity-alias".into(), json!({ "name": name, "mount_accessor": mount })),
            4 => (
                Kind::Alias,
                "entity-alias".into(),
                json!({ "id": alias, "name": name, "mount_accessor": mount, "canonical_id": entity }),
            ),
            5 => (Kind::Entity, "entity/merge".into(), json!({ "to_entity_id": entity, "from_entity_ids": [member] })),
            6 => (
                Kind::Entity,
                "entity/merge".into(),
                json!({ "to_entity_id": entity, "from_entity_ids": [member], "conflicting_alias_ids_to_keep": keep }),
            ),
            7 => (
                Kind::Group,
                "group".into(),
                json!({ "name": name, "member_entity_ids": [member], "member_group_ids": [child] }),
            ),
            8 => (Kind::Group, "group".into(), json!({ "name": name, "type": "external" })),
            9 => (Kind::Group, format!("group/id/{group}"), json!({ "member_group_ids": [child] })),
            10 => (
                Kind::Group,
                format!("group/id/{group}"),
                json!({ "name": name, "member_entity_ids": [entity, member] }),
            ),
            11 => (
                Kind::GroupAlias,
                "group-alias".into(),
                json!({ "name": name, "mount_accessor": mount, "canonical_id": group }),
            ),
            12 => (Kind::GroupAlias, "group-alias".into(), json!({ "name": name, "mount_accessor": mount })),
            13 => (
                Kind::GroupAlias,
                "group-alias".into(),
                json!({ "id": group_alias, "name": name, "mount_accessor": mount, "canonical_id": group }),
            ),
            14 => return self.delete(),
            _ => return self.login(mount, name),
        };
        let outcome = self.world.write(&path, body.clone());
        if let Ok(data @ Value::Object(_)) = &outcome {
            self.known[kind as usize].push(id(data));
            let owner = if matches!(kind, Kind::GroupAlias) { Kind::Group } else { Kind::Entity };
            self.known[owner as usize].extend(data["canonical_id"].as_str().map(str::to_owned));
        }
        assert!(!matches!(outcome, Err(Fault::Internal(_) | Fault::Store(_))), "{path} {body}");
        format!("{path} {body} {}", outcome.map_or_else(|fault| fault.to_string(), |_| "done".to_owned()))
    }

    fn delete(&mut self) -> String {
        let kinds = [
            (Kind::Entity, "entity/id"),
            (Kind::Alias, "entity-alias/id"),
            (Kind::Group, "group/id"),
            (Kind::GroupAlias, "group-alias/id"),
        ];
        let (kind, path) = kinds[usize::try_from(self.randomness.below(4)).unwrap()];
        let path = format!("{path}/{}", self.id(kind));
        if self.randomness.below(20) == 0 {
            let mount = self.mount();
            self.world.tx(|tx, _| mount_removed(tx, "root", &mount)).unwrap();
            return format!("remove mount {mount}");
        }
        self.world.call(Operation::Delete, &path, Value::Null).unwrap();
        format!("delete {path}")
    }

    fn login(&mut self, mount: String, name: String) -> String {
        let groups = vec![self.name(), self.name()];
        let story = format!("login {name} {groups:?} on {mount}");
        let login =
            LoginIdentity { namespace: "root".into(), mount_accessor: mount, name, groups, ..LoginIdentity::default() };
        let entity = self.world.login(&login).unwrap();
        self.known[Kind::Entity as usize].extend(entity);
        story
    }
}

#[test]
fn indexes_agree_with_records_through_random_histories() {
    for seed in 0..6 {
        let mut world = World::new();
        let mounts = vec![world.auth_mount("root", "a"), world.auth_mount("root", "b")];
        let mut story = Story { world, randomness: SeededRandomness::new(seed), mounts, known: Default::default() };
        let mut history = Vec::new();
        for _ in 0..STEPS {
            history.push(story.step());
            check(&mut story.world, &history);
        }
        let done = history.iter().filter(|line| line.ends_with("done")).count();
        assert!(done > STEPS / 5, "seed {seed}: only {done} writes went through");
    }
}
