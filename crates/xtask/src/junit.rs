//! Reads the little of JUnit's XML that pytest writes and we need: which test had which result.

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It passed.
    Passed,
    /// It failed, or could not be set up.
    Failed,
    /// The suite did not run it.
    Skipped,
}

/// One test.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// `class::name`.
    pub(crate) id: String,
    /// What came of it.
    pub(crate) verdict: Verdict,
    /// The message of its failure.
    pub(crate) message: String,
}

/// All cases of a report.
pub(crate) fn cases(xml: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for part in xml.split("<testcase ").skip(1) {
        let part = part.split("</testcase>").next().unwrap_or_default();
        let id = format!("{}::{}", attribute(part, "classname"), attribute(part, "name"));
        let failure = part.find("<failure").or_else(|| part.find("<error"));
        let (verdict, message) = match failure {
            Some(at) => (Verdict::Failed, attribute(part.get(at..).unwrap_or_default(), "message")),
            None if part.contains("<skipped") => (Verdict::Skipped, String::new()),
            None => (Verdict::Passed, String::new()),
        };
        cases.push(Case { id, verdict, message });
    }
    cases
}

fn attribute(text: &str, name: &str) -> String {
    let mark = format!("{name}=\"");
    let at = if text.starts_with(&mark) { Some(0) } else { text.find(&format!(" {mark}")).map(|at| at + 1) };
    let value =
        at.and_then(|at| text.get(at + mark.len()..)).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    let plain = value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&#10;", "\n");
    plain.replace("&apos;", "'").replace("&amp;", "&")
}

#[cfg(test)]
mod tests;
