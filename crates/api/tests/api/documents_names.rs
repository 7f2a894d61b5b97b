//! What the documents name exists: files, headings, routes, pages, variables, metrics, and the names in the API.

use crate::support::document::{Document, root};
use api::config::{VariableRow, variables};
use auth_types::responses::TokenTransport;
use std::collections::BTreeSet;
use std::path::Path;

/// Variables that the API does not read: the Django guide's, examples of misspelt ones, the builds', and those of the documents'
/// own commands; and what the libraries that speak HTTP and TLS read.
const NOT_READ: [&str; 12] = [
    "NODE_ENV",
    "NODE_VERSION",
    "SECRET_KEYS",
    "CORS_ALLOWED_ORIGIN",
    "RENDER_GIT_COMMIT",
    "RUSTUP_TOOLCHAIN",
    "API_URL",
    "API_HTTP_URL",
    "WEB_URL",
    "NEW_DATABASE_URL",
    "SSL_CERT_FILE",
    "HTTPS_PROXY",
];

#[test]
fn every_link_leads_somewhere() {
    let mut documents = Document::all();
    documents.extend(["CHANGELOG.md", "CONTRIBUTING.md"].map(Document::read));
    let mut followed = 0;
    for document in &documents {
        for link in document.links().filter(|link| !link.starts_with("http")) {
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let folder = Path::new(&document.name).parent().unwrap();
            let target = if path.is_empty() { root().join(&document.name) } else { root().join(folder).join(path) };
            assert!(target.exists(), "{} points to {path}, which does not exist", document.name);
            let same =
                |other: &&Document| root().join(&other.name).canonicalize().unwrap() == target.canonicalize().unwrap();
            let has_anchor = |anchor| documents.iter().find(same).is_some_and(|other| other.anchors().contains(anchor));
            assert!(anchor.is_none_or(has_anchor), "{} points to {link}: there is no such heading", document.name);
            followed += 1;
        }
    }
    assert!(followed > 60, "only {followed} links were found");
}

/// Each span of each document for which `names` finds a name, with the document.
fn all_named<T>(names: impl Fn(&str) -> Option<T>) -> Vec<(String, T)> {
    let of = |document: &Document| -> Vec<_> {
        document.spans().filter_map(|span| names(span).map(|name| (document.name.clone(), name))).collect()
    };
    Document::all().iter().flat_map(of).collect()
}

fn openapi() -> String {
    crate::support::openapi(TokenTransport::Cookie).to_string()
}

/// The paths that the API serves, and those of the client's pages.
fn paths() -> BTreeSet<String> {
    let document: serde_json::Value = serde_json::from_str(&openapi()).unwrap();
    let routes = document["paths"].as_object().unwrap().keys().cloned();
    let rules = std::fs::read_to_string(root().join("crates/client/headers.json")).unwrap();
    let rules: Vec<serde_json::Value> = serde_json::from_str(&rules).unwrap();
    let pages = rules.iter().map(|rule| rule["path"].as_str().unwrap().to_owned());
    routes.chain(pages).chain(["/", "/index.html", "/api/docs/", "/api/openapi.json"].map(str::to_owned)).collect()
}

/// `POST /api/auth/login/`, `/readyz`, `/reset-password#token=…`; without the method and what is not the path.
fn path_in(span: &str) -> Option<String> {
    let path = span
        .rsplit_once(' ')
        .map_or(span, |(method, path)| if method.chars().all(char::is_uppercase) { path } else { "" });
    let path = path.split(['?', '#']).next()?;
    let is_path = path.starts_with('/') && path.chars().all(|c| c.is_ascii_alphanumeric() || "/-_.{}".contains(c));
    is_path.then(|| path.to_owned())
}

#[test]
fn every_path_is_one_of_the_api_or_of_the_client() {
    let (known, named) = (paths(), all_named(path_in));
    assert!(named.len() > 20, "{named:?}");
    let is_known =
        |path: &str| known.contains(path) || path.ends_with('/') && known.iter().any(|known| known.starts_with(path));
    let unknown: Vec<_> = named.into_iter().filter(|(_, path)| !is_known(path)).collect();
    assert!(unknown.is_empty(), "these do not exist: {unknown:#?}");
}

/// `NAME_OF_IT`, `NAME_OF_IT=value`; `AWS_*` stands for all that begin so.
fn variable_in(span: &str) -> Option<String> {
    let name = span.split('=').next()?;
    let has_form =
        name.contains('_') && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || "_*".contains(c));
    has_form.then(|| name.to_owned())
}

#[test]
fn every_documented_variable_is_read() {
    let known: BTreeSet<&str> = variables().flat_map(VariableRow::names).chain(NOT_READ).collect();
    let is_known = |name: &str| match name.strip_suffix('*') {
        Some(start) => known.iter().any(|known| known.starts_with(start)),
        None => known.contains(name),
    };
    let unknown: Vec<_> = all_named(variable_in).into_iter().filter(|(_, name)| !is_known(name)).collect();
    assert!(unknown.is_empty(), "nothing reads these: {unknown:#?}");
}

/// The variables of the Django guide.
const DJANGO_GUIDE: &str = "DJANGO_ENV DEBUG DJANGO_SECRET_KEY DB_NAME DB_USER DB_PASSWORD DB_HOST DB_PORT CORS_ALLOWED_ORIGINS \
    CSRF_TRUSTED_ORIGINS SESSION_COOKIE_DOMAIN AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_STORAGE_BUCKET_NAME \
    AWS_S3_ENDPOINT_URL VITE_API_BASE_URL NODE_ENV NODE_VERSION";

#[test]
fn every_variable_of_the_django_guide_is_documented() {
    for name in ["docs/reference/configuration.md", "docs/guides/deployment.md"] {
        let document = Document::read(name);
        let missing: Vec<_> =
            DJANGO_GUIDE.split_whitespace().filter(|name| !document.spans().any(|span| span == *name)).collect();
        assert!(missing.is_empty(), "{name} does not mention {missing:?}");
    }
}

/// The text of all files of a folder and those under it.
fn texts(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { texts(&path) } else { std::fs::read_to_string(path).unwrap() }).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_')
}

/// A metric with what Prometheus makes of a histogram.
fn metric_of(name: &str) -> &str {
    ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// Reasons, codes, budgets, members of JSON, columns, outcomes: `words_like_these`.
#[test]
fn every_name_of_the_api_is_in_its_sources() {
    let metrics = Document::read("docs/reference/metrics.md").text;
    let sources = ["crates/api/src", "crates/auth-types/src", "crates/client/src", "migrations", "scripts"]
        .map(|folder| texts(&root().join(folder)));
    let text = sources.concat() + &openapi();
    // A setting of Prometheus, not of the API.
    let known: BTreeSet<&str> = words(&text).chain(["dns_sd_configs"]).collect();
    let in_snake_case = |span: &str| {
        let is_one =
            span.contains('_') && span.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        is_one.then(|| span.to_owned())
    };
    let is_known = |name: &str| {
        if name.starts_with("latchkey_") || name.starts_with("process_") {
            return metrics.contains(&format!("| `{}` |", metric_of(name)));
        }
        known.contains(name)
    };
    let named = all_named(in_snake_case);
    assert!(named.len() > 50, "{named:?}");
    let unknown: Vec<_> = named.into_iter().filter(|(_, name)| !is_known(name)).collect();
    assert!(unknown.is_empty(), "these do not exist: {unknown:#?}");
}

#[test]
fn every_alert_is_one_of_the_rules() {
    let rules = std::fs::read_to_string(root().join("docs/operations/monitoring/alerts.yml")).unwrap();
    let known: BTreeSet<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let alert = |span: &str| {
        let rest = span.strip_prefix("Latchkey")?;
        (!rest.is_empty() && rest.chars().all(char::is_alphabetic)).then(|| span.to_owned())
    };
    let named = all_named(alert);
    assert!(named.len() > 20, "{named:?}");
    let unknown: Vec<_> = named.into_iter().filter(|(_, name)| !known.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "there is no rule for {unknown:#?}");
}

/// `origins.http`, `auth.sign_in`, `start.waiting`: what `api check`, `api smoke` and the log say, by the tables of it that
/// are compared with the code.
#[test]
fn every_check_and_every_line_of_the_log_is_in_its_table() {
    let tables = ["docs/operations/checks.md", "docs/operations/smoke.md", "docs/reference/logs.md"]
        .map(|name| Document::read(name).text)
        .concat();
    let rows = tables.lines().filter_map(|line| line.strip_prefix("| `"));
    let known: BTreeSet<&str> = rows.filter_map(|row| row.split('`').next()).collect();
    let files = ["com", "css", "html", "js", "json", "md", "rs", "toml", "txt", "yaml", "yml"];
    let dotted = |span: &str| {
        let parts: Vec<_> = span.split('.').collect();
        let is_word = |part: &&str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        // `detail.session` is a member of an event's JSON.
        let is_one = parts.len() > 1
            && parts[0] != "detail"
            && parts.iter().all(is_word)
            && !files.contains(parts.last().unwrap());
        is_one.then(|| span.to_owned())
    };
    let named = all_named(dotted);
    assert!(named.len() > 50, "{named:?}");
    let unknown: Vec<_> = named.into_iter().filter(|(_, name)| !known.contains(name.as_str())).collect();
    assert!(unknown.is_empty(), "these are in no table: {unknown:#?}");
}

#[test]
fn the_document_of_the_deployment_names_every_service_and_every_value_that_is_asked_for() {
    let blueprint = std::fs::read_to_string(root().join("render.yaml")).unwrap();
    let lines: Vec<_> = blueprint.lines().map(|line| line.trim().trim_start_matches("- ")).collect();
    let services =
        lines.iter().filter_map(|line| line.strip_prefix("name: ")).filter(|name| name.starts_with("latchkey"));
    let asked =
        lines.windows(2).filter(|pair| pair[1] == "sync: false").filter_map(|pair| pair[0].strip_prefix("key: "));
    let (services, asked): (BTreeSet<_>, BTreeSet<_>) = (services.collect(), asked.collect());
    assert!(services.len() > 5 && asked.len() > 5, "{services:?} {asked:?}");
    let document = Document::read("docs/guides/deployment.md");
    let missing: Vec<_> = services.union(&asked).filter(|name| !document.spans().any(|span| span == **name)).collect();
    assert!(missing.is_empty(), "docs/guides/deployment.md does not mention {missing:?}");
}
