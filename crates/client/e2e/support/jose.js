// Verifies and signs tokens with an independent library. Reads a JSON list of orders on stdin, and writes one result for each on stdout:
//   {verify: TOKEN, alg, with: {secret} or {jwks: URL}, issuer and audience}   → {claims} or {error: CODE}
//   {sign: CLAIMS, header, with: {secret} or {pem: PKCS#8}}                    → {token}
import { text } from "node:stream/consumers";
import * as jose from "jose";

const secretKey = (secret) => new TextEncoder().encode(secret);

async function verify({ verify: token, alg, with: { secret, jwks, issuer, audience } }) {
  const key = jwks ? jose.createRemoteJWKSet(new URL(jwks)) : secretKey(secret);
  // The tests' clock is stopped, so the current time is that of the token.
  const currentDate = new Date(jose.decodeJwt(token).iat * 1000);
  const options = { algorithms: [alg], typ: "JWT", issuer, audience, currentDate };
  try {
    return { claims: (await jose.jwtVerify(token, key, options)).payload };
  } catch (error) {
    return { error: error.code ?? String(error) };
  }
}

async function sign({ sign: claims, header, with: { secret, pem } }) {
  const key = pem ? await jose.importPKCS8(pem, header.alg) : secretKey(secret);
  return { token: await new jose.SignJWT(claims).setProtectedHeader(header).sign(key) };
}

const results = [];
for (const order of JSON.parse(await text(process.stdin))) results.push(await (order.verify ? verify : sign)(order));
process.stdout.write(JSON.stringify(results));
