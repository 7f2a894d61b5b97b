//! The files that the page names: there, of their types, whole, kept by caches, and built for this API.

use super::context::{Smoke, learnt};
use super::headers::max_age;
use super::html::tags;
use super::loaded::LoadedFile;
use super::page::{DEEP_LINKS, program};
use super::response::{CheckFailure, CheckResult, SmokeResponse, unless_any};
use aws_lc_rs::digest::{SHA384, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet};

/// A year, as the names change with the contents.
const LONG_SECONDS: u64 = 31_536_000;
/// How a WebAssembly module begins.
const WASM: &[u8] = b"\0asm";
/// Maximum number of addresses reported for a client that is built for another API.
const TOLD: usize = 3;

pub(super) async fn files(smoke: &Smoke) -> CheckResult {
    let mut loaded = Vec::new();
    let mut wrong = Vec::new();
    for (path, integrity) in named(&smoke.html()?) {
        let Some(url) = smoke.plan.web.join(&path) else { continue };
        let response = smoke.browser.send(smoke.browser.get(url.to_string())).await?;
        wrong.extend(problem(&path, &integrity, &response));
        loaded.push(LoadedFile { path, response });
    }
    let count = loaded.len();
    let bytes = loaded.iter().map(|file| file.response.body.len()).sum::<usize>();
    smoke.files.get_or_init(|| loaded);
    unless_any(&wrong, format!("{count} files, {} KiB, of their types and whole", bytes / 1024))
}

/// The paths that the page names, with what it says of their contents.
fn named(html: &str) -> BTreeMap<String, String> {
    let tags = tags(html);
    let mut files = BTreeMap::new();
    let program = program(&tags).into_iter().flat_map(|tag| [tag.value("data-js"), tag.value("data-wasm")]);
    for path in program {
        files.insert(path.to_owned(), String::new());
    }
    for tag in &tags {
        let path = if tag.is("script") { tag.value("src") } else { tag.value("href") };
        if (tag.is("script") || tag.is("link")) && !path.is_empty() {
            files.insert(path.to_owned(), tag.value("integrity").to_owned());
        }
    }
    files
}

fn problem(path: &str, integrity: &str, response: &SmokeResponse) -> Option<String> {
    let expected = match path.rsplit('.').next()? {
        "js" => ["text/javascript", "application/javascript"].as_slice(),
        "wasm" => &["application/wasm"],
        "css" => &["text/css"],
        "svg" => &["image/svg+xml"],
        _ => &[],
    };
    let hash = integrity.strip_prefix("sha384-");
    if response.status != 200 {
        Some(format!("{path} says {}", response.summary()))
    } else if !expected.is_empty() && !expected.iter().any(|media_type| response.is_type(media_type)) {
        Some(format!("{path} is {:?}, not {}", response.header("content-type"), expected[0]))
    } else if hash.is_some_and(|hash| hash != STANDARD.encode(digest(&SHA384, &response.body))) {
        Some(format!("{path} is not what the page was built with"))
    } else {
        None
    }
}

pub(super) async fn caching(smoke: &Smoke) -> CheckResult {
    let mut wrong = Vec::new();
    for file in learnt(&smoke.files)? {
        if max_age(&file.response.header("cache-control")) < LONG_SECONDS {
            wrong.push(format!("{} is not kept for a year", file.path));
        }
    }
    for path in ["/", DEEP_LINKS[0]] {
        let response = smoke.fetch(path).await?;
        if !response.lists("cache-control", "no-cache") && !response.lists("cache-control", "no-store") {
            wrong.push(format!("{path} may be kept ({:?})", response.header("cache-control")));
        }
    }
    unless_any(&wrong, "files for a year, the page never")
}

/// The program holds the API's address as a text. Any text may follow it there, so a longer address that begins the same
/// is not distinguished here; `web.policy` does that.
pub(super) fn built_for(smoke: &Smoke) -> CheckResult {
    let files = learnt(&smoke.files)?;
    let Some(program) = files.iter().find(|file| file.response.body.starts_with(WASM)) else {
        return Err(CheckFailure::failed("the page names no program"));
    };
    let text = String::from_utf8_lossy(&program.response.body);
    if text.contains(smoke.plan.api.base()) {
        return Ok(format!("built for {}", smoke.plan.api));
    }
    let others: Vec<_> = addresses(&text).into_iter().take(TOLD).collect();
    Err(CheckFailure::Failed(format!("not built for {}; it holds {}", smoke.plan.api, others.join(", "))))
}

/// What looks like an address in a program's texts, without those of standards.
fn addresses(text: &str) -> BTreeSet<&str> {
    let starts = text.match_indices("http").map(|(at, _)| &text[at..]);
    let addresses = starts.filter_map(|rest| {
        let host = rest.strip_prefix("https://").or_else(|| rest.strip_prefix("http://"))?;
        let end = host.find(|c: char| !c.is_ascii_alphanumeric() && !".-:[]".contains(c)).unwrap_or(host.len());
        Some(&rest[..rest.len() - host.len() + end]).filter(|_| end > 0)
    });
    addresses.filter(|address| !address.contains("w3.org")).collect()
}
