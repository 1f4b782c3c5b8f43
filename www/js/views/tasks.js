// tasks.js - the tasks with their progress, and the form that submits a download.

import { executors, tasks } from "../api.js";
import { h, setText } from "../dom.js";
import { age, brief, progress, seconds } from "../format.js";
import { eachFrame, table } from "../parts/table.js";
import { report, toast } from "../parts/toast.js";

const SHOWN = 100;
const RANK = { running: 0, ready: 1, delayed: 2 };

export function show(root, { live, signal }) {
  const empty = h("div", { class: "empty" }, h("p", {}, "No tasks yet. Submit a download above, or try:"), h("pre", {},
    `curl -X PUT ${location.origin}/v1/executors/demo -d max_workers=2\n` +
    `curl -X POST ${location.origin}/v1/executors/demo/tasks -d kind=sleep -d seconds=10`));
  const status = h("p", {});
  const list = table(["Task", "What", "State", "Progress", ">Time", ""], row);
  root.replaceChildren(
    h("header", {}, h("h2", {}, "Tasks"), status), form(), h("div", { class: "scroll" }, list.el, empty));

  const draw = () => {
    const all = [...live.state.task].sort(([, a], [, b]) => order(a, b));
    list.show(all.slice(0, SHOWN));
    empty.hidden = all.length > 0;
    const running = all.filter(([, t]) => t.state === "running").length;
    const waiting = all.filter(([, t]) => t.state === "ready" || t.state === "delayed").length;
    const failed = all.filter(([, t]) => t.state === "failed").length;
    const parts = [`${running} running`, `${waiting} waiting`, `${all.length - running - waiting} finished`];
    if (failed) parts.push(`${failed} of them failed`);
    if (all.length > SHOWN) parts.push(`the first ${SHOWN} shown`);
    setText(status, parts.join(", "));
  };
  const redraw = eachFrame(draw);
  live.addEventListener("task", redraw, { signal });
  const clock = setInterval(redraw, 1000); // ages
  signal.addEventListener("abort", () => clearInterval(clock));
  draw();
}

const number = (task) => Number(task.id.slice(1));

function order(a, b) {
  const rank = (RANK[a.state] ?? 3) - (RANK[b.state] ?? 3);
  if (rank !== 0) return rank;
  return a.state in RANK ? number(a) - number(b) : number(b) - number(a);
}

function row(task) {
  const what = h("span", { class: "cut" });
  const state = h("span", { class: "state" });
  const bar = h("progress", { "aria-label": `progress of ${task.id}` });
  const told = h("small", { class: "cut" });
  const time = h("td", { class: "number" });
  const stop = h("button", { type: "button", class: "small", onclick: () => tasks.cancel(task.id).catch(report) }, "Cancel");
  const el = h("tr", { "data-id": task.id },
    h("th", { scope: "row", class: "mono" }, task.id), h("td", {}, what), h("td", {}, state),
    h("td", { class: "progress" }, bar, told), time, h("td", {}, stop));

  function update(t) {
    setText(what, [t.kind, brief(t.args), `· ${t.queue}`].filter(Boolean).join(" "));
    what.title = t.args?.url ?? "";
    setText(state, t.cancelling ? "cancelling" : t.state);
    state.dataset.state = t.state;
    const done = t.progress?.done ?? null;
    const total = t.progress?.total ?? null;
    bar.hidden = !(t.state === "running" || t.state === "succeeded");
    bar.classList.toggle("done", t.state === "succeeded");
    if (t.state === "succeeded") bar.value = bar.max = 1;
    else if (total) {
      bar.max = total;
      bar.value = done;
    } else bar.removeAttribute("value");
    const how = t.progress && (!t.error || t.state === "running") ? progress(t.progress) : "";
    const why = t.error ? `${t.error.code}: ${t.error.message}` : "";
    setText(told, [how, why].filter(Boolean).join(" · "));
    told.title = t.error?.message ?? "";
    const took = t.started_at ? age(t.started_at) - (t.finished_at ? age(t.finished_at) : 0) : NaN;
    setText(time, seconds(took));
    stop.hidden = !(t.state in RANK);
    stop.disabled = Boolean(t.cancelling);
  }
  return { el, update };
}

/** Makes the executor if there is none. A PUT replaces every term, so those it has are given again. */
async function prepare(name, workers) {
  const wanted = workers ? { max_workers: workers } : {};
  const known = await executors.find(name);
  if (!known) return executors.put(name, wanted);
  if (!workers || workers === known.max_workers) return known;
  const { max_queue, timeout, retries } = known;
  return executors.put(name, { max_queue, timeout, retries, ...wanted });
}

function form() {
  const url = h("input", { name: "url", type: "url", required: true, placeholder: "https://…", autocomplete: "off" });
  const executor = h("input", { name: "executor", required: true, value: "downloads", pattern: "[A-Za-z0-9._:~\\-]{1,200}" });
  const workers = h("input", { name: "workers", type: "number", min: 1, max: 4096, placeholder: "as is",
    title: "max_workers of the executor; empty: as it is, 4 for a new one" });
  const button = h("button", { class: "main" }, "Download");
  return h("form", { onsubmit: submit },
    h("label", {}, "Address", url), h("label", {}, "Executor", executor), h("label", {}, "Workers", workers), button);

  async function submit(event) {
    event.preventDefault();
    button.disabled = true;
    try {
      await prepare(executor.value, Number(workers.value));
      const task = await executors.submit(executor.value, { kind: "download", url: url.value });
      toast(`${task.id} submitted`, true);
      url.select();
    } catch (error) {
      report(error);
    } finally {
      button.disabled = false;
    }
  }
}
