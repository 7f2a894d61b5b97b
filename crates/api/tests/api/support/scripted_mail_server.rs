//! A mail server that refuses or disconnects at any step of the conversation, which no library's server does.

use super::servers::Server;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, LazyLock, Mutex};

/// What the server does instead of accepting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Replies with this code and text.
    Reply(&'static str),
    /// Closes the connection without a reply.
    HangUp,
    /// Replies with a line that is longer than the system buffers for a client that has disconnected.
    Flood,
}

static FLOOD: LazyLock<String> = LazyLock::new(|| format!("220 {}", "a".repeat(64 * 1024 * 1024)));

/// A server without TLS that accepts any password and follows a rule.
#[derive(Debug)]
pub struct ScriptedMailServer {
    server: Server,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    refusal: Mutex<Option<Rule>>,
    accepted: Mutex<Vec<String>>,
    /// The `Message-ID` of the last mail that has arrived, accepted or not.
    last_message_id: Mutex<String>,
    /// Commands on connections that a 421 had ended.
    commands_after_421: AtomicUsize,
    /// Floods that a client has read to the end.
    floods_read: AtomicUsize,
    /// Whether replies are codes without text.
    omits_texts: AtomicBool,
    /// Delays the reply to the next mail until the other end is dropped.
    held: Mutex<Option<Receiver<()>>>,
}

#[derive(Debug, Clone, Copy)]
struct Rule {
    step: &'static str,
    refusal: Refusal,
    /// Applies only to mails to this domain; to all when it is empty.
    domain: &'static str,
    /// Applies only on connections that have carried at least this many mails.
    after: usize,
}

/// The state of one connection.
#[derive(Debug, Default)]
struct Conversation {
    recipient: String,
    accepted: usize,
}

impl ScriptedMailServer {
    pub fn start() -> Self {
        let state = Arc::<State>::default();
        let server = Server::start({
            let state = Arc::clone(&state);
            move |client| converse(client, &state)
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

    /// From now on refuses mails to this domain. Applies from `RCPT` on, where the domain is known.
    pub fn refuse_to(&self, domain: &'static str, step: &'static str, refusal: Refusal) {
        *self.state.refusal.lock().unwrap() = Some(Rule { step, refusal, domain, after: 0 });
    }

    /// From now on accepts at most one mail per connection.
    pub fn accept_one_per_connection(&self, step: &'static str, refusal: Refusal) {
        *self.state.refusal.lock().unwrap() = Some(Rule { step, refusal, domain: "", after: 1 });
    }

    /// How many commands arrived after a 421.
    pub fn commands_after_421(&self) -> usize {
        self.state.commands_after_421.load(Ordering::Relaxed)
    }

    /// How many floods a client has read to the end.
    pub fn floods_read(&self) -> usize {
        self.state.floods_read.load(Ordering::Relaxed)
    }

    /// Holds the next mail: its reply waits until the returned value is dropped.
    pub fn hold(&self) -> Sender<()> {
        let (release, held) = channel();
        *self.state.held.lock().unwrap() = Some(held);
        release
    }

    /// Whether the mail to hold has arrived.
    pub fn is_holding(&self) -> bool {
        self.state.held.lock().unwrap().is_none()
    }

    /// From now on replies with codes alone, except where the text lists the server's extensions.
    pub fn omit_reply_texts(&self) {
        self.state.omits_texts.store(true, Ordering::Relaxed);
    }

    pub fn accept_all(&self) {
        *self.state.refusal.lock().unwrap() = None;
    }

    /// The `Message-ID` of the last mail that has arrived, accepted or not.
    pub fn last_message_id(&self) -> String {
        self.state.last_message_id.lock().unwrap().clone()
    }

    /// The recipients of the mails that were accepted since the last call.
    pub fn accepted(&self) -> Vec<String> {
        std::mem::take(&mut self.state.accepted.lock().unwrap())
    }
}

impl State {
    /// The reply at this step; `None` means to disconnect.
    fn reply(&self, step: &str, conversation: &Conversation, usual: &'static str) -> Option<&'static str> {
        let applies = |rule: &Rule| {
            let is_to = rule.domain.is_empty() || conversation.recipient.ends_with(&format!("@{}", rule.domain));
            rule.step == step && is_to && conversation.accepted >= rule.after
        };
        match self.refusal.lock().unwrap().filter(applies).map(|rule| rule.refusal) {
            Some(Refusal::Reply(text)) => Some(text),
            Some(Refusal::HangUp) => None,
            Some(Refusal::Flood) => Some(FLOOD.as_str()),
            None => Some(usual),
        }
    }

    fn send(&self, client: &mut TcpStream, text: &str) -> std::io::Result<()> {
        let code_only = |text: &str| match text.rsplit_once("\r\n") {
            Some((lines, last)) => format!("{lines}\r\n{}\r\n{}", last.replacen(' ', "-", 1), &last[..3]),
            None => text[..3].to_owned(),
        };
        let text = if self.omits_texts.load(Ordering::Relaxed) { code_only(text) } else { text.to_owned() };
        client.write_all(format!("{text}\r\n").as_bytes())?;
        if text.len() == FLOOD.len() {
            self.floods_read.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}

fn converse(mut client: TcpStream, state: &State) -> std::io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let mut conversation = Conversation::default();
    let mut is_over = false;
    let mut send = |text: &str| state.send(&mut client, text);
    let Some(greeting) = state.reply("CONNECT", &conversation, "220 mail.test") else { return Ok(()) };
    send(greeting)?;
    while let Some(Ok(line)) = lines.next() {
        let command = line.split(' ').next().unwrap_or_default().to_owned();
        if is_over && command != "QUIT" {
            state.commands_after_421.fetch_add(1, Ordering::Relaxed);
        }
        let usual = match command.as_str() {
            "EHLO" => "250-mail.test\r\n250-STARTTLS\r\n250-SMTPUTF8\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        if command == "RCPT" {
            line.split(['<', '>']).nth(1).unwrap_or_default().clone_into(&mut conversation.recipient);
        }
        let step = if line.contains(" SMTPUTF8") { "SMTPUTF8" } else { command.as_str() };
        let Some(reply) = state.reply(step, &conversation, usual) else { return Ok(()) };
        is_over |= reply.starts_with("421");
        send(reply)?;
        if command == "DATA" && reply.starts_with("354") {
            // A client that disconnects before the mail's end has sent none.
            loop {
                let Some(Ok(line)) = lines.next() else { return Ok(()) };
                if line == "." {
                    break;
                }
                if let Some(id) = line.strip_prefix("Message-ID: ") {
                    id.clone_into(&mut state.last_message_id.lock().unwrap());
                }
            }
            let held = state.held.lock().unwrap().take();
            let _ = held.map(|held| held.recv());
            let Some(reply) = state.reply("MESSAGE", &conversation, "250 taken") else { return Ok(()) };
            if reply.starts_with("250") {
                state.accepted.lock().unwrap().push(conversation.recipient.clone());
                conversation.accepted += 1;
            }
            send(reply)?;
        }
    }
    Ok(())
}
