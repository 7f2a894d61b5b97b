//! The documents about the variables: the tables of `docs/reference/configuration.md`, and `.env.example`.

use super::row::{Preset, VariableRow};
use super::table::sections;
use super::variable::AnyVariable;

const TABLE_HEAD: &str = "\
| variable | default | takes | secret | meaning, and what is refused |
| --- | --- | --- | --- | --- |
";

const EXAMPLE_HEAD: &str = "\
# Latchkey's API reads its configuration from the environment, and in development from a file `.env` in the working
# directory. Nothing is needed to start: copy this file to `.env` and uncomment what you want to change.
# docs/reference/configuration.md describes each variable. Written by scripts/configuration.
";

/// A table in Markdown for each section.
pub fn tables() -> String {
    let tables = sections().map(|section| {
        let rows: String = section.variables().map(table_row).collect();
        format!("### {}\n\n{TABLE_HEAD}{rows}", section.title)
    });
    tables.collect::<Vec<_>>().join("\n")
}

fn table_row(variable: &dyn AnyVariable) -> String {
    let row = variable.row();
    let names: Vec<_> = row.names().map(|name| format!("`{name}`")).collect();
    let secret = if row.secret { "yes" } else { "" };
    let cells = [&names.join(" or "), &default(row), &variable.takes(), secret, row.text];
    let cells = cells.map(|cell| if cell.is_empty() { " ".to_owned() } else { format!(" {cell} ") });
    format!("|{}|\n", cells.join("|"))
}

fn default(row: &VariableRow) -> String {
    let shown = |preset| match preset {
        Preset::Nothing => "none".to_owned(),
        preset => format!("`{preset}`"),
    };
    match (row.default, row.in_production) {
        (Preset::Nothing, None) => String::new(),
        (both, None) => shown(both),
        (development, Some(production)) => format!("{}; in production {}", shown(development), shown(production)),
    }
}

/// `.env.example`: every variable that may be set in a file, commented out.
pub fn example() -> String {
    let sections = sections().map(|section| {
        let rows: String =
            section.variables().filter(|variable| !variable.row().from_platform).map(example_lines).collect();
        format!("\n## {}\n{rows}", section.title)
    });
    format!("{EXAMPLE_HEAD}{}", sections.collect::<String>())
}

fn example_lines(variable: &dyn AnyVariable) -> String {
    let row = variable.row();
    let value = row.example.map_or_else(|| row.default.to_string(), str::to_owned);
    let takes = variable.takes();
    let takes = if takes.is_empty() { takes } else { format!(" ({takes})") };
    let comment = format!("# {}{takes}\n", summary(row.text)).replace('`', "");
    format!("{comment}#{}={value}\n", row.name)
}

/// The first sentence, without its full stop.
fn summary(text: &str) -> &str {
    text.split_once(". ").map_or_else(|| text.trim_end_matches('.'), |(first, _)| first)
}
