// toast.js - a short message in the corner, gone after six seconds.

import { h } from "../dom.js";

export function toast(text, good = false) {
  const el = h("p", { class: good ? "toast good" : "toast" }, text);
  document.getElementById("toasts").append(el);
  setTimeout(() => el.remove(), 6000);
}

/** For promises: shows what went wrong, unless it was the page that gave up. */
export const report = (error) => {
  if (error.name !== "AbortError") toast(error.message);
};
