//! Links between the pages for visitors.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

/// The address of another page for visitors, with the same query, so that `next` is kept.
pub fn with_query(path: &'static str) -> impl Fn() -> String + Clone + Send + Sync + 'static {
    let query = use_query_map();
    move || format!("{path}{}", query.get().to_query_string())
}
