// What a WebAssembly program with names consists of: bytes of each crate and function.
"use strict";

const CUSTOM = 0;
const IMPORT = 2;
const CODE = 10;
const DATA = 11;
const FUNCTION_NAMES = 1;
const FUNCTION_IMPORT = 0;

/** Reads the binary format (https://webassembly.github.io/spec/core/binary/). */
class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.place = 0;
  }

  get isAtEnd() {
    return this.place >= this.bytes.length;
  }

  byte() {
    return this.bytes[this.place++];
  }

  number() {
    for (let value = 0, factor = 1; ; factor *= 128) {
      const byte = this.byte();
      value += (byte & 127) * factor;
      if (byte < 128) return value;
    }
  }

  take(length) {
    this.place += length;
    return this.bytes.subarray(this.place - length, this.place);
  }

  text() {
    return this.take(this.number()).toString("utf8");
  }

  /** The number and the content of each section, or of each part of the section with names. */
  *sections() {
    while (!this.isAtEnd) yield [this.byte(), new Reader(this.take(this.number()))];
  }
}

/** How many of the imports are functions. They come first in the numbering. */
function importedFunctions(reader) {
  let functions = 0;
  for (let left = reader.number(); left > 0; left -= 1) {
    reader.text();
    reader.text();
    if (reader.byte() !== FUNCTION_IMPORT) throw new Error("the program imports something else than functions");
    reader.number();
    functions += 1;
  }
  return functions;
}

function functionNames(reader) {
  const names = new Map();
  for (const [kind, content] of reader.sections()) {
    if (kind !== FUNCTION_NAMES) continue;
    for (let left = content.number(); left > 0; left -= 1) names.set(content.number(), content.text());
  }
  return names;
}

/** Code belongs to the crate that its name mentions first, which for generic code is often the one that defines it. */
const crateOf = (name) => /\b([a-z_]\w*)(?:\[[0-9a-f]+\])?::/.exec(name)?.[1] ?? "without a crate";

/** `[name, bytes]` of each crate and of each function, the largest first. Functions that differ only in their hash count as one. */
function shares(program) {
  const bodies = [];
  const other = { data: 0, "imports, exports, tables": 0 };
  let names;
  let imported = 0;
  for (const [kind, content] of new Reader(program.subarray(8)).sections()) {
    const size = content.bytes.length;
    if (kind === CUSTOM) {
      if (content.text() === "name") names = functionNames(content);
    } else if (kind === CODE) {
      for (let left = content.number(); left > 0; left -= 1) bodies.push(content.take(content.number()).length);
    } else if (kind === DATA) other.data = size;
    else other["imports, exports, tables"] += size;
    if (kind === IMPORT) imported = importedFunctions(content);
  }
  if (!names) throw new Error("the program has no names");
  const crates = new Map(Object.entries(other));
  const functions = new Map();
  const add = (map, key, size) => map.set(key, (map.get(key) ?? 0) + size);
  bodies.forEach((size, place) => {
    const name = (names.get(imported + place) || "without a name").replace(/::h[0-9a-f]{16}$/, "");
    add(crates, crateOf(name), size);
    add(functions, name, size);
  });
  const sorted = (map) => [...map].sort(([, one], [, other]) => other - one);
  const total = [...crates.values()].reduce((sum, size) => sum + size);
  return { total, crates: sorted(crates), functions: sorted(functions) };
}

module.exports = { shares };
