//! What a feature needs. `docs/EXTENDING.md` leads through building one.

pub use crate::app::{App, Feature};
pub use crate::clock::SharedClock;
pub use crate::gate::Resource;
pub use crate::http::{Admin, Bounds, Caller, Client, Cursor, Endpoint, JsonBody, Query, by_caller, by_client};
pub use crate::mails::MailText;
pub use crate::metrics::Metrics;
pub use crate::migrations;
pub use crate::problem::Problem;
pub use crate::service::events::feature::record_event;
pub use crate::service::mail::{FeatureMail, MailContext, queue_mail};
pub use crate::service::opaque_token::OpaqueToken;
pub use crate::service::paging::page_of;
pub use crate::service::sessions::Administrator;
pub use crate::service::tables::{ExportSubject, PruneInput, Table};
pub use crate::service::upkeep::prune::prune;
pub use crate::service::{ClientInfo, CurrentUser, Error, RequestContext, Services};
pub use crate::store::migrations::{SchemaChange, Script};
pub use crate::store::types::{At, SqlUuid};
pub use crate::store::users::UserRow;
pub use crate::store::{AnyConnection, MultiBackend, QueryResult, Store, StoreError, types};
pub use auth_types::{FieldErrors, Page, Role, UserId};
pub use secrecy::{ExposeSecret, SecretString};
