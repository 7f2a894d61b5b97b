//! Every command in the documents is run, section by section, each section against its own deployment, and its output is
//! compared with what the document shows.
//!
//! In a document, an `sh` block is run unchanged, and an `sql` block for PostgreSQL is run by `psql`. The environment contains
//! the service's variables and those that the documents use: `API_URL`, `API_HTTP_URL`, `WEB_URL`, `EMAIL`, `PASSWORD`,
//! `NEW_DATABASE_URL`, an empty database, and `BACKUP`, the file of an encrypted backup, whose key is in `key.txt`. A `text`
//! block right after a command is its output, and a `log` block is a line of the API's log.

mod deployment;

use crate::support::document::{Document, Section};
use crate::support::shell::{self, fits};
use deployment::Deployment;

/// Blocks that are checked elsewhere: a browser's output by the browser tests, statements for SQLite by `hardening`, the steps
/// that add a feature by `scripts/extending`.
const ELSEWHERE: [(&str, &str); 6] = [
    ("docs/EXTENDING.md", "sh"),
    ("docs/EXTENDING.md", "diff"),
    ("docs/operations/runbook.md", "sql"),
    ("docs/reference/security.md", "sql"),
    ("docs/operations/troubleshooting.md", "console"),
    ("docs/operations/troubleshooting.md", "page"),
];

/// Runs a section's commands and compares their output; `Err` describes what to fix in the document.
async fn run_section(section: &Section) -> Result<(), String> {
    let commands = section.commands();
    if commands.is_empty() {
        return Ok(());
    }
    let deployment = Deployment::start(&section.variables).await;
    let outputs = shell::run(&commands, deployment.folder(), deployment.variables()).await?;
    for pair in section.blocks.windows(2).filter(|pair| pair[1].language == "text") {
        let printed = outputs.iter().find(|output| output.line == pair[0].line).unwrap();
        if !fits(&pair[1].text, &printed.output) {
            return Err(format!("the block at line {} differs from the output:\n{}", pair[1].line, printed.output));
        }
    }
    for line in section.blocks.iter().filter(|block| block.language == "log") {
        // The log's thread may need a moment, although the line was logged before the response.
        deployment.api.live_log().wait_for_line(&line.text, |logged| fits(&line.text, logged));
    }
    Ok(())
}

/// Runs all sections, and reports the failures of all of them together.
async fn run_document(document: &Document) {
    let mut failures = Vec::new();
    for section in document.sections() {
        if let Err(failure) = run_section(&section).await {
            failures.push(format!("{}, {:?}: {failure}", document.name, section.title));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}

macro_rules! run_the_commands_of {
    ($($test:ident: $document:literal),+ $(,)?) => {
        $(#[actix_web::test] async fn $test() { run_document(&Document::read($document)).await; })+

        const RUN: &[&str] = &[$($document),+];
    };
}

// In the order of the paths.
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
                assert!(checked, "{}, line {}: no test checks this block ({language})", document.name, block.line);
                before = language;
            }
        }
    }
}
