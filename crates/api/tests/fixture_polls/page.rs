//! `/fixture-polls`: fields that no page of Latchkey has.

use crate::components::{
    Button, FieldError, FieldKind, Form, FormErrors, FormState, TextField, described_by, instant_of, is_invalid,
};
use crate::http::ApiRequest;
use crate::notices::Notices;
use crate::policy::read_json;
use crate::session::PageSession;
use chrono::SecondsFormat;
use leptos::prelude::*;
use serde_json::{Value, json};

/// Asks something, and counts what was asked since a time.
#[component]
pub fn FixturePollsPage() -> impl IntoView {
    view! {
        <section class="panel">
            <NewPoll />
        </section>
        <section class="panel">
            <Count />
        </section>
    }
}

#[component]
fn NewPoll() -> impl IntoView {
    let page = expect_context::<PageSession>();
    let notices = expect_context::<Notices>();
    let form = FormState::new(&["question", "choices", "kind"]);
    let question = RwSignal::new(String::new());
    let choices = [(); 3].map(|()| RwSignal::new(String::new()));
    let kind = RwSignal::new(None::<&'static str>);
    let ask = move |()| {
        let mut request = json!({
            "question": question.get_untracked(), "choices": choices.map(|choice| choice.get_untracked()),
            "most": 1, "quorum": 0.5, "is_open": true, "colours": {}, "opens_at": "09:30:00",
        });
        if let Some(kind) = kind.get_untracked() {
            request["kind"] = kind.into();
        }
        form.submit(Ok(request), move |request| async move {
            let _: Value = read_json(page.send(ApiRequest::post("/api/fixture-polls/", &request)).await?)?;
            notices.say("The poll is open.");
            Ok(())
        });
    };
    let choice = move |(index, value)| {
        let label = format!("Choice {}", index + 1);
        view! { <TextField label=label name=format!("choices.{index}") autocomplete="off" value=value form=form /> }
    };
    view! {
        <Form state=form on_submit=ask>
            <TextField label="Question" name="question" autocomplete="off" value=question form=form />
            {choices.into_iter().enumerate().map(choice).collect_view()}
            <fieldset
                class="field"
                role="radiogroup"
                aria-invalid=is_invalid(form, "kind")
                aria-describedby=described_by(form, "kind", false)
            >
                <legend>"Votes"</legend>
                <Kind label="Secret" value="secret" kind=kind form=form />
                <Kind label="By name" value="by_name" kind=kind form=form />
                <FieldError form=form name="kind" />
            </fieldset>
            <Button label="Ask" kind="submit" pending=form.pending() />
        </Form>
    }
}

#[component]
fn Kind(
    label: &'static str,
    value: &'static str,
    kind: RwSignal<Option<&'static str>>,
    form: FormState,
) -> impl IntoView {
    view! {
        <label class="choice">
            <input type="radio" name=form.id_of("kind") value=value on:change=move |_| kind.set(Some(value)) />
            <span>{label}</span>
        </label>
    }
}

#[component]
fn Count() -> impl IntoView {
    let page = expect_context::<PageSession>();
    let notices = expect_context::<Notices>();
    let form = FormState::new(&["since"]);
    let since = RwSignal::new(String::new());
    let count = move |()| {
        let missing = || FormErrors::from([("since".into(), "Enter a day and a time.".to_owned())]);
        form.submit(instant_of(&since.get_untracked()).ok_or_else(missing), move |since| async move {
            let since = since.to_rfc3339_opts(SecondsFormat::Secs, true);
            let request = ApiRequest::get(format!("/api/fixture-polls-since/?since={since}"));
            let count: Value = read_json(page.send(request).await?)?;
            notices.say(format!("Polls since then: {}.", count["polls"]));
            Ok(())
        });
    };
    view! {
        <Form state=form on_submit=count>
            <TextField label="Since" name="since" kind=FieldKind::DateTime autocomplete="off" value=since form=form />
            <Button label="Count" kind="submit" pending=form.pending() />
        </Form>
    }
}
