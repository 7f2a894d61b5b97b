//! What the text of a refusal says: its enhanced status (RFC 3463) or, if there is none, a few phrases that many servers use.

use lettre::Address;
use lettre::address::Envelope;
use std::net::IpAddr;

/// An enhanced status: class, subject and detail.
type Status = (u16, u16, u16);

/// Phrases about the recipient's address, in lower case, of servers that send no enhanced status.
const FINAL: [&str; 11] = [
    "no mailbox",
    "mailbox unavailable",
    "mailbox name",
    "mailbox full",
    "mailbox is full",
    "invalid recipient",
    "invalid mailbox",
    "address rejected",
    "unrouteable",
    "unroutable",
    "not local",
];

/// Phrases that are about the recipient only if the text also mentions one.
const FINAL_OF_RECIPIENT: [&str; 6] = ["unknown", "no such", "not exist", "n't exist", "no longer exist", "not found"];

/// Words for the recipient; a reply that repeats an address mentions the recipient, too.
const RECIPIENT: [&str; 6] = ["user", "recipient", "mailbox", "address", "account", "alias"];

/// All other words of such texts. A word that is not among them, such as `policy`, `limit`, `your`, `sender` or `client`, may be
/// about us: what servers say about us cannot be listed, but what they say about a recipient is short.
const OF_RECIPIENT: [&str; 64] = [
    "a",
    "accepted",
    "account",
    "action",
    "address",
    "addressee",
    "alias",
    "allowed",
    "an",
    "and",
    "any",
    "anymore",
    "are",
    "at",
    "by",
    "does",
    "doesn't",
    "don't",
    "e-mail",
    "email",
    "exist",
    "exists",
    "for",
    "found",
    "full",
    "here",
    "in",
    "inbox",
    "invalid",
    "is",
    "it",
    "local",
    "longer",
    "mailbox",
    "message",
    "name",
    "named",
    "no",
    "not",
    "of",
    "on",
    "one",
    "or",
    "please",
    "recipient",
    "recipients",
    "rejected",
    "rejecting",
    "requested",
    "sorry",
    "such",
    "taken",
    "that",
    "the",
    "there",
    "this",
    "try",
    "unavailable",
    "undeliverable",
    "unknown",
    "unroutable",
    "unrouteable",
    "user",
    "was",
];

/// Where a server has looked for the recipient. One of Postfix's tables is that of `relay` recipients.
const PLACES: [&str; 5] = [
    " in local recipient table",
    " in relay recipient table",
    " in virtual mailbox table",
    " in virtual alias table",
    " on this server",
];

/// The code of a server that never accepts mail (RFC 7504): our server must not send it, so `EMAIL_URL` names the wrong one.
const NO_MAIL_HERE: u16 = 521;

/// Phrases about the sender, what it may do, or a temporary condition, regardless of the status: a server that asks the sender's own
/// server repeats its reply, and some send a permanent status for a temporary condition.
const NEVER_FINAL: [&str; 57] = [
    "sender",
    "sending",
    "outgoing",
    "outbound",
    "return path",
    "return-path",
    "reverse path",
    "reverse-path",
    "mail from",
    "from address",
    "envelope from",
    "send from",
    "you may",
    "you must",
    "you are not",
    "you have exceeded",
    "not allowed to",
    "your account",
    "your network",
    "your ip",
    "your server",
    "your domain",
    "relay",
    "authentic",
    "authoris",
    "authoriz",
    "credential",
    "log in",
    "login",
    "permission",
    "permitted",
    "starttls",
    "encrypt",
    "suspended",
    "unverified",
    "verification",
    "policy",
    "policies",
    "reputation",
    "spam",
    "blacklist",
    "black list",
    "blocklist",
    "block list",
    "blocked",
    "rbl",
    "limit",
    "rate ",
    "quota for",
    "name service",
    "timed out",
    "timeout",
    "temporar",
    "again later",
    "in progress",
    "busy",
    "too many",
];

/// What may stand around an address in a reply.
const AROUND_ADDRESS: [char; 9] = ['<', '>', '(', ')', '[', ']', ':', ',', ';'];

/// Whether a permanent refusal of `RCPT` says that the recipient's address is not accepted. `text` has all lines of the reply. In
/// doubt the refusal is about us: then the mail waits and is not lost.
pub(super) fn are_about_recipient(code: u16, text: &str, envelope: &Envelope) -> bool {
    if code == NO_MAIL_HERE || names_another(text, envelope) {
        return false;
    }
    let names_address = text.contains('@');
    let text = PLACES.iter().fold(without_addresses(text), |text, place| text.replace(place, ""));
    let contains_any = |phrases: &[&str]| phrases.iter().any(|phrase| text.contains(phrase));
    let statuses: Vec<_> = statuses(&text).collect();
    if contains_any(&NEVER_FINAL) || statuses.iter().copied().any(|status| is_temporary(status) || is_about_us(status))
    {
        return false;
    }
    if statuses.iter().copied().any(is_exact) {
        return true;
    }
    let names_recipient = names_address || contains_any(&RECIPIENT);
    let is_final = contains_any(&FINAL) || (names_recipient && contains_any(&FINAL_OF_RECIPIENT));
    matches!(code, 550..=553) && is_final && says_nothing_else(&text)
}

/// Whether a reply names an address other than the recipient's, or our domain: a server that asks the sender's own server says
/// that our address is unknown. The address after `try` is where the recipient has moved (RFC 5321, section 3.4).
fn names_another(text: &str, envelope: &Envelope) -> bool {
    let recipients: Vec<_> = envelope.to().iter().map(|to| as_replied(to.as_ref())).collect();
    let is_ours = |name: &str| {
        let domain = envelope.from().map(Address::domain);
        domain.is_some_and(|ours| ours.eq_ignore_ascii_case(name))
            && !envelope.to().iter().any(|to| to.domain().eq_ignore_ascii_case(name))
    };
    let before = std::iter::once("").chain(text.split_whitespace());
    let words = before.zip(text.split_whitespace()).filter(|(before, _)| !before.eq_ignore_ascii_case("try"));
    let mut names = words.flat_map(|(_, word)| word.split(AROUND_ADDRESS)).map(as_replied);
    names.any(|name| if name.contains('@') { !recipients.contains(&name) } else { is_ours(&name) })
}

/// An address as a reply repeats it: in any case, between quotes or dots, with `?` for what is not ASCII.
fn as_replied(address: &str) -> String {
    let ascii = address.bytes().map(|byte| if byte.is_ascii() { char::from(byte) } else { '?' });
    let ascii: String = ascii.map(|c| c.to_ascii_lowercase()).collect();
    ascii.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned()
}

/// Whether each word is one of [`OF_RECIPIENT`].
fn says_nothing_else(text: &str) -> bool {
    let is_of_recipient = |word: &str| {
        let mut parts = word.split(|c: char| !c.is_alphanumeric() && !matches!(c, '\'' | '-'));
        parts.all(|part| matches!(part.trim_matches('-'), part if part.is_empty() || OF_RECIPIENT.contains(&part)))
    };
    text.split_whitespace().all(|word| is_of_recipient(word) || says_nothing(word))
}

/// Whether a word is a status, a link, or an identifier in brackets under which the server has logged the refusal. One with an IP
/// address may be about ours.
fn says_nothing(word: &str) -> bool {
    let bracketed = word.strip_prefix('[').and_then(|word| word.trim_end_matches('.').strip_suffix(']'));
    let is_link = word.contains("://") && !word.contains("ip=");
    let is_identifier = bracketed.is_some_and(|inside| inside.parse::<IpAddr>().is_err());
    is_link || is_identifier || statuses(word).next().is_some()
}

/// Whether a refusal is about the form of a mail that is not plain ASCII: parameters or commands that the server does not know
/// (RFC 5321, section 4.1.1.11), or a status about the media or the protocol (RFC 3463, sections 3.6 and 3.7). In doubt it is: if the
/// server refuses us, the next plain mail shows that.
pub(super) fn are_about_form(code: u16, text: &str) -> bool {
    matches!(code, 500 | 501 | 504 | 555) || statuses(text).any(|(_, subject, _)| matches!(subject, 5 | 6))
}

/// 5.1.7 and 5.1.8 are about the sender's address, 5.3 about the mail system, 5.5 about the protocol, 5.7 about security and policy.
fn is_about_us(status: Status) -> bool {
    matches!(status, (_, 1, 7 | 8) | (_, 3 | 5 | 7, _))
}

/// Class 4 is a temporary condition (RFC 3463, section 2), even if the code is permanent.
fn is_temporary(status: Status) -> bool {
    matches!(status, (4, _, _))
}

/// Whether a status is about the recipient. The address is unknown, malformed, moved, accepts no mail or none of this form (RFC 3463;
/// RFC 7505 and RFC 6531 for the last two), or the mailbox is disabled or full. Exchange sends 5.4.1 for an unknown mailbox. Other
/// statuses about quotas and routes may be about us.
fn is_exact(status: Status) -> bool {
    matches!(status, (5, 1, 1..=4 | 6 | 10) | (5, 2, 1 | 2) | (5, 4, 1) | (5, 6, 7))
}

/// The statuses in a reply, anywhere in its text: servers also write `#5.7.1` and `(#5.7.1)`, some only in the last line.
fn statuses(text: &str) -> impl Iterator<Item = Status> {
    text.split_whitespace().filter_map(|word| {
        let word = word.trim_matches(|c: char| !c.is_ascii_digit());
        let mut parts = word.split('.').map(|part| part.parse().ok().filter(|_| (1..=3).contains(&part.len())));
        let class = parts.next()??;
        let subject = parts.next()??;
        let detail = parts.next()??;
        (matches!(class, 4 | 5) && parts.next().is_none()).then_some((class, subject, detail))
    })
}

/// The text in lower case, without the words that contain an address: the recipient may have chosen one that contains a phrase.
fn without_addresses(text: &str) -> String {
    let words = text.split_whitespace().filter(|word| !word.contains('@'));
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{Envelope, are_about_form, are_about_recipient};

    const TO: &str = "a@b.example";

    fn is_about_recipient(code: u16, text: &str, to: &str) -> bool {
        let from = "no-reply@us.example".parse().ok();
        let envelope = Envelope::new(from, to.parse().into_iter().collect());
        envelope.is_ok_and(|envelope| are_about_recipient(code, text, &envelope))
    }

    /// Texts of Postfix, Exim, qmail, Exchange, Gmail and others; the lines of one reply are joined by a space.
    const RECIPIENT: &[(u16, &str)] = &[
        (550, "5.1.1 <a@b.example>: Recipient address rejected: User unknown in local recipient table"),
        (550, "5.1.1 <a@b.example>: Recipient address rejected: User unknown in relay recipient table"),
        (550, "<a@b.example>: Recipient address rejected: User unknown in relay recipient table"),
        (550, "5.1.1 <a@b.example> User doesn't exist: a@b.example"),
        (550, "5.1.2 <a@b.example>: Recipient address rejected: Domain not found"),
        (553, "5.1.3 <a@b.example>: Recipient address rejected: not a valid address"),
        (554, "5.1.1 unknown"),
        (550, "Unrouteable address"),
        (550, "Unknown user"),
        (550, "unknown user here"),
        (550, "no such user"),
        (550, "No Such User Here"),
        (550, "sorry, no mailbox here by that name. (#5.1.1)"),
        (511, "sorry, no mailbox here by that name (#5.1.1 - chkuser)"),
        (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
        (550, "5.4.1 Recipient address rejected: Access denied. AS(201806281)"),
        (550, "5.1.1 User unknown"),
        (
            550,
            "5.1.1 The email account that you tried to reach does not exist. Please try double-checking the recipient's",
        ),
        (550, "5.2.1 The email account that you tried to reach is disabled."),
        (552, "5.2.2 The recipient's inbox is out of storage space."),
        (550, "#5.1.0 Address rejected."),
        (550, "5.1.0 Address rejected a@b.example"),
        (550, "Requested action not taken: mailbox unavailable"),
        (550, "Invalid recipient"),
        // Mimecast, Mail.ru, NetEase, cPanel, MDaemon, and relays of Postfix and Exim.
        (550, "Invalid Recipient - https://community.mimecast.com/docs/DOC-1369#550 [Tz4bZ0cMOb2bBk7R0aBgcA.uk101]"),
        (550, "Message was not accepted -- invalid mailbox. Local mailbox a@b.example is unavailable: user not found"),
        (550, "User not found: a@b.example"),
        (550, "<a@b.example> No such user here"),
        (550, "<a@b.example>, Recipient unknown"),
        (550, "No such user on this server"),
        (550, "<a@b.example>: Recipient address rejected: User unknown in virtual mailbox table"),
        (550, "mailbox a@b.example no longer exists"),
        (550, "5.0.0 <a@b.example>... User unknown"),
        (551, "User not local; please try <c@d.example>"),
        (552, "Mailbox full"),
        (553, "mailbox name not allowed"),
        (553, "5.6.7 the address is not ASCII"),
        (556, "5.1.10 Recipient address has null MX"),
    ];
    const US: &[(u16, &str)] = &[
        // GMX and WEB.DE, QQ, and what others add to a statement about the recipient.
        (550, "Requested action not taken: mailbox unavailable Reject due to policy restrictions."),
        (
            550,
            "Requested action not taken: mailbox unavailable For explanation visit https://postmaster.gmx.net/?ip=192.0.2.1",
        ),
        (550, "mailbox unavailable https://postmaster.gmx.net/?ip=192.0.2.1"),
        (550, "mailbox unavailable [192.0.2.1]"),
        (550, "mailbox unavailable 192.0.2.1"),
        (550, "Mailbox unavailable or access denied [MNK+PU3Tz]"),
        (550, "Recipient address rejected: daily limit reached"),
        (550, "mailbox unavailable, rate limit exceeded"),
        (550, "<a@b.example>: mailbox unavailable. Access denied, see RBL"),
        (550, "5.1.3 bad syntax in envelope sender"),
        (550, "5.1.1 <a@b.example>: Recipient address rejected: policy restrictions"),
        (550, "5.1.1 Recipient rejected: your IP has a bad reputation"),
        (550, "5.1.2 daily limit of recipients reached"),
        (550, "5.2.2 you have exceeded the quota"),
        (550, "Invalid recipient: you may only send to verified addresses"),
        (550, "Recipient address rejected: not verified in the sandbox"),
        (550, "user unknown at this hour"),
        (550, "a@b.example: unknown error"),
        (550, "account over quota"),
        (550, "address rejected: 3 complaints"),
        (550, "MX record not found"),
        (550, "rDNS not found for [192.0.2.1]"),
        (550, "Sending host not found in DNS"),
        (550, "unknown host"),
        (550, "No such host"),
        (550, "DKIM key not found for us.example"),
        (550, "The IP you are using was not found in our allow list"),
        (550, "Unknown or unauthorised client"),
        (550, "unknown error"),
        (550, "TLS certificate unknown"),
        (550, "account not found, upgrade your plan"),
        (550, "your account is over quota: sending suspended"),
        (550, "Your contract does not exist any more"),
        (550, "From address does not exist"),
        (553, "Envelope from does not exist"),
        (550, "unknown command; say hello first"),
        (550, "Greylisted, unknown triplet, try again later"),
        (550, "5.4.1 Relay Access Denied"),
        (550, "4.4.1 connection to the mailbox server failed, try again"),
        (552, "4.2.2 mailbox full"),
        (550, "5.1.1 user unknown (#4.3.0)"),
        (550, "5.1.2 unable to relay"),
        (550, "5.1.2 We do not relay for this domain"),
        (550, "5.1.1 Authentication required for relay"),
        (550, "5.1.1 unauthenticated"),
        (550, "5.1.1 not authorized"),
        (550, "5.2.1 You have no permission to send to this recipient"),
        (550, "5.1.1 recipient verification in progress"),
        (550, "5.1.10 server busy"),
        (550, "5.1.1 try again later"),
        (550, "5.4.1 Access denied. Tenant is suspended"),
        (550, "5.1.8 <no-reply@us.example>: Sender address rejected: Domain not found"),
        (550, "5.1.7 Bad sender address"),
        (550, "5.3.2 system not accepting network messages"),
        (550, "Message blocked because of your IP 5.7.1 see https://mail.example"),
        (550, "relay not permitted"),
        (550, "Relaying denied"),
        (554, "Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
        (554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
        (554, "5.7.1 <a@b.example>: Relay access denied"),
        (550, "#5.7.1 not authorized"),
        (550, "#5.7.1"),
        (553, "sorry, your envelope sender domain must exist"),
        (553, "sorry, your envelope sender domain must exist (#5.1.8)"),
        (553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)"),
        (550, "5.7.1 Unable to relay"),
        (550, "5.7.54 SMTP; Unable to relay recipient in non-accepted domain"),
        (550, "5.7.606 Access denied, banned sending IP [192.0.2.1]."),
        (550, "5.1.8 Access denied, bad outbound sender. AS(42004)"),
        (550, "5.7.26 This mail has been blocked because the sender is unauthenticated."),
        (550, "5.5.1 Authentication required"),
        (503, "5.5.1 Need MAIL before RCPT"),
        (503, "valid RCPT command must precede DATA"),
        (530, "log in"),
        (530, "5.7.0 Must issue a STARTTLS command first"),
        (550, "Administrative prohibition: you are on our blocklist"),
        (550, "Sender verify failed"),
        (
            550,
            "Verification failed for <s@us.example> Response: 550 5.1.1 <s@us.example>: User unknown Sender verify failed",
        ),
        (550, "5.1.0 <s@us.example> sender rejected: invalid sender domain"),
        (550, "5.0.0 your IP is listed"),
        (550, "The IP 192.0.2.1 is listed at b.example"),
        (550, "Rejected because 192.0.2.1 is in a black list at dnsbl.example"),
        (550, "SPF check failed"),
        (550, "HELO argument is no name"),
        (550, "a@b.example: Recipient rejected [5.7.1]"),
        (550, ""),
        (550, "no"),
        (554, "no"),
        (521, "this host takes no mail"),
        (521, "5.2.1 we take no mail"),
        (550, "Administrative prohibition"),
        (550, "Access denied"),
        (550, "Rejected by policy"),
        (550, "connection refused by local policy"),
        (550, "5.4.5 Daily user sending quota exceeded"),
        (550, "5.1.90 Your message can't be sent because you've reached your daily limit for message recipients"),
        (550, "Domain us.example has exceeded the max emails per hour (25/25 (100%)) allowed."),
        (550, "5.2.0 Your account is suspended"),
        (550, "SMTP AUTH is required for message submission"),
        (550, "Please log in first"),
        (550, "TLS required"),
        (553, "Domain of MAIL FROM does not resolve"),
        (553, "Domain of MAIL FROM does not exist"),
        (550, "invalid MAIL FROM: domain has no MX"),
        (550, "You are not allowed to send mail"),
        (550, "your rDNS does not resolve"),
        (550, "JunkMail rejected - us [192.0.2.1] is in an RBL"),
        (550, "5.4.3 directory lookup failure"),
        (550, "5.4.6 Routing loop detected"),
        (501, "syntax error"),
        (550, "IP address rejected"),
        (550, "Remote IP address rejected by policy"),
        (550, "IP address unknown"),
        (550, "Connecting IP address not found in access list"),
        (550, "Source address rejected"),
        (550, "address rejected: PTR missing"),
        (553, "Unroutable return address"),
        (550, "Return address not found"),
        (550, "unrouteable reverse-path"),
        (550, "mailbox unavailable for reverse-path"),
        (550, "account over quota, sending suspended until tomorrow"),
        (550, "user account over quota for today: outgoing mail suspended"),
        (550, "user not found in SASL database"),
        (550, "5.2.2 you have exceeded the sending quota"),
        (550, "5.2.1 this account is disabled for sending"),
        (550, "not local network"),
        (550, "SMTP user unknown, log in."),
        (550, "5.2.1 Your account has been disabled. Contact support"),
        (550, "5.1.1 The account that you send from does not exist any more"),
        (550, "5.1.1 <no-reply@us.example>: Return path rejected: User unknown"),
        (554, "5.1.2 Name service error, DNS lookup of b.example timed out"),
        (550, "Unknown user: too many invalid recipients from your network, blocked"),
        (550, "5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages"),
    ];

    #[test]
    fn only_texts_about_the_recipient_are_final() {
        for &(code, text) in RECIPIENT {
            assert!(is_about_recipient(code, text, TO), "{code} {text}");
        }
        for &(code, text) in US {
            assert!(!is_about_recipient(code, text, TO), "{code} {text}");
        }
    }

    #[test]
    fn an_address_that_contains_a_phrase_changes_nothing() {
        assert!(is_about_recipient(
            550,
            "<blocked.sender@relay.example> does not exist",
            "blocked.sender@relay.example"
        ));
        assert!(is_about_recipient(550, "unknown: <5.7.1@relay.example>", "5.7.1@relay.example"));
        assert!(is_about_recipient(550, "5.1.1 unknown: 5.7.1@relay.example", "5.7.1@relay.example"));
        // An IP address or a version number is not a status.
        assert!(is_about_recipient(550, "5.1.1 unknown at 5.7.1.9", TO));
        assert!(is_about_recipient(550, "5.1.1 unknown at 15.7.1", TO));
    }

    #[test]
    fn a_reply_that_names_another_address_is_not_about_the_recipient() {
        for text in [
            "5.1.1 <no-reply@us.example>: User unknown",
            "<no-reply@us.example> does not exist",
            "no-reply@us.example: no such user here",
            "5.1.1 user unknown: NO-REPLY@US.EXAMPLE.",
            "5.1.1 <no-reply@us.example> to <a@b.example>: User unknown",
            "5.1.1 <a@b.example>: <ba@b.example>: User unknown",
            "5.1.1 a@b.example.com: User unknown",
            "5.1.2 <us.example>: Domain not found",
            "5.1.2 us.example: host unknown",
        ] {
            assert!(!is_about_recipient(550, text, TO), "{text}");
        }
        for (text, to) in [
            ("5.1.1 <A@B.Example>: User unknown", TO),
            ("5.1.1 user unknown: (a@b.example).", TO),
            ("<a@b.example>... User unknown", TO),
            ("5.1.1 'a+b=c@b.example': User unknown", "a+b=c@b.example"),
            ("5.1.1 <_a_@b.example>: User unknown", "_a_@b.example"),
            ("5.1.1 <??rger@b.example>: User unknown", "\u{e4}rger@b.example"),
            ("5.1.1 <no-reply@us.example>: User unknown", "no-reply@us.example"),
            ("5.1.1 no user a at us.example", "a@us.example"),
        ] {
            assert!(is_about_recipient(550, text, to), "{text}");
        }
        assert!(is_about_recipient(551, "User not local; please try <c@d.example>", TO));
        assert!(!is_about_recipient(551, "<c@d.example> not local; please try again", TO));
    }

    #[test]
    fn parameters_and_media_are_about_the_form_of_a_mail() {
        for (code, text) in [
            (555, "unknown parameter"),
            (504, ""),
            (550, "5.6.7 no SMTPUTF8"),
            (451, "4.6.7 not yet"),
            (501, "5.5.4 Syntax error in parameters"),
            (554, "5.5.0 SMTPUTF8 not supported"),
        ] {
            assert!(are_about_form(code, text), "{code} {text}");
        }
        for (code, text) in [(550, "5.7.1 no"), (550, "sender rejected"), (421, "not now"), (553, "5.1.7 bad sender")] {
            assert!(!are_about_form(code, text), "{code} {text}");
        }
    }
}
