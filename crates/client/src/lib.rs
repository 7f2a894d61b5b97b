//! Latchkey in the browser.
//!
//! A request flows one way: page → [`http`] → the API. [`session`] owns the tokens, [`local_storage`] stores them, and [`policy`]
//! decides. Only `policy` is built without the `browser` feature.
#![cfg_attr(test, expect(clippy::expect_used, reason = "a test that misses something stops there"))]

pub mod policy;

#[cfg(feature = "browser")]
pub mod app;
#[cfg(feature = "browser")]
pub mod clock;
#[cfg(feature = "browser")]
pub mod components;
#[cfg(feature = "browser")]
pub mod download;
#[cfg(feature = "browser")]
pub mod http;
#[cfg(feature = "browser")]
pub mod local_storage;
#[cfg(feature = "browser")]
pub mod mailed_link;
#[cfg(feature = "browser")]
pub mod notices;
#[cfg(feature = "browser")]
pub mod pages;
#[cfg(feature = "browser")]
pub mod session;
