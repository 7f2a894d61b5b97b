//! A mail server that refuses, hangs up or falls silent at any step of the conversation: what no library's server does.

use super::servers::Server;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

/// What a server does when it should accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Responds with this, a code and words.
    Reply(&'static str),
    HangUp,
    /// Responds with a line that is longer than any that the system would keep for a client that is gone.
    Flood,
}

static FLOOD: LazyLock<String> = LazyLock::new(|| format!("220 {}", "a".repeat(64 * 1024 * 1024)));

/// A server without TLS that takes any password, and does as it is told.
#[derive(Debug)]
pub struct ScriptedMailServer {
    server: Server,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    refusal: Mutex<Option<Rule>>,
    taken: Mutex<Vec<String>>,
    /// Commands on connections that had been closed by a 421.
    unheard: AtomicUsize,
    /// Floods that a client has taken to their end.
    swallowed: AtomicUsize,
    /// Whether responses are codes without words.
    is_bare: AtomicBool,
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    step: &'static str,
    refusal: Refusal,
    /// Only mails to this domain; to all when it is empty.
    domain: &'static str,
    /// Only on connections over which so many mails have come.
    after: usize,
}

/// What a connection knows of its mails.
#[derive(Debug, Default)]
struct Course {
    recipient: String,
    taken: usize,
}

impl ScriptedMailServer {
    pub fn start() -> Self {
        let state = Arc::<State>::default();
        let server = Server::start({
            let state = Arc::clone(&state);
            move |client| talk(client, &state)
        });
        Self { server, state }
    }

    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// From now on refuses at this command; `CONNECT` is the greeting, `MESSAGE` the end of a mail and
    /// `SMTPUTF8` a `MAIL` with that parameter.
    pub fn refuse(&self, step: &'static str, refusal: Refusal) {
        self.refuse_to("", step, refusal);
    }

    /// From now on refuses mails to this domain; the steps before `RCPT` do not know it.
    pub fn refuse_to(&self, domain: &'static str, step: &'static str, refusal: Refusal) {
        *self.state.refusal.lock().unwrap() = Some(Rule { step, refusal, domain, after: 0 });
    }

    /// From now on takes no more than one mail a connection.
    pub fn accept_one_per_connection(&self, step: &'static str, refusal: Refusal) {
        *self.state.refusal.lock().unwrap() = Some(Rule { step, refusal, domain: "", after: 1 });
    }

    /// How many commands came after a 421.
    pub fn commands_after_421(&self) -> usize {
        self.state.unheard.load(Ordering::Relaxed)
    }

    /// How many floods a client has read to their end.
    pub fn floods_read(&self) -> usize {
        self.state.swallowed.load(Ordering::Relaxed)
    }

    /// From now on responds with codes, and with words only where they say what it can do.
    pub fn omit_reply_texts(&self) {
        self.state.is_bare.store(true, Ordering::Relaxed);
    }

    pub fn accept_all(&self) {
        *self.state.refusal.lock().unwrap() = None;
    }

    /// The recipients of the mails that were taken since the last call.
    pub fn accepted(&self) -> Vec<String> {
        std::mem::take(&mut self.state.taken.lock().unwrap())
    }
}

impl State {
    /// The response at this step. `None`: hang up.
    fn respond(&self, step: &str, course: &Course, usual: &'static str) -> Option<&'static str> {
        let applies = |rule: &Rule| {
            let is_to = rule.domain.is_empty() || course.recipient.ends_with(&format!("@{}", rule.domain));
            rule.step == step && is_to && course.taken >= rule.after
        };
        match self.refusal.lock().unwrap().filter(applies).map(|rule| rule.refusal) {
            Some(Refusal::Reply(words)) => Some(words),
            Some(Refusal::HangUp) => None,
            Some(Refusal::Flood) => Some(FLOOD.as_str()),
            None => Some(usual),
        }
    }

    fn say(&self, client: &mut TcpStream, words: &str) -> std::io::Result<()> {
        let bare = |words: &str| match words.rsplit_once("\r\n") {
            Some((lines, last)) => format!("{lines}\r\n{}\r\n{}", last.replacen(' ', "-", 1), &last[..3]),
            None => words[..3].to_owned(),
        };
        let words = if self.is_bare.load(Ordering::Relaxed) { bare(words) } else { words.to_owned() };
        client.write_all(format!("{words}\r\n").as_bytes())?;
        if words.len() == FLOOD.len() {
            self.swallowed.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn talk(mut client: TcpStream, state: &State) -> std::io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let (mut course, mut is_over) = (Course::default(), false);
    let mut say = |words: &str| state.say(&mut client, words);
    let Some(greeting) = state.respond("CONNECT", &course, "220 mail.test") else { return Ok(()) };
    say(greeting)?;
    while let Some(Ok(line)) = lines.next() {
        let command = line.split(' ').next().unwrap_or_default().to_owned();
        if is_over && command != "QUIT" {
            state.unheard.fetch_add(1, Ordering::Relaxed);
        }
        let usual = match command.as_str() {
            "EHLO" => "250-mail.test\r\n250-STARTTLS\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        if command == "RCPT" {
            line.split(['<', '>']).nth(1).unwrap_or_default().clone_into(&mut course.recipient);
        }
        let step = if line.contains(" SMTPUTF8") { "SMTPUTF8" } else { command.as_str() };
        let Some(response) = state.respond(step, &course, usual) else { return Ok(()) };
        is_over |= response.starts_with("421");
        say(response)?;
        if command == "DATA" && response.starts_with("354") {
            lines.by_ref().map_while(Result::ok).find(|line| line == ".");
            let Some(response) = state.respond("MESSAGE", &course, "250 taken") else { return Ok(()) };
            if response.starts_with("250") {
                state.taken.lock().unwrap().push(course.recipient.clone());
                course.taken += 1;
            }
            say(response)?;
        }
    }
    Ok(())
}
