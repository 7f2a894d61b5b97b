// The API's program on a stage: where it is, its configuration, and the folder of its own with its database.
import { join } from "node:path";
import { ACCESS_LIFETIME, STAGES } from "./addresses.js";

const root = new URL("../../../../", import.meta.url).pathname;

export const PROGRAM = process.env.API_BINARY || join(process.env.CARGO_TARGET_DIR || join(root, "target"), "debug/api");

/** What `spawn` needs to run the program there. */
export function optionsOf(stage) {
  const { port, settings } = STAGES[stage];
  return {
    cwd: join(process.env.STAGE_FOLDERS, stage),
    // Only these variables: a developer's own configuration has no say here.
    env: {
      PATH: process.env.PATH,
      HOST: "127.0.0.1",
      PORT: String(port),
      ACCESS_TOKEN_LIFETIME: String(ACCESS_LIFETIME),
      RUST_LOG: process.env.RUST_LOG || "error",
      ...settings,
    },
  };
}
