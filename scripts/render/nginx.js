#!/usr/bin/env node
// Prints a configuration with which nginx acts as Render's proxies: an edge with TLS, the static site with the headers and routes
// of render.yaml, and the API behind an inner proxy of another network. Each proxy appends the address of its client to
// X-Forwarded-For. FILE is JSON, see `settings`.
//   scripts/render/nginx.js FILE
"use strict";
const fs = require("node:fs");
const { execFileSync } = require("node:child_process");
const path = require("node:path");

/** A rule's path as a pattern of nginx: `*` matches anything, and the query is not part of the path. */
const pattern = (rulePath) => `~^${rulePath.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^?]*")}(\\?|$)`;

const variable = (name) => `$header_${name.toLowerCase().replaceAll("-", "_")}`;

/** A map for each header: the value of the first rule that matches the requested path, or nothing. */
function maps(headers) {
  const names = [...new Set(headers.map(({ name }) => name))];
  const rows = (wanted) =>
    headers.filter(({ name }) => name === wanted).map((rule) => `    "${pattern(rule.path)}" "${rule.value}";`);
  return names.map((name) => [`  map $request_uri ${variable(name)} {`, '    default "";', ...rows(name), "  }"].join("\n"));
}

/** A file that exists is served regardless of the routes; otherwise the first matching route applies. */
function site({ folder, headers, routes }) {
  const names = [...new Set(headers.map(({ name }) => name))];
  const fallback = routes.find(({ type, source }) => type === "rewrite" && source === "/*")?.destination ?? "=404";
  return `    root ${folder};
${names.map((name) => `    add_header ${name} ${variable(name)} always;`).join("\n")}
    location = / { try_files /index.html =404; }
    location / { try_files $uri ${fallback}; }`;
}

/**
 * The client's address by the loopback address that a connection comes from: three people on the internet, and the edge, which
 * on Render is Cloudflare's. The inner proxy has a loopback address itself: a private one, as on Render.
 */
const CALLERS = {
  "127.0.0.1": "203.0.113.9",
  "127.0.0.2": "203.0.113.20",
  "127.0.0.3": "203.0.113.30",
  "127.0.1.1": "104.22.17.40",
};
const EDGE = "127.0.1.1";
const INNER = "127.0.2.1";

const callers = `  map $remote_addr $caller {
${Object.entries(CALLERS)
  .map(([here, there]) => `    ${here} ${there};`)
  .join("\n")}
  }
  map $http_x_forwarded_for $forwarded_for {
    "" $caller;
    default "$http_x_forwarded_for, $caller";
  }`;

/** Passes requests on to a port, from its own address. */
const proxy = (port, own, further = "") => `    location / {
      proxy_pass http://127.0.0.1:${port};
      proxy_bind ${own};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $forwarded_for;${further}
      client_max_body_size 0;
    }`;
/** Only the edge knows the scheme that the client used. */
const edge = (port) => proxy(port, EDGE, "\n      proxy_set_header X-Forwarded-Proto $scheme;");

/**
 * `settings`: folder (for nginx's own files), files (the site's), hosts.web and hosts.api, ports.https, ports.http,
 * ports.inner and ports.api. To break a deployment: headers and routes that replace those of render.yaml, and redirect: false.
 */
function configuration({ folder, files, hosts, ports, headers, routes, redirect = true }) {
  const pages = site({ folder: files, headers, routes });
  const server = (host, body, listen) => `  server {\n    listen 127.0.0.1:${listen};\n    server_name ${host};\n${body}\n  }`;
  const scratch = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((name) => `  ${name}_temp_path ${folder}/${name};`);
  return `${process.getuid() === 0 ? "user root;\n" : ""}daemon off;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log warn;
events {}
http {
  access_log off;
${scratch.join("\n")}
  types { text/html html; text/css css; text/javascript js; application/wasm wasm; image/svg+xml svg; }
  ssl_certificate ${folder}/edge.crt;
  ssl_certificate_key ${folder}/edge.key;
${maps(headers).join("\n")}
${callers}
${server(hosts.web, pages, `${ports.https} ssl`)}
${server(hosts.api, edge(ports.inner), `${ports.https} ssl`)}
${server(hosts.web, redirect ? "    return 301 https://$host$request_uri;" : pages, ports.http)}
${server(hosts.api, edge(ports.inner), ports.http)}
${server(hosts.api, proxy(ports.api, INNER), ports.inner)}
}
`;
}

const blueprint = path.join(__dirname, "../blueprint");
const siteField = (field) => JSON.parse(execFileSync(blueprint, ["get", "latchkey", field], { encoding: "utf8" }));
const settings = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
console.log(configuration({ headers: siteField("headers"), routes: siteField("routes"), ...settings }));
