// locks.js - who holds each lock and semaphore, and the line of those who wait.

import { h, setText } from "../dom.js";
import { age, seconds } from "../format.js";
import { eachFrame, table } from "../parts/table.js";

const SHOWN = 200;
const IN_LINE = 6;

export function show(root, { live, signal }) {
  const empty = h("div", { class: "empty" }, h("p", {}, "No locks yet. Try:"),
    h("pre", {}, `curl -X POST ${location.origin}/v1/locks/deploy/acquire -d owner=me`));
  const status = h("p", {});
  const list = table(["Lock", "State", "Holder, then the line", ">Ends in"], row);
  root.replaceChildren(h("header", {}, h("h2", {}, "Locks and semaphores"), status),
    h("div", { class: "scroll" }, list.el, empty));

  const draw = () => {
    const all = [...live.state.lock].map(([key, o]) => [`lock ${key}`, o])
      .concat([...live.state.semaphore].map(([key, o]) => [`semaphore ${key}`, o]))
      .sort(([a, x], [b, y]) => y.waiters - x.waiters || (a < b ? -1 : 1));
    list.show(all.slice(0, SHOWN));
    empty.hidden = all.length > 0;
    const waiting = all.reduce((n, [, o]) => n + o.waiters, 0);
    setText(status, `${all.length} in all, ${waiting} waiting${all.length > SHOWN ? `, the first ${SHOWN} shown` : ""}`);
  };
  const redraw = eachFrame(draw);
  live.addEventListener("lock", redraw, { signal });
  live.addEventListener("semaphore", redraw, { signal });
  const clock = setInterval(redraw, 1000);
  signal.addEventListener("abort", () => clearInterval(clock));
  draw();
}

const holders = (o) => o.holders ?? (o.holder ? [o.holder] : []);

function row() {
  const name = h("span", { class: "cut" });
  const state = h("span", { class: "state" });
  const line = h("ul", { class: "lines" });
  const ends = h("td", { class: "number" });
  const el = h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, state), h("td", {}, line), ends);
  let shown = "";

  function update(o) {
    const held = holders(o);
    const free = "value" in o ? o.free : held.length ? 0 : 1;
    setText(name, "value" in o ? `${o.name} (${o.free} of ${o.value} free)` : o.name);
    name.title = o.name;
    setText(state, free > 0 ? "free" : "held");
    state.dataset.state = free > 0 ? "free" : "held";
    const texts = held.slice(0, IN_LINE).map((w) => ["holder", w.owner || `token ${w.token}`])
      .concat((o.line ?? []).slice(0, IN_LINE).map((w) => ["", `${w.position}. ${w.owner || "-"}`]));
    if (o.waiters > IN_LINE) texts.push(["", `… ${o.waiters} waiting`]);
    const fresh = JSON.stringify(texts);
    if (fresh !== shown) {
      line.replaceChildren(...texts.map(([kind, text]) => h("li", { class: kind, title: text }, text)));
      shown = fresh;
    }
    const left = held.map((w) => -age(w.expires_at)).sort((a, b) => a - b)[0];
    setText(ends, left === undefined ? "" : seconds(Math.max(0, left)));
  }
  return { el, update };
}
