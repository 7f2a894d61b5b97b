// A server that does nothing and that nobody attacks: what the honest client notices of it is this machine, which the API,
// its database, the attackers and the honest client share.
"use strict";
const http = require("node:http");

http.createServer((_, response) => response.end("ok")).listen(0, "127.0.0.1", function () {
  process.send({ port: this.address().port });
});
// Whoever started it has ended.
process.on("disconnect", () => process.exit(0));
