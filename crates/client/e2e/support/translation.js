// Browsers translate a page by replacing its text nodes with elements. The functions run in the page.

/** Translates the page and later changes of it: replaces each text node with two elements, as Chromium's translation does. */
export function translate() {
  const wrap = (text) => {
    if (!text.data.trim() || !text.parentElement || text.parentElement.closest("font, script, style, title, noscript")) return;
    const [outer, inner] = [document.createElement("font"), document.createElement("font")];
    inner.textContent = text.data;
    outer.append(inner);
    text.replaceWith(outer);
  };
  const translateAll = () => {
    const walker = document.createTreeWalker(document, NodeFilter.SHOW_TEXT);
    const texts = [];
    while (walker.nextNode()) texts.push(walker.currentNode);
    texts.forEach(wrap);
  };
  new MutationObserver(translateAll).observe(document, { childList: true, characterData: true, subtree: true });
}

/** Logs an error when the program changes or removes a single text node: after a translation that would have no visible effect. */
export function reportTextNodes() {
  const report = (node, change) => {
    if (node instanceof Text) console.error(`a text node was ${change}: "${node.data}". Write computed text by prop:textContent`);
  };
  for (const [owner, name] of [[Node, "nodeValue"], [Node, "textContent"], [CharacterData, "data"]]) {
    const property = Object.getOwnPropertyDescriptor(owner.prototype, name);
    const set = function (value) {
      report(this, "changed");
      property.set.call(this, value);
    };
    Object.defineProperty(owner.prototype, name, { ...property, set });
  }
  const remove = CharacterData.prototype.remove;
  CharacterData.prototype.remove = function () {
    report(this, "removed");
    remove.call(this);
  };
  const removeChild = Node.prototype.removeChild;
  Node.prototype.removeChild = function (child) {
    report(child, "removed");
    return removeChild.call(this, child);
  };
}
