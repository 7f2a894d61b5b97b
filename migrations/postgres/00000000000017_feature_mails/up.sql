-- The key of the row of a feature that a mail is about: the feature writes the mail from that row when it is sent.
ALTER TABLE mail_outbox ADD COLUMN about text;
