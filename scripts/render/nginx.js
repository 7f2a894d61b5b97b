#!/usr/bin/env node
// Prints a configuration by which nginx stands where Render's edge does: TLS, the static site with the headers and routes of
// render.yaml, and the API behind a proxy that says where a request came from. FILE is JSON, see `settings`.
//   scripts/render/nginx.js FILE
"use strict";
const fs = require("node:fs");
const { execFileSync } = require("node:child_process");
const path = require("node:path");

/** Anything that a rule's `*` stands for, in a pattern of nginx; the query is no part of the path. */
const pattern = (rulePath) => `~^${rulePath.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", "[^?]*")}(\\?|$)`;

const variable = (name) => `$said_${name.toLowerCase().replaceAll("-", "_")}`;

/** A map for each header: the value that the first fitting rule gives to the path that was asked for, or nothing. */
function maps(headers) {
  const names = [...new Set(headers.map(({ name }) => name))];
  const rows = (wanted) =>
    headers.filter(({ name }) => name === wanted).map((rule) => `    "${pattern(rule.path)}" "${rule.value}";`);
  return names.map((name) => [`  map $request_uri ${variable(name)} {`, '    default "";', ...rows(name), "  }"].join("\n"));
}

/** A file is served whatever the routes say; otherwise the first fitting route counts. */
function site({ folder, headers, routes }) {
  const names = [...new Set(headers.map(({ name }) => name))];
  const fallback = routes.find(({ type, source }) => type === "rewrite" && source === "/*")?.destination ?? "=404";
  return `    root ${folder};
${names.map((name) => `    add_header ${name} ${variable(name)} always;`).join("\n")}
    location = / { try_files /index.html =404; }
    location / { try_files $uri ${fallback}; }`;
}

const api = (port) => `    location / {
      proxy_pass http://127.0.0.1:${port};
      proxy_http_version 1.1;
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_set_header X-Forwarded-Proto $scheme;
      client_max_body_size 0;
    }`;

/**
 * `settings`: folder (for nginx's own files), files (the site's), hosts.web and hosts.api, ports.https, ports.http and
 * ports.api, and, to break a deployment, headers and routes in place of render.yaml's, and redirect: false.
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
${server(hosts.web, pages, `${ports.https} ssl`)}
${server(hosts.api, api(ports.api), `${ports.https} ssl`)}
${server(hosts.web, redirect ? "    return 301 https://$host$request_uri;" : pages, ports.http)}
${server(hosts.api, api(ports.api), ports.http)}
}
`;
}

const blueprint = path.join(__dirname, "../blueprint");
const ofTheSite = (field) => JSON.parse(execFileSync(blueprint, ["get", "latchkey", field], { encoding: "utf8" }));
const settings = JSON.parse(fs.readFileSync(process.argv[2], "utf8"));
console.log(configuration({ headers: ofTheSite("headers"), routes: ofTheSite("routes"), ...settings }));
