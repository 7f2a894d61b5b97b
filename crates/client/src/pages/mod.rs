//! The pages, one a file.
#![expect(unreachable_pub, reason = "the component macro hides re-exports from this lint")]

mod account;
mod home;
mod login;
mod not_found;
mod register;
mod sessions;

pub use account::AccountPage;
pub use home::HomePage;
pub use login::LoginPage;
pub use not_found::NotFoundPage;
pub use register::RegisterPage;
pub use sessions::SessionsPage;
