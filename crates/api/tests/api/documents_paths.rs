//! What the documents name in the code exists: `Type::method`, `Type::Variant`, `module::function`.
//!
//! The sources are searched as rustfmt lays them out: a block's items are indented by four more than the block.

use crate::support::document::{Document, root};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A block whose items are named through it: a module, a type's `impl`, an enum, a trait.
struct Block {
    indent: usize,
    name: String,
    is_enum: bool,
}

/// The names of a file's items, each with its path.
struct Items {
    /// The file's module, with its crate.
    module: String,
    /// The blocks that the current line is in.
    blocks: Vec<Block>,
    /// A `pub use` that continues on the next line.
    reexport: Option<String>,
    found: BTreeSet<String>,
}

impl Items {
    fn of(module: String, source: &str) -> BTreeSet<String> {
        let found = BTreeSet::from([module.clone()]);
        let mut items = Self { module, blocks: Vec::new(), reexport: None, found };
        source.lines().for_each(|line| items.read(line));
        items.found
    }

    fn read(&mut self, line: &str) {
        let text = line.trim_start();
        let indent = line.len() - text.len();
        if let Some(reexport) = &mut self.reexport {
            reexport.push_str(text);
        } else if text.starts_with("pub") && without_visibility(text).starts_with("use ") {
            self.reexport = Some(text.to_owned());
        }
        if let Some(reexport) = self.reexport.take_if(|reexport| reexport.ends_with(';')) {
            reexported(&reexport).for_each(|name| self.add(name));
        }
        if text.starts_with('}') && self.blocks.last().is_some_and(|block| block.indent == indent) {
            self.blocks.pop();
        }
        if indent != self.blocks.last().map_or(0, |block| block.indent + 4) {
            return;
        }
        if self.blocks.last().is_some_and(|block| block.is_enum) {
            self.add(identifier(text));
        } else if let Some((keyword, name)) = declared(text) {
            if keyword != "impl" {
                self.add(name);
            }
            if text.ends_with('{') && keyword != "fn" {
                self.blocks.push(Block { indent, name: name.to_owned(), is_enum: keyword == "enum" });
            }
        }
    }

    fn add(&mut self, name: &str) {
        if !name.is_empty() {
            let blocks = self.blocks.iter().map(|block| block.name.as_str());
            let path: Vec<_> = std::iter::once(self.module.as_str()).chain(blocks).chain([name]).collect();
            self.found.insert(path.join("::"));
        }
    }
}

/// The identifier at the start; empty if there is none.
fn identifier(text: &str) -> &str {
    &text[..text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len())]
}

/// `pub(in crate::store) fn f` without `pub(in crate::store)`.
fn without_visibility(text: &str) -> &str {
    match text.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ").map_or(rest, |(_, rest)| rest),
        Some(rest) if rest.starts_with(' ') => &rest[1..],
        _ => text,
    }
}

/// The keyword and the name of a declaration; of an `impl` the name of its type.
fn declared(text: &str) -> Option<(&str, &str)> {
    let mut text = without_visibility(text);
    for qualifier in ["const fn ", "async fn "] {
        text = if text.starts_with(qualifier) { text.split_once(' ')?.1 } else { text };
    }
    if let Some(header) = text.strip_prefix("impl") {
        let of = header.split_once(" for ").map_or_else(|| without_generics(header), |(_, of)| of);
        return Some(("impl", identifier(of.trim_start().rsplit("::").next()?)));
    }
    let (keyword, rest) = text.split_once(' ')?;
    let keywords = ["fn", "struct", "enum", "trait", "type", "const", "static", "mod"];
    keywords.contains(&keyword).then(|| (keyword, identifier(rest)))
}

/// `<'a, T: Into<U>> Type<'a, T> {` without the first angle brackets.
fn without_generics(header: &str) -> &str {
    let mut depth = 0;
    let end = header.find(|c| {
        depth += i32::from(c == '<') - i32::from(c == '>');
        depth == 0
    });
    end.map_or(header, |end| header[end..].trim_start_matches('>'))
}

/// The names that `pub use a::{b, c::D as E};` adds to its module.
fn reexported(statement: &str) -> impl Iterator<Item = &str> {
    let names = statement.trim_end_matches(';').split(['{', '}', ',']);
    names.filter_map(|name| name.rsplit([':', ' ']).next()).map(identifier)
}

/// `crates/api/src/store/sessions/mod.rs` is `api::store::sessions`.
fn module(file: &Path) -> String {
    let path = file.with_extension("");
    let parts = path.iter().map(|part| part.to_str().unwrap().replace('-', "_"));
    let parts =
        parts.filter(|part| !["crates", "examples", "src", "tests", "mod", "lib", "main"].contains(&part.as_str()));
    parts.collect::<Vec<_>>().join("::")
}

/// The Rust files of a folder and those under it, from the root.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join(folder)).unwrap().map(|entry| folder.join(entry.unwrap().file_name()));
    let of = |path: PathBuf| match path.extension() {
        _ if root().join(&path).is_dir() => rust_files(&path),
        Some(extension) if extension == "rs" => vec![path],
        _ => Vec::new(),
    };
    entries.flat_map(of).collect()
}

/// The paths of all items in the code.
fn items() -> BTreeSet<String> {
    let folders = ["crates/api/src", "crates/api/tests/api", "crates/auth-types/src", "crates/client/src", "examples"];
    let files = folders.iter().flat_map(|folder| rust_files(Path::new(folder)));
    files.flat_map(|file| Items::of(module(&file), &std::fs::read_to_string(root().join(&file)).unwrap())).collect()
}

/// The paths in a span: `Problem::field`, and both of `match c { C::Postgres(p) => …, C::Sqlite(s) => … }`.
fn paths(span: &str) -> impl Iterator<Item = &str> {
    let words =
        span.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').map(|word| word.trim_end_matches(':'));
    let is_name = |name: &str| name.starts_with(|c: char| c.is_alphabetic()) && !name.contains(':');
    words.filter(move |word| word.contains("::") && word.split("::").all(is_name))
}

/// Whether an item has this path, of which the document may leave out the beginning.
fn is_item(items: &BTreeSet<String>, path: &str) -> bool {
    items.iter().any(|item| item.strip_suffix(path).is_some_and(|start| start.is_empty() || start.ends_with("::")))
}

/// Whether the path begins with another project's crate.
fn is_foreign(manifests: &str, path: &str) -> bool {
    let first = path.split("::").next().unwrap();
    manifests.lines().any(|line| identifier(line) == first && !line.contains("path = "))
}

#[test]
fn every_path_in_the_code_exists() {
    let items = items();
    let manifests = ["Cargo.toml", "crates/api/Cargo.toml", "crates/client/Cargo.toml"];
    let manifests: String = manifests.map(|name| std::fs::read_to_string(root().join(name)).unwrap()).concat();
    let mut documents = Document::all();
    documents.push(Document::read("CONTRIBUTING.md"));
    let named: Vec<_> = documents
        .iter()
        .flat_map(|document| document.spans().flat_map(paths).map(|path| (document.name.as_str(), path)))
        .collect();
    assert!(named.len() > 30, "{named:?}");
    let is_unknown = |path: &str| !is_item(&items, path) && !is_foreign(&manifests, path);
    let unknown: Vec<_> = named.into_iter().filter(|(_, path)| is_unknown(path)).collect();
    assert!(unknown.is_empty(), "these do not exist: {unknown:#?}");
}

#[test]
fn a_missing_name_is_detected() {
    let source = "\
pub use error::{Error, other::Name as Alias};
impl<T: Into<U>> Of<T> {
    pub(in crate::store) const fn method(self) -> Self {
        inner();
    }
}
impl From<Error> for Problem {
    fn from(error: Error) -> Self {
    }
}
pub enum Kind {
    Plain,
    Fields { name: u8 },
}
async fn function() {}
";
    let items = Items::of(module(Path::new("crates/api/src/store/sessions/mod.rs")), source);
    for known in ["store::sessions::function", "sessions::Error", "sessions::Alias", "Of::method", "Problem::from"] {
        assert!(is_item(&items, known), "{known}: {items:#?}");
    }
    assert!(is_item(&items, "Kind::Plain") && is_item(&items, "Kind::Fields"), "{items:#?}");
    for unknown in ["Of::from", "Kind::method", "sessions::Name", "Sessions::function", "ions::function"] {
        assert!(!is_item(&items, unknown), "{unknown}: {items:#?}");
    }
    assert_eq!(paths("match c { C::One(p) => …, C::Two::<T>(s) }").collect::<Vec<_>>(), ["C::One", "C::Two"]);
    assert!(is_foreign("log = \"0.4\"\nclient = { path = \"../client\" }", "log::info"));
    assert!(!is_foreign("log = \"0.4\"\nclient = { path = \"../client\" }", "client::http"));
}
