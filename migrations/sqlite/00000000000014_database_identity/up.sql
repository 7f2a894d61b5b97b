-- What distinguishes this database from others that keep their backups in the same storage: one row. No backup contains it.
CREATE TABLE database_identity (
    id text NOT NULL PRIMARY KEY
);
INSERT INTO database_identity (id) VALUES (lower(hex(randomblob(6))));
