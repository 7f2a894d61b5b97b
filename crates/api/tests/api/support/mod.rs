//! Shared by all tests: each gets its own API, its own database and a clock that it moves.

pub mod administrator;
mod app;
pub mod avatars;
mod backup_key;
pub mod bearer;
mod browser;
mod bucket_server;
mod clock;
mod cluster;
pub mod cookie_mode;
mod database;
pub mod deletion;
pub mod delivery;
pub mod document;
mod edge;
mod faulty_disk;
pub mod forge;
pub mod guesses;
mod hashing;
mod http_client;
mod key_pair;
mod log;
mod mail;
mod mail_server;
pub mod observed;
pub mod pictures;
mod port;
mod process;
mod product;
pub mod prometheus;
mod proxy;
pub mod raw;
mod redis;
pub mod refresh;
mod requests;
mod response;
mod rows;
mod scripted_mail_server;
pub mod servers;
pub mod settings;
pub mod shell;
mod shifted_clock;
pub mod sign_ups;
mod static_host;
pub mod surface;

pub use app::{Builder, DEADLINE, OWN_ADDRESS, PASSWORD, SECRET_KEY, TestApp};
pub use backup_key::write_backup_key;
pub use browser::Browser;
pub use bucket_server::BucketServer;
pub use clock::ManualClock;
pub use cluster::Cluster;
pub(crate) use database::on_both_databases;
pub use database::{Database, TestDb, execute};
pub use edge::{CLIENT, EDGE, Edge, INNER};
pub use faulty_disk::{DiskError, FaultyDisk};
pub use hashing::{hold, hold_hashing, queue_length};
pub use http_client::http_client;
pub use key_pair::KeyPair;
pub use mail::Mail;
pub use mail_server::{CERTIFICATE, MailServer};
pub use process::{Process, create_user, eventually, try_create_user, try_create_user_with, try_start};
pub use product::{
    bounds, coverage, features, is_own_table, migrate, migrate_as_the_program, missing_migrations, openapi, revert_all,
};
pub use proxy::Proxy;
pub use redis::RedisServer;
pub use requests::send;
pub use response::TestResponse;
pub use scripted_mail_server::{Refusal, ScriptedMailServer};
pub use shifted_clock::ShiftedClock;
pub use static_host::{Publication, StaticHost};

use chrono::Duration;

/// The resolution of the times in a token.
pub const ONE_SECOND: Duration = Duration::seconds(1);
