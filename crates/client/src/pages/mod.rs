//! The pages, one a file.
#![expect(unreachable_pub, reason = "the component macro hides re-exports from this lint")]

mod account;
mod confirm_email;
mod forgot_password;
mod home;
mod login;
mod not_found;
mod picture;
mod recent_events;
mod register;
mod reset_password;
mod security;
mod sessions;

pub use account::AccountPage;
pub use confirm_email::{ChangeEmailPage, VerifyEmailPage};
pub use forgot_password::ForgotPasswordPage;
pub use home::HomePage;
pub use login::LoginPage;
pub use not_found::NotFoundPage;
pub use register::RegisterPage;
pub use reset_password::ResetPasswordPage;
pub use security::SecurityPage;
pub use sessions::SessionsPage;
