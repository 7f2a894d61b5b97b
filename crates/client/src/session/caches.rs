//! Cache Storage. The client stores nothing there; what a browser extension or a later release stored is deleted with the
//! session.

use js_sys::{Array, JsString};
use leptos::prelude::window;
use leptos::task::spawn_local;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::CacheStorage;

/// Deletes every cache of this origin.
pub(super) fn clear() {
    // Browsers hide Cache Storage from pages that were loaded over plain HTTP.
    let Ok(storage) = window().caches() else { return };
    if !storage.is_undefined() {
        spawn_local(async move {
            let _: Result<(), JsValue> = delete_all(&storage).await;
        });
    }
}

async fn delete_all(storage: &CacheStorage) -> Result<(), JsValue> {
    let names: Array = JsFuture::from(storage.keys()).await?.unchecked_into();
    for name in names.iter() {
        let name: JsString = name.unchecked_into();
        JsFuture::from(storage.delete(&String::from(name))).await?;
    }
    Ok(())
}
