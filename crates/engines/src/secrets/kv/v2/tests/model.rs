//! Random histories of one secret, compared after every step with a model that knows nothing of how it is stored.

use super::*;
use std::collections::BTreeMap;

/// What a version should be.
struct Version {
    data: Value,
    deletion: Option<i64>,
    destroyed: bool,
}

#[derive(Default)]
struct Model {
    versions: BTreeMap<u64, Version>,
    current: u64,
    max_versions: usize,
    delete_after: i64,
    now: i64,
}

impl Model {
    fn readable(&self, number: u64) -> bool {
        self.versions
            .get(&number)
            .is_some_and(|version| !version.destroyed && version.deletion.is_none_or(|at| at > self.now))
    }

    fn deletion(&self) -> Option<i64> {
        (self.delete_after > 0).then(|| self.now + self.delete_after)
    }

    fn add(&mut self, data: Value) {
        self.current += 1;
        let deletion = self.deletion();
        self.versions.insert(self.current, Version { data, deletion, destroyed: false });
        let kept = if self.max_versions == 0 { 10 } else { self.max_versions };
        while self.versions.len() > kept {
            self.versions.pop_first();
        }
    }

    fn delete(&mut self, number: u64) {
        if self.readable(number) {
            self.versions.get_mut(&number).unwrap().deletion = Some(self.now);
        }
    }

    fn undelete(&mut self, number: u64) {
        let deletion = self.deletion();
        if let Some(version) = self.versions.get_mut(&number).filter(|version| !version.destroyed) {
            version.deletion = deletion;
        }
    }

    fn destroy(&mut self, number: u64) {
        if let Some(version) = self.versions.get_mut(&number) {
            version.destroyed = true;
        }
    }
}

/// A generator of small numbers (Knuth's MMIX constants); good enough to choose steps, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

#[test]
fn random_histories_match_the_model() {
    for seed in 0..60 {
        let mut bench = bench();
        let mut model = Model::default();
        let mut dice = Dice(seed);
        for step in 0..80 {
            let what = step_once(&mut bench, &mut model, &mut dice);
            compare(&mut bench, &model, &format!("seed {seed}, step {step}: {what}"));
        }
    }
}

fn step_once(bench: &mut Bench, model: &mut Model, dice: &mut Dice) -> String {
    let number = dice.below(model.current + 3);
    match dice.below(12) {
        0..=2 => {
            let data = json!({"n": dice.below(1000), "both": {"w": 1}});
            assert_eq!(write(bench, "data/a", json!({ "data": data })).0, 200);
            model.add(data);
            "write".into()
        }
        3 => {
            let right = number == model.current;
            let data = json!({ "cas": number });
            let (status, _) = write(bench, "data/a", json!({"data": data, "options": {"cas": number}}));
            assert_eq!(status, if right { 200 } else { 400 });
            if right {
                model.add(data);
            }
            format!("write cas={number}")
        }
        4 => {
            let change = json!({"n": null, "p": dice.below(1000), "both": {"p": 2}});
            let (status, _) = patch(bench, "data/a", json!({ "data": change }));
            assert_eq!(status, if model.readable(model.current) { 200 } else { 404 });
            if status == 200 {
                let mut data = model.versions[&model.current].data.clone();
                let members = data.as_object_mut().unwrap();
                members.remove("n");
                members.insert("p".into(), change["p"].clone());
                members.entry("both").or_insert_with(|| json!({}))["p"] = json!(2);
                model.add(data);
            }
            "patch".into()
        }
        5 => {
            assert_eq!(delete(bench, "data/a"), DONE);
            model.delete(model.current);
            "delete".into()
        }
        6 => {
            assert_eq!(write(bench, "delete/a", json!({"versions": [number, number + 1]})), DONE);
            model.delete(number);
            model.delete(number + 1);
            format!("delete {number}, {}", number + 1)
        }
        7 => {
            assert_eq!(write(bench, "undelete/a", json!({"versions": [number]})), DONE);
            model.undelete(number);
            format!("undelete {number}")
        }
        8 => {
            assert_eq!(write(bench, "destroy/a", json!({"versions": number.to_string()})), DONE);
            model.destroy(number);
            format!("destroy {number}")
        }
        9 => {
            let (max, after) = (dice.below(6), i64::try_from(dice.below(3)).unwrap() * 50);
            let settings = json!({"max_versions": max, "delete_version_after": after});
            assert_eq!(write(bench, "metadata/a", settings), DONE);
            model.max_versions = usize::try_from(max).unwrap();
            model.delete_after = after;
            format!("max_versions={max} delete_version_after={after}")
        }
        10 => {
            let seconds = i64::try_from(dice.below(60)).unwrap();
            bench.now = bench.now.plus_seconds(seconds);
            model.now += seconds;
            format!("{seconds} s pass")
        }
        _ if dice.below(5) == 0 => {
            assert_eq!(delete(bench, "metadata/a"), DONE);
            *model = Model { now: model.now, ..Model::default() };
            "delete everything".into()
        }
        _ => "nothing".into(),
    }
}

fn compare(bench: &mut Bench, model: &Model, when: &str) {
    let start = Timestamp::parse_rfc3339(START).unwrap();
    for number in 0..=model.current + 1 {
        let shown = if number == 0 { model.current } else { number };
        let (status, data) = version(bench, "data/a", json!(number));
        let Some(wanted) = model.versions.get(&shown) else {
            assert_eq!((status, data), MISSING, "{when}: version {number}");
            continue;
        };
        let readable = model.readable(shown);
        assert_eq!(status, if readable { 200 } else { 404 }, "{when}: version {number}");
        assert_eq!(data["data"], if readable { wanted.data.clone() } else { Value::Null }, "{when}: version {number}");
        assert_eq!(data["metadata"]["version"], json!(shown), "{when}");
        assert_eq!(data["metadata"]["destroyed"], json!(wanted.destroyed), "{when}: version {number}");
        let deletion = wanted.deletion.map(|at| start.plus_seconds(at).to_rfc3339()).unwrap_or_default();
        assert_eq!(data["metadata"]["deletion_time"], json!(deletion), "{when}: version {number}");
    }
    // Nothing is kept of what cannot be brought back.
    let kept = model.versions.values().filter(|version| !version.destroyed).count();
    let stored = bench.stored().iter().filter(|(key, _)| key.starts_with("version/")).count();
    assert_eq!(stored, kept, "{when}");
    let metadata = bench.data("metadata/a").unwrap_or(Value::Null);
    if let Some((oldest, _)) = model.versions.first_key_value() {
        assert_eq!(metadata["current_version"], json!(model.current), "{when}");
        assert_eq!(metadata["oldest_version"], json!(if *oldest == 1 { 0 } else { *oldest }), "{when}");
    }
}
