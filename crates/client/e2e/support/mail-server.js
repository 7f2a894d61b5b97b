// A mail server for the API's tests: prints each mail that it accepts as a line on standard output.
//   node mail-server.js '{"port": 0, "tls": "none", …}'
// port: 0 for any free port. tls: none, starttls (offered) or implicit; with certificate and key, paths of PEM files.
// user, password: the only accepted login, which is then required.
// refuse: the code with which it refuses at the step refuse_at: connect, mail, rcpt (the default) or message; refuse_to: only
// recipients of this domain. silent_to: a domain, or a list of domains, whose recipients get no reply.
import fs from "node:fs";
import { SMTPServer } from "smtp-server";

const options = JSON.parse(process.argv[2]);
const print = (line) => fs.writeSync(1, `${JSON.stringify(line)}\n`);
const silent = [options.silent_to ?? []].flat();
const refuses = (step) => (options.refuse && step === (options.refuse_at ?? "rcpt") ? refusal(options.refuse) : null);
const refusal = (code) => Object.assign(new Error(code === 550 ? "no such user here" : "not here"), { responseCode: code });

const server = new SMTPServer({
  secure: options.tls === "implicit",
  disabledCommands: [...(options.tls === "none" ? ["STARTTLS"] : []), ...(options.user ? [] : ["AUTH"])],
  ...(options.certificate && { cert: fs.readFileSync(options.certificate), key: fs.readFileSync(options.key) }),
  allowInsecureAuth: true, // the client decides whether to send the password in plaintext
  authOptional: !options.user,
  disableReverseLookup: true,
  onAuth(login, session, callback) {
    print({ login: login.username, secure: session.secure });
    const known = login.username === options.user && login.password === options.password;
    callback(known ? null : refusal(535), { user: login.username });
  },
  onConnect: (session, callback) => callback(refuses("connect")),
  onMailFrom: (address, session, callback) => callback(refuses("mail")),
  onRcptTo({ address }, session, callback) {
    const domain = address.split("@").pop();
    if (silent.includes(domain)) print({ waits: address });
    else callback(domain === (options.refuse_to ?? domain) ? refuses("rcpt") : null);
  },
  onData(stream, { envelope, secure, user }, callback) {
    let source = "";
    stream.setEncoding("utf8").on("data", (text) => (source += text));
    stream.on("end", () => {
      const to = envelope.rcptTo.map(({ address }) => address);
      if (refuses("message")) return callback(refuses("message"));
      print({ from: envelope.mailFrom.address, to, secure, user: user ?? null, source });
      callback();
    });
  },
});
server.on("error", () => {}); // a test may disconnect at any moment
server.listen(options.port, "127.0.0.1", () => print({ port: server.server.address().port }));
process.stdin.resume().on("end", () => process.exit(0)); // the test is over
