//! A file that somebody chose, as it is at the moment.

use crate::policy::RequestFailure;
use auth_types::FieldErrors;
use js_sys::ArrayBuffer;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

/// What people are told at the field.
const GONE: &str = "This file was changed, moved or deleted after you chose it. Choose it again.";

/// The content of a file. It is in memory before it is sent: of a file that was changed after it was chosen browsers send
/// nothing, and report that like a missing network.
#[derive(Debug, Clone)]
pub struct FileContent {
    pub(super) media_type: String,
    pub(super) bytes: ArrayBuffer,
}

impl FileContent {
    /// Reads a file of the form's field `field`.
    ///
    /// # Errors
    /// [`RequestFailure::Unsendable`] when it is not the file any more that was chosen.
    pub async fn read(file: &File, field: &str) -> Result<Self, RequestFailure> {
        let gone = || RequestFailure::Unsendable(FieldErrors::from([(field.to_owned(), vec![GONE.to_owned()])]));
        let bytes = JsFuture::from(file.array_buffer()).await.map_err(|_| gone())?;
        Ok(Self { media_type: file.type_(), bytes: bytes.unchecked_into() })
    }
}
