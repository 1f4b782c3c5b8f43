// events.js - the only EventSource. Keeps the newest state of every object, and says which topic changed.
//
// mode=latest sends at most four frames a second with the newest state of each changed object, so this never
// falls behind; on "reset", and after a lost connection, everything is sent anew.

const TOPICS = ["lock", "semaphore", "counter", "executor", "task"];

export class Live extends EventTarget {
  /** @param {AbortSignal} signal ends it */
  constructor(signal) {
    super();
    /** @type {Record<string, Map<string, object>>} */
    this.state = Object.fromEntries(TOPICS.map((t) => [t, new Map()]));
    const source = new EventSource(`/v1/stream?mode=latest&topics=${TOPICS.join(",")}`);
    source.addEventListener("open", () => this.#link("live"));
    source.addEventListener("error", () => this.#link("lost"));
    source.addEventListener("reset", () => this.#clear());
    for (const topic of TOPICS) source.addEventListener(topic, (e) => this.#put(topic, JSON.parse(e.data)));
    signal.addEventListener("abort", () => source.close());
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
