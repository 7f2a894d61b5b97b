//! Parses as much `PromQL` as is needed to find the metrics and labels in it; Prometheus itself validates the rest.

use crate::support::openapi;
use auth_types::responses::TokenTransport;
use std::collections::{BTreeMap, BTreeSet};

type Labels = BTreeMap<String, BTreeSet<String>>;

/// The labels that Prometheus itself adds to every series.
const OF_THE_TARGET: [&str; 2] = ["job", "instance"];

/// The metrics that the API exports.
pub struct Exported {
    /// The kind of each family.
    families: BTreeMap<String, String>,
    /// The labels of each series, and their values.
    series: BTreeMap<String, Labels>,
}

impl Exported {
    /// Parses a response of `/metrics`.
    pub fn read(text: &str) -> Self {
        let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
        let families = kinds.map(|(name, kind)| (name.to_owned(), kind.to_owned())).collect();
        let mut series: BTreeMap<String, Labels> = BTreeMap::new();
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            for Selector { name, matchers } in selectors(line) {
                let labels = series.entry(name).or_default();
                for (label, _, value) in matchers {
                    labels.entry(label).or_default().insert(value);
                }
            }
        }
        let routes = routes();
        for labels in series.values_mut() {
            labels.entry("route".to_owned()).and_modify(|known| known.extend(routes.clone()));
        }
        Self { families, series }
    }

    /// The names without the suffixes of their kind.
    pub fn families(&self) -> impl Iterator<Item = &str> {
        self.families.keys().map(String::as_str)
    }

    /// Panics if `expression` uses a metric, a label or a value that is never exported.
    #[track_caller]
    pub fn check(&self, expression: &str) {
        for Selector { name, matchers } in selectors(expression).into_iter().filter(|selector| selector.name != "up") {
            let labels = self.series.get(&name).unwrap_or_else(|| panic!("no metric is named {name}: {expression}"));
            for (label, is_pattern, value) in matchers {
                if OF_THE_TARGET.contains(&label.as_str()) {
                    continue;
                }
                let known = labels.get(&label).unwrap_or_else(|| panic!("{name} has no label {label}: {expression}"));
                let words = value.split(if is_pattern { "|" } else { "\n" });
                for word in words.filter(|_| label != "status") {
                    assert!(known.contains(word), "no {label} of {name} is {word}: {expression}");
                }
            }
            for label in grouping(expression) {
                let known = labels.contains_key(&label) || OF_THE_TARGET.contains(&label.as_str());
                assert!(known || expression.contains("ignoring"), "{name} has no label {label}: {expression}");
            }
        }
    }
}

/// All routes, as the `route` label has them.
fn routes() -> BTreeSet<String> {
    let document = openapi(TokenTransport::Body);
    let paths = document["paths"].as_object().unwrap();
    paths.keys().map(|path| path.trim_end_matches('/').to_owned()).collect()
}

/// `name{label="value", label=~"pattern"}`; each matcher is the label, whether it is a pattern, and the value.
struct Selector {
    name: String,
    matchers: Vec<(String, bool, String)>,
}

/// The names of the API's metrics in an expression.
pub fn names_in(expression: &str) -> Vec<String> {
    selectors(expression).into_iter().map(|selector| selector.name).collect()
}

fn selectors(expression: &str) -> Vec<Selector> {
    let mut found = Vec::new();
    let mut rest = expression;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '"') {
        rest = &rest[start..];
        if let Some(text) = rest.strip_prefix('"') {
            rest = text.split_once('"').map_or("", |(_, after)| after);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        rest = after;
        if name == "up" || ["latchkey_", "process_"].iter().any(|prefix| name.starts_with(prefix)) {
            let inside = after.strip_prefix('{').and_then(up_to_the_brace);
            rest = inside.map_or(after, |(_, after)| after);
            let matchers = inside.map(|(inside, _)| matchers(inside)).unwrap_or_default();
            found.push(Selector { name: name.to_owned(), matchers });
        }
    }
    found
}

/// Splits at the closing brace. A route may contain braces, inside quotes.
fn up_to_the_brace(text: &str) -> Option<(&str, &str)> {
    let end = text.match_indices('}').find(|(at, _)| text[..*at].matches('"').count().is_multiple_of(2))?.0;
    Some((&text[..end], &text[end + 1..]))
}

/// Splits at quotes, because no value of the API's metrics contains one.
fn matchers(inside: &str) -> Vec<(String, bool, String)> {
    let parts: Vec<_> = inside.split('"').collect();
    let pairs = parts.chunks_exact(2).map(|pair| {
        let operator = pair[0].trim_start_matches([',', ' ', '\n']);
        let label = operator.trim_end_matches(['=', '!', '~']);
        (label.to_owned(), operator.ends_with('~'), pair[1].to_owned())
    });
    pairs.collect()
}

/// The labels in `by (…)`.
fn grouping(expression: &str) -> impl Iterator<Item = String> {
    let groups = expression.split("by (").skip(1).filter_map(|rest| rest.split_once(')'));
    groups.flat_map(|(labels, _)| labels.split(", ")).map(str::to_owned)
}
