#!/usr/bin/env node
// A proxy that makes the hosts of a deployment on this machine reachable under their own names and ports, and refuses all others.
// FILE is JSON: hosts and ports, as in nginx.js.
//   scripts/render/tunnel.js FILE PORT
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const net = require("node:net");

const { hosts, ports } = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
const known = Object.values(hosts);

const proxy = http.createServer(({ url, method, headers }, response) => {
  const { hostname, pathname, search } = URL.canParse(url) ? new URL(url) : {};
  if (!known.includes(hostname)) return response.writeHead(502).end();
  const options = { host: "127.0.0.1", port: ports.http, method, path: pathname + search, headers };
  const onwards = http.request(options, (incoming) => {
    response.writeHead(incoming.statusCode, incoming.headers);
    incoming.pipe(response);
  });
  onwards.on("error", () => response.writeHead(502).end());
  return onwards.end();
});
proxy.on("connect", ({ url }, socket) => {
  const [, host, port] = /^(.*):(\d+)$/.exec(url) ?? [];
  const inside = { 443: ports.https, 80: ports.http }[port];
  socket.on("error", () => {}); // the client disconnected
  if (!inside || !known.includes(host)) return socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  const onwards = net.connect(inside, "127.0.0.1", () => {
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    onwards.pipe(socket).pipe(onwards);
  });
  return onwards.on("error", () => socket.destroy());
});
proxy.listen(Number(process.argv[3]), "127.0.0.1");
