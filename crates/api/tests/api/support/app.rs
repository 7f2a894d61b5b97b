//! The production router, in this process, on a port of its own.

use super::{BucketServer, Database, KeyPair, Mail, ManualClock, TestDb, features, http_client, mail};
use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use api::app::{App, Feature, Product, ServerCapacity};
use api::config::{Settings, StorageSettings, Timeouts, Variables};
use api::service::Services;
use api::service::accounts::register;
use api::service::mail::deliver_due;
use api::service::sessions::revocation_poll;
use api::service::upkeep::clocks::compare_clocks;
use api::store::migrations::migrate as migrate_product;
use auth_types::Role;
use auth_types::requests::RegisterRequest;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;

/// Long enough for a busy machine; a test that waits for it has failed.
pub const DEADLINE: Duration = Duration::from_mins(1);
/// The password of every account.
pub const PASSWORD: &str = "violet harbor lantern 42";
/// The key that signs the tokens of every test.
pub const SECRET_KEY: &str = "the tests' own key that is long enough for anyone";

/// The test's own address, as a proxy in front of the API reports it (RFC 5737).
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
    // The last field, so that the database is dropped after everything that uses it.
    db: Arc<TestDb>,
}

/// The server's thread, and the handle that stops it.
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

/// How a test configures its API.
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
    /// Adds a feature.
    pub fn feature(mut self, feature: Feature) -> Self {
        self.product = self.product.feature(feature);
        self
    }

    /// Adds the features of the program and of the tests, for tests that visit every route.
    pub fn with_features(mut self) -> Self {
        self.product = features();
        self
    }

    /// Sets a configuration variable.
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables = self.variables.with(name, value);
        self
    }

    /// Signs tokens with this key pair.
    pub fn key_pair(self, pair: &KeyPair) -> Self {
        self.set("JWT_ALGORITHM", pair.algorithm()).set("JWT_PRIVATE_KEY", pair.private_pem())
    }

    /// Uses the settings of production.
    pub fn production(self) -> Self {
        self.set("APP_ENV", "production").set("BCRYPT_COST", "10").set("RATE_LIMITS", "on")
    }

    /// Creates an administrator's account.
    pub fn administrator(self, email: &str) -> Self {
        self.account(email, None, Role::Admin)
    }

    /// Creates an account with this address and [`PASSWORD`].
    pub fn user(self, email: &str) -> Self {
        self.account(email, None, Role::User)
    }

    pub fn account(mut self, email: &str, username: Option<&str>, role: Role) -> Self {
        let (email, username) = (email.to_owned(), username.map(str::to_owned));
        let request = RegisterRequest { email, password: PASSWORD.to_owned(), username, display_name: None };
        self.users.push((request, role));
        self
    }

    /// Enables the limits of production, behind a proxy: `X-Forwarded-For` gives a client's address, else [`OWN_ADDRESS`].
    pub fn limited(self) -> Self {
        self.set("RATE_LIMITS", "on").set("TRUSTED_PROXY_HOPS", "1")
    }

    /// Changes the timeouts, so that a test of one takes less time.
    pub fn timeouts(mut self, change: impl FnOnce(&mut Timeouts)) -> Self {
        change(&mut self.timeouts);
        self
    }

    /// Keeps files in a bucket instead of in a folder of the test.
    pub fn bucket(mut self, server: &BucketServer) -> Self {
        self.storage = server.settings();
        self
    }

    /// Sets the maximum number of open connections.
    pub fn connections(mut self, connections: usize) -> Self {
        self.connections = connections;
        self
    }

    /// Uses another API's clock, as a second process on the same machine does.
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
            // Latchkey's own tables exist already.
            migrate_product(&services.settings.database.url, migrations).unwrap();
        }
        revocation_poll::poll(&services).await.unwrap();
        revocation_poll::record_own_lifetime(&services).await;
        services.connect_to_redis().await;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = client(!services.settings.server.proxies.is_none());
        let running = run(product.clone(), services.clone(), listener, self.connections);
        let (clock, outbox, files) = (self.clock, self.outbox, self.files);
        TestApp { address, services, product, clock, client, outbox, files, _running: running, db: self.db }
    }
}

/// The client that sends a test's requests, directly or as a proxy does.
fn client(is_proxy: bool) -> reqwest::Client {
    let forwarded = (HeaderName::from_static("x-forwarded-for"), HeaderValue::from_static(OWN_ADDRESS));
    let headers: HeaderMap = is_proxy.then_some(forwarded).into_iter().collect();
    let client = http_client().redirect(reqwest::redirect::Policy::none());
    client.default_headers(headers).timeout(DEADLINE).build().unwrap()
}

/// Serves in its own thread, so that the test does not end before the server has stopped.
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

impl TestApp {
    /// Runs a feature's job once, as its schedule does.
    pub async fn run_job(&self, name: &str) -> Result<(), String> {
        let job = self.product.run_job(name, self.services.clone()).await;
        job.unwrap_or_else(|| panic!("no feature has a job {name:?}"))
    }

    /// The value of the counter `latchkey_NAME_total`.
    pub fn counter(&self, name: &str) -> u64 {
        self.metric(&format!("latchkey_{name}_total"))
    }

    /// The value of a metric: its full name, followed by the labels in braces if it has any.
    pub fn metric(&self, name: &str) -> u64 {
        let text = self.services.metrics.render().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        value.unwrap_or_else(|| panic!("no metric is named {name}")).parse().unwrap()
    }

    pub fn builder(database: Database) -> Builder {
        Self::builder_on(Arc::new(TestDb::migrated(database)))
    }

    /// Uses an existing database: for a second process, or for the first one started again.
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
        // The delay before a refusal would only make the tests slower.
        let timeouts = Timeouts { rejection: Duration::ZERO, ..Timeouts::default() };
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

    /// The folder of the files, unless they are kept in a bucket.
    pub fn files(&self) -> &Path {
        self.files.path()
    }

    pub fn services(&self) -> &Data<Services> {
        &self.services
    }

    pub fn settings(&self) -> &Settings {
        &self.services.settings
    }

    /// Reads new revocations, as the background task does every second.
    pub async fn poll_revocations(&self) {
        revocation_poll::poll(&self.services).await.unwrap();
    }

    /// Compares the clocks, as the background task does every few seconds. Until a test calls it, the API trusts its own clock.
    pub async fn compare_clocks(&self) {
        compare_clocks(&self.services).await.unwrap();
    }

    /// Sends the mails that are due, as the background task does every second, and returns those that were sent.
    pub async fn deliver_mail(&self) -> Vec<Mail> {
        deliver_due(&self.services).await.unwrap();
        mail::take(self.outbox.path())
    }

    /// Sends the only mail that is due.
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
}
