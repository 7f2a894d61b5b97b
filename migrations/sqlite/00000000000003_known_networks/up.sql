-- From where an account has been signed in to: an IPv4 address or an IPv6 /64.
CREATE TABLE known_networks (
    user_id integer NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    network text NOT NULL,
    seen_at text NOT NULL,
    PRIMARY KEY (user_id, network)
);
CREATE INDEX known_networks_seen_at ON known_networks (seen_at);
