CREATE TABLE fixture_polls (
    id integer PRIMARY KEY AUTOINCREMENT,
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    question text NOT NULL,
    question_key text NOT NULL UNIQUE,
    most integer NOT NULL,
    is_open boolean NOT NULL,
    kind text NOT NULL,
    note text,
    colours integer NOT NULL,
    opens_at text NOT NULL,
    request_id text UNIQUE,
    version integer NOT NULL DEFAULT 1,
    created_at text NOT NULL
);
CREATE INDEX fixture_polls_user_id ON fixture_polls (user_id, id);
CREATE TABLE fixture_poll_choices (
    id integer PRIMARY KEY AUTOINCREMENT,
    poll_id integer NOT NULL REFERENCES fixture_polls (id) ON DELETE CASCADE,
    text text NOT NULL
);
CREATE INDEX fixture_poll_choices_poll_id ON fixture_poll_choices (poll_id);
