//! The server's settings, fetched once.

use super::SessionOwner;
use super::owner::SettingsRequest;
use crate::http::ApiRequest;
use crate::policy::{RequestFailure, read_json};
use auth_types::paths;
use auth_types::responses::ConfigResponse;
use futures::FutureExt;
use leptos::prelude::*;

impl SessionOwner {
    /// The server's settings, fetched once for each session. Simultaneous callers share one request.
    ///
    /// # Errors
    /// Why the request failed; the next call sends a new one.
    pub async fn server_settings(self) -> Result<ConfigResponse, RequestFailure> {
        let running = self.settings.with_value(Clone::clone).unwrap_or_else(|| self.fetch_settings());
        let response = running.await;
        if response.is_err() {
            self.settings.try_set_value(None);
        }
        response
    }

    fn fetch_settings(self) -> SettingsRequest {
        let request = ApiRequest::get(paths::CONFIG);
        let running = async move { read_json(self.http.send(&request).await) }.boxed_local().shared();
        self.settings.set_value(Some(running.clone()));
        running
    }
}
