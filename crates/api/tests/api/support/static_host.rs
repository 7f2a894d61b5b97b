//! A static host that serves a client built for one API, as `trunk build` writes it.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use aws_lc_rs::digest::{SHA384, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::net::{SocketAddr, TcpListener};

/// What is published, and how; each test breaks one part.
#[derive(Debug, Clone)]
pub struct Publication {
    /// The API that the program calls.
    pub built_for: String,
    /// The API that the page's own policy allows.
    pub allowed: String,
    /// Whether the host sends `headers.json`.
    pub headers: bool,
    /// Whether every path returns the page.
    pub rewrites: bool,
    /// Whether the program is from another build than the page.
    pub stale: bool,
    /// The media type of the program; some hosts do not know the right one.
    pub wasm_type: &'static str,
}

impl Publication {
    pub fn for_api(url: &str) -> Self {
        Self {
            built_for: url.to_owned(),
            allowed: url.to_owned(),
            headers: true,
            rewrites: true,
            stale: false,
            wasm_type: "application/wasm",
        }
    }

    fn wasm(&self) -> Vec<u8> {
        format!("\0asm\u{1}\0\0\0called `Result`{}api/auth/", self.built_for).into_bytes()
    }

    fn page(&self) -> String {
        let hash = |bytes: &[u8]| STANDARD.encode(digest(&SHA384, bytes));
        let wasm = if self.stale { b"an older program".to_vec() } else { self.wasm() };
        format!(
            r#"<!doctype html><html><head>
            <meta http-equiv="Content-Security-Policy" content="connect-src 'self' {}" />
            <meta name="program" data-js="/client-1.js" data-wasm="/client-1_bg.wasm" />
            <link rel="stylesheet" href="/style-1.css" integrity="sha384-{}"/>
            <link rel="preload" href="/client-1_bg.wasm" integrity="sha384-{}" as="fetch" type="application/wasm">
            </head><body></body></html>"#,
            self.allowed,
            hash(STYLE.as_bytes()),
            hash(&wasm),
        )
    }

    fn file(&self, path: &str) -> Option<(&'static str, Vec<u8>)> {
        match path {
            "/client-1.js" => Some(("text/javascript", SCRIPT.into())),
            "/client-1_bg.wasm" => Some((self.wasm_type, self.wasm())),
            "/style-1.css" => Some(("text/css", STYLE.into())),
            "/" => Some(("text/html", self.page().into())),
            _ => None,
        }
    }
}

const SCRIPT: &str = "export default () => {};";
const STYLE: &str = "body { color: black }";

/// A host that listens before anything is published, because both sites are built with the other's address.
#[derive(Debug)]
pub struct StaticHost(TcpListener);

impl StaticHost {
    pub fn new() -> Self {
        Self(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub fn address(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// Serves until the test's runtime ends.
    pub fn publish(self, publication: Publication) {
        let publication = Data::new(publication);
        let server =
            HttpServer::new(move || App::new().app_data(publication.clone()).default_service(web::to(serve_file)));
        actix_web::rt::spawn(server.workers(1).disable_signals().listen(self.0).unwrap().run());
    }
}

async fn serve_file(publication: Data<Publication>, request: HttpRequest) -> HttpResponse {
    let (path, found) = match publication.file(request.path()) {
        None if publication.rewrites => ("/", publication.file("/")),
        found => (request.path(), found),
    };
    let Some((media_type, bytes)) = found else { return HttpResponse::NotFound().finish() };
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, media_type));
    if publication.headers {
        for (name, value) in headers_of(path) {
            response.insert_header((name, value));
        }
    }
    response.body(bytes)
}

/// The headers that `headers.json` lists for a path. The tests' API is on this machine, which the policy's `https:` does not
/// cover.
fn headers_of(path: &str) -> Vec<(String, String)> {
    let list = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../client/headers.json")).unwrap();
    let rules: Vec<serde_json::Value> = serde_json::from_str(&list).unwrap();
    let text = |rule: &serde_json::Value, member: &str| rule[member].as_str().unwrap().to_owned();
    let matches = |rule: &&serde_json::Value| match text(rule, "path").strip_prefix("/*") {
        Some(end) => path.ends_with(end),
        None => text(rule, "path") == path,
    };
    let local = |value: String| value.replace("connect-src 'self' https:", "connect-src 'self' http://127.0.0.1:*");
    let local = |value: String| local(value.replace("{api}", "https:"));
    rules.iter().filter(matches).map(|rule| (text(rule, "name"), local(text(rule, "value")))).collect()
}
