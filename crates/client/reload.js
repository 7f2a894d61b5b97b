// Live reload while `trunk serve` runs. It replaces Trunk's own script, which is inline and inserts HTML: the application's policy
// forbids both, in development as in production.
const ADDRESS = `${location.protocol.replace("http", "ws")}//${location.host}/.well-known/trunk/ws`;
const PAUSE = 2000;

function showFailure(reason) {
  console.error("The build has failed:", reason);
  const text = document.getElementById("build-failure") ?? document.createElement("pre");
  text.id = "build-failure";
  text.textContent = `The build has failed:\n${reason}`;
  document.body.prepend(text);
}

/** `onOpen` runs when the server is available again after a restart: it has built everything by then. */
function listen(onOpen) {
  const socket = new WebSocket(ADDRESS);
  if (onOpen) socket.addEventListener("open", onOpen);
  socket.addEventListener("message", (event) => {
    const { type, data } = JSON.parse(event.data);
    if (type === "reload") location.reload();
    else if (type === "buildFailure") showFailure(data.reason);
  });
  socket.addEventListener("close", () => setTimeout(listen, PAUSE, () => location.reload()));
}

listen();
