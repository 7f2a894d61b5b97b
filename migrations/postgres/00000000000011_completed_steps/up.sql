-- What was done with which Idempotency-Key, for as long as its repetition gets the same response. `hash` is a keyed hash of
-- the whole request; nothing of the request or of the response is kept.
CREATE TABLE completed_steps (
    hash bytea NOT NULL PRIMARY KEY,
    session_id uuid REFERENCES sessions (id) ON DELETE CASCADE,
    notice text,
    at timestamptz NOT NULL
);
CREATE INDEX completed_steps_session_id ON completed_steps (session_id);
CREATE INDEX completed_steps_at ON completed_steps (at);
