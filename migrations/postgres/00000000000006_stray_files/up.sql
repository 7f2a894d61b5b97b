-- Files in the storage that no row names yet, or any more.
CREATE TABLE stray_files (
    name text NOT NULL PRIMARY KEY,
    noted_at timestamptz NOT NULL
);
CREATE INDEX stray_files_noted_at ON stray_files (noted_at);
