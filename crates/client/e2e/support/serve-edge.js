// What stands before the two services in production: it ends TLS, tells hosts apart, and says where a request came from.
// A browser reaches it as its proxy, and through it nothing but these hosts.
import { createServer, request as send } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { API, CLIENT, CLIENT_ELSEWHERE, LOSE, SIBLING, STAGES, STRANGER } from "./addresses.js";
import { brokenSites } from "./broken-sites.js";
import { certificate } from "./certificate.js";
import { staticSite } from "./static-site.js";

/**
 * Passes a request on to the API, as a load balancer does. A test can have the answer lost on its way back, when the API
 * has done its part: all of it, or all but the head, which holds the cookies.
 */
function forwardTo(port) {
  return (request, response) => {
    const { host, connection, [LOSE]: lost, ...kept } = request.headers;
    const before = kept["x-forwarded-for"];
    const headers = {
      ...kept,
      host,
      "x-forwarded-for": [before, request.socket.remoteAddress].filter(Boolean).join(", "),
      "x-forwarded-proto": "https",
    };
    const onwards = send({ host: "127.0.0.1", port, method: request.method, path: request.url, headers }, (answer) => {
      if (lost === "answer") return request.socket.destroy();
      response.writeHead(answer.statusCode, answer.headers);
      if (lost === "body") return response.flushHeaders() ?? setImmediate(() => request.socket.destroy());
      return answer.pipe(response);
    });
    onwards.on("error", () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    request.pipe(onwards);
  };
}

/** A page with nothing on it, for what others' scripts may try. */
const blank = (_request, response) => response.setHeader("content-type", "text/html").end("<!doctype html><title>blank</title>");

const site = staticSite();
const clients = { [CLIENT]: site, [CLIENT_ELSEWHERE]: site, ...brokenSites() };

function listen({ edge, port }) {
  const services = { ...clients, [API]: forwardTo(port), [SIBLING]: blank, [STRANGER]: blank };
  const hosts = Object.fromEntries(Object.entries(services).map(([origin, answer]) => [new URL(origin).host, answer]));
  const tls = createTlsServer(certificate(), (request, response) => {
    const answer = hosts[request.headers.host];
    return answer ? answer(request, response) : response.writeHead(421).end();
  });
  const proxy = createServer((_request, response) => response.end("ready"));
  proxy.on("connect", ({ url }, socket) => {
    socket.on("error", () => {}); // the browser went away
    if (!url.endsWith(":443") || !(url.slice(0, -4) in hosts)) return socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    return tls.emit("connection", socket);
  });
  proxy.listen(edge, "127.0.0.1");
}

for (const stage of Object.values(STAGES)) listen(stage);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => process.exit(0));
