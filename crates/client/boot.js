// Starts the program. A file of its own, so that the content security policy needs no exception for inline scripts.
const { js, wasm } = document.querySelector("meta[name=program]").dataset;

try {
  const { default: start } = await import(js);
  await start({ module_or_path: wasm });
} catch (error) {
  console.error(error);
  const text = document.getElementById("splash-text");
  if (text) text.textContent = "Latchkey could not be started. Check your connection, reload the page, or try a newer browser.";
}
