//! Creates a database for each test, as a copy of a migrated template.

use super::{migrate, migrate_as_the_program};
use api::config::{DatabaseUrl, Settings, Variables};
use api::store::AnyConnection;
use api::store::connection::open;
use diesel::RunQueryDsl;
use diesel::sql_types::{Nullable, Text};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;
use url::Url;

/// Runs each of the named tests on SQLite and on PostgreSQL: `sqlite::name` and `postgres::name`. A test that is not
/// listed is never called, and the compiler says so.
macro_rules! on_both_databases {
    ($($test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[actix_web::test] async fn $test() { super::$test(crate::support::Database::Sqlite).await; })+
        }
        mod postgres {
            $(#[actix_web::test] async fn $test() { super::$test(crate::support::Database::Postgres).await; })+
        }
    };
}
pub(crate) use on_both_databases;

/// Which of the two databases a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// A database that is deleted when this is dropped.
#[derive(Debug)]
pub struct TestDb {
    url: String,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Sqlite { _folder: TempDir },
    Postgres { name: String },
}

/// A migrated SQLite database, as bytes.
static SQLITE_TEMPLATE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("template.sqlite3");
    migrate(&DatabaseUrl::Sqlite(path.clone())).unwrap();
    // The last connection is closed, so nothing is left in the write-ahead log.
    std::fs::read(path).unwrap()
});

/// The name of a migrated PostgreSQL database.
static POSTGRES_TEMPLATE: LazyLock<String> = LazyLock::new(|| {
    let name = new_name("template");
    administer(&format!("CREATE DATABASE {name}"));
    migrate(&DatabaseUrl::Postgres(server().with_database(&name).into())).unwrap();
    name
});

impl TestDb {
    /// A database with Latchkey's schema.
    pub fn migrated(database: Database) -> Self {
        match database {
            Database::Sqlite => {
                let db = Self::empty(database);
                std::fs::write(db.file(), &*SQLITE_TEMPLATE).unwrap();
                db
            }
            Database::Postgres => Self::postgres(&format!("TEMPLATE {}", *POSTGRES_TEMPLATE)),
        }
    }

    /// A database with the program's schema, which includes the tables of its features.
    pub fn of_the_program(database: Database) -> Self {
        let db = Self::migrated(database);
        migrate_as_the_program(&db.parsed_url()).unwrap();
        db
    }

    /// A database without a schema.
    pub fn empty(database: Database) -> Self {
        match database {
            Database::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                let url = format!("sqlite:{}", folder.path().join("test.sqlite3").display());
                Self { url, kind: Kind::Sqlite { _folder: folder } }
            }
            Database::Postgres => Self::postgres(""),
        }
    }

    fn postgres(clause: &str) -> Self {
        let name = new_name("test");
        administer(&format!("CREATE DATABASE {name} {clause}"));
        Self { url: server().with_database(&name), kind: Kind::Postgres { name } }
    }

    pub fn database(&self) -> Database {
        match self.kind {
            Kind::Sqlite { .. } => Database::Sqlite,
            Kind::Postgres { .. } => Database::Postgres,
        }
    }

    /// The value for `DATABASE_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same, parsed.
    pub fn parsed_url(&self) -> DatabaseUrl {
        let variables = Variables::default().with("DATABASE_URL", &self.url).with("SECRET_KEY", "unused");
        Settings::from_variables(variables).unwrap().database.url
    }

    /// The same database through a proxy.
    pub fn url_through(&self, proxy: std::net::SocketAddr) -> String {
        let mut url = Url::parse(&self.url).unwrap();
        url.set_ip_host(proxy.ip()).unwrap();
        url.set_port(Some(proxy.port())).unwrap();
        // The proxy reads what passes, so TLS is off even where the server offers it.
        url.set_query(Some("sslmode=disable&gssencmode=disable"));
        url.into()
    }

    /// The address of the PostgreSQL server.
    pub fn server_address(&self) -> std::net::SocketAddr {
        let url = Url::parse(&self.url).unwrap();
        let found = url.socket_addrs(|| Some(5432)).unwrap();
        found[0]
    }

    /// The name of the PostgreSQL database.
    pub fn name(&self) -> &str {
        match &self.kind {
            Kind::Postgres { name } => name,
            Kind::Sqlite { .. } => panic!("a file has no name on a server"),
        }
    }

    /// The SQLite file.
    pub fn file(&self) -> PathBuf {
        Path::new(self.url.strip_prefix("sqlite:").unwrap()).to_owned()
    }

    /// The size of the SQLite file, in bytes.
    pub fn size(&self) -> u64 {
        std::fs::metadata(self.file()).unwrap().len()
    }

    pub fn connect(&self) -> AnyConnection {
        open(&self.parsed_url()).unwrap()
    }

    /// Runs statements on a connection of the test.
    pub fn execute(&self, sql: &str) -> usize {
        execute(&mut self.connect(), sql)
    }

    /// The one value that `sql` selects, as text.
    pub fn value(&self, sql: &str) -> Option<String> {
        let mut rows = self.values(&format!("SELECT CAST(({sql}) AS text) AS value"));
        assert_eq!(rows.len(), 1, "{sql} gave {rows:?}");
        rows.remove(0)
    }

    /// A count, or any other number.
    pub fn number(&self, sql: &str) -> i64 {
        self.value(sql).unwrap_or_else(|| panic!("{sql} gave NULL")).parse().unwrap()
    }

    fn values(&self, sql: &str) -> Vec<Option<String>> {
        #[derive(diesel::QueryableByName)]
        struct Row {
            #[diesel(sql_type = Nullable<Text>)]
            value: Option<String>,
        }
        let query = diesel::sql_query(sql);
        let rows: Vec<Row> = match &mut self.connect() {
            AnyConnection::Postgres(postgres) => query.load(postgres).unwrap(),
            AnyConnection::Sqlite(sqlite) => query.load(sqlite).unwrap(),
        };
        rows.into_iter().map(|row| row.value).collect()
    }

    /// The texts that `sql` selects as `value`.
    pub fn texts(&self, sql: &str) -> Vec<String> {
        self.values(sql).into_iter().map(Option::unwrap).collect()
    }

    /// The names of a table's columns, in order.
    pub fn columns(&self, table: &str) -> Vec<String> {
        let sql = match self.database() {
            Database::Sqlite => format!("SELECT name AS value FROM pragma_table_info('{table}') ORDER BY cid"),
            Database::Postgres => format!(
                "SELECT CAST(column_name AS text) AS value FROM information_schema.columns
                 WHERE table_schema = 'public' AND table_name = '{table}' ORDER BY ordinal_position"
            ),
        };
        self.values(&sql).into_iter().map(Option::unwrap).collect()
    }

    /// The names of the tables, except diesel's own.
    pub fn tables(&self) -> Vec<String> {
        self.all_tables().into_iter().filter(|table| !table.starts_with("__")).collect()
    }

    /// The names of all tables.
    pub fn all_tables(&self) -> Vec<String> {
        self.texts(match self.database() {
            Database::Sqlite => {
                "SELECT name AS value FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
            }
            Database::Postgres => {
                "SELECT CAST(tablename AS text) AS value FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
            }
        })
    }

    /// Changes the encoding of a PostgreSQL database whose content is ASCII, for the connections that are opened later.
    pub fn set_encoding(&self, encoding: &str) {
        self.execute(&format!(
            "UPDATE pg_database SET encoding = pg_char_to_encoding('{encoding}') WHERE datname = current_database()"
        ));
    }

    /// All stored rows as lines of text: two equal results mean that nothing has changed in between.
    pub fn content(&self) -> Vec<String> {
        // Every database has an identity, also an empty one.
        self.content_of(self.tables().into_iter().filter(|table| table != "database_identity"))
    }

    /// The same for some tables.
    pub fn content_of(&self, tables: impl IntoIterator<Item = String>) -> Vec<String> {
        let mut lines = Vec::new();
        for table in tables {
            let text = |column: &String| match self.database() {
                Database::Postgres => format!("coalesce(CAST({column} AS text), '-')"),
                Database::Sqlite => format!(
                    "coalesce(CASE typeof({column}) WHEN 'blob' THEN hex({column}) ELSE CAST({column} AS text) END, '-')"
                ),
            };
            let row = self.columns(&table).iter().map(text).collect::<Vec<_>>().join(" || '|' || ");
            let rows = self.values(&format!("SELECT '{table}: ' || {row} AS value FROM {table} ORDER BY 1"));
            lines.extend(rows.into_iter().map(Option::unwrap));
        }
        lines
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        if let Kind::Postgres { name } = &self.kind {
            administer(&format!("DROP DATABASE {name} WITH (FORCE)"));
        }
    }
}

fn new_name(purpose: &str) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("latchkey_{purpose}_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Runs a statement on an open connection.
pub fn execute(connection: &mut AnyConnection, sql: &str) -> usize {
    let query = diesel::sql_query(sql);
    let done = match connection {
        AnyConnection::Postgres(postgres) => query.execute(postgres),
        AnyConnection::Sqlite(sqlite) => query.execute(sqlite),
    };
    done.unwrap_or_else(|error| panic!("{sql}: {error}"))
}

fn administer(sql: &str) {
    execute(&mut open(&DatabaseUrl::Postgres(server().0.as_str().into())).unwrap(), sql);
}

/// The server that `scripts/postgres` starts.
struct Server(Url);

fn server() -> Server {
    let url = std::env::var("TEST_POSTGRES_URL")
        .unwrap_or_else(|_| panic!("TEST_POSTGRES_URL is not set: run it as `scripts/postgres run -- cargo test`"));
    Server(Url::parse(&url).unwrap())
}

impl Server {
    fn with_database(mut self, name: &str) -> String {
        self.0.set_path(name);
        self.0.into()
    }
}
