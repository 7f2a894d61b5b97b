//! The table of endpoints. `.protected()` requires an access token; the handlers take `Caller`, who is authorized where they
//! read and write.

use super::handlers::{change, create, delete, list, show};
use api::prelude::{Bounds, Endpoint, Page, Resource, by_caller};
use notes_types::{NOTE, NOTES, Note, NoteRequest};

/// Each counts as one of the caller's requests, and uses the database.
const BOUNDS: Bounds = by_caller(&[Resource::Database]);

pub(super) fn endpoints() -> Vec<Endpoint> {
    vec![
        Endpoint::get(NOTES, BOUNDS, list)
            .about("listNotes", "The caller's notes, newest first")
            .protected()
            .paged()
            .gives::<Page<Note>>(200),
        Endpoint::post(NOTES, BOUNDS, create)
            .about("createNote", "Write a note")
            .protected()
            .takes::<NoteRequest>()
            .gives::<Note>(201),
        Endpoint::get(NOTE, BOUNDS, show)
            .about("getNote", "One of the caller's notes")
            .protected()
            .gives::<Note>(200)
            .refuses(&[404]),
        Endpoint::patch(NOTE, BOUNDS, change)
            .about("updateNote", "Change the text of a note")
            .protected()
            .takes::<NoteRequest>()
            .gives::<Note>(200)
            .refuses(&[404]),
        Endpoint::delete(NOTE, BOUNDS, delete)
            .about("deleteNote", "Delete a note")
            .protected()
            .gives_nothing()
            .refuses(&[404]),
    ]
}
