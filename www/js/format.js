// format.js - numbers and times for people. Pure.

const UNITS = ["B", "KB", "MB", "GB", "TB"];

/** 1536 -> "1.5 KB" */
export function bytes(n) {
  let i = 0;
  while (n >= 1000 && i < UNITS.length - 1) {
    n /= 1024;
    i++;
  }
  return `${i === 0 ? n : n.toFixed(n < 10 ? 1 : 0)} ${UNITS[i]}`;
}

/** 95.2 -> "1 min 35 s" */
export function seconds(s) {
  if (!Number.isFinite(s) || s < 0) return "";
  if (s < 10) return `${s.toFixed(1)} s`;
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

/** How long ago (or until) an RFC 3339 moment is, in seconds; NaN for null. */
export const age = (text, now = Date.now()) => (text ? (now - Date.parse(text)) / 1000 : NaN);

export const count = (n) => Number(n).toLocaleString("en");

const SHOW = { bytes, ms: (n) => seconds(n / 1000) };

/** A task's progress: {done, total, unit} -> "1.5 MB of 40 MB", "18 s of 1 min 0 s" */
export function progress({ done, total, unit }) {
  const show = SHOW[unit] ?? ((n) => `${count(n)}${unit ? ` ${unit}` : ""}`);
  if (done === null || done === undefined) return "";
  return total ? `${show(done)} of ${show(total)}` : show(done);
}

/** A task's arguments in a word: what a download is of, or the values as they are. */
export function brief(args) {
  if (!args) return "";
  if (!args.url) return Object.values(args).join(" ");
  return args.filename ?? args.url.split(/[?#]/)[0].split("/").filter(Boolean).pop();
}
