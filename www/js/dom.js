// dom.js - build elements. Text is always text: there is no way to pass markup in.

/**
 * @param {string} tag
 * @param {Record<string, unknown>} [attrs] a function is a listener (onclick); true and false set or leave out
 * @param {...(Node | string | number)} children
 * @returns {HTMLElement}
 */
export function h(tag, attrs = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(attrs)) {
    if (typeof value === "function") el.addEventListener(name.slice(2), value);
    else if (value === true) el.setAttribute(name, "");
    else if (value !== false && value !== undefined) el.setAttribute(name, String(value));
  }
  el.append(...children.map((c) => (c instanceof Node ? c : String(c))));
  return el;
}

/** Sets the text of @el, touching the page only when it differs. */
export function setText(el, text) {
  const next = String(text);
  if (el.textContent !== next) el.textContent = next;
}
