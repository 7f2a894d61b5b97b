//! Variables that the hosting platform sets.

use super::declare::variables;
use super::row::doc;
use super::variable::{Optional, parsed, text};

variables! {
    RENDER: Optional<bool> = parsed(
        |value| Ok(value == "true"),
        doc("Render sets it to `true`. The API then trusts Render's proxies, and the checks know its disks.").from_platform(),
    );
    RENDER_EXTERNAL_HOSTNAME: Optional<String> = text(
        doc("Render sets it to the API's own host. The checks compare it with the front end's.").from_platform(),
    );
}

pub(super) fn is_render(reader: &mut super::reader::SettingsReader) -> bool {
    reader.find(&RENDER).unwrap_or_default()
}

pub(super) fn public_host(reader: &mut super::reader::SettingsReader) -> Option<String> {
    reader.find(&RENDER_EXTERNAL_HOSTNAME)
}
