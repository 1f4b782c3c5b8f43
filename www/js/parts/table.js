// table.js - a table whose rows are kept by key: a row that stays is updated in place, so that a click never lands on
// another row, and a hundred changes a second cost a hundred small writes and no new table.

import { h } from "../dom.js";

/**
 * @param {string[]} heads column titles; one that begins with ">" stands over numbers
 * @param {(item: object) => {el: HTMLElement, update: (item: object) => void}} makeRow
 * @returns {{el: HTMLElement, show: (items: [string, object][]) => void}}
 */
export function table(heads, makeRow) {
  const body = h("tbody");
  const titles = heads.map((t) => h("th", { scope: "col", class: t.startsWith(">") && "number" }, t.replace(/^>/, "")));
  const el = h("table", {}, h("thead", {}, h("tr", {}, ...titles)), body);
  const rows = new Map();

  function show(items) {
    const keep = new Set(items.map(([key]) => key));
    for (const [key, row] of rows) {
      if (keep.has(key)) continue;
      row.el.remove();
      rows.delete(key);
    }
    let at = body.firstChild;
    for (const [key, item] of items) {
      let row = rows.get(key);
      if (!row) rows.set(key, (row = makeRow(item)));
      row.update(item);
      if (row.el === at) at = at.nextSibling;
      else body.insertBefore(row.el, at);
    }
  }
  return { el, show };
}

/** Calls @draw at most once a frame, however often the returned function is called. */
export function eachFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  };
}
