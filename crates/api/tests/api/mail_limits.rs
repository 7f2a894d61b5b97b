//! How many mails an address gets, and that a caller is refused only for the caller's own requests.

use crate::support::{Database, Mail, PASSWORD, TestApp, TestResponse, on_both_databases, send};
use api::service::mail::deliver_due;
use api::service::upkeep::prune::prune;
use auth_types::Reason;
use auth_types::requests::RegisterRequest;
use auth_types::responses::TokenResponse;
use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

on_both_databases![
    requests_of_others_for_an_address_do_not_limit_its_owner,
    an_address_gets_five_links_of_a_kind_an_hour_and_the_last_one_works,
    others_cannot_suppress_a_notice,
    notices_above_the_limit_are_merged_into_the_next,
    password_changes_send_at_most_five_mails_to_an_unconfirmed_address,
    each_kind_of_notice_has_its_own_limit,
    concurrent_workers_send_no_more_than_the_limit,
    a_mail_that_was_not_sent_does_not_count,
    the_last_link_of_a_repeated_change_of_address_works,
    counts_of_a_deleted_account_hold_no_address,
    the_waiting_mails_of_one_address_are_bounded,
];

const ADA: &str = "ada@example.com";
const OWNER: &str = "198.51.100.7";
const WAITING: &str = "SELECT count(*) FROM mail_outbox";
const COUNTED: &str = "SELECT count(*) FROM sent_mails";

fn registration(email: &str) -> RegisterRequest {
    RegisterRequest { email: email.to_owned(), password: PASSWORD.to_owned(), ..Default::default() }
}

/// One client address a number, so that no client's budget is spent.
fn client_address(number: usize) -> String {
    format!("203.0.113.{number}")
}

async fn post_from(app: &TestApp, client: &str, path: &str, body: &Value) -> TestResponse {
    send(app.request(Method::POST, path).header("X-Forwarded-For", client).json(body)).await
}

async fn post_as(app: &TestApp, tokens: &TokenResponse, client: &str, path: &str, body: &Value) -> TestResponse {
    let request = app.request_as(tokens, Method::POST, path).header("X-Forwarded-For", client);
    send(request.json(body)).await
}

async fn request_reset(app: &TestApp, client: &str) -> Vec<Mail> {
    post_from(app, client, "/api/auth/password/reset/", &json!({"email": ADA})).await.has_status(202);
    app.deliver_mail().await
}

fn subjects(mails: &[Mail]) -> Vec<&str> {
    mails.iter().map(|mail| mail.subject.as_str()).collect()
}

async fn requests_of_others_for_an_address_do_not_limit_its_owner(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().set("EMAIL_VERIFICATION", "mandatory").start().await;
    let body = json!({"email": ADA});
    for number in 0..8 {
        post_from(&app, &client_address(number), "/api/auth/email/resend/", &body).await.has_status(202);
        let sign_up = serde_json::to_value(registration(ADA)).unwrap();
        post_from(&app, &client_address(number), "/api/auth/register/", &sign_up).await.has_status(202);
        app.deliver_mail().await;
    }
    let response = post_from(&app, OWNER, "/api/auth/password/reset/", &body).await;
    response.has_status(202);
    let policies = response.header("ratelimit-policy").split(", ").filter_map(|policy| policy.split(';').next());
    let expected = [r#""requests-client""#, r#""requests-stranger""#, r#""mail-client""#];
    assert_eq!(policies.collect::<Vec<_>>(), expected, "only the caller's own budgets");
    let mail = app.deliver_one_mail().await;
    assert_eq!((mail.to.as_str(), mail.subject.as_str()), (ADA, "Choose a new password"));
    let sign_up = serde_json::to_value(registration(ADA)).unwrap();
    post_from(&app, OWNER, "/api/auth/register/", &sign_up).await.has_status(202);
}

async fn an_address_gets_five_links_of_a_kind_an_hour_and_the_last_one_works(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().start().await;
    let mut last = None;
    for number in 0..9 {
        let mut mails = request_reset(&app, &client_address(number)).await;
        assert_eq!(mails.len(), usize::from(number < 5), "request {number}");
        last = mails.pop().or(last);
    }
    assert_eq!(app.db().number(WAITING), 0, "mail above the limit is not kept for later");
    assert_eq!(app.db().number("SELECT count(*) FROM auth_events WHERE kind = 'password_reset_requested'"), 5);
    // The owner's own request was dropped as well; the link that did arrive still works.
    let body = json!({"token": last.unwrap().token(), "new_password": "amber lighthouse window 17"});
    post_from(&app, OWNER, "/api/auth/password/reset/confirm/", &body).await.done();
    assert_eq!(subjects(&app.deliver_mail().await), ["Your password was changed"]);
    app.clock().advance(Duration::hours(1));
    assert_eq!(request_reset(&app, OWNER).await.len(), 1);
}

async fn others_cannot_suppress_a_notice(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().set("EMAIL_VERIFICATION", "mandatory").start().await;
    let tokens = app.login(ADA).await;
    let mut total = 0;
    for number in 0..10 {
        let client = client_address(number);
        let sign_up = serde_json::to_value(registration(ADA)).unwrap();
        post_from(&app, &client, "/api/auth/register/", &sign_up).await.has_status(202);
        for path in ["/api/auth/password/reset/", "/api/auth/email/resend/"] {
            post_from(&app, &client, path, &json!({"email": ADA})).await.has_status(202);
        }
        total += app.deliver_mail().await.len();
    }
    assert!((10..=15).contains(&total), "{total} mails that anyone can cause");
    let body = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    post_as(&app, &tokens, OWNER, "/api/auth/password/change/", &body).await.tokens();
    let mails = app.deliver_mail().await;
    assert!(subjects(&mails).contains(&"Your password was changed"), "{mails:?}");
}

/// Changes the password back and forth, each time from another client, and returns the mails that were sent.
async fn change_password(app: &TestApp, mut tokens: TokenResponse, times: usize) -> (TokenResponse, Vec<Mail>) {
    let passwords = [PASSWORD, "amber lighthouse window 17"];
    let mut mails = Vec::new();
    for number in 0..times {
        let (old, new) = (passwords[number % 2], passwords[(number + 1) % 2]);
        let body = json!({"current_password": old, "new_password": new});
        tokens = post_as(app, &tokens, &client_address(number), "/api/auth/password/change/", &body).await.tokens();
        mails.extend(app.deliver_mail().await);
        app.clock().advance(Duration::minutes(1));
    }
    (tokens, mails)
}

async fn notices_above_the_limit_are_merged_into_the_next(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().start().await;
    let (_, mails) = change_password(&app, app.login(ADA).await, 8).await;
    assert_eq!(subjects(&mails), ["Your password was changed"; 5]);
    assert!(mails.iter().all(|mail| !mail.text.contains("This happened")), "{mails:?}");
    assert_eq!(app.db().number(WAITING), 1, "the sixth to the eighth notice wait as one");

    // The first of the five was sent an hour ago: one more may be sent.
    app.clock().advance(Duration::minutes(52) - Duration::seconds(1));
    assert_eq!(app.deliver_mail().await.len(), 0);
    app.clock().advance(Duration::seconds(1));
    let mail = app.deliver_one_mail().await;
    assert!(mail.text.contains("This happened 3 times since 4 March 2026, 05:11 UTC. The last time:"), "{}", mail.text);
    assert!(mail.text.contains("When: 4 March 2026, 05:13 UTC."), "{}", mail.text);
    assert_eq!(app.db().number(WAITING), 0);
}

/// Sign-up in the name of another person's address, and sixty changes of the password.
async fn password_changes_send_at_most_five_mails_to_an_unconfirmed_address(database: Database) {
    let app = TestApp::builder(database).limited().start().await;
    let tokens = app.register(&registration(ADA)).await.created();
    assert_eq!(subjects(&app.deliver_mail().await), ["Confirm your email address"]);
    // From one client: ten an hour.
    let passwords = [PASSWORD, "amber lighthouse window 17"];
    let (mut tokens, mut mails) = (tokens, 0);
    for number in 0..10 {
        let body = json!({"current_password": passwords[number % 2], "new_password": passwords[(number + 1) % 2]});
        tokens = post_as(&app, &tokens, OWNER, "/api/auth/password/change/", &body).await.tokens();
        mails += app.deliver_mail().await.len();
    }
    assert_eq!(mails, 5);
    let body = json!({"current_password": PASSWORD, "new_password": passwords[1]});
    let before = app.db().content();
    let refused = post_as(&app, &tokens, OWNER, "/api/auth/password/change/", &body).await;
    assert!(refused.header("ratelimit").contains(r#""password-change-client";r=0"#), "{}", refused.header("ratelimit"));
    assert_eq!(refused.throttled(), 3600);
    // The account's budget counts all clients together.
    let refused = post_as(&app, &tokens, &client_address(1), "/api/auth/password/change/", &body).await;
    assert_eq!(refused.throttled(), 3600);
    assert_eq!(app.db().content(), before);
}

async fn each_kind_of_notice_has_its_own_limit(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().start().await;
    let mut tokens = app.login(ADA).await;
    let mut mails = Vec::new();
    for number in 0..7 {
        let body = json!({"new_email": format!("new{number}@example.org"), "password": PASSWORD});
        post_as(&app, &tokens, OWNER, "/api/auth/email/change/", &body).await.has_status(202);
        let stolen = app.login(ADA).await;
        app.refresh_with_key(&stolen, "a").await.tokens();
        app.clock().advance(app.settings().lifetimes.leeway + Duration::seconds(1));
        app.refresh(&stolen).await.unauthorized(Reason::RefreshReused);
        mails.extend(app.deliver_mail().await);
        tokens = app.login(ADA).await;
    }
    let count = |subject: &str| mails.iter().filter(|mail| mail.to == ADA && mail.subject == subject).count();
    assert_eq!(count("Your email address is about to change"), 5);
    assert_eq!(count("A device was signed out"), 5);
    assert_eq!(app.db().number("SELECT sum(occurrences) FROM mail_outbox"), 4);
    assert_eq!(app.db().number(WAITING), 2);
}

/// Each mail belongs to another account, so that the workers do not wait for one account's lock.
async fn concurrent_workers_send_no_more_than_the_limit(database: Database) {
    let people: Vec<_> = (0..24).map(|number| format!("user{number}@example.com")).collect();
    let app = people.iter().fold(TestApp::builder(database), |builder, email| builder.user(email));
    let app = app.limited().start().await;
    let second = TestApp::builder_on(app.db().clone()).clock(app.clock()).limited().start().await;
    for (number, email) in people.iter().enumerate() {
        let tokens = app.sign_in_from(&client_address(number), email, PASSWORD).await.tokens();
        let body = json!({"new_email": ADA, "password": PASSWORD});
        post_as(&app, &tokens, &client_address(number), "/api/auth/email/change/", &body).await.has_status(202);
    }
    app.db().execute("DELETE FROM mail_outbox WHERE kind <> 'change_email'");
    let workers = (0..6).map(|number| deliver_due(if number % 2 == 0 { app.services() } else { second.services() }));
    let sent = futures_util::future::join_all(workers).await.into_iter().map(Result::unwrap).sum::<usize>();
    assert_eq!(sent, 5);
    assert_eq!((app.db().number(WAITING), app.db().number(COUNTED)), (0, 5));
}

async fn a_mail_that_was_not_sent_does_not_count(database: Database) {
    // A file exists where the parent folder should be.
    let blocked = tempfile::NamedTempFile::new().unwrap();
    let url = format!("file:{}/outbox", blocked.path().display());
    let down = TestApp::builder(database).user(ADA).limited().set("EMAIL_URL", url).start().await;
    for number in 0..7 {
        assert_eq!(request_reset(&down, &client_address(number)).await.len(), 0);
        assert_eq!(down.db().number(COUNTED), 0);
    }
    let app = TestApp::builder_on(down.db().clone()).clock(down.clock()).limited().start().await;
    app.clock().advance(Duration::minutes(10));
    assert_eq!(app.db().number(WAITING), 5, "at most five wait");
    // Four are dropped for the last one, which has the same content.
    assert_eq!(app.deliver_mail().await.len(), 1);
    assert_eq!((app.db().number(WAITING), app.db().number(COUNTED)), (0, 1));
}

async fn the_last_link_of_a_repeated_change_of_address_works(database: Database) {
    let app = TestApp::builder(database).user(ADA).limited().start().await;
    let tokens = app.login(ADA).await;
    let mut last = None;
    for number in 0..7 {
        let body = json!({"new_email": "countess@example.org", "password": PASSWORD});
        post_as(&app, &tokens, &client_address(number), "/api/auth/email/change/", &body).await.has_status(202);
        let mails = app.deliver_mail().await;
        last = mails.into_iter().find(|mail| mail.to == "countess@example.org").or(last);
    }
    let body = json!({"token": last.unwrap().token()});
    post_from(&app, OWNER, "/api/auth/email/verify/", &body).await.done();
}

async fn counts_of_a_deleted_account_hold_no_address(database: Database) {
    let app = TestApp::builder(database).limited().start().await;
    // Otherwise an attacker who signs up and deletes the account repeatedly would start from zero each time.
    let mut mails = Vec::new();
    for _ in 0..6 {
        let tokens: TokenResponse = app.register(&registration(ADA)).await.created();
        mails.extend(app.deliver_mail().await);
        let delete = app.request_as(&tokens, Method::DELETE, "/api/auth/me/").json(&json!({"password": PASSWORD}));
        send(delete).await.has_status(204);
        mails.extend(app.deliver_mail().await);
    }
    assert_eq!(mails.len(), 10, "{:?}", subjects(&mails));
    let stored = app.db().content();
    let counts: Vec<_> = stored.iter().filter(|line| line.starts_with("sent_mails: ")).collect();
    assert_eq!(counts.len(), 10);
    assert!(!counts.iter().any(|line| line.contains("ada")), "{counts:?}");
    app.clock().advance(Duration::hours(1));
    prune(app.services()).await.unwrap();
    assert_eq!(app.db().number(COUNTED), 0);
}

async fn the_waiting_mails_of_one_address_are_bounded(database: Database) {
    let app = TestApp::builder(database).user(ADA).start().await;
    let tokens = app.login(ADA).await;
    for _ in 0..12 {
        for email in [ADA, "nobody@example.com"] {
            app.post("/api/auth/password/reset/", &json!({"email": email})).await.has_status(202);
        }
        let body = json!({"new_email": "countess@example.org", "password": PASSWORD});
        post_as(&app, &tokens, OWNER, "/api/auth/email/change/", &body).await.has_status(202);
    }
    let waiting = |kind: &str| app.db().number(&format!("{WAITING} WHERE kind = '{kind}'"));
    assert_eq!((waiting("reset_password"), waiting("change_email")), (10, 1));
    assert_eq!(waiting("email_change_requested"), 5);
    let notices = "SELECT sum(occurrences) FROM mail_outbox WHERE kind = 'email_change_requested'";
    assert_eq!(app.db().number(notices), 12, "no notice is lost");
}

/// A request that causes a mail is counted in its client's budget; one that causes none is not.
#[actix_web::test]
async fn a_request_that_causes_a_mail_is_counted_for_its_client() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).limited().start().await;
    let counts = |response: &TestResponse| remaining(response, "mail-client");
    let sign_up = serde_json::to_value(registration("eve@example.com")).unwrap();
    let response = post_from(&app, OWNER, "/api/auth/register/", &sign_up).await;
    assert_eq!(counts(&response), Some(19));
    let tokens: TokenResponse = response.created();
    let taken = post_from(&app, OWNER, "/api/auth/register/", &sign_up).await;
    assert_eq!((taken.status.as_u16(), counts(&taken)), (409, Some(19)), "no mail is sent");
    let weak = json!({"email": "weak@example.com", "password": "password1234"});
    let response = post_from(&app, OWNER, "/api/auth/register/", &weak).await;
    assert_eq!((response.status.as_u16(), counts(&response)), (400, Some(19)));
    for (path, remaining) in [("/api/auth/password/reset/", 18), ("/api/auth/email/resend/", 17)] {
        let response = post_from(&app, OWNER, path, &json!({"email": ADA})).await;
        assert_eq!(counts(&response), Some(remaining), "{path}");
    }
    let wrong = json!({"new_email": "a@example.org", "password": "violet harbor lantern 43"});
    let response = post_as(&app, &tokens, OWNER, "/api/auth/email/change/", &wrong).await;
    assert_eq!((response.status.as_u16(), counts(&response)), (400, Some(17)), "no mail is sent");
    let right = json!({"new_email": "a@example.org", "password": PASSWORD});
    assert_eq!(counts(&post_as(&app, &tokens, OWNER, "/api/auth/email/change/", &right).await), Some(16));
    let wrong = json!({"current_password": "no", "new_password": "amber lighthouse window 17"});
    let response = post_as(&app, &tokens, OWNER, "/api/auth/password/change/", &wrong).await;
    assert_eq!((response.status.as_u16(), counts(&response)), (400, Some(16)));
    let right = json!({"current_password": PASSWORD, "new_password": "amber lighthouse window 17"});
    let response = post_as(&app, &tokens, OWNER, "/api/auth/password/change/", &right).await;
    assert_eq!(counts(&response), Some(15));
    let tokens: TokenResponse = response.tokens();

    let superseded: TokenResponse = app.refresh(&tokens).await.tokens();
    app.clock().advance(app.settings().lifetimes.leeway + Duration::seconds(1));
    let replay = app.request(Method::POST, "/api/auth/refresh/").header("X-Forwarded-For", OWNER);
    let response = send(replay.json(&json!({"refresh": tokens.refresh}))).await;
    assert_eq!((response.status.as_u16(), counts(&response)), (401, Some(14)));
    app.refresh(&superseded).await.unauthorized(Reason::SessionRevoked);

    let response = app.sign_in_from(OWNER, "eve@example.com", "amber lighthouse window 17").await;
    let tokens: TokenResponse = response.tokens();
    let delete = app.request_as(&tokens, Method::DELETE, "/api/auth/me/").header("X-Forwarded-For", OWNER);
    let response = send(delete.json(&json!({"password": "amber lighthouse window 17"}))).await;
    assert_eq!((response.status.as_u16(), counts(&response)), (204, Some(13)));
}

/// What this response says is left of a budget.
fn remaining(response: &TestResponse, budget: &str) -> Option<u32> {
    let budgets = response.headers.get("ratelimit")?.to_str().unwrap();
    let (_, rest) = budgets.split_once(&format!("\"{budget}\";r="))?;
    Some(rest.split(';').next().unwrap().parse().unwrap())
}

/// The user's password changes are used up, then the client's: no mail is sent, and nothing changes.
#[actix_web::test]
async fn a_password_change_over_its_limit_costs_no_other_budget() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).user("eve@example.com").limited().start().await;
    let change = async |tokens: &TokenResponse, client: &str| {
        let body = json!({"current_password": PASSWORD, "new_password": PASSWORD});
        post_as(&app, tokens, client, "/api/auth/password/change/", &body).await
    };
    let left =
        |response: &TestResponse| ["mail-client", "password-change-client"].map(|name| remaining(response, name));
    let mut tokens = app.login(ADA).await;
    for _ in 0..10 {
        tokens = change(&tokens, &client_address(1)).await.tokens();
    }
    for _ in 0..2 {
        let refused = change(&tokens, OWNER).await;
        assert_eq!(left(&refused), [Some(20), Some(10)]);
        refused.throttled();
    }
    let eve = app.login("eve@example.com").await;
    for _ in 0..2 {
        let refused = change(&eve, &client_address(1)).await;
        assert_eq!(left(&refused), [Some(10), Some(0)]);
        refused.throttled();
    }
}

/// A thief whose budget is spent still ends the session by reuse, and its owner gets the mail.
#[actix_web::test]
async fn a_spent_budget_does_not_hide_reuse() {
    let app = TestApp::builder(Database::Sqlite).user(ADA).limited().start().await;
    let stolen = app.login(ADA).await;
    app.refresh(&stolen).await.tokens();
    app.clock().advance(app.settings().lifetimes.leeway + Duration::seconds(1));
    for number in 0..20 {
        let body = json!({"email": format!("nobody{number}@example.com")});
        post_from(&app, &client_address(1), "/api/auth/password/reset/", &body).await.has_status(202);
    }
    let replay = app.request(Method::POST, "/api/auth/refresh/").header("X-Forwarded-For", client_address(1));
    send(replay.json(&json!({"refresh": stolen.refresh}))).await.unauthorized(Reason::RefreshReused);
    assert_eq!(app.deliver_one_mail().await.subject, "A device was signed out");
}
