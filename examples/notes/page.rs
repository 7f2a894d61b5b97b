//! `/notes`

use crate::components::{
    Alert, Button, FieldKind, Form, FormErrors, FormState, Loader, Moment, TextField, UserAction, Waiting,
    focus_heading, load,
};
use crate::http::ApiRequest;
use crate::notices::Notices;
use crate::policy::{RequestFailure, read_empty, read_json};
use crate::session::PageSession;
use auth_types::Page;
use leptos::prelude::*;
use notes_types::{NOTES, Note, NoteRequest, check_text};

/// The user's notes, and a form for another one.
#[component]
pub fn NotesPage() -> impl IntoView {
    let page = expect_context::<PageSession>();
    let notes = load(move || fetch(page, String::new()));
    view! {
        <p class="lead">"Only you see your notes."</p>
        <section class="panel">
            <NewNote notes=notes />
        </section>
        <Show when=move || notes.value.with(Option::is_some) fallback=move || view! { <Waiting loader=notes /> }>
            <Show
                when=move || !is_empty(notes)
                fallback=|| view! { <p class="lead">"You have no notes yet."</p> }
            >
                <ul class="list" aria-label="Your notes">
                    <For each=move || shown(notes) key=|note| note.id let:note>
                        <NoteRow note=note notes=notes />
                    </For>
                </ul>
            </Show>
            <ShowMore notes=notes />
        </Show>
    }
}

async fn fetch(page: PageSession, cursor: String) -> Result<Page<Note>, RequestFailure> {
    read_json(page.send(ApiRequest::get(format!("{NOTES}?cursor={cursor}"))).await?)
}

fn shown(notes: Loader<Page<Note>>) -> Vec<Note> {
    notes.value.get().map(|page| page.results).unwrap_or_default()
}

fn is_empty(notes: Loader<Page<Note>>) -> bool {
    notes.value.with(|page| page.as_ref().is_some_and(|page| page.results.is_empty() && page.next.is_none()))
}

#[component]
fn NewNote(notes: Loader<Page<Note>>) -> impl IntoView {
    let page = expect_context::<PageSession>();
    let notices = expect_context::<Notices>();
    let form = FormState::new(&["text"]);
    let text = RwSignal::new(String::new());
    let save = move |()| {
        let request = NoteRequest { text: text.get_untracked() };
        let checked = check_text(&request.text).map_err(|message| FormErrors::from([("text".into(), message)]));
        form.submit(checked, move |()| async move {
            let note: Note = read_json(page.send(ApiRequest::post(NOTES, &request)).await?)?;
            notes.value.try_update(|page| page.iter_mut().for_each(|page| page.results.insert(0, note.clone())));
            text.try_set(String::new());
            notices.say("The note is saved.");
            Ok(())
        });
    };
    view! {
        <Form state=form on_submit=save>
            <TextField label="Note" name="text" kind=FieldKind::Text autocomplete="off" value=text form=form />
            <div class="buttons">
                <Button label="Save note" kind="submit" pending=form.pending() />
            </div>
        </Form>
    }
}

#[component]
fn NoteRow(note: Note, notes: Loader<Page<Note>>) -> impl IntoView {
    let page = expect_context::<PageSession>();
    let notices = expect_context::<Notices>();
    let action = UserAction::new();
    let id = note.id;
    let delete = Callback::new(move |()| {
        if !window().confirm_with_message("Delete this note?").is_ok_and(|confirmed| confirmed) {
            return;
        }
        action.start(async move {
            read_empty(page.send(ApiRequest::delete(format!("{NOTES}{id}/"))).await?)?;
            notices.say("The note is deleted.");
            focus_heading();
            notes.value.try_update(|page| page.iter_mut().for_each(|page| page.results.retain(|one| one.id != id)));
            Ok(())
        });
    });
    let name = format!("note-{id}");
    view! {
        <li class="list-item" aria-labelledby=name.clone()>
            <h2 id=name.clone() prop:textContent=note.text></h2>
            <p class="details">
                <Moment at=note.changed_at />
            </p>
            <Alert text=action.failure() />
            <Button label="Delete note" pending=action.signal() class="button button-danger" on_press=delete />
        </li>
    }
}

/// Adds the next page to what is shown.
#[component]
fn ShowMore(notes: Loader<Page<Note>>) -> impl IntoView {
    let page = expect_context::<PageSession>();
    let action = UserAction::new();
    let next = Memo::new(move |_| notes.value.with(|page| page.as_ref().and_then(|page| page.next.clone())));
    let press = Callback::new(move |()| {
        let Some(cursor) = next.get_untracked() else { return };
        action.start(async move {
            let more = fetch(page, cursor).await?;
            notes.value.try_update(|page| {
                if let Some(page) = page {
                    page.results.extend(more.results);
                    page.next = more.next;
                }
            });
            Ok(())
        });
    });
    view! {
        <Alert text=action.failure() />
        <Show when=move || next.with(Option::is_some)>
            <Button label="Show more" pending=action.signal() class="button button-quiet" on_press=press />
        </Show>
    }
}
