DROP TABLE poll_choices;
DROP TABLE polls;
