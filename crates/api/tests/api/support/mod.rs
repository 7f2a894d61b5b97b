//! What tests stand on: an API of their own, a database of their own, a clock that they move.

mod answer;
mod app;
mod clock;
mod database;

pub use answer::Answer;
pub use app::{HoldsRefresh, PASSWORD, SECRET_KEY, TestApp, send};
pub use clock::ManualClock;
pub(crate) use database::on_both_databases;
pub use database::{Database, TestDb};
