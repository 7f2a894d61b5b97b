//! Every command of the documents is run, section by section, against a deployment of the section's own; and what a
//! document shows of an answer is what came.
//!
//! In a document, a block `sh` is run as it stands, and one of `sql` for PostgreSQL by `psql`. In the environment are the
//! variables of the service, and what the documents name besides: `API_URL`, `API_URL_IN_CLEAR`, `WEB_URL`, `EMAIL`,
//! `PASSWORD`, and `NEW_DATABASE_URL`, an empty database. A block `text` right after them is what they print, a block `log`
//! a line of the API's log.

mod stage;

use crate::support::document::{Document, Section};
use crate::support::shell::{self, fits};
use stage::Stage;

/// Blocks that are checked elsewhere: what a browser shows by its own tests, statements for SQLite by `hardening`, the steps that
/// lead to a feature by `scripts/extending`.
const ELSEWHERE: [(&str, &str); 6] = [
    ("docs/EXTENDING.md", "sh"),
    ("docs/EXTENDING.md", "diff"),
    ("docs/operations/runbook.md", "sql"),
    ("docs/reference/security.md", "sql"),
    ("docs/operations/troubleshooting.md", "console"),
    ("docs/operations/troubleshooting.md", "page"),
];

/// Runs a section's commands and compares what they said; `Err` is for whoever has to mend the document.
async fn play(section: &Section) -> Result<(), String> {
    let commands = section.commands();
    if commands.is_empty() {
        return Ok(());
    }
    let stage = Stage::set(&section.variables).await;
    let said = shell::run(&commands, stage.folder(), stage.variables()).await?;
    for pair in section.blocks.windows(2).filter(|pair| pair[1].language == "text") {
        let said = said.iter().find(|said| said.line == pair[0].line).unwrap();
        if !fits(&pair[1].text, &said.output) {
            return Err(format!("the block at line {} is not what came:\n{}", pair[1].line, said.output));
        }
    }
    for line in section.blocks.iter().filter(|block| block.language == "log") {
        // What came before the answers is there; the log's own thread may take a moment.
        stage.api.live_log().wait_for_line(&line.text, |logged| fits(&line.text, logged));
    }
    Ok(())
}

/// Runs all sections; what is wrong with each is told at once.
async fn play_all(document: &Document) {
    let mut failures = Vec::new();
    for section in document.sections() {
        if let Err(failure) = play(&section).await {
            failures.push(format!("{}, {:?}: {failure}", document.name, section.title));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

macro_rules! run_the_commands_of {
    ($($test:ident: $document:literal),+ $(,)?) => {
        $(#[actix_web::test] async fn $test() { play_all(&Document::read($document)).await; })+

        const RUN: &[&str] = &[$($document),+];
    };
}

// In the order of their paths.
run_the_commands_of! {
    deployment: "docs/guides/deployment.md",
    keys: "docs/guides/keys.md",
    backups: "docs/operations/backups.md",
    checks: "docs/operations/checks.md",
    runbook: "docs/operations/runbook.md",
    smoke: "docs/operations/smoke.md",
    troubleshooting: "docs/operations/troubleshooting.md",
    configuration: "docs/reference/configuration.md",
    security: "docs/reference/security.md",
}

#[test]
fn every_document_with_commands_is_run() {
    let is_run_here = |document: &Document| !ELSEWHERE.contains(&(&document.name, "sh"));
    let has_commands = |document: &Document| document.sections().iter().any(|section| !section.commands().is_empty());
    let with_commands: Vec<_> =
        Document::all().into_iter().filter(is_run_here).filter(has_commands).map(|document| document.name).collect();
    assert_eq!(with_commands, RUN);
}

#[test]
fn every_block_of_every_document_is_checked() {
    for document in Document::all() {
        for section in document.sections() {
            let mut before = "";
            for block in &section.blocks {
                let language = block.language.as_str();
                let checked = match language {
                    "log" => true,
                    "text" => before == "sh",
                    _ => block.command().is_some() || ELSEWHERE.contains(&(&document.name, language)),
                };
                assert!(checked, "{}, line {}: nobody checks this block ({language})", document.name, block.line);
                before = language;
            }
        }
    }
}
