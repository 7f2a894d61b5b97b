// The API's program on a stage: its path, its configuration, and the folder with its database.
import { join } from "node:path";
import { ACCESS_LIFETIME_SECONDS, STAGES } from "./addresses.js";

const root = new URL("../../../../", import.meta.url).pathname;

export const PROGRAM = process.env.API_BINARY || join(process.env.CARGO_TARGET_DIR || join(root, "target"), "debug/api");

/** The options of `spawn` for running the program on a stage. */
export function optionsOf(stage) {
  const { port, settings } = STAGES[stage];
  return {
    cwd: join(process.env.STAGE_FOLDERS, stage),
    // Only these variables, so that a developer's own configuration has no effect.
    env: {
      PATH: process.env.PATH,
      HOST: "127.0.0.1",
      PORT: String(port),
      ACCESS_TOKEN_LIFETIME: String(ACCESS_LIFETIME_SECONDS),
      RUST_LOG: process.env.RUST_LOG || "error",
      ...settings,
    },
  };
}
