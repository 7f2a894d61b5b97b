// A mail server for the API's tests: tells each mail that it takes on a line of standard output.
//   node mail-server.js '{"port": 0, "tls": "none", …}'
// port: 0 for any free one. tls: none, starttls (offered) or implicit; with certificate and key, paths of PEM files.
// user, password: the only login that is taken, and a login is a must then.
// refuse: a code, with which it refuses at refuse_at: connect, mail, rcpt (the default) or message; refuse_to: only recipients
// of this domain. silent_to: a domain, or a list of them, whose recipients get no response at all.
import fs from "node:fs";
import { SMTPServer } from "smtp-server";

const options = JSON.parse(process.argv[2]);
const tell = (line) => fs.writeSync(1, `${JSON.stringify(line)}\n`);
const silent = [options.silent_to ?? []].flat();
const refuses = (step) => (options.refuse && step === (options.refuse_at ?? "rcpt") ? refusal(options.refuse) : null);
const refusal = (code) => Object.assign(new Error(code === 550 ? "no such user here" : "not here"), { responseCode: code });

const server = new SMTPServer({
  secure: options.tls === "implicit",
  disabledCommands: [...(options.tls === "none" ? ["STARTTLS"] : []), ...(options.user ? [] : ["AUTH"])],
  ...(options.certificate && { cert: fs.readFileSync(options.certificate), key: fs.readFileSync(options.key) }),
  allowInsecureAuth: true, // whether the password goes over a line in clear is the client's to decide
  authOptional: !options.user,
  disableReverseLookup: true,
  onAuth(login, session, callback) {
    tell({ login: login.username, secure: session.secure });
    const known = login.username === options.user && login.password === options.password;
    callback(known ? null : refusal(535), { user: login.username });
  },
  onConnect: (session, callback) => callback(refuses("connect")),
  onMailFrom: (address, session, callback) => callback(refuses("mail")),
  onRcptTo({ address }, session, callback) {
    const domain = address.split("@").pop();
    if (silent.includes(domain)) tell({ waits: address });
    else callback(domain === (options.refuse_to ?? domain) ? refuses("rcpt") : null);
  },
  onData(stream, { envelope, secure, user }, callback) {
    let source = "";
    stream.setEncoding("utf8").on("data", (text) => (source += text));
    stream.on("end", () => {
      const to = envelope.rcptTo.map(({ address }) => address);
      if (refuses("message")) return callback(refuses("message"));
      tell({ from: envelope.mailFrom.address, to, secure, user: user ?? null, source });
      callback();
    });
  },
});
server.on("error", () => {}); // a client that breaks off is the test's doing
server.listen(options.port, "127.0.0.1", () => tell({ port: server.server.address().port }));
process.stdin.resume().on("end", () => process.exit(0)); // the test is over
