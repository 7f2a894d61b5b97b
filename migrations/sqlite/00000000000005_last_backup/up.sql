-- The last backup that succeeded, for whoever watches over them: at most one row.
CREATE TABLE last_backup (
    name text NOT NULL PRIMARY KEY,
    made_at text NOT NULL,
    size_bytes integer NOT NULL
);
