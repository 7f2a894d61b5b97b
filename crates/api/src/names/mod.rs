//! Names: how they are stored, and the canonical form that makes names which a person reads as the same equal in the database.
//!
//! The canonical form is never made by SQL's `lower`, which differs between databases and locales. An address is mailed in NFC; a
//! username follows the profile `UsernameCaseMapped` of PRECIS (RFC 8265).

mod case_folding;
mod direction;
mod display;
mod email;
mod former;
mod migration;
mod parts;
mod spellings;
#[cfg(test)]
mod tests;
mod username;

pub use display::display_name;
pub use email::{canonical_email, counted_email, is_same_mailbox, mailable_email, new_email, typed_email};
pub use migration::{MigratedNames, migrated};
pub use parts::Name;
pub use spellings::Spellings;
pub use username::{canonical_username, new_username};
