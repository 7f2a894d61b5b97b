//! Routes of features, which the tests know by the OpenAPI document only.

use super::acts::{Act, of_features};
use crate::support::surface::{HINT, SampleRequest};
use crate::support::{Process, TestDb};
use auth_types::responses::TokenResponse;
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use std::fmt;

/// An operation of a feature's that may change something.
#[derive(PartialEq, Eq)]
pub struct FeatureRoute {
    pub operation: String,
    document: Value,
    path: String,
    method: String,
    /// Whether something in the features' tables shows that it was done.
    pub changes_something: bool,
}

impl fmt::Debug for FeatureRoute {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.operation)
    }
}

impl FeatureRoute {
    fn of(document: &Value, (path, method): (&str, &str), changes_something: bool) -> Self {
        let operation = document["paths"][path][method]["operationId"].as_str().unwrap().to_owned();
        let (path, method) = (path.to_owned(), method.to_owned());
        Self { operation, document: document.clone(), path, method, changes_something }
    }

    /// The request, with what it names.
    pub async fn fill(&self, process: &Process, tokens: &TokenResponse) -> SampleRequest {
        SampleRequest::new(&self.document, (&self.path, &self.method), &asking(process, tokens)).await
    }
}

pub fn asking(process: &Process, tokens: &TokenResponse) -> impl Fn(Method, &str) -> RequestBuilder {
    |method, path| process.request(method, path).bearer_auth(&tokens.access)
}

/// The act of a feature's route; `None` where nothing is there for it to be done with.
pub async fn act(document: &Value, route: (&str, &str), (db, process): (&TestDb, &Process)) -> Option<Act> {
    // As an act it is copied from test to test.
    let known =
        |changes_something| Act::OfFeature(Box::leak(Box::new(FeatureRoute::of(document, route, changes_something))));
    let act = known(true);
    let person = act.prepare(db, process, 0).await;
    let before = of_features(db);
    let answer = act.send(process, &person).await;
    assert!(answer.status.is_success() || answer.status == 404, "{act:?}: {}; {HINT}", answer.text());
    let changes_something = of_features(db) != before;
    answer.status.is_success().then(|| known(changes_something))
}
