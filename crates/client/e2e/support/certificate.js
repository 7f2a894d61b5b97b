// A certificate for the hosts of these tests, created for each run and never written to disk.
import { execFileSync } from "node:child_process";
import { MISCONFIGURED, API, CLIENT, CLIENT_ELSEWHERE, FORWARDER, SIBLING, OTHER_SITE } from "./addresses.js";

const VARIABLE = "LATCHKEY_E2E_CERTIFICATE";

/** Creates it once; processes that are started later inherit it in their environment. */
export function createCertificate() {
  if (process.env[VARIABLE]) return;
  const origins = [API, CLIENT, CLIENT_ELSEWHERE, FORWARDER, SIBLING, OTHER_SITE, ...Object.values(MISCONFIGURED)];
  const names = origins.map((origin) => `DNS:${new URL(origin).hostname}`).join();
  const key = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const subject = ["-subj", "/CN=latchkey.test", "-addext", `subjectAltName=${names}`];
  process.env[VARIABLE] = execFileSync("openssl", ["req", ...key, ...subject, "-keyout", "-", "-out", "-"], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
}

/** Key and certificate in the form that TLS servers take. */
export function certificate() {
  const pem = process.env[VARIABLE];
  return { key: pem, cert: pem };
}
