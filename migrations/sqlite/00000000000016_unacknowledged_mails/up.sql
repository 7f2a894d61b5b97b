-- How often the mail server did not acknowledge the end of a mail, which may have been sent each time, and how many copies an address
-- may have got.
ALTER TABLE mail_outbox ADD COLUMN unacknowledged integer NOT NULL DEFAULT 0;
ALTER TABLE sent_mails ADD COLUMN copies integer NOT NULL DEFAULT 1;
