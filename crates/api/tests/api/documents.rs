//! Documentation is checked like code: what it points to exists, what it lists is what the program knows.

use api::config::{Settings, Variables};
use api::metrics::{Metrics, Snapshot};
use api::service::limits::{Budget, Per};
use auth_types::Reason;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The targets of Markdown links, `[words](target)`.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next())
}

#[test]
fn every_link_of_the_documents_leads_somewhere() {
    let mut followed = 0;
    let in_docs = std::fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let documents = in_docs.filter(|path| path.extension().is_some_and(|extension| extension == "md"));
    for document in documents.chain([root().join("README.md")]) {
        let (text, folder) = (std::fs::read_to_string(&document).unwrap(), document.parent().unwrap());
        let document = document.display();
        for link in links(&text).filter(|link| !link.is_empty() && !link.starts_with("http")) {
            assert!(folder.join(link).exists(), "{document} points to {link}, which is not there");
            followed += 1;
        }
    }
    assert!(followed > 20, "only {followed} links were found");
}

#[test]
fn the_commands_of_the_readme_are_there() {
    for line in read("README.md").lines().filter_map(|line| line.strip_prefix("    ./")) {
        let command = line.split_whitespace().next().unwrap();
        assert!(root().join(command).is_file(), "README.md says {command}, which is not there");
    }
}

/// Names of variables in `.env.example`, set or commented out.
fn example_variables() -> BTreeSet<String> {
    let example = read(".env.example");
    let names = example.lines().filter_map(|line| line.trim_start_matches('#').split_once('='));
    names.map(|(name, _)| name.to_owned()).filter(|name| !name.is_empty() && !name.contains(' ')).collect()
}

/// Names in upper case between quotes in the code that reads the configuration.
fn read_variables() -> BTreeSet<String> {
    let folder = root().join("crates/api/src/config");
    let files = std::fs::read_dir(folder).unwrap().map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap());
    let quoted = |text: String| text.split('"').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let is_name = |word: &String| {
        word.len() > 3
            && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
            && word.chars().any(char::is_alphabetic)
    };
    files.flat_map(quoted).filter(is_name).collect()
}

#[test]
fn the_example_of_a_configuration_names_what_the_program_reads() {
    let mut known = read_variables();
    // Spellings of the old service, which the example mentions in words; and what is for load tests only.
    for other in ["DJANGO_ENV", "DJANGO_SECRET_KEY", "RATE_LIMITS"] {
        assert!(known.remove(other), "{other} is not read");
    }
    // Read by the client's build.
    known.insert("API_BASE_URL".to_owned());
    assert_eq!(example_variables(), known);
}

#[test]
fn the_example_of_a_configuration_is_one() {
    let example = read(".env.example");
    let assignments = example.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
    let mut variables = Variables::default().with("SECRET_KEY", "any");
    for (name, value) in assignments.filter(|(name, value)| !value.is_empty() && !name.contains(' ')) {
        if !name.starts_with("DB_") && name != "API_BASE_URL" {
            variables = variables.with(name, value);
        }
    }
    Settings::from_variables(variables).unwrap();
}

/// The cells of the first table of a document, row by row, without its head.
fn table(document: &str) -> Vec<Vec<String>> {
    let text = read(document);
    let rows = text.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.skip(2).map(cells).collect()
}

#[test]
fn the_table_of_limits_is_the_codes() {
    let told: Vec<_> = table("docs/LIMITS.md")
        .into_iter()
        .map(|row| [&row[0], &row[2], &row[3], &row[4]].map(String::clone))
        .collect();
    let known = Budget::ALL.iter().map(|budget| {
        let rule = budget.rule();
        let by = match rule.per {
            Per::Client => "client",
            Per::Name => "name",
            Per::NameAndNetwork => "name and network",
            Per::User => "user",
            Per::Session => "session",
        };
        let window = match rule.window.num_minutes() {
            minutes @ 0..60 => format!("{minutes} min"),
            minutes => format!("{} h", minutes / 60),
        };
        [format!("`{}`", rule.name), by.to_owned(), rule.amount.to_string(), window]
    });
    assert_eq!(told, known.collect::<Vec<_>>());
}

#[test]
fn the_table_of_metrics_is_the_codes() {
    let told: BTreeSet<_> =
        table("docs/METRICS.md").into_iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    let metrics = Metrics::default();
    // What has no value yet is not told.
    metrics.answer("GET", "/healthz", 200, 0.001);
    metrics.fail("unmatched", Reason::NotFound);
    metrics.sign_in("succeeded");
    metrics.refresh("rotated");
    let text = metrics.render(&Snapshot::default()).unwrap();
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let known = kinds.map(|(name, kind)| match kind {
        "counter" => format!("{name}_total"),
        "info" => format!("{name}_info"),
        _ => name.to_owned(),
    });
    assert_eq!(told, known.collect());
}
