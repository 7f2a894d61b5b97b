//! Checks the client's page, and that every path of the client serves it.

use super::context::{Smoke, learnt};
use super::html::{Tag, tags};
use super::response::{CheckFailure, CheckResult, SmokeResponse, unless_any};
use super::service::way;

/// A path of the client, and an unknown one, for which the client itself shows "Page not found".
pub(super) const DEEP_LINKS: [&str; 2] = ["/login", "/smoke/no-such-page"];

impl Smoke {
    pub(super) async fn fetch(&self, path: &str) -> Result<SmokeResponse, CheckFailure> {
        self.browser.send(self.browser.get(self.plan.web.at(path))).await
    }

    /// The page as a text.
    pub(super) fn html(&self) -> Result<String, CheckFailure> {
        Ok(String::from_utf8_lossy(&learnt(&self.page)?.body).into_owned())
    }
}

pub(super) async fn reached(smoke: &Smoke) -> CheckResult {
    let response = smoke.fetch("/").await?;
    let status = smoke.page.get_or_init(|| response).status;
    Ok(format!("{status} by {}", way(smoke.plan.web.is_https())))
}

pub(super) fn page(smoke: &Smoke) -> CheckResult {
    let page = learnt(&smoke.page)?.clone().with_status(200)?;
    let html = smoke.html()?;
    if !page.is_type("text/html") || program(&tags(&html)).is_none() {
        return Err(CheckFailure::Failed(format!("{}, not the client's page", page.summary())));
    }
    Ok("the client's page".to_owned())
}

/// The tag that names the program's files.
pub(super) fn program<'a>(tags: &'a [Tag<'a>]) -> Option<&'a Tag<'a>> {
    tags.iter().find(|tag| tag.is("meta") && tag.value("name") == "program")
}

pub(super) async fn deep_links(smoke: &Smoke) -> CheckResult {
    let mut wrong = Vec::new();
    for path in DEEP_LINKS {
        let response = smoke.fetch(path).await?;
        if response.status != 200 {
            wrong.push(format!("{path} says {}", response.summary()));
        } else if response.body != learnt(&smoke.page)?.body {
            wrong.push(format!("{path} is another page"));
        }
    }
    unless_any(&wrong, format!("{} give the page", DEEP_LINKS.join(" and ")))
}
