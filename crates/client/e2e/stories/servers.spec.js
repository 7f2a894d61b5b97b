// What serves the other stories.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "@playwright/test";

test("a server ends when the test runner that started it was killed", async () => {
  const runner = spawn("sleep", ["60"]);
  const watch = new URL("../support/runner.js", import.meta.url).href;
  const program = `import { onRunnerEnd } from "${watch}"; onRunnerEnd(() => process.exit(7)); console.log("serves");`;
  const env = { ...process.env, RUNNER: String(runner.pid) };
  const options = { env, stdio: ["ignore", "pipe", "inherit"], timeout: 30_000 };
  const server = spawn(process.execPath, ["--input-type=module", "--eval", program], options);
  await once(server.stdout, "data");
  expect(server.exitCode).toBeNull();
  const ended = once(server, "exit");
  runner.kill("SIGKILL");
  expect(await ended).toEqual([7, null]);
});
