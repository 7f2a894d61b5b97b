//! The table of endpoints.

use super::handlers::{choices, close, count, count_since, create, list, newest, remove, remove_choice, show};
use super::types::{Poll, PollCount, PollRemoval, PollRequest, PollsSince};
use api::prelude::{Bounds, Endpoint, Page, Resource, by_caller, by_client};

const BOUNDS: Bounds = by_caller(&[Resource::Database]);
const POLLS: &str = "/api/polls/";
const POLL: &str = "/api/polls/{poll}/";
const ADMINISTRATION: &str = "/api/polls-administration/";

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(POLLS, BOUNDS, list)
            .about("listPolls", "The caller's polls")
            .protected()
            .paged()
            .gives::<Page<Poll>>(200),
        Endpoint::post(POLLS, BOUNDS, create)
            .about("createPoll", "Ask something")
            .protected()
            .takes::<PollRequest>()
            .gives::<Poll>(201)
            .refuses(&[409]),
        Endpoint::get(POLL, BOUNDS, show)
            .about("getPoll", "One of the caller's polls")
            .protected()
            .gives::<Poll>(200)
            .refuses(&[404]),
        Endpoint::post("/api/polls/{poll}/closing/", BOUNDS, close)
            .about("closePoll", "Take no more votes")
            .protected()
            .gives_nothing()
            .refuses(&[404, 409]),
        // The same number of segments as a poll's own path, over which it takes precedence.
        Endpoint::get("/api/polls/newest/", BOUNDS, newest)
            .about("getNewestPoll", "The caller's newest poll")
            .protected()
            .gives::<Poll>(200)
            .refuses(&[404]),
        Endpoint::delete("/api/polls/{poll}/choices/{number}/", BOUNDS, remove_choice)
            .about("deletePollChoice", "Take a choice away")
            .protected()
            .gives_nothing()
            .refuses(&[404]),
        Endpoint::get("/api/polls-since/", BOUNDS, count_since)
            .about("countPollsSince", "How many polls the caller has made since a time")
            .protected()
            .reads::<PollsSince>()
            .gives::<PollCount>(200),
        Endpoint::get("/api/poll-kinds/", by_client(), choices)
            .about("listPollKinds", "What kinds of polls there are")
            .gives::<Vec<String>>(200),
        Endpoint::get(ADMINISTRATION, BOUNDS, count)
            .about("countPolls", "How many polls there are")
            .for_administrators()
            .gives::<PollCount>(200),
        Endpoint::post(ADMINISTRATION, BOUNDS, remove)
            .about("removePolls", "Take polls away")
            .for_administrators()
            .takes::<PollRemoval>()
            .gives::<PollCount>(200),
    ]
}
