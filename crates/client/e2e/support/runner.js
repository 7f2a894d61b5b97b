// The end of the test runner, which the servers of the tests watch: a runner that is killed can stop no server, and the next run would
// find the ports in use.

/** Calls `stop` when the process RUNNER, the test runner that has started this server, is gone. */
export function onRunnerEnd(stop) {
  const runner = Number(process.env.RUNNER);
  const timer = setInterval(() => {
    if (isAlive(runner)) return;
    clearInterval(timer);
    stop();
  }, 500);
}

function isAlive(id) {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}
