//! Whether Redis answers.

use super::ask::{ANSWER_TIMEOUT, PATIENCE, no_answer_in_time};
use crate::cli::check::facts::Facts;
use crate::cli::check::finding::Finding;
use crate::cli::check::rules;
use crate::error_chain::error_chain;
use secrecy::ExposeSecret;

pub(super) async fn check(facts: &Facts<'_>) -> Option<Finding> {
    let url = facts.settings.limits.redis_url.as_ref()?.expose_secret();
    let problem = match tokio::time::timeout(PATIENCE, ping(url)).await {
        Ok(answer) => error_chain(&answer.err()?),
        Err(_) => no_answer_in_time(),
    };
    Some(rules::REDIS_UNREACHABLE.found(problem).about("REDIS_URL"))
}

async fn ping(url: &str) -> redis::RedisResult<()> {
    let timeouts = redis::AsyncConnectionConfig::new()
        .set_connection_timeout(Some(ANSWER_TIMEOUT))
        .set_response_timeout(Some(ANSWER_TIMEOUT));
    let client = redis::Client::open(url)?;
    let mut connection = client.get_multiplexed_async_connection_with_config(&timeouts).await?;
    redis::cmd("PING").exec_async(&mut connection).await
}
