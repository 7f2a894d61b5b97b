//! The pages: one file and one row each.
#![expect(unreachable_pub, reason = "the component macro hides re-exports from this lint")]

#[macro_use]
mod table;
mod not_found;

pub use not_found::NotFoundPage;

// To add a page, write its file here (`notes.rs`, with a component for the content below the heading) and its row:
//
//     [mod notes; NotesPage, "/notes", "Notes", Users, "Notes"],
//
// These are the file, its component, the path, the heading, who sees it (`Audience`: `Visitors`, `Everybody`, `MailedLink`,
// `Users` or `Administrators`), and, for a page that the navigation leads to, its entry there. Routes, guard, frame, titles
// and navigation are generated from the rows, and so are the browser tests that every page has to pass, and the static host's
// rules: run `scripts/headers` to write them again; a test fails until then.
pages! {
    [mod login; LoginPage, "/login", "Sign in", Visitors],
    [mod register; RegisterPage, "/register", "Create account", Visitors],
    [mod forgot_password; ForgotPasswordPage, "/forgot-password", "Forgot password", Everybody],
    [mod reset_password; ResetPasswordPage, "/reset-password", "Choose a new password", MailedLink],
    [mod verify_email; VerifyEmailPage, "/verify-email", "Confirm your email", MailedLink],
    [mod change_email; ChangeEmailPage, "/change-email", "Confirm your new email", MailedLink],
    [mod home; HomePage, "/", "Your account", Users],
    [mod account; AccountPage, "/account", "Account", Users, "Account"],
    [mod security; SecurityPage, "/security", "Security", Users, "Security"],
    [mod sessions; SessionsPage, "/sessions", "Sessions", Users, "Sessions"],
}
