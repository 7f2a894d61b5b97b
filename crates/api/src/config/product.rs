//! The product's own variables: Latchkey declares none here and leaves this file alone, so that an update merges.
//!
//! A variable is a line of each list, and is read as `services.settings.product.<field>`:
//!
//! ```text
//! variables! {
//!     NOTES_KEPT_DAYS: Variable<u32> = number(365, 1, 3_650, says("How long a note is kept, days."));
//! }
//! settings! {
//!     pub struct ProductSettings {
//!         pub notes_kept_days: u32 = NOTES_KEPT_DAYS,
//!     }
//! }
//! ```
//!
//! The other files of this folder have examples of `text`, `word`, `parsed` and `Optional`, of secrets, and of what production
//! asks for.

use super::declare::{settings, variables};

variables! {}

settings! {
    /// What the product's features are set up with.
    pub struct ProductSettings {}
}
