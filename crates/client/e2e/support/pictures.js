// Creates pictures without a library: PNG, one colour.
import { crc32, deflateSync } from "node:zlib";

function chunk(name, data) {
  const named = Buffer.concat([Buffer.from(name), data]);
  const frame = Buffer.alloc(4 + named.length + 4);
  frame.writeUInt32BE(data.length, 0);
  named.copy(frame, 4);
  frame.writeUInt32BE(crc32(named), 4 + named.length);
  return frame;
}

/** A square PNG of `side` pixels. */
export function png(side, [red, green, blue]) {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  const line = Buffer.concat([Buffer.from([0]), ...Array(side).fill(Buffer.from([red, green, blue]))]);
  const pixels = deflateSync(Buffer.concat(Array(side).fill(line)));
  const magic = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([magic, chunk("IHDR", header), chunk("IDAT", pixels), chunk("IEND", Buffer.alloc(0))]);
}

/** A file in the form that Playwright's `setInputFiles` takes. */
export const file = (name, mimeType, buffer) => ({ name, mimeType, buffer });
