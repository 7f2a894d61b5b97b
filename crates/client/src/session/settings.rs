//! What the server is set to: asked for once.

use super::Session;
use super::owner::SettingsRequest;
use crate::http::ApiRequest;
use crate::policy::{RequestFailure, read_json};
use auth_types::paths;
use auth_types::responses::ConfigResponse;
use futures::FutureExt;
use leptos::prelude::*;

impl Session {
    /// The server's settings, as they were when this tab asked first since the last session ended. Several that ask at once wait for one answer.
    ///
    /// # Errors
    /// What keeps the server from saying it; then the next one asks again.
    pub async fn server_settings(self) -> Result<ConfigResponse, RequestFailure> {
        let asking = self.settings.with_value(Clone::clone).unwrap_or_else(|| self.ask_for_settings());
        let answer = asking.await;
        if answer.is_err() {
            self.settings.try_set_value(None);
        }
        answer
    }

    fn ask_for_settings(self) -> SettingsRequest {
        let call = ApiRequest::get(paths::CONFIG);
        let asking = async move { read_json(self.http.send(&call).await) }.boxed_local().shared();
        self.settings.set_value(Some(asking.clone()));
        asking
    }
}
