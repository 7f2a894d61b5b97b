//! Checks that Redis responds.

use super::ask::{RESPONSE_TIMEOUT, TIMEOUT, timed_out};
use crate::cli::check::facts::Facts;
use crate::cli::check::finding::Finding;
use crate::cli::check::rules;
use crate::error_chain::error_chain;
use secrecy::ExposeSecret;

pub(super) async fn check(facts: &Facts<'_>) -> Option<Finding> {
    let url = facts.settings.limits.redis_url.as_ref()?.expose_secret();
    let problem = match tokio::time::timeout(TIMEOUT, ping(url)).await {
        Ok(result) => error_chain(&result.err()?),
        Err(_) => timed_out(),
    };
    Some(rules::REDIS_UNREACHABLE.found(problem).about("REDIS_URL"))
}

async fn ping(url: &str) -> redis::RedisResult<()> {
    let timeouts = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(RESPONSE_TIMEOUT))
        .set_response_timeout(Some(RESPONSE_TIMEOUT));
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&timeouts).await?;
    redis::cmd("PING").exec_async(&mut connection).await
}
