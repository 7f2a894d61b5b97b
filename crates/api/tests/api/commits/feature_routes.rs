//! Routes of features, which the tests know only from the OpenAPI document.

use super::operations::{Operation, feature_content};
use crate::support::surface::{HINT, SampleRequest};
use crate::support::{Process, TestDb};
use auth_types::responses::TokenResponse;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::fmt;

/// A feature's route that may change something.
#[derive(Clone, PartialEq, Eq)]
pub struct FeatureRoute {
    pub operation: String,
    document: Value,
    path: String,
    method: String,
    /// Whether its effect shows in the features' tables.
    pub changes_something: bool,
}

impl fmt::Debug for FeatureRoute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.operation)
    }
}

impl FeatureRoute {
    /// A route that is assumed to change something until it has been tried.
    pub fn of(document: &Value, path: &str, method: &str) -> Self {
        Self {
            operation: document["paths"][path][method]["operationId"].as_str().unwrap().to_owned(),
            document: document.clone(),
            path: path.to_owned(),
            method: method.to_owned(),
            changes_something: true,
        }
    }

    /// The sample request, after creating the rows that it refers to.
    pub async fn fill(&self, process: &Process, tokens: &TokenResponse) -> SampleRequest {
        SampleRequest::new(&self.document, &self.path, &self.method, &authorized(process, tokens)).await
    }
}

/// Begins requests of the account with these tokens.
pub fn authorized(process: &Process, tokens: &TokenResponse) -> impl Fn(Method, &str) -> RequestBuilder {
    |method, path| process.request(method, path).bearer_auth(&tokens.access)
}

/// The operation of a feature's route; `None` when the row that it needs does not exist.
pub async fn operation(route: FeatureRoute, db: &TestDb, process: &Process) -> Option<Operation> {
    // Leaked, because an operation is `Copy`.
    let known = |changes_something| {
        Operation::OfFeature(Box::leak(Box::new(FeatureRoute { changes_something, ..route.clone() })))
    };
    let operation = known(true);
    let account = operation.prepare(db, process, 0).await;
    let before = feature_content(db);
    let response = operation.send(process, &account).await;
    assert!(response.status.is_success() || response.status == 404, "{operation:?}: {}; {HINT}", response.text());
    let changes_something = feature_content(db) != before;
    response.status.is_success().then(|| known(changes_something))
}
