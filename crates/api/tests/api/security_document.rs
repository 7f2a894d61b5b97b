//! `docs/reference/security.md` and `asvs.md` are checked like code: every test and file that they name exists, every threat
//! has a test or a reason for having none, and every requirement of OWASP ASVS 5.0, levels 1 and 2, has one row.

use crate::support::document::Document;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The standard: a line a chapter, in it the sections; for each, the number of its requirements and those for level 3
/// only, which the document may leave out.
const CHAPTERS: [&[(u32, &[u32])]; 17] = [
    &[(2, &[]), (10, &[10]), (12, &[12]), (3, &[]), (3, &[3])],
    &[(3, &[]), (3, &[]), (5, &[5]), (2, &[2])],
    &[(1, &[1]), (3, &[3]), (5, &[5]), (8, &[7, 8]), (8, &[6, 7, 8]), (1, &[1]), (5, &[3, 4, 5])],
    &[(5, &[4, 5]), (5, &[2, 3, 4, 5]), (2, &[]), (4, &[])],
    &[(1, &[]), (6, &[4, 5, 6]), (3, &[3]), (3, &[])],
    &[(3, &[]), (12, &[]), (8, &[5, 6, 7, 8]), (6, &[5, 6]), (8, &[6, 7, 8]), (4, &[4]), (2, &[1, 2]), (4, &[])],
    &[(3, &[]), (4, &[]), (2, &[]), (5, &[]), (3, &[3]), (2, &[])],
    &[(4, &[3, 4]), (4, &[4]), (3, &[2, 3]), (2, &[2])],
    &[(3, &[]), (4, &[])],
    &[(2, &[]), (3, &[3]), (5, &[5]), (16, &[12, 13, 14, 15, 16]), (5, &[]), (2, &[]), (3, &[])],
    &[(4, &[3, 4]), (5, &[4, 5]), (5, &[4, 5]), (4, &[]), (2, &[2]), (2, &[2]), (2, &[1, 2])],
    &[(5, &[4, 5]), (2, &[]), (5, &[5])],
    &[(4, &[2, 3, 4]), (6, &[6]), (4, &[3, 4]), (7, &[6, 7])],
    &[(2, &[]), (8, &[5, 6, 7, 8]), (3, &[])],
    &[(5, &[4, 5]), (5, &[4, 5]), (7, &[]), (4, &[1, 2, 3, 4])],
    &[(1, &[]), (5, &[]), (4, &[]), (3, &[]), (4, &[4])],
    &[(2, &[2]), (8, &[5, 6, 7, 8]), (2, &[])],
];

/// How a cell without a test begins.
const DOES_NOT_APPLY: &str = "Does not apply:";
const OPERATOR: &str = "Operator:";
const OPEN: &str = "Open:";
const NO_TEST: &str = "No test:";

/// Where the paths in the document start.
const ROOTS: [&str; 6] =
    ["crates/api", "crates/client", "crates/auth-types", "crates/api/src", "crates/client/src", "."];

/// Chapter, section, number: `V6.2.11` is (6, 2, 11), in the standard's own order.
type Id = (u32, u32, u32);

fn find(path: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    ROOTS.iter().map(|folder| root.join(folder).join(path)).find(|found| found.exists())
}

fn security() -> String {
    Document::read("docs/reference/security.md").text
}

fn asvs() -> String {
    Document::read("docs/reference/asvs.md").text
}

/// The text under a heading of the second level.
fn part<'a>(document: &'a str, heading: &str) -> &'a str {
    let start =
        document.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("the part {heading:?} is missing"));
    let text = &document[start + 1..];
    &text[..text.find("\n## ").unwrap_or(text.len())]
}

/// The rows of the tables in `text`, without their heads.
fn rows(text: &str) -> Vec<Vec<&str>> {
    let mut rows = Vec::new();
    let mut in_body = false;
    for line in text.lines() {
        in_body = line.starts_with('|') && (in_body || line.starts_with("| ---"));
        if in_body && !line.starts_with("| ---") {
            rows.push(line.trim_matches('|').split('|').map(str::trim).collect());
        }
    }
    rows
}

/// The texts between backticks.
fn spans(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A file and a test in it, `path: name`.
fn named_tests(text: &str) -> Vec<(&str, &str)> {
    let split = |span: &'_ str| -> Option<(usize, usize)> {
        [".rs: ", ".js: "].iter().find_map(|mark| span.find(mark).map(|at| (at + 3, at + mark.len())))
    };
    spans(text).filter_map(|span| split(span).map(|(end, start)| (&span[..end], &span[start..]))).collect()
}

/// Files that are named without a test in them.
fn named_files(text: &str) -> Vec<&str> {
    let extensions = [".rs", ".js", ".toml", ".lock", ".md", ".json", ".yml", ".html"];
    let is_file = |span: &&str| {
        !span.contains([' ', '{', '*'])
            && (extensions.iter().any(|extension| span.ends_with(extension)) || span.starts_with("scripts/"))
    };
    spans(text).filter(is_file).collect()
}

/// The functions that the test harness runs.
fn rust_tests(source: &str) -> BTreeSet<String> {
    let lists = source.split("on_both_databases![").skip(1).filter_map(|rest| rest.split(']').next());
    let mut tests: BTreeSet<String> =
        lists.flat_map(|list| list.split(',')).map(|name| name.trim().to_owned()).collect();
    let mut announced = false;
    for line in source.lines().map(str::trim) {
        announced |= line.starts_with("#[") && line.ends_with("test]");
        if let Some((_, rest)) = line.split_once("fn ").filter(|_| announced) {
            tests.extend(rest.split('(').next().map(str::to_owned));
            announced = false;
        }
    }
    tests
}

/// The stories' titles; what a template fills in is written `…`, and backticks are left out.
fn story_titles(source: &str) -> BTreeSet<String> {
    source.split("test(").skip(1).filter_map(title).collect()
}

fn title(call: &str) -> Option<String> {
    let quote = call.chars().next().filter(|c| "\"'`".contains(*c))?;
    let text = call[1..].replace("\\`", "");
    let mut pieces = text.split(quote).next()?.split("${");
    let first = pieces.next()?.to_owned();
    let fill = |title, piece: &str| format!("{title}…{}", piece.split_once('}').map_or("", |(_, rest)| rest));
    Some(pieces.fold(first, fill))
}

fn exists(path: &str, test: &str) -> bool {
    let Some(file) = find(path) else { return false };
    let source = std::fs::read_to_string(&file).unwrap();
    let is_rust = file.extension().is_some_and(|extension| extension == "rs");
    let tests = if is_rust { rust_tests(&source) } else { story_titles(&source) };
    tests.contains(test)
}

/// Whether a cell names a proof: a test, or a script that checks it.
fn proves(cell: &str) -> bool {
    !named_tests(cell).is_empty() || named_files(cell).iter().any(|file| file.starts_with("scripts/"))
}

fn begins_with_a_reason(cell: &str, words: &[&str]) -> bool {
    words.iter().any(|word| cell.strip_prefix(word).is_some_and(|reason| reason.trim().len() > 10))
}

/// The standard's ids, and whether each is for level 3 only.
fn standard() -> Vec<(Id, bool)> {
    let mut ids = Vec::new();
    for (chapter, sections) in (1..).zip(CHAPTERS) {
        for (section, (count, level_3)) in (1..).zip(sections) {
            ids.extend((1..=*count).map(|number| ((chapter, section, number), level_3.contains(&number))));
        }
    }
    ids
}

/// The ids that a row covers: `V6.2.1`, `V1.2.6–V1.2.8`, a whole section `V4.3`, a whole chapter `V17`.
fn ids(cell: &str) -> Vec<Id> {
    let numbers = |id: &str| -> Vec<u32> {
        let id = id.strip_prefix('V').unwrap_or_else(|| panic!("{cell:?} is no id"));
        id.split('.').map(|part| part.parse().unwrap_or_else(|_| panic!("{cell:?} is no id"))).collect()
    };
    let (first, last) = cell.split_once('–').unwrap_or((cell, cell));
    let (first, last) = (numbers(first), numbers(last));
    let whole: Vec<Id> = standard().into_iter().map(|(id, _)| id).collect();
    let starts_with = |id: &Id, start: &[u32]| [id.0, id.1, id.2].starts_with(start);
    let position = |found: Option<usize>| found.unwrap_or_else(|| panic!("{cell:?} is not in the standard"));
    let from = position(whole.iter().position(|id| starts_with(id, &first)));
    let to = position(whole.iter().rposition(|id| starts_with(id, &last)));
    whole[from..=to].to_vec()
}

#[test]
fn every_test_that_is_named_exists() {
    let documents = security() + &asvs();
    let named = named_tests(&documents);
    assert!(named.len() > 150, "only {} tests are named", named.len());
    let missing: Vec<_> = named.into_iter().filter(|(path, test)| !exists(path, test)).collect();
    assert!(missing.is_empty(), "these tests do not exist:\n{missing:#?}");
}

#[test]
fn every_file_that_is_named_exists() {
    let documents = security() + &asvs();
    let missing: Vec<_> = named_files(&documents).into_iter().filter(|file| find(file).is_none()).collect();
    assert!(missing.is_empty(), "these files do not exist: {missing:#?}");
}

#[test]
fn every_threat_has_a_measure_and_a_test_or_a_reason() {
    let document = security();
    let threats = rows(part(&document, "Threats"));
    assert!(threats.len() > 80, "only {} threats are described", threats.len());
    for row in threats {
        let [threat, measure, test] = row[..] else { panic!("not three columns: {row:?}") };
        assert!(!threat.is_empty() && !measure.is_empty(), "{row:?}");
        assert!(proves(test) || begins_with_a_reason(test, &[NO_TEST]), "no test and no reason: {threat}");
    }
}

#[test]
fn every_requirement_has_one_row_in_the_order_of_the_standard() {
    let document = asvs();
    let rows = rows(&document);
    let covered: Vec<Id> = rows.iter().flat_map(|row| ids(row[0])).collect();
    for pair in covered.windows(2) {
        assert!(pair[0] < pair[1], "{:?} does not come after {:?}", pair[1], pair[0]);
    }
    let required = standard().into_iter().filter(|(_, level_3_only)| !level_3_only).map(|(id, _)| id);
    let missing: Vec<_> = required.filter(|id| !covered.contains(id)).collect();
    assert!(missing.is_empty(), "not covered: {missing:?}");
    for row in rows {
        let [id, requirement, evidence] = row[..] else { panic!("not three columns: {row:?}") };
        assert!(!requirement.is_empty(), "{id} does not name the requirement");
        let reason = begins_with_a_reason(evidence, &[DOES_NOT_APPLY, OPERATOR, OPEN]);
        assert!(proves(evidence) || reason, "{id} has neither a test nor a reason: {evidence}");
    }
}

#[test]
fn open_requirements_are_listed_at_the_top() {
    let document = asvs();
    let listed = document.lines().find_map(|line| line.strip_prefix("Open today: ")).unwrap_or_default();
    let listed: Vec<&str> = listed.trim_end_matches('.').split(", ").collect();
    let rows = rows(&document);
    let open: Vec<&str> = rows.iter().filter(|row| row[2].starts_with(OPEN)).map(|row| row[0]).collect();
    assert_eq!(listed, open);
}

#[test]
fn the_table_of_the_standard_is_complete() {
    let standard = standard();
    let level_3 = standard.iter().filter(|(_, level_3_only)| *level_3_only).count();
    assert_eq!((standard.len(), level_3), (345, 92));
    assert_eq!(ids("V6.2.3"), [(6, 2, 3)]);
    assert_eq!(ids("V1.1.2–V1.2.2"), [(1, 1, 2), (1, 2, 1), (1, 2, 2)]);
    assert_eq!((ids("V4.3").len(), ids("V17").len()), (2, 12));
}

#[test]
fn a_missing_name_is_detected() {
    let text =
        "| a | `service/sessions/refresh.rs`, `text/plain` | `tests/api/refresh.rs: no_such_test`, `scripts/test` |";
    assert_eq!(named_tests(text), [("tests/api/refresh.rs", "no_such_test")]);
    assert_eq!(named_files(text), ["service/sessions/refresh.rs", "scripts/test"]);
    assert!(!exists("tests/api/refresh.rs", "no_such_test") && !exists("tests/api/nowhere.rs", "a_test"));
    assert!(exists("tests/api/security_document.rs", "a_missing_name_is_detected"));
    let stories = "  test(`a \\`next\\` (${spelling}) stays`, async () => {});\ntest(\"one\", x);\ntest.setTimeout(1)";
    assert_eq!(story_titles(stories).into_iter().collect::<Vec<_>>(), ["a next (…) stays", "one"]);
    assert!(!proves("No test") && !begins_with_a_reason("Open:", &[OPEN]));
}
