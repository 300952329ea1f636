//! Metrics as text (Prometheus' exposition format 0.0.4) and as JSON in upstream's shape, both from the same families.

use super::histogram::Histogram;
use engine::Timestamp;
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// What a family counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// By bounds.
    Histogram,
}

/// All samples of one name.
#[derive(Debug, Clone)]
pub struct Family {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    samples: Vec<Sample>,
}

type Labels = Vec<(&'static str, String)>;

#[derive(Debug, Clone)]
enum Sample {
    Number(Labels, f64),
    Histogram(Labels, Histogram),
}

/// The families of one reading.
#[derive(Debug, Default)]
pub struct Exposition(Vec<Family>);

impl Family {
    /// An empty family.
    pub fn new(name: &'static str, kind: Kind, help: &'static str) -> Self {
        Self { name, kind, help, samples: Vec::new() }
    }

    /// Adds a number under labels.
    pub fn number(&mut self, labels: Labels, value: f64) {
        self.samples.push(Sample::Number(labels, value));
    }

    /// Adds a histogram under labels.
    pub fn histogram(&mut self, labels: Labels, value: Histogram) {
        self.samples.push(Sample::Histogram(labels, value));
    }
}

impl Exposition {
    /// Adds a family.
    pub fn add(&mut self, family: Family) {
        self.0.push(family);
    }

    /// Adds a counter without labels.
    pub fn counter(&mut self, name: &'static str, help: &'static str, value: u64) {
        self.single(name, Kind::Counter, help, value as f64);
    }

    /// Adds a gauge without labels.
    pub fn gauge(&mut self, name: &'static str, help: &'static str, value: f64) {
        self.single(name, Kind::Gauge, help, value);
    }

    fn single(&mut self, name: &'static str, kind: Kind, help: &'static str, value: f64) {
        let mut family = Family::new(name, kind, help);
        family.number(Vec::new(), value);
        self.0.push(family);
    }

    /// Prometheus' text format.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for Family { name, kind, help, samples } in &self.0 {
            let kind = match kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Histogram => "histogram",
            };
            // Writing to a string does not fail.
            let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
            for sample in samples {
                match sample {
                    Sample::Number(labels, value) => line(&mut out, name, "", labels, None, *value),
                    Sample::Histogram(labels, histogram) => {
                        for (bound, count) in histogram.cumulative() {
                            line(&mut out, name, "_bucket", labels, Some(&bound.to_string()), count as f64);
                        }
                        let count = histogram.count() as f64;
                        line(&mut out, name, "_bucket", labels, Some("+Inf"), count);
                        line(&mut out, name, "_sum", labels, None, histogram.sum());
                        line(&mut out, name, "_count", labels, None, count);
                    }
                }
            }
        }
        out
    }

    /// Upstream's JSON: counters and samples with their aggregates, gauges with their value.
    pub fn json(&self, now: Timestamp) -> Value {
        let (mut gauges, mut counters, mut samples) = (Vec::new(), Vec::new(), Vec::new());
        for family in &self.0 {
            for sample in &family.samples {
                match (family.kind, sample) {
                    (Kind::Gauge, Sample::Number(labels, value)) => {
                        gauges.push(json!({ "Name": family.name, "Value": value, "Labels": as_object(labels) }));
                    }
                    (_, Sample::Number(labels, value)) => counters.push(json!({
                        "Name": family.name, "Count": value, "Sum": value, "Labels": as_object(labels),
                    })),
                    (_, Sample::Histogram(labels, histogram)) => {
                        let count = histogram.count();
                        let mean = if count == 0 { 0.0 } else { histogram.sum() / count as f64 };
                        samples.push(json!({
                            "Name": family.name, "Count": count, "Sum": histogram.sum(), "Mean": mean,
                            "Labels": as_object(labels),
                        }));
                    }
                }
            }
        }
        json!({
            "Timestamp": now.to_rfc3339(),
            "Gauges": gauges,
            "Points": [],
            "Counters": counters,
            "Samples": samples,
        })
    }
}

fn as_object(labels: &Labels) -> Value {
    Value::Object(labels.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect::<Map<_, _>>())
}

fn line(out: &mut String, name: &str, suffix: &str, labels: &Labels, le: Option<&str>, value: f64) {
    out.push_str(name);
    out.push_str(suffix);
    let pairs = labels.iter().map(|(name, value)| (*name, value.as_str())).chain(le.map(|le| ("le", le)));
    let mut open = '{';
    for (name, value) in pairs {
        let _ = write!(out, "{open}{name}=\"");
        for character in value.chars() {
            match character {
                '"' | '\\' => out.extend(['\\', character]),
                '\n' => out.push_str("\\n"),
                other => out.push(other),
            }
        }
        out.push('"');
        open = ',';
    }
    if open == ',' {
        out.push('}');
    }
    let _ = writeln!(out, " {value}");
}

#[cfg(test)]
mod tests {
    use super::{Exposition, Family, Kind};
    use crate::metrics::histogram::Histogram;
    use engine::Timestamp;
    use serde_json::json;

    fn exposition() -> Exposition {
        let mut all = Exposition::default();
        all.counter("a_total", "Counts.", 3);
        let mut gauge = Family::new("b", Kind::Gauge, "Shows.");
        gauge.number(vec![("mount", "a\"b\\c\nd".to_owned())], 0.5);
        all.add(gauge);
        let mut histogram = Histogram::new(&[0.1, 1.0]);
        [0.05, 0.5, 5.0].into_iter().for_each(|value| histogram.add(value));
        let mut family = Family::new("c_seconds", Kind::Histogram, "Takes.");
        family.histogram(vec![("operation", "read".to_owned())], histogram);
        all.add(family);
        all
    }

    #[test]
    fn the_text_is_what_prometheus_reads() {
        let expected = "\
# HELP a_total Counts.
# TYPE a_total counter
a_total 3
# HELP b Shows.
# TYPE b gauge
b{mount=\"a\\\"b\\\\c\\nd\"} 0.5
# HELP c_seconds Takes.
# TYPE c_seconds histogram
c_seconds_bucket{operation=\"read\",le=\"0.1\"} 1
c_seconds_bucket{operation=\"read\",le=\"1\"} 2
c_seconds_bucket{operation=\"read\",le=\"+Inf\"} 3
c_seconds_sum{operation=\"read\"} 5.55
c_seconds_count{operation=\"read\"} 3
";
        assert_eq!(exposition().text(), expected);
    }

    #[test]
    fn the_json_has_upstreams_lists() {
        let json = exposition().json(Timestamp::from_nanoseconds(0));
        assert_eq!(json["Counters"], json!([{ "Name": "a_total", "Count": 3.0, "Sum": 3.0, "Labels": {} }]));
        assert_eq!(json["Gauges"][0]["Value"], json!(0.5));
        assert_eq!(json["Samples"][0]["Count"], json!(3));
        assert_eq!(json["Samples"][0]["Labels"], json!({ "operation": "read" }));
    }
}
