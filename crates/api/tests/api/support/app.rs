//! The production router, in this process, on a port of its own.

use super::{BucketServer, Database, KeyPair, Mail, ManualClock, TestDb, TestResponse, features, http_client, mail};
use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use api::app::{App, Feature, Product, ServerCapacity};
use api::config::{Settings, StorageSettings, Timeouts, Variables};
use api::service::Services;
use api::service::accounts::register;
use api::service::mail::deliver_due;
use api::service::sessions::revocation;
use api::service::upkeep::clocks::compare_clocks;
use api::store::migrations::migrate as migrate_product;
use auth_types::Role;
use auth_types::requests::{LoginRequest, RefreshRequest, RegisterRequest, VerifyRequest};
use auth_types::responses::TokenResponse;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// Long enough for a busy machine; a test that waits for it has failed.
pub const DEADLINE: Duration = Duration::from_mins(1);
/// Everybody's.
pub const PASSWORD: &str = "violet harbor lantern 42";
/// What the tokens of every test are signed with.
pub const SECRET_KEY: &str = "the tests' own key that is long enough for anyone";

/// What a proxy before the API says of the test itself (RFC 5737).
pub const OWN_ADDRESS: &str = "192.0.2.1";

/// An API under test; it ends when this is dropped.
#[derive(Debug)]
pub struct TestApp {
    address: SocketAddr,
    services: Data<Services>,
    product: Product,
    clock: Arc<ManualClock>,
    client: reqwest::Client,
    outbox: TempDir,
    files: TempDir,
    _running: Running,
    // The last field: the database goes after everything that uses it.
    db: Arc<TestDb>,
}

/// The server's own thread and the way to end it.
#[derive(Debug)]
struct Running {
    handle: ServerHandle,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        // The command is sent at once; the future would only wait, and the join below does.
        drop(self.handle.stop(false));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// What a test wants its API to be like.
#[derive(Debug)]
pub struct Builder {
    db: Arc<TestDb>,
    clock: Arc<ManualClock>,
    variables: Variables,
    users: Vec<(RegisterRequest, Role)>,
    timeouts: Timeouts,
    connections: usize,
    outbox: TempDir,
    files: TempDir,
    storage: StorageSettings,
    product: App,
}

impl Builder {
    /// With a feature on top.
    pub fn feature(mut self, feature: Feature) -> Self {
        self.product = self.product.feature(feature);
        self
    }

    /// With the features of the program and of the tests: for whoever looks at every route.
    pub fn with_features(mut self) -> Self {
        self.product = features();
        self
    }

    /// Sets a configuration variable.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables = self.variables.with(name, value);
        self
    }

    /// Signs with this key pair.
    pub fn key_pair(self, pair: &KeyPair) -> Self {
        self.set("JWT_ALGORITHM", pair.algorithm()).set("JWT_PRIVATE_KEY", pair.private_pem())
    }

    /// As it runs on the open internet.
    pub fn production(self) -> Self {
        self.set("APP_ENV", "production").set("BCRYPT_COST", "10").set("RATE_LIMITS", "on")
    }

    /// An administrator's account.
    pub fn administrator(self, email: &str) -> Self {
        self.account(email, None, Role::Admin)
    }

    /// An account with this address and [`PASSWORD`].
    pub fn user(self, email: &str) -> Self {
        self.account(email, None, Role::User)
    }

    pub fn account(mut self, email: &str, username: Option<&str>, role: Role) -> Self {
        let (email, username) = (email.to_owned(), username.map(str::to_owned));
        let request = RegisterRequest { email, password: PASSWORD.to_owned(), username, display_name: None };
        self.users.push((request, role));
        self
    }

    /// With the limits of production, behind a proxy: a client is who `X-Forwarded-For` says, or [`OWN_ADDRESS`].
    pub fn limited(self) -> Self {
        self.set("RATE_LIMITS", "on").set("TRUSTED_PROXY_HOPS", "1")
    }

    /// Shorter timeouts, so that a test of one takes less time.
    pub fn timeouts(mut self, change: impl FnOnce(&mut Timeouts)) -> Self {
        change(&mut self.timeouts);
        self
    }

    /// Files in a bucket, and not in a folder of the test's own.
    pub fn bucket(mut self, server: &BucketServer) -> Self {
        self.storage = server.settings();
        self
    }

    /// How many connections there may be at once.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Another API's clock: a second process on the same machine.
    pub fn clock(mut self, clock: &Arc<ManualClock>) -> Self {
        self.clock = Arc::clone(clock);
        self
    }

    pub async fn start(self) -> TestApp {
        let mut settings = Settings::from_variables(self.variables).unwrap();
        settings.timeouts = self.timeouts;
        settings.storage = self.storage;
        let product = self.product.assemble().unwrap();
        let services = Data::new(product.services(settings, self.clock.clone()).unwrap());
        for (request, role) in &self.users {
            register::create(&services, request, *role).await.unwrap();
        }
        let migrations = &services.schema.migrations;
        if !migrations.newest_of_features().is_empty() {
            // Latchkey's own tables are there.
            migrate_product(&services.settings.database.url, migrations).unwrap();
        }
        revocation::poll(&services).await.unwrap();
        services.limits.connect().await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = client(!services.settings.server.proxies.is_none());
        let running = run(product.clone(), services.clone(), listener, self.connections);
        let (clock, outbox, files) = (self.clock, self.outbox, self.files);
        TestApp { address, services, product, clock, client, outbox, files, _running: running, db: self.db }
    }
}

/// What sends a test's requests, directly or as a proxy does.
fn client(is_proxy: bool) -> reqwest::Client {
    let forwarded = (HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static(OWN_ADDRESS));
    let headers: HeaderMap = is_proxy.then_some(forwarded).into_iter().collect();
    let client = http_client().redirect(reqwest::redirect::Policy::none());
    client.default_headers(headers).timeout(DEADLINE).build().unwrap()
}

/// Serves in a thread of its own, so that the end of the test waits for the end of the server.
fn run(product: Product, services: Data<Services>, listener: TcpListener, connections: usize) -> Running {
    let (started, handle) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        actix_web::rt::System::new().block_on(async move {
            let server = product.serve(services, listener, ServerCapacity { workers: 1, connections }).unwrap();
            started.send(server.handle()).unwrap();
            server.await.unwrap();
        });
    });
    Running { handle: handle.recv().unwrap(), thread: Some(thread) }
}

/// What holds a refresh token: an answer, or the token itself.
pub trait HoldsRefresh {
    fn refresh_token(&self) -> &str;
}

impl HoldsRefresh for TokenResponse {
    fn refresh_token(&self) -> &str {
        &self.refresh
    }
}

impl HoldsRefresh for str {
    fn refresh_token(&self) -> &str {
        self
    }
}

impl HoldsRefresh for String {
    fn refresh_token(&self) -> &str {
        self
    }
}

impl TestApp {
    /// Does a feature's job once, as it is done at each of its times.
    pub async fn run_job(&self, name: &str) -> Result<(), String> {
        let job = self.product.run_job(name, self.services.clone()).await;
        job.unwrap_or_else(|| panic!("no feature has a job {name:?}"))
    }

    /// What the counter `latchkey_NAME_total` has come to.
    pub fn counter(&self, name: &str) -> u64 {
        self.metric(&format!("latchkey_{name}_total"))
    }

    /// The value of a metric without labels.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.services.metrics.render().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("there is no {name}")).parse().unwrap()
    }

    pub fn builder(database: Database) -> Builder {
        Self::builder_on(Arc::new(TestDb::migrated(database)))
    }

    /// On a database that exists: a second process, or the first one started again.
    pub fn builder_on(db: Arc<TestDb>) -> Builder {
        let outbox = tempfile::tempdir().unwrap();
        let variables = Variables::default()
            .with("EMAIL_URL", format!("file:{}", outbox.path().display()))
            .with("DATABASE_URL", db.url())
            .with("DATABASE_POOL_SIZE", "4")
            .with("SECRET_KEY", SECRET_KEY)
            .with("BCRYPT_COST", "4")
            .with("RATE_LIMITS", "off");
        let clock = Arc::new(ManualClock::new());
        // Nobody learns anything from waiting for what is refused.
        let timeouts = Timeouts { refusal: Duration::ZERO, ..Timeouts::default() };
        let files = tempfile::tempdir().unwrap();
        let storage = StorageSettings::Folder(files.path().to_owned());
        Builder {
            db,
            clock,
            variables,
            users: Vec::new(),
            timeouts,
            connections: 1024,
            outbox,
            files,
            storage,
            product: App::new(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn clock(&self) -> &Arc<ManualClock> {
        &self.clock
    }

    pub fn db(&self) -> &Arc<TestDb> {
        &self.db
    }

    /// Where files are kept, unless that is a bucket.
    pub fn files(&self) -> &Path {
        self.files.path()
    }

    pub fn services(&self) -> &Data<Services> {
        &self.services
    }

    pub fn settings(&self) -> &Settings {
        &self.services.settings
    }

    /// What the background task does every second.
    pub async fn poll_revocations(&self) {
        revocation::poll(&self.services).await.unwrap();
    }

    /// What the background task does every few seconds. Until a test does it, its clock is gone by, whatever it shows.
    pub async fn compare_clocks(&self) {
        compare_clocks(&self.services).await.unwrap();
    }

    /// Sends what is due, as the background task does every second, and gives what left.
    pub async fn deliver_mail(&self) -> Vec<Mail> {
        deliver_due(&self.services).await.unwrap();
        mail::take(self.outbox.path())
    }

    /// The one mail that is due.
    pub async fn deliver_one_mail(&self) -> Mail {
        let mut mails = self.deliver_mail().await;
        assert_eq!(mails.len(), 1, "{mails:?}");
        mails.remove(0)
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, self.url(path))
    }

    pub async fn get(&self, path: &str) -> TestResponse {
        send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &impl Serialize) -> TestResponse {
        send(self.request(Method::POST, path).json(body)).await
    }

    /// A request with an access token.
    pub fn request_as(&self, tokens: &TokenResponse, method: Method, path: &str) -> RequestBuilder {
        self.request(method, path).bearer_auth(&tokens.access)
    }

    pub async fn register(&self, request: &RegisterRequest) -> TestResponse {
        self.post("/api/auth/register/", request).await
    }

    /// Signs in with any name and password.
    pub async fn sign_in(&self, name: &str, password: &str) -> TestResponse {
        let (email, password) = (Some(name.to_owned()), password.to_owned());
        self.post("/api/auth/login/", &LoginRequest { email, username: None, password }).await
    }

    /// The same from another address, of an API that is [`Builder::limited`].
    pub async fn sign_in_from(&self, address: &str, name: &str, password: &str) -> TestResponse {
        let request = self.request(Method::POST, "/api/auth/login/").header("X-Forwarded-For", address);
        let (email, password) = (Some(name.to_owned()), password.to_owned());
        send(request.json(&LoginRequest { email, username: None, password })).await
    }

    /// Signs in a user that has [`PASSWORD`].
    pub async fn login(&self, email: &str) -> TokenResponse {
        self.sign_in(email, PASSWORD).await.ok()
    }

    pub async fn refresh(&self, holder: &(impl HoldsRefresh + ?Sized)) -> TestResponse {
        self.post("/api/auth/refresh/", &refresh_request(holder)).await
    }

    pub async fn refresh_with_key(&self, holder: &(impl HoldsRefresh + ?Sized), key: &str) -> TestResponse {
        let request = self.request(Method::POST, "/api/auth/refresh/").header("Idempotency-Key", key);
        send(request.json(&refresh_request(holder))).await
    }

    pub async fn verify(&self, token: &str) -> TestResponse {
        self.post("/api/auth/verify/", &VerifyRequest { token: token.to_owned() }).await
    }

    pub async fn logout(&self, holder: &(impl HoldsRefresh + ?Sized)) -> TestResponse {
        self.post("/api/auth/logout/", &refresh_request(holder)).await
    }

    pub async fn logout_all(&self, tokens: &TokenResponse) -> TestResponse {
        send(self.request_as(tokens, Method::POST, "/api/auth/logout/all/")).await
    }

    pub async fn me(&self, tokens: &TokenResponse) -> TestResponse {
        send(self.request_as(tokens, Method::GET, "/api/auth/me/")).await
    }

    pub async fn sessions(&self, tokens: &TokenResponse) -> TestResponse {
        send(self.request_as(tokens, Method::GET, "/api/auth/sessions/")).await
    }
}

fn refresh_request(holder: &(impl HoldsRefresh + ?Sized)) -> RefreshRequest {
    RefreshRequest { refresh: holder.refresh_token().to_owned() }
}

/// Sends, and waits for the whole answer.
pub async fn send(request: RequestBuilder) -> TestResponse {
    TestResponse::of(request.send().await.unwrap()).await
}
