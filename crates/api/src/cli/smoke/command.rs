//! The command's arguments.

use super::context::SmokePlan;
use super::credentials::{SmokeAccount, SmokeCredentials};
use super::site::SmokeSite;
use clap::Args;
use secrecy::SecretString;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The API's address, such as `https://api.example.com`.
    #[arg(long, value_name = "URL")]
    api: SmokeSite,
    /// The client's address, such as `https://app.example.com`.
    #[arg(long, value_name = "URL")]
    web: SmokeSite,
    /// Sign this account in; without a password, sign this address up, and delete the account at the end.
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Read the account's password from the first line of standard input.
    #[arg(long, requires = "email")]
    pub password_stdin: bool,
    /// Wait until an access token expires, however long it lives.
    #[arg(long)]
    wait: bool,
    /// Where both sites serve plain HTTP, if not at port 80.
    #[arg(long, value_name = "PORT")]
    http_port: Option<u16>,
    /// Print one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl Arguments {
    /// What they ask for, with the password, if one was read.
    pub fn plan(self, password: Option<SecretString>) -> SmokePlan {
        let account = match (self.email, password) {
            (Some(email), Some(password)) => SmokeAccount::Given(SmokeCredentials { email, password }),
            (email, _) => SmokeAccount::New(email),
        };
        SmokePlan { api: self.api, web: self.web, http_port: self.http_port, account, wait: self.wait }
    }
}
