#!/usr/bin/env node
// Sends one request to the API behind the edge, as the inner proxy passes it on:
//   scripts/render/request.js PORT POST /api/auth/login/ '{"email": …}'     (the body as JSON)
//   scripts/render/request.js PORT GET /api/auth/me/ TOKEN
// Prints the response as one JSON object that includes the status.
"use strict";

const [port, method, path, given] = process.argv.slice(2);
const forwarded = { "x-forwarded-proto": "https", "x-forwarded-for": "203.0.113.9, 104.22.17.40" };
const request =
  method === "GET"
    ? { headers: { ...forwarded, authorization: `Bearer ${given}` } }
    : { method, headers: { ...forwarded, "content-type": "application/json" }, body: given };

fetch(`http://127.0.0.1:${port}${path}`, request).then(async (response) => {
  console.log(JSON.stringify({ status: response.status, ...(await response.json().catch(() => ({}))) }));
});
