//! The variable of the client's build (`crates/client/build.rs`). The API knows its name only to recognise a misspelt one.

use super::declare::variables;
use super::row::doc;
use super::variable::{Optional, text};

variables! {
    #[expect(dead_code, reason = "the build of another crate reads it, and a test compares the two")]
    API_BASE_URL: Optional<String> = text(
        doc(
            "The address of the API. Read by the client's build, not by the API. The build fails if the address has no host or \
             no `http://` or `https://`, or has a query.",
        )
        .aliases(&["VITE_API_BASE_URL"])
        .default_value("http://127.0.0.1:8000"),
    );
}
