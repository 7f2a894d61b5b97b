CREATE TABLE notes (
    id integer PRIMARY KEY AUTOINCREMENT,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    text text NOT NULL,
    created_at text NOT NULL,
    changed_at text NOT NULL
);
CREATE INDEX notes_user_id ON notes (user_id, id);
