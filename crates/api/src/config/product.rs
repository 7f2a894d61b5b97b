//! The product's own variables: Latchkey declares none here and does not change this file, so that an update merges.
//!
//! A variable is one line in each list, and is read as `services.settings.product.<field>`:
//!
//! ```text
//! variables! {
//!     NOTES_KEPT_DAYS: Variable<u32> = number(365, 1, 3_650, doc("How long a note is kept, days."));
//! }
//! settings! {
//!     pub struct ProductSettings {
//!         pub notes_kept_days: u32 = NOTES_KEPT_DAYS,
//!     }
//! }
//! ```
//!
//! The other files of this folder have examples of `text`, `word`, `parsed` and `Optional`, of secrets, and of requirements in
//! production.

use super::declare::{settings, variables};

variables! {}

settings! {
    /// The settings of the product's features.
    pub struct ProductSettings {}
}
