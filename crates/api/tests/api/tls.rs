//! TLS to PostgreSQL, spoken by the libpq and the OpenSSL that are part of the program.

use crate::support::{Database, TestDb};
use api::config::DatabaseUrl;
use api::store::AnyConnection;
use api::store::connection::open;
use diesel::RunQueryDsl;
use diesel::sql_types::Bool;

/// The server's self-signed certificate, which `scripts/postgres` creates.
fn certificate() -> String {
    std::env::var("TEST_POSTGRES_CERTIFICATE").unwrap_or_else(|_| {
        panic!("TEST_POSTGRES_CERTIFICATE is not set: run it as `scripts/postgres run -- cargo test`")
    })
}

fn connect(db: &TestDb, query: &str) -> Result<AnyConnection, diesel::ConnectionError> {
    let mut url = url::Url::parse(db.url()).unwrap();
    url.set_query(Some(query));
    open(&DatabaseUrl::Postgres(url.as_str().into()))
}

fn is_encrypted(connection: AnyConnection) -> bool {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        ssl: bool,
    }
    let AnyConnection::Postgres(mut postgres) = connection else { panic!("not PostgreSQL") };
    let query = diesel::sql_query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()");
    query.get_result::<Row>(&mut postgres).unwrap().ssl
}

#[test]
fn a_connection_that_requires_tls_is_encrypted() {
    let db = TestDb::migrated(Database::Postgres);
    assert!(is_encrypted(connect(&db, "sslmode=require").unwrap()));
    assert!(!is_encrypted(connect(&db, "sslmode=disable").unwrap()));
}

#[test]
fn a_server_is_trusted_only_if_its_authority_is() {
    let db = TestDb::migrated(Database::Postgres);
    let trusted = format!("sslmode=verify-full&sslrootcert={}", certificate());
    assert!(is_encrypted(connect(&db, &trusted).unwrap()));
    let refused = connect(&db, "sslmode=verify-full&sslrootcert=system").unwrap_err();
    assert!(refused.to_string().contains("certificate verify failed"), "{refused}");
}
