/** Puts the panels that the server has made anew into the page, and changes only what differs. */

/** @param {Object<string, string>} panels HTML by the names in `data-panel`. */
export function showPanels(panels) {
  for (const [name, html] of Object.entries(panels)) {
    const panel = document.querySelector(`[data-panel="${name}"]`);
    const made = document.createElement("template");
    made.innerHTML = html;
    if (panel) makeSame(panel, made.content);
  }
}

/* Nodes of the same kind stay, so that neither focus nor selection is lost. */
function makeSame(old, made) {
  const before = [...old.childNodes];
  const after = [...made.childNodes];
  if (before.length !== after.length || !before.every((node, number) => isSameKind(node, after[number]))) {
    old.replaceChildren(...after);
    return;
  }
  before.forEach((node, number) => {
    if (node.nodeType === Node.ELEMENT_NODE) renew(node, after[number]);
    else if (node.data !== after[number].data) node.data = after[number].data;
  });
}

function isSameKind(node, other) {
  return node.nodeName === other.nodeName;
}

function renew(node, made) {
  for (const { name } of [...node.attributes]) if (!made.hasAttribute(name)) node.removeAttribute(name);
  for (const { name, value } of made.attributes) {
    if (node.getAttribute(name) !== value) node.setAttribute(name, value);
  }
  makeSame(node, made);
}
