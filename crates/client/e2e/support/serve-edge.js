// The edge in front of the two services in production: it terminates TLS, selects the host, and adds the client's address. A browser
// uses it as its proxy, which reaches only these hosts.
import { createServer, request as send } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { API, CLIENT, CLIENT_ELSEWHERE, LOSE, SIBLING, STAGES, OTHER_SITE } from "./addresses.js";
import { brokenSites } from "./broken-sites.js";
import { certificate } from "./certificate.js";
import { onRunnerEnd } from "./runner.js";
import { staticSite } from "./static-site.js";

/**
 * Passes a request on to the API, as a load balancer does. A test can lose the response after the API has processed the
 * request: all of it, or all but the head, which holds the cookies.
 */
function forwardTo(port) {
  return (request, response) => {
    const { host, connection, [LOSE]: lost, ...forwarded } = request.headers;
    const before = forwarded["x-forwarded-for"];
    const headers = {
      ...forwarded,
      host,
      "x-forwarded-for": [before, request.socket.remoteAddress].filter(Boolean).join(", "),
      "x-forwarded-proto": "https",
    };
    const onwards = send({ host: "127.0.0.1", port, method: request.method, path: request.url, headers }, (upstream) => {
      if (lost === "response") return request.socket.destroy();
      response.writeHead(upstream.statusCode, upstream.headers);
      if (lost === "body") return response.flushHeaders() ?? setImmediate(() => request.socket.destroy());
      return upstream.pipe(response);
    });
    onwards.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    request.pipe(onwards);
  };
}

/** An empty page, in which tests run scripts of other sites. */
const blank = (_request, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>blank</title>");

const site = staticSite();
const clients = { [CLIENT]: site, [CLIENT_ELSEWHERE]: site, ...brokenSites() };

function listen({ edge, port }) {
  const services = { ...clients, [API]: forwardTo(port), [SIBLING]: blank, [OTHER_SITE]: blank };
  const hosts = Object.fromEntries(Object.entries(services).map(([origin, handle]) => [new URL(origin).host, handle]));
  const tls = createTlsServer(certificate(), (request, response) => {
    const handle = hosts[request.headers.host];
    return handle ? handle(request, response) : response.writeHead(421).end();
  });
  const proxy = createServer((_request, response) => response.end("ready"));
  proxy.on("connect", ({ url }, socket) => {
    socket.on("error", () => {}); // the browser disconnected
    if (!url.endsWith(":443") || !(url.slice(0, -4) in hosts)) return socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    return tls.emit("connection", socket);
  });
  proxy.listen(edge, "127.0.0.1");
}

for (const stage of Object.values(STAGES)) listen(stage);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => process.exit(0));
onRunnerEnd(() => process.exit(0));
