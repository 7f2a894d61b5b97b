//! The table of endpoints.

use super::handlers::{change, choices, close, count, count_since, create, list, newest, remove, remove_choice, show};
use super::types::{
    FixturePoll, FixturePollChange, FixturePollCount, FixturePollRemoval, FixturePollRequest, FixturePollsSince,
};
use api::prelude::{Bounds, Endpoint, Page, Resource, by_caller, by_client};

const BOUNDS: Bounds = by_caller(&[Resource::Database]);
const POLLS: &str = "/api/fixture-polls/";
const POLL: &str = "/api/fixture-polls/{poll}/";
const ADMINISTRATION: &str = "/api/fixture-polls-administration/";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(POLLS, BOUNDS, list)
            .about("listFixturePolls", "The caller's polls")
            .protected()
            .paged()
            .gives::<Page<FixturePoll>>(200),
        Endpoint::post(POLLS, BOUNDS, create)
            .about("createFixturePoll", "Ask something")
            .protected()
            .takes::<FixturePollRequest>()
            .gives::<FixturePoll>(201)
            .refuses(&[409]),
        Endpoint::get(POLL, BOUNDS, show)
            .about("getFixturePoll", "One of the caller's polls")
            .protected()
            .gives::<FixturePoll>(200)
            .refuses(&[404]),
        Endpoint::patch(POLL, BOUNDS, change)
            .about("updateFixturePoll", "Ask it in other words")
            .protected()
            .takes::<FixturePollChange>()
            .gives::<FixturePoll>(200)
            .refuses(&[404, 409]),
        Endpoint::post("/api/fixture-polls/{poll}/closing/", BOUNDS, close)
            .about("closeFixturePoll", "Take no more votes")
            .protected()
            .gives_nothing()
            .refuses(&[404, 409]),
        // The same number of segments as a poll's own path, over which it takes precedence.
        Endpoint::get("/api/fixture-polls/newest/", BOUNDS, newest)
            .about("getNewestFixturePoll", "The caller's newest poll")
            .protected()
            .gives::<FixturePoll>(200)
            .refuses(&[404]),
        Endpoint::delete("/api/fixture-polls/{poll}/choices/{number}/", BOUNDS, remove_choice)
            .about("deleteFixturePollChoice", "Take a choice away")
            .protected()
            .gives_nothing()
            .refuses(&[404]),
        Endpoint::get("/api/fixture-polls-since/", BOUNDS, count_since)
            .about("countFixturePollsSince", "How many polls the caller has made since a time")
            .protected()
            .reads::<FixturePollsSince>()
            .gives::<FixturePollCount>(200),
        Endpoint::get("/api/fixture-poll-kinds/", by_client(), choices)
            .about("listFixturePollKinds", "What kinds of polls there are")
            .gives::<Vec<String>>(200),
        Endpoint::get(ADMINISTRATION, BOUNDS, count)
            .about("countFixturePolls", "How many polls there are")
            .for_administrators()
            .gives::<FixturePollCount>(200),
        Endpoint::post(ADMINISTRATION, BOUNDS, remove)
            .about("removeFixturePolls", "Take polls away")
            .for_administrators()
            .takes::<FixturePollRemoval>()
            .gives::<FixturePollCount>(200),
    ]
}
