//! The content of a file that the user chose.

use crate::policy::RequestFailure;
use auth_types::FieldErrors;
use js_sys::ArrayBuffer;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

/// The message at the field.
const CHANGED: &str = "This file was changed, moved or deleted after you chose it. Choose it again.";

/// The content of a file, in memory before it is sent: browsers do not send a file that was changed after it was chosen, and
/// report that as a network error.
#[derive(Debug, Clone)]
pub struct FileContent {
    pub(super) media_type: String,
    pub(super) bytes: ArrayBuffer,
}

impl FileContent {
    /// Reads a file of the form's field `field`.
    ///
    /// # Errors
    /// [`RequestFailure::Unsendable`] if the file was changed after it was chosen.
    pub async fn read(file: &File, field: &str) -> Result<Self, RequestFailure> {
        let changed = || RequestFailure::Unsendable(FieldErrors::from([(field.to_owned(), vec![CHANGED.to_owned()])]));
        let bytes = JsFuture::from(file.array_buffer()).await.map_err(|_| changed())?;
        Ok(Self { media_type: file.type_(), bytes: bytes.unchecked_into() })
    }
}
