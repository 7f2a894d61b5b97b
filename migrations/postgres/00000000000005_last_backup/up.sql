-- The last backup that succeeded, for whoever watches over them: at most one row.
CREATE TABLE last_backup (
    name text PRIMARY KEY,
    made_at timestamptz NOT NULL,
    size_bytes bigint NOT NULL
);
