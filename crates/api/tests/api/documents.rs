//! Documentation is tested like code: its commands exist, and its tables match the program.

use crate::support::document::Document;
use crate::support::{Database, TestApp, bounds};
use api::cli::check::RULES;
use api::cli::smoke::every_check;
use api::config::{Preset, Settings, Variables, document, variables};
use api::http::RequestBudgets;
use api::service::limits::{Budget, Per};
use api::service::upkeep::measure::measure;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_commands_for_newcomers_exist() {
    for document in ["README.md", "docs/start/running.md"] {
        let text = read(document);
        let commands = text.lines().filter_map(|line| line.strip_prefix("    ./")?.split_whitespace().next());
        let commands: Vec<_> = commands.collect();
        assert!(!commands.is_empty(), "{document} has no command");
        for command in commands {
            assert!(root().join(command).is_file(), "{document} names {command}, which does not exist");
        }
    }
}

/// The examples of a refusal and of a comment are taken from the code.
#[test]
fn the_examples_of_the_house_rules_are_in_the_code() {
    let text = read("CONTRIBUTING.md");
    let examples: Vec<_> = text.split("```rust\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    let files = [("enum", "crates/api/src/service/passwords/change.rs"), ("// ", "crates/api/src/names/email.rs")];
    for (number, (part, file)) in files.into_iter().enumerate() {
        let example = examples[number];
        assert!(example.contains(part) && read(file).contains(example), "{file} does not have:\n{example}");
    }
}

/// A term that nothing uses does not belong in the glossary, and a term has one meaning.
#[test]
fn every_term_of_the_glossary_is_defined_once_and_used() {
    const GLOSSARY: &str = "docs/GLOSSARY.md";
    let terms: Vec<_> = rows(GLOSSARY).into_iter().map(|row| row[0].to_lowercase().replace('-', " ")).collect();
    assert!(terms.len() > 30 && terms.is_sorted_by(|one, next| one < next), "not in order: {terms:?}");
    let documents =
        Document::all().into_iter().filter(|document| document.name != GLOSSARY).map(|document| document.text);
    let folders = ["crates/api/src", "crates/auth-types/src", "crates/client/src"].map(|folder| root().join(folder));
    let code = folders.iter().flat_map(|folder| sources(folder)).map(|path| std::fs::read_to_string(path).unwrap());
    let text = documents.chain(code).collect::<String>().to_lowercase().replace(['-', '\n'], " ");
    let words: BTreeSet<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let is_used = |term: &String| {
        let term = term.replace('-', " ");
        if term.contains(' ') { text.contains(&term) } else { words.contains(term.as_str()) }
    };
    let unused: Vec<_> = terms.iter().filter(|term| !is_used(term)).collect();
    assert!(unused.is_empty(), "nothing uses {unused:?}");
    assert!(
        read("docs/start/architecture.md").contains("(../GLOSSARY.md)"),
        "the architecture does not link the glossary"
    );
}

/// If one differs, the command in the message writes it again.
#[test]
fn the_documents_of_the_variables_match_the_declarations() {
    let fix = "is not what the declarations say: run scripts/configuration";
    assert!(
        read("docs/reference/configuration.md").contains(&format!("\n\n{}\n", document::tables())),
        "the document {fix}"
    );
    assert_eq!(read(".env.example"), document::example(), ".env.example {fix}");
}

/// `.env.example` shows the first sentence alone.
#[test]
fn a_variable_is_described_in_sentences() {
    for row in variables() {
        let first = row.text.chars().next().unwrap();
        assert!(!first.is_lowercase() && row.text.ends_with('.') && !row.text.contains('|'), "{}", row.name);
    }
    let long = document::example().lines().find(|line| line.len() > 120).map(str::to_owned);
    assert_eq!(long, None, "a line that is hard to read");
}

/// For a variable of the API no test is needed: without a use its declaration would be dead code.
#[test]
fn the_clients_build_reads_what_is_declared_for_it() {
    let build = read("crates/client/build.rs");
    let row = variables().find(|row| row.name == "API_BASE_URL").unwrap();
    for text in row.names().map(str::to_owned).chain([row.default.to_string()]) {
        assert!(build.contains(&format!("\"{text}\"")), "crates/client/build.rs does not know {text}");
    }
}

/// The rows of the first table of a document after its head, each as its cells.
fn rows(document: &str) -> Vec<Vec<String>> {
    rows_of_table(&read(document))
}

/// The same for the first table below this heading.
fn rows_below(document: &str, heading: &str) -> Vec<Vec<String>> {
    let text = read(document);
    let (_, below) = text.split_once(heading).unwrap_or_else(|| panic!("{document} has no {heading:?}"));
    rows_of_table(below)
}

fn rows_of_table(text: &str) -> Vec<Vec<String>> {
    let lines = text.lines().skip_while(|line| !line.starts_with("| --- ")).skip(1);
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    lines.take_while(|line| line.starts_with('|')).map(cells).collect()
}

/// The texts between backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Setting a variable to its documented default changes nothing, in development and in production.
#[test]
fn the_documented_defaults_match_the_code() {
    let mut compared = 0;
    for row in variables().filter(|row| row.name != "API_BASE_URL") {
        let in_production = row.in_production.unwrap_or(row.default);
        for (environment, default) in [("development", row.default), ("production", in_production)] {
            if default == Preset::Nothing {
                continue;
            }
            let start = Variables::default().with("SECRET_KEY", "0123456789abcdef0123456789abcdef");
            let start = if row.name == "APP_ENV" { start } else { start.with("APP_ENV", environment) };
            let printed = |variables| format!("{:?}", Settings::from_variables(variables).unwrap());
            let given = start.clone().with(row.name, default.to_string());
            assert_eq!(printed(given), printed(start), "{} in {environment}", row.name);
            compared += 1;
        }
    }
    assert!(compared > 30, "only {compared} defaults were found");
}

#[test]
fn the_table_of_checks_matches_the_code() {
    let documented: Vec<_> = rows("docs/operations/checks.md")
        .iter()
        .map(|row| format!("{} {} {}", quoted(&row[0])[0], row[1], row[4]))
        .collect();
    let known: Vec<_> = RULES.iter().map(|rule| format!("{} {} {}", rule.id, rule.severity, rule.remedy)).collect();
    assert_eq!(documented, known);
}

#[test]
fn the_table_of_smoke_checks_matches_the_code() {
    // The first table is that of the exit codes.
    let text = read("docs/operations/smoke.md");
    let documented: Vec<_> = text
        .lines()
        .skip_while(|line| !line.starts_with("| check "))
        .skip(2)
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>())
        .map(|row| (quoted(row[0])[0].to_owned(), quoted(row[1]).join(","), row[3].to_owned()))
        .collect();
    let known = every_check().map(|check| (check.id.to_owned(), check.needs.join(","), check.fix.to_owned()));
    assert_eq!(documented, known.collect::<Vec<_>>());
}

/// Otherwise a check that needs a misspelt one would always be skipped.
#[test]
fn a_smoke_check_needs_what_comes_before_it() {
    let ids: Vec<_> = every_check().map(|check| check.id).collect();
    for (at, check) in every_check().enumerate() {
        for need in check.needs {
            assert!(ids[..at].contains(need), "{} needs {need}", check.id);
        }
    }
}

#[test]
fn the_example_configuration_is_valid() {
    let example = read(".env.example");
    let assignments = example.lines().filter_map(|line| line.strip_prefix('#')?.split_once('='));
    let mut variables = Variables::default().with("SECRET_KEY", "any");
    for (name, value) in assignments.filter(|(name, value)| !value.is_empty() && !name.contains(' ')) {
        if !name.starts_with("DB_") {
            variables = variables.with(name, value);
        }
    }
    Settings::from_variables(variables).unwrap();
}

#[test]
fn the_table_of_limits_matches_the_code() {
    let documented: Vec<_> = rows("docs/reference/limits.md")
        .into_iter()
        .map(|row| [row[0].clone(), row[2].clone(), row[3].replace(',', ""), row[4].clone()])
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
        [format!("`{}`", rule.name), by.to_owned(), rule.quota.to_string(), window]
    });
    assert_eq!(documented, known.collect::<Vec<_>>());
}

#[test]
fn the_table_of_routes_and_what_they_take_matches_the_code() {
    let documented: Vec<_> = rows_below("docs/reference/limits.md", "## Which route charges what")
        .into_iter()
        .map(|row| row.join(" | "))
        .collect();
    let known = bounds().into_iter().map(|(route, bounds)| {
        let requests = match bounds.requests {
            RequestBudgets::Uncounted => "none",
            RequestBudgets::Client => "client",
            RequestBudgets::Token => "client, token",
            RequestBudgets::Caller => "client, caller",
        };
        let budgets: Vec<_> = bounds.budgets.iter().map(|budget| format!("`{}`", budget.rule().name)).collect();
        let resources: Vec<_> = bounds.resources.iter().map(|resource| resource.name()).collect();
        format!("`{route}` | {requests} | {} | {}", budgets.join(", "), resources.join(", "))
    });
    assert_eq!(documented, known.collect::<Vec<_>>());
}

#[actix_web::test]
async fn the_table_of_metrics_matches_the_code() {
    let documented: BTreeSet<_> =
        rows("docs/reference/metrics.md").into_iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    let app = TestApp::builder(Database::Sqlite).start().await;
    // A metric without a value is not rendered: this gives one to those of requests, of failures, and to the measured ones.
    assert_eq!(app.get("/nowhere").await.status, 404);
    measure(app.services());
    let text = app.services().metrics.render().unwrap();
    let kinds = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let known = kinds.map(|(name, kind)| match kind {
        "counter" => format!("{name}_total"),
        "info" => format!("{name}_info"),
        _ => name.to_owned(),
    });
    assert_eq!(documented, known.collect());
}

/// The Rust files of a folder and its folders.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}

/// `level!(field = value; "name: words` as "name level field", where the documents write `ID` for a part that varies.
fn messages(source: &str) -> Vec<String> {
    let calls = source.split("log::").skip(1).filter_map(|rest| rest.split_once("!("));
    let calls = calls.filter(|(level, _)| level.chars().all(|c| c.is_ascii_lowercase()));
    let found = calls.filter_map(|(level, rest)| {
        let (before, words) = rest.split_once('"')?;
        let fields = before.split(',').filter_map(|pair| Some(pair.split_once('=')?.0.trim()));
        let name = words.split(':').next()?.replace("{}", "ID");
        Some(format!("{name} {level} {}", fields.collect::<Vec<_>>().join(" ")))
    });
    found.collect()
}

#[test]
fn the_table_of_log_messages_matches_the_code() {
    let source = root().join("crates/api/src");
    // The messages of a product's features are not in this table.
    let is_latchkeys = |path: &PathBuf| !path.starts_with(source.join("bin"));
    let files = sources(&source).into_iter().filter(is_latchkeys);
    let logged: BTreeSet<_> = files.flat_map(|path| messages(&std::fs::read_to_string(path).unwrap())).collect();
    let rows = rows_below("docs/reference/logs.md", "## Messages");
    let documented = rows.iter().map(|row| format!("{} {} {}", quoted(&row[0])[0], row[1], quoted(&row[2]).join(" ")));
    assert_eq!(documented.collect::<BTreeSet<_>>(), logged);
}

/// Users report the words that a page shows, and operators look for them here.
#[test]
fn the_messages_in_the_first_table_of_troubleshooting_exist() {
    const DOCUMENT: &str = "docs/operations/troubleshooting.md";
    let text = read(DOCUMENT);
    let (_, sections) = text.split_once("\n## ").unwrap();
    let client = sources(&root().join("crates/client/src"));
    let client: String = client.into_iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let rows = rows(DOCUMENT);
    let messages: Vec<_> = rows.iter().flat_map(|row| row[0].split('"').skip(1).step_by(2)).collect();
    assert!(messages.len() > 10, "{messages:?}");
    for message in messages {
        assert!(client.contains(message) || sections.contains(message), "nothing shows {message:?}");
    }
}

/// The message of a failed build can be found in the documents.
#[test]
fn the_error_of_the_clients_build_is_in_the_document() {
    let script = read("crates/client/post-build.js");
    let messages = script.lines().filter_map(|line| line.trim().strip_prefix("console.error(`")?.split_once(" ${"));
    let messages: Vec<_> = messages.map(|(words, _)| words).collect();
    assert_eq!(messages, ["error: browsers with Trusted Types would not show"]);
    assert!(read("docs/operations/troubleshooting.md").contains(messages[0]));
}
