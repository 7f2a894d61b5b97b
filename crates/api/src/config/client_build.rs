//! What the client's build reads (`crates/client/build.rs`). The API knows the name only to tell it from a misspelt one.

use super::declare::variables;
use super::row::says;
use super::variable::{Optional, text};

variables! {
    #[expect(dead_code, reason = "the build of another crate reads it, and a test compares the two")]
    API_BASE_URL: Optional<String> = text(
        says(
            "Where the client finds the API. Read by the client's build, not by the API. An address without `http://` or \
             `https://`, host, or with a query ends the build.",
        )
        .also(&["VITE_API_BASE_URL"])
        .otherwise("http://127.0.0.1:8000"),
    );
}
