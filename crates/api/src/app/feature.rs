//! A feature: a part of the product with its own tables, endpoints and jobs. Latchkey itself is the first one.

use crate::http::{Endpoint, EndpointFactory};
use crate::service::Services;
use crate::service::mail::{DeclaredMail, FeatureMail};
use crate::service::tables::{Table, builtin_tables};
use crate::store::migrations::SchemaChange;
use actix_web::web::{Data, ServiceConfig};
use futures_util::future::LocalBoxFuture;
use std::fmt::{self, Display};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Adds the shared state of a feature's handlers to the application of a worker.
pub(super) type InstallState = Arc<dyn Fn(&mut ServiceConfig) + Send + Sync>;
/// Creates the state, once in a process.
pub(super) type MakeState = Arc<dyn Fn(&Services) -> InstallState + Send + Sync>;

type JobWork = dyn Fn(Data<Services>) -> LocalBoxFuture<'static, Result<(), String>> + Send + Sync;

/// Work that is repeated for as long as the process lives.
#[derive(Clone)]
pub(super) struct BackgroundJob {
    pub(super) name: &'static str,
    pub(super) period: Duration,
    pub(super) work: Arc<JobWork>,
}

/// A part of the product. `docs/EXTENDING.md` leads through building one.
#[derive(Clone)]
pub struct Feature {
    pub(super) name: &'static str,
    pub(super) changes: &'static [SchemaChange],
    pub(super) tables: Vec<Table>,
    pub(super) endpoints: Vec<EndpointFactory>,
    pub(super) states: Vec<MakeState>,
    pub(super) jobs: Vec<BackgroundJob>,
    pub(super) mails: Vec<DeclaredMail>,
}

impl Feature {
    /// A feature with a unique name: lower-case letters, digits and underscores, a letter first, at most 30 characters.
    pub const fn new(name: &'static str) -> Self {
        Self {
            name,
            changes: &[],
            tables: Vec::new(),
            endpoints: Vec::new(),
            states: Vec::new(),
            jobs: Vec::new(),
            mails: Vec::new(),
        }
    }

    /// Latchkey itself. Its migrations are not in a namespace.
    pub(super) fn builtin() -> Self {
        let feature = Self::new("latchkey").tables(builtin_tables());
        Self { endpoints: vec![EndpointFactory::builtin()], ..feature }
    }

    /// The migrations that [`migrations!`](crate::migrations) has read, numbered in the feature's own namespace.
    #[must_use]
    pub const fn migrations(mut self, changes: &'static [SchemaChange]) -> Self {
        self.changes = changes;
        self
    }

    /// The tables that these create; a table comes after those that it refers to.
    #[must_use]
    pub fn tables(mut self, tables: impl IntoIterator<Item = Table>) -> Self {
        self.tables.extend(tables);
        self
    }

    /// The table of the feature's endpoints.
    #[must_use]
    pub fn endpoints(mut self, table: impl Fn() -> Vec<Endpoint> + Send + Sync + 'static) -> Self {
        self.endpoints.push(EndpointFactory::of(table));
        self
    }

    /// The shared state of the feature's handlers, created once in a process; they take it as `Data<T>`. Register metrics here.
    #[must_use]
    pub fn state<T: Send + Sync + 'static>(mut self, make: impl Fn(&Services) -> T + Send + Sync + 'static) -> Self {
        let make = move |services: &Services| {
            let state = Data::new(make(services));
            let install: InstallState = Arc::new(move |config: &mut ServiceConfig| _ = config.app_data(state.clone()));
            install
        };
        self.states.push(Arc::new(make));
        self
    }

    /// Work that runs when the process has started, and then again whenever `period` has passed since it ended. Each process
    /// does it. A failure is logged as `job.failed` with `name`, and the work runs again after the next period.
    #[must_use]
    pub fn job<F, E>(
        mut self,
        name: &'static str,
        period: Duration,
        work: impl Fn(Data<Services>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(), E>> + 'static,
        E: Display,
    {
        let work = move |services| {
            let work = work(services);
            let outcome: LocalBoxFuture<'static, _> = Box::pin(async { work.await.map_err(|error| error.to_string()) });
            outcome
        };
        self.jobs.push(BackgroundJob { name, period, work: Arc::new(work) });
        self
    }

    /// A mail that the feature queues with [`queue_mail`](crate::prelude::queue_mail). What is not declared is never sent.
    #[must_use]
    pub fn mail<K: FromStr>(mut self, mail: &'static FeatureMail<K>) -> Self {
        self.mails.push(DeclaredMail::of(mail));
        self
    }
}

impl fmt::Debug for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feature").field("name", &self.name).finish_non_exhaustive()
    }
}
