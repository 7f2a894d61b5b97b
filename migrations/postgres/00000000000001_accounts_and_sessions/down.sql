DROP TABLE auth_events;
DROP TABLE sessions;
DROP TABLE users;
