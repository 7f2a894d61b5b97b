//! Parses a document of this repository: its sections, and the fenced blocks in them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// The text after the fence's backticks.
    pub language: String,
    pub text: String,
    /// The line where its text begins, counted from 1.
    pub line: usize,
}

/// The text under a heading of the second level; the text before the first heading has an empty title.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    pub title: String,
    /// `NAME=value` of a comment `<!-- api: NAME=value … -->`: how the API of this section is misconfigured.
    pub variables: Vec<(String, String)>,
    pub blocks: Vec<Block>,
}

/// A Markdown file.
#[derive(Debug, Clone)]
pub struct Document {
    /// From the root: `docs/guides/keys.md`.
    pub name: String,
    pub text: String,
}

impl Document {
    pub fn read(name: &str) -> Self {
        let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name: name.to_owned(), text }
    }

    /// The README, the security policy and all under `docs/`.
    pub fn all() -> Vec<Self> {
        let mut names = markdown("docs");
        names.extend(["README.md", "SECURITY.md"].map(str::to_owned));
        names.sort();
        names.iter().map(|name| Self::read(name)).collect()
    }

    /// The fragment of each heading, as GitHub generates it.
    pub fn anchors(&self) -> BTreeSet<String> {
        self.text.lines().filter(|line| line.starts_with('#')).map(anchor).collect()
    }

    /// The targets of links, `[words](target)`.
    pub fn links(&self) -> impl Iterator<Item = &str> {
        self.text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
    }

    /// The text between backticks within a line.
    pub fn spans(&self) -> impl Iterator<Item = &str> {
        self.text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
    }

    pub fn sections(&self) -> Vec<Section> {
        let mut sections = vec![Section::titled("")];
        let mut open: Option<Block> = None;
        for (line, number) in self.text.lines().zip(1..) {
            let section = sections.last_mut().unwrap();
            match (&mut open, line.strip_prefix("```")) {
                (Some(_), Some(_)) => section.blocks.extend(open.take()),
                (Some(block), None) => block.text.extend([line, "\n"]),
                (None, Some(language)) => {
                    open = Some(Block { language: language.to_owned(), text: String::new(), line: number + 1 });
                }
                (None, None) => {
                    if let Some(title) = line.strip_prefix("## ") {
                        sections.push(Section::titled(title));
                    } else if let Some(variables) = line.strip_prefix("<!-- api: ") {
                        section.variables = assignments(variables.trim_end_matches("-->"));
                    }
                }
            }
        }
        assert!(open.is_none(), "{}: a fence is not closed", self.name);
        sections
    }
}

impl Block {
    /// The command that a shell runs: an `sh` block unchanged, and statements for PostgreSQL through `psql`.
    pub fn command(&self) -> Option<String> {
        match self.language.as_str() {
            "sh" => Some(self.text.clone()),
            "sql" if self.text.starts_with("-- PostgreSQL\n") => {
                let psql = "psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 \"$DATABASE_URL\"";
                Some(format!("{psql} <<'SQL'\n{}SQL\n", self.text))
            }
            _ => None,
        }
    }
}

impl Section {
    /// The blocks to run, in order.
    pub fn commands(&self) -> Vec<&Block> {
        self.blocks.iter().filter(|block| block.command().is_some()).collect()
    }

    fn titled(title: &str) -> Self {
        Self { title: title.to_owned(), variables: Vec::new(), blocks: Vec::new() }
    }
}

/// The Markdown files of a folder and those under it.
fn markdown(folder: &str) -> Vec<String> {
    let paths = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    let of_path = |path: PathBuf| {
        let name = format!("{folder}/{}", path.file_name().unwrap().to_str().unwrap());
        if path.is_dir() {
            return markdown(&name);
        }
        Vec::from_iter(path.extension().is_some_and(|extension| extension == "md").then_some(name))
    };
    paths.flat_map(of_path).collect()
}

fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
    text.chars().filter(|c| c.is_alphanumeric() || "-_".contains(*c)).collect()
}

fn assignments(text: &str) -> Vec<(String, String)> {
    let pairs =
        text.split_whitespace().map(|pair| pair.split_once('=').unwrap_or_else(|| panic!("{pair} sets nothing")));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
