//! A field whose text is stored at the server, and the user's changes to it.

use auth_types::invisible::trimmed_words;
use leptos::prelude::*;

/// The text of a field that was filled with the server's value. It is sent only if the user changed it, so that a form that has
/// been open for long does not revert a change made elsewhere.
#[derive(Debug, Clone, Copy)]
pub struct TextDraft {
    /// The text of the field.
    pub text: RwSignal<String>,
    filled: StoredValue<String>,
}

impl TextDraft {
    /// A field with the text `stored`.
    pub fn of(stored: &str) -> Self {
        Self { text: RwSignal::new(stored.to_owned()), filled: StoredValue::new(stored.to_owned()) }
    }

    /// The text, if the user has changed it. Blanks around it do not count as a change.
    pub fn changed(self) -> Option<String> {
        let text = self.text.get_untracked();
        let is_changed = self.filled.with_value(|filled| trimmed_words(filled) != trimmed_words(&text));
        is_changed.then_some(text)
    }

    /// Takes the server's current value, unless the user has changed the text.
    pub fn follow(self, stored: &str) {
        if self.changed().is_none_or(|text| text == stored) {
            self.fill(stored);
            self.show(stored);
        }
    }

    /// Takes the server's value after `sent` was saved. Text that the user typed since stays.
    pub fn saved(self, sent: &str, stored: &str) {
        self.fill(stored);
        if self.text.try_with_untracked(|text| text == sent) == Some(true) {
            self.show(stored);
        }
    }

    fn fill(self, stored: &str) {
        self.filled.try_set_value(stored.to_owned());
    }

    /// Sets the text only if it differs, so that the cursor keeps its position.
    fn show(self, stored: &str) {
        if self.text.try_with_untracked(|text| text != stored) == Some(true) {
            self.text.set(stored.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(stored: &str, typed: &str) -> TextDraft {
        let draft = TextDraft::of(stored);
        draft.text.set(typed.to_owned());
        draft
    }

    #[test]
    fn an_untouched_text_is_not_sent_and_follows_the_server() {
        Owner::new().with(|| {
            for typed in ["Ada", " Ada "] {
                let draft = draft("Ada", typed);
                assert_eq!(draft.changed(), None);
                draft.follow("Grace");
                assert_eq!(draft.text.get_untracked(), "Grace");
                assert_eq!(draft.changed(), None);
            }
        });
    }

    #[test]
    fn text_that_is_being_typed_stays_and_is_sent() {
        Owner::new().with(|| {
            let draft = draft("Ada", "Ada L");
            draft.follow("Grace");
            assert_eq!(draft.changed().as_deref(), Some("Ada L"));
            // A joiner at the end makes another letter of the last one.
            let draft = self::draft("മോഹന്", "മോഹന്\u{200d}");
            assert_eq!(draft.changed().as_deref(), Some("മോഹന്\u{200d}"));
            let draft = self::draft("Ada", "Grace");
            draft.follow("Grace");
            assert_eq!(draft.changed(), None);
        });
    }

    #[test]
    fn after_saving_the_server_counts_except_for_what_was_typed_since() {
        Owner::new().with(|| {
            let draft = draft("", " ada ");
            draft.saved(" ada ", "ada");
            assert_eq!((draft.text.get_untracked().as_str(), draft.changed()), ("ada", None));
            draft.text.set("ada l".to_owned());
            draft.saved("ada", "Ada");
            assert_eq!(draft.changed().as_deref(), Some("ada l"));
        });
    }
}
