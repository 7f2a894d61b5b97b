#!/usr/bin/env node
// A proxy through which the hosts of a deployment on this machine are reached under their own names and ports, and nothing
// else is. FILE is JSON: hosts and ports, as nginx.js has them.
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
  const asked = { host: "127.0.0.1", port: ports.http, method, path: pathname + search, headers };
  const onwards = http.request(asked, (answer) => {
    response.writeHead(answer.statusCode, answer.headers);
    answer.pipe(response);
  });
  onwards.on("error", () => response.writeHead(502).end());
  return onwards.end();
});
proxy.on("connect", ({ url }, socket) => {
  const [, host, port] = /^(.*):(\d+)$/.exec(url) ?? [];
  const inside = { 443: ports.https, 80: ports.http }[port];
  socket.on("error", () => {}); // whoever asked went away
  if (!inside || !known.includes(host)) return socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
  const onwards = net.connect(inside, "127.0.0.1", () => {
    socket.write("HTTP/1.1 200 Connection Established\r\n\r\n");
    onwards.pipe(socket).pipe(onwards);
  });
  return onwards.on("error", () => socket.destroy());
});
proxy.listen(Number(process.argv[3]), "127.0.0.1");
