// threads.js - every thread of the server: its name, its role, and what it does.

import { threads } from "../api.js";
import { h, setText } from "../dom.js";
import { age, seconds } from "../format.js";
import { table } from "../parts/table.js";
import { report } from "../parts/toast.js";

const EVERY_MS = 1000;

export function show(root, { signal }) {
  const status = h("p", {});
  const list = table(["Thread", "State", "What it does", ">Since", ">CPU"], row);
  root.replaceChildren(h("header", {}, h("h2", {}, "Threads"), status), h("div", { class: "scroll" }, list.el));

  let timer = 0;
  async function refresh() {
    try {
      const { items } = await threads.list({ signal });
      list.show(items.map((t) => [String(t.native_id), t]));
      setText(status, `${items.length} threads`);
    } catch (error) {
      setText(status, "unknown: the server does not answer");
      if (error.status) report(error);
    }
    clearTimeout(timer); // of one that was asked meanwhile
    if (!signal.aborted && !document.hidden) timer = setTimeout(refresh, EVERY_MS);
  }
  document.addEventListener("visibilitychange", () => document.hidden || refresh(), { signal });
  signal.addEventListener("abort", () => clearTimeout(timer));
  refresh();
}

function row() {
  const cells = Object.fromEntries(["since", "cpu"].map((c) => [c, h("td", { class: "number" })]));
  const doing = h("span", { class: "cut" });
  const name = h("span", { class: "mono" });
  const role = h("span", { class: "soft" });
  const state = h("span", { class: "state" });
  const el = h("tr", {}, h("th", { scope: "row", class: "thread" }, name, " ", role),
    h("td", {}, state), h("td", {}, doing), cells.since, cells.cpu);

  function update(t) {
    setText(name, t.name);
    setText(role, t.name.startsWith(t.role) ? "" : t.role);
    setText(state, t.state);
    state.dataset.state = t.state;
    setText(doing, t.doing || t.task || "");
    doing.title = t.doing ?? "";
    setText(cells.since, seconds(age(t.since)));
    setText(cells.cpu, `${t.cpu_seconds.toFixed(2)} s`);
  }
  return { el, update };
}
