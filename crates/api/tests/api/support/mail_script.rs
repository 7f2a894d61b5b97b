//! A mail server that refuses, hangs up or falls silent at any step of the conversation: what no library's server does.

use super::servers::Server;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Mutex};

/// What a server does when it should accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Responds with this, a code and words.
    Reply(&'static str),
    HangUp,
}

/// A server without TLS that takes any password, and does as it is told.
#[derive(Debug)]
pub struct MailScript {
    server: Server,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    refusal: Mutex<Option<(&'static str, Refusal)>>,
    taken: Mutex<Vec<String>>,
}

impl MailScript {
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

    /// From now on refuses at this command; `CONNECT` is the greeting and `MESSAGE` the end of a mail.
    pub fn refuse(&self, step: &'static str, refusal: Refusal) {
        *self.state.refusal.lock().unwrap() = Some((step, refusal));
    }

    pub fn accept(&self) {
        *self.state.refusal.lock().unwrap() = None;
    }

    /// The recipients of the mails that were taken since the last call.
    pub fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.state.taken.lock().unwrap())
    }
}

impl State {
    /// The response at this step. `None`: hang up.
    fn respond(&self, step: &str, usual: &'static str) -> Option<&'static str> {
        match *self.refusal.lock().unwrap() {
            Some((at, refusal)) if at == step => match refusal {
                Refusal::Reply(words) => Some(words),
                Refusal::HangUp => None,
            },
            _ => Some(usual),
        }
    }
}

fn talk(mut client: TcpStream, state: &State) -> std::io::Result<()> {
    let mut lines = BufReader::new(client.try_clone()?).lines();
    let mut recipient = String::new();
    let mut say = |words: &str| client.write_all(format!("{words}\r\n").as_bytes());
    let Some(greeting) = state.respond("CONNECT", "220 mail.test") else { return Ok(()) };
    say(greeting)?;
    while let Some(Ok(line)) = lines.next() {
        let command = line.split(' ').next().unwrap_or_default().to_owned();
        let usual = match command.as_str() {
            "EHLO" => "250-mail.test\r\n250-STARTTLS\r\n250 AUTH PLAIN",
            "AUTH" => "235 welcome",
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        let Some(response) = state.respond(&command, usual) else { return Ok(()) };
        if command == "RCPT" {
            line.split(['<', '>']).nth(1).unwrap_or_default().clone_into(&mut recipient);
        }
        say(response)?;
        if response.starts_with("354") {
            lines.by_ref().map_while(Result::ok).find(|line| line == ".");
            let Some(response) = state.respond("MESSAGE", "250 taken") else { return Ok(()) };
            if response.starts_with("250") {
                state.taken.lock().unwrap().push(recipient.clone());
            }
            say(response)?;
        }
    }
    Ok(())
}
