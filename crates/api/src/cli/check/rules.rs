//! All kinds of findings. `docs/operations/checks.md` has a row for each, and a test compares the two.

use super::rule::CheckRule;
use super::severity::Severity;

macro_rules! rules {
    ($($name:ident: $severity:ident $id:literal $remedy:literal)+) => {
        $(pub(super) static $name: CheckRule = CheckRule { id: $id, severity: Severity::$severity, remedy: $remedy };)+
        pub static ALL: &[&CheckRule] = &[$(&$name),+];
    };
}

rules! {
    CONFIG_REFUSED: Error "config.refused"
        "Fix the variable as the message says: the API refuses to start."
    CONFIG_MISSPELT: Warning "config.misspelt"
        "Rename the variable, or remove it."

    SECRETS_PLACEHOLDER: Error "secrets.placeholder"
        "Set a value of your own; `api generate-secret` makes one."
    SECRETS_WEAK: Error "secrets.weak"
        "Set a random value; `api generate-secret` makes one. Change a key in the three steps of docs/guides/keys.md, but if others knew it, at once and without a fallback."
    SECRETS_REUSED: Error "secrets.reused"
        "Give each its own value: if one leaks, the other leaks with it."

    ENVIRONMENT_DEVELOPMENT: Warning "environment.development"
        "Set APP_ENV=production: it turns on HTTPS, secure cookies, JSON logs and the start-up checks."
    LIMITS_OFF: Warning "limits.off"
        "Remove RATE_LIMITS: without limits passwords can be guessed as fast as they are hashed."
    REFRESH_STRICT: Info "refresh.strict"
        "Remove REFRESH_LEEWAY, unless every client sends an Idempotency-Key with its refresh, as Latchkey's does."
    REDIS_NONE: Info "redis.none"
        "Nothing to do for one process. For several, set REDIS_URL, so that they count attempts together."
    REDIS_UNREACHABLE: Warning "redis.unreachable"
        "Fix REDIS_URL or the server; until then each process counts attempts by itself."
    DOCS_OPEN: Info "docs.open"
        "Remove API_DOCS unless the API's documentation should be public."
    LOGS_VERBOSE: Warning "logs.verbose"
        "Set RUST_LOG=info: at debug and trace, libraries log what they handle, personal data included."
    PROXY_HOPS: Warning "proxy.hops"
        "Set TRUSTED_PROXIES to the networks of all proxies in front of the API; otherwise its clients are unknown, or look like one."
    PROXY_RENDER: Warning "proxy.render"
        "Remove the variable: on Render the API knows the proxies, Cloudflare's and Render's own."
    PROXY_CLIENTS: Warning "proxy.clients"
        "Add the network of that address to TRUSTED_PROXIES (on Render remove it, and TRUSTED_PROXY_HOPS): the limits count the requests of these clients by name only."
    PROXY_RANGES: Info "proxy.ranges"
        "Compare with https://www.cloudflare.com/ips; take a newer release, or list what is missing in TRUSTED_PROXIES."

    ORIGINS_NONE: Warning "origins.none"
        "Set CORS_ALLOWED_ORIGINS to the front end's origin; without it no browser may read a response."
    ORIGINS_HTTP: Error "origins.http"
        "Use https://: an attacker on the network can change a page that comes by http:// and act as its user."
    ORIGINS_LOCALHOST: Warning "origins.localhost"
        "Remove it: any program on a visitor's machine may serve a page there."
    FRONTEND_MISSING: Warning "frontend.missing"
        "Set FRONTEND_URL: without it links in mails lead nowhere."
    FRONTEND_HTTP: Error "frontend.http"
        "Use https://: links in mails carry tokens."
    FRONTEND_NOT_ALLOWED: Warning "frontend.not_allowed"
        "Add the front end's origin to CORS_ALLOWED_ORIGINS, unless the API is served under the same origin."

    COOKIE_PUBLIC_SUFFIX: Warning "cookie.public_suffix"
        "Remove SESSION_COOKIE_DOMAIN, or put front end and API under a domain of your own and set that. Browsers drop a cookie whose domain is a public suffix: anyone can have a host there."
    COOKIE_CROSS_SITE: Error "cookie.cross_site"
        "Put front end and API under one domain of your own, such as app.example.com and api.example.com, or set TOKEN_TRANSPORT=body. Browsers block cookies of another site, so no user would stay signed in."
    COOKIE_SITE_UNKNOWN: Info "cookie.site_unknown"
        "See that the API's host is on the front end's site, such as api.example.com for app.example.com."

    MAIL_NOWHERE: Warning "mail.nowhere"
        "Set EMAIL_URL to a mail server, smtp://USER:PASSWORD@HOST:587 or smtps://…; until then no user can reset a password."
    MAIL_NEEDED: Error "mail.needed"
        "Set EMAIL_URL to a mail server, or EMAIL_VERIFICATION=optional: as it is, a new user cannot sign in."
    MAIL_SENDER: Warning "mail.sender"
        "Set EMAIL_FROM to an address of your own domain: mail servers refuse mail from a domain that does not exist."
    MAIL_UNREACHABLE: Error "mail.unreachable"
        "Fix EMAIL_URL (host, port) or the network route to the server; many platforms block port 25."
    MAIL_REFUSED: Error "mail.refused"
        "Fix user and password in EMAIL_URL, or EMAIL_FROM; or ask the operator of the server why it refuses this machine. Mail waits until then."

    DATABASE_SQLITE: Warning "database.sqlite"
        "Set DATABASE_URL=postgres://…, or the DB_*: SQLite serves one machine, and its file needs a persistent disk."
    DATABASE_EPHEMERAL: Error "database.ephemeral"
        "Use PostgreSQL, or put the file on a persistent disk; the next deployment deletes every account."
    DATABASE_UNREACHABLE: Error "database.unreachable"
        "Fix DATABASE_URL or the DB_*, or start the server; the API serves nothing without it."
    DATABASE_ENCODING: Error "database.encoding"
        "Create another database with TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' and move existing data by a backup; the API refuses to start."
    DATABASE_READ_ONLY: Error "database.read_only"
        "Point DATABASE_URL to the server that accepts writes, free space on its disk, or make the file writable; until then the API is not ready."
    DATABASE_MIGRATIONS: Warning "database.migrations"
        "Run `api migrate`; `api serve` does so at its start."
    DATABASE_CLOCK: Error "database.clock"
        "Set both machines' clocks by NTP; a process whose clock is that far off is not ready and gets no requests."

    STORAGE_LOCAL: Info "storage.local"
        "Nothing to do for one process and a persistent disk. Otherwise set the AWS_* to a bucket."
    STORAGE_EPHEMERAL: Warning "storage.ephemeral"
        "Set the AWS_* to a bucket, or mount a disk; the next deployment deletes all pictures."
    STORAGE_UNREACHABLE: Error "storage.unreachable"
        "Fix the AWS_* (the key must be allowed to write, read and delete), or make the folder writable."

    BACKUP_EPHEMERAL: Warning "backup.ephemeral"
        "Set the AWS_* to a bucket, or mount a disk; backups are lost together with the machine."
    BACKUP_PLAIN: Warning "backup.plain"
        "Set BACKUP_AGE_RECIPIENT to a public key of age: anyone who can read the bucket can read every account."

    HASHING_FAST: Warning "hashing.fast"
        "Raise BCRYPT_COST; each step doubles the time, for you and for an attacker."
    HASHING_SLOW: Warning "hashing.slow"
        "Lower BCRYPT_COST, not under 10, or use a faster machine; sign-ins wait for it."
}
