DROP TABLE fixture_poll_choices;
DROP TABLE fixture_polls;
