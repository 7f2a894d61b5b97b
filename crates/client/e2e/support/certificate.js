// A certificate for the hosts of these tests, made anew for each run and never written down.
import { execFileSync } from "node:child_process";
import { AMISS, API, CLIENT, CLIENT_ELSEWHERE, FORWARDER, SIBLING, STRANGER } from "./addresses.js";

const VARIABLE = "LATCHKEY_E2E_CERTIFICATE";

/** Makes it, once; the processes that are started later find it in their environment. */
export function makeCertificate() {
  if (process.env[VARIABLE]) return;
  const origins = [API, CLIENT, CLIENT_ELSEWHERE, FORWARDER, SIBLING, STRANGER, ...Object.values(AMISS)];
  const names = origins.map((origin) => `DNS:${new URL(origin).hostname}`).join();
  const what = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const who = ["-subj", "/CN=latchkey.test", "-addext", `subjectAltName=${names}`];
  process.env[VARIABLE] = execFileSync("openssl", ["req", ...what, ...who, "-keyout", "-", "-out", "-"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Key and certificate, as TLS servers take them. */
export function certificate() {
  const pem = process.env[VARIABLE];
  return { key: pem, cert: pem };
}
