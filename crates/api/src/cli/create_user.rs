//! `api create-user`.

use super::error::CliError;
use super::output::print;
use super::password::read_password;
use super::setting::services;
use crate::names;
use crate::service::Error;
use crate::service::accounts::register::{self, RegisterRefusal};
use crate::store::users::TakenName;
use auth_types::Role;
use auth_types::invisible::trimmed;
use auth_types::requests::RegisterRequest;
use clap::Args;
use secrecy::ExposeSecret;

#[derive(Debug, Args)]
pub(super) struct CreateUser {
    /// The address to sign in with.
    #[arg(long)]
    email: String,
    /// A second name to sign in with.
    #[arg(long)]
    username: Option<String>,
    /// Let them operate the service.
    #[arg(long)]
    admin: bool,
    /// Read the password from the first line of standard input; a command line would show it to everyone on the machine.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Succeed, and change nothing, when the account exists already.
    #[arg(long)]
    if_missing: bool,
}

pub(super) async fn create_user(arguments: CreateUser) -> Result<(), CliError> {
    if arguments.username.as_deref().is_some_and(|name| trimmed(name).is_empty()) {
        let message = "username: has nothing that can be seen; leave --username out for an account without one";
        return Err(CliError::Message(message.to_owned()));
    }
    let request = RegisterRequest {
        email: arguments.email,
        password: read_password()?.expose_secret().to_owned(),
        username: arguments.username,
        display_name: None,
    };
    let role = if arguments.admin { Role::Admin } else { Role::User };
    match register::create(&services()?, &request, role).await {
        Ok(user) => print(format_args!("created {}", user.email)),
        // An account that merely has the username is another one.
        Err(Error::Refused(RegisterRefusal::Taken(TakenName::Email))) if arguments.if_missing => {
            let email = names::typed_email(&request.email).map_or(request.email, |name| name.shown);
            print(format_args!("{email} exists already"))
        }
        Err(Error::Fields(errors)) => {
            let told = errors.iter().map(|(field, messages)| format!("{field}: {}", messages.join(" ")));
            Err(CliError::Message(told.collect::<Vec<_>>().join("\n")))
        }
        Err(error) => Err(CliError::Message(error.to_string())),
    }
}
