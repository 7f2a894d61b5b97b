//! `api create-user`: an account that an operator creates.

use super::error::CliError;
use super::output::print;
use super::password::read_password;
use super::setup::services;
use crate::app::Product;
use crate::names::{Spellings, canonical_username};
use crate::service::accounts::register::{self, RegisterRefusal};
use crate::service::{CommonError, Error, Services};
use crate::store::StoreError;
use crate::store::users::{TakenName, UserRow};
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
    /// Give the account the role of an administrator.
    #[arg(long)]
    admin: bool,
    /// Read the password from the first line of standard input; a command line would show it to everyone on the machine.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Succeed when the account exists already and matches the arguments; its password may differ. Nothing is changed: an
    /// account that is not active, has another username or is not the requested administrator is an error.
    #[arg(long)]
    if_missing: bool,
}

impl CreateUser {
    fn role(&self) -> Role {
        if self.admin { Role::Admin } else { Role::User }
    }

    /// How the existing account differs from the requested one. A script that continued would lack its administrator, for
    /// example.
    fn differences(&self, user: &UserRow) -> Vec<&'static str> {
        let canonical = |name: &Option<String>| name.as_deref().map(canonical_username);
        let mut found = Vec::new();
        if !user.is_active {
            found.push("it is not active");
        }
        if self.admin && user.role != Role::Admin {
            found.push("it is not an administrator");
        }
        if self.username.is_some() && canonical(&self.username) != canonical(&user.username) {
            found.push("it has another username, or none");
        }
        found
    }
}

pub(super) async fn create_user(product: &Product, arguments: CreateUser) -> Result<(), CliError> {
    if arguments.username.as_deref().is_some_and(|name| trimmed(name).is_empty()) {
        let message = "username: has no visible character; leave --username out for an account without one";
        return Err(CliError::Message(message.to_owned()));
    }
    // Read in any case, because a process that writes to a closed pipe fails. An existing account does not need it.
    let password = read_password();
    let services = services(product)?;
    if let Some(user) = find_existing(&services, &arguments).await? {
        return accept(&arguments, &user);
    }
    let request = RegisterRequest {
        email: arguments.email.clone(),
        password: password?.expose_secret().to_owned(),
        username: arguments.username.clone(),
        display_name: None,
    };
    match register::compare_clocks_and_create(&services, &request, arguments.role()).await {
        Ok(user) => print(format_args!("created {}", user.email)),
        // Another process has created it since.
        Err(error @ Error::Refused(RegisterRefusal::Taken(TakenName::Email))) => {
            match find_existing(&services, &arguments).await? {
                Some(user) => accept(&arguments, &user),
                None => Err(CliError::Message(error.to_string())),
            }
        }
        Err(Error::Fields(errors)) => {
            let lines = errors.iter().map(|(field, messages)| format!("{field}: {}", messages.join(" ")));
            Err(CliError::Message(lines.collect::<Vec<_>>().join("\n")))
        }
        Err(Error::Common(CommonError::Clock(wrong))) => Err(CliError::Clock("no account is created", wrong)),
        Err(error) => Err(CliError::Message(error.to_string())),
    }
}

/// The existing account with the address, if `--if-missing` accepts one.
async fn find_existing(services: &Services, arguments: &CreateUser) -> Result<Option<UserRow>, StoreError> {
    if !arguments.if_missing {
        return Ok(None);
    }
    register::find_existing(services, Spellings::of_email(&arguments.email)).await
}

fn accept(arguments: &CreateUser, user: &UserRow) -> Result<(), CliError> {
    let differences = arguments.differences(user);
    if differences.is_empty() {
        return print(format_args!("{} exists already", user.email));
    }
    let message = format!("{} exists already, but {}; nothing was changed", user.email, differences.join(", and "));
    Err(CliError::Message(message))
}
