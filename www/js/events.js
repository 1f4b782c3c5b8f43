// events.js - the only EventSource. Keeps the newest state of every object, and says which topic changed.
//
// mode=latest sends at most four frames a second with the newest state of each changed object, so this never
// falls behind; on "reset", and after a lost connection, everything is sent anew.
//
// A page that is hidden holds no stream, and is sent everything anew when it is shown: a browser has six connections to a
// server, over all its tabs, and a stream keeps one of them.

const TOPICS = ["lock", "semaphore", "counter", "executor", "task"];

export class Live extends EventTarget {
  #source; // of a page that is shown

  /** @param {AbortSignal} signal ends it */
  constructor(signal) {
    super();
    /** @type {Record<string, Map<string, object>>} */
    this.state = Object.fromEntries(TOPICS.map((t) => [t, new Map()]));
    const follow = () => (document.hidden ? this.#close() : this.#open());
    document.addEventListener("visibilitychange", follow, { signal });
    signal.addEventListener("abort", () => this.#close());
    follow();
  }

  #open() {
    this.#source?.close();
    const source = this.#source = new EventSource(`/v1/stream?mode=latest&topics=${TOPICS.join(",")}`);
    source.addEventListener("open", () => this.#link("live"));
    source.addEventListener("error", () => this.#link("lost"));
    source.addEventListener("reset", () => this.#clear());
    for (const topic of TOPICS) source.addEventListener(topic, (e) => this.#put(topic, JSON.parse(e.data)));
  }

  #close() {
    this.#source?.close();
    this.#link("paused");
  }

  #link(state) {
    if (state === "live") this.#clear();
    this.dispatchEvent(new CustomEvent("link", { detail: state }));
  }

  #clear() {
    for (const topic of TOPICS) {
      this.state[topic].clear();
      this.dispatchEvent(new Event(topic));
    }
  }

  #put(topic, object) {
    const key = object.id ?? object.name;
    if (object.gone) this.state[topic].delete(key);
    else this.state[topic].set(key, object);
    this.dispatchEvent(new Event(topic));
  }
}
