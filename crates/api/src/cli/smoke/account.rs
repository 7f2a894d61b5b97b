//! The account of a run: a given one, or a new one that is deleted at the end.

use super::context::{Smoke, learnt};
use super::credentials::{SignUp, SmokeAccount, SmokeCredentials};
use super::response::{CheckFailure, CheckResult, SmokeResponse};
use auth_types::Reason;
use auth_types::paths;
use auth_types::requests::{DeleteMeRequest, RegisterRequest};
use auth_types::responses::{EmailVerification, Registration};
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// How long the clean-up may take.
const TIDY: Duration = Duration::from_mins(1);
/// By then an account exists whose sign-up got no response, if it was created at all.
const LATE_ACCOUNT: Duration = Duration::from_secs(3);
/// How often a deletion is attempted: behind a load balancer, another process may serve the next attempt.
const DELETION_ATTEMPTS: usize = 3;

/// An address that no one owns: `example.com` is reserved (RFC 2606) and accepts no mail (RFC 7505).
pub(super) fn nobody() -> String {
    format!("smoke-{}@example.com", Uuid::new_v4().simple())
}

pub(super) async fn account(smoke: &Smoke) -> CheckResult {
    let email = match &smoke.plan.account {
        SmokeAccount::Given(given) => {
            smoke.credentials.get_or_init(|| given.clone());
            return Ok(format!("{}, as given", given.email));
        }
        SmokeAccount::New(email) => email.clone().unwrap_or_else(nobody),
    };
    let config = learnt(&smoke.config)?;
    if config.registration == Registration::Closed {
        return Err(CheckFailure::failed("the registration is closed, and no account was given"));
    }
    if config.email_verification == EmailVerification::Mandatory {
        return Err(CheckFailure::failed("a new address must be confirmed first, and no account was given"));
    }
    sign_up(smoke, email).await
}

async fn sign_up(smoke: &Smoke, email: String) -> CheckResult {
    let password = format!("{}-{}", Uuid::new_v4(), Uuid::new_v4());
    let body = RegisterRequest { email: email.clone(), password: password.clone(), ..RegisterRequest::default() };
    smoke.credentials.get_or_init(|| SmokeCredentials { email: email.clone(), password: password.into() });
    smoke.sign_up.set(SignUp::NoResponse);
    let response = smoke.browser.send(smoke.post(paths::REGISTER).json(&body)).await?;
    smoke.sign_up.set(match response.status {
        400..500 => SignUp::Refused,
        500.. => SignUp::NoResponse,
        _ => SignUp::Made,
    });
    smoke.opened(&response.with_status(201)?)?;
    Ok(format!("signed {email} up"))
}

impl Smoke {
    /// Deletes what the run has created.
    pub(super) async fn tidy(&self) -> CheckResult {
        let Some(credentials) = self.credentials.get() else { return Ok("nothing was made".to_owned()) };
        let tidied = async {
            match self.plan.account {
                SmokeAccount::New(_) => self.undo_sign_up(credentials).await,
                SmokeAccount::Given(_) => self.sign_out_everywhere().await,
            }
        };
        let tidied = timeout(TIDY, tidied).await.unwrap_or_else(|_| Err(CheckFailure::failed("it took too long")));
        tidied.map_err(|trouble| trouble.about(&credentials.email))
    }

    async fn undo_sign_up(&self, credentials: &SmokeCredentials) -> CheckResult {
        match self.sign_up.get() {
            SignUp::Refused => return Ok("no account was made".to_owned()),
            SignUp::NoResponse => tokio::time::sleep(LATE_ACCOUNT).await,
            SignUp::Made => {}
        }
        let response = self.browser.send(self.login_request()?).await?;
        if self.sign_up.get() == SignUp::NoResponse && response.refused(401, Reason::CredentialsWrong).is_ok() {
            return Ok("no account was made".to_owned());
        }
        let access = self.opened(&response.with_status(200)?)?.access;
        self.delete_account(&access, credentials).await
    }

    async fn delete_account(&self, access: &SecretString, credentials: &SmokeCredentials) -> CheckResult {
        let mut last = String::new();
        for _ in 0..DELETION_ATTEMPTS {
            let response = self.ask_to_delete(access, credentials).await?;
            if response.status == 204 {
                return Ok(format!("deleted {}", credentials.email));
            }
            last = response.summary();
        }
        Err(CheckFailure::Failed(last))
    }

    async fn ask_to_delete(
        &self,
        access: &SecretString,
        credentials: &SmokeCredentials,
    ) -> Result<SmokeResponse, CheckFailure> {
        let body = DeleteMeRequest { password: credentials.password.expose_secret().to_owned() };
        let request = self.browser.request(Method::DELETE, self.plan.api.at(paths::ME));
        self.browser.send(request.bearer_auth(access.expose_secret()).json(&body)).await
    }

    /// Ends the run's own sessions, and no other.
    async fn sign_out_everywhere(&self) -> CheckResult {
        let opened = self.opened.take();
        for session in &opened {
            let response = self.sign_out(session).await?;
            if response.status != 200 {
                return Err(CheckFailure::Failed(format!("a sign-out says {}", response.summary())));
            }
        }
        Ok(format!("signed out of {} sessions", opened.len()))
    }
}
