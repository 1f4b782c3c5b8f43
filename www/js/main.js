// main.js - puts the page together and keeps its head up to date.

import { h, setText } from "./dom.js";
import { Live } from "./events.js";
import { count } from "./format.js";
import { eachFrame } from "./parts/table.js";
import { toast } from "./parts/toast.js";
import * as locks from "./views/locks.js";
import * as tasks from "./views/tasks.js";
import * as threads from "./views/threads.js";

const LINK = { live: "live", lost: "connection lost, trying again", connecting: "connecting", paused: "connecting again" };

window.addEventListener("error", (e) => toast(`The dashboard failed: ${e.message}`));
window.addEventListener("unhandledrejection", (e) => toast(`The dashboard failed: ${e.reason?.message ?? e.reason}`));

function totals(live, signal) {
  const root = document.getElementById("totals");
  const cells = {};
  for (const topic of Object.keys(live.state)) {
    cells[topic] = h("dd", {}, 0);
    root.append(h("div", {}, h("dt", {}, `${topic}s`), cells[topic]));
    const draw = eachFrame(() => setText(cells[topic], count(live.state[topic].size)));
    live.addEventListener(topic, draw, { signal });
  }
}

function boot() {
  const { signal } = new AbortController();
  const live = new Live(signal);
  const link = document.getElementById("link");
  live.addEventListener("link", (e) => {
    link.dataset.state = e.detail;
    setText(link, LINK[e.detail]);
  });
  totals(live, signal);

  const cards = { tasks: h("section", { class: "card", id: "tasks" }), locks: h("section", { class: "card", id: "locks" }),
    threads: h("section", { class: "card", id: "threads" }) };
  document.getElementById("page").replaceChildren(
    cards.tasks, h("div", { class: "stack" }, cards.locks, cards.threads));
  const page = { live, signal };
  tasks.show(cards.tasks, page);
  locks.show(cards.locks, page);
  threads.show(cards.threads, page);
}

boot();
