// api.js - the only place that calls fetch. A problem becomes an Error that says what the server said.

export class Problem extends Error {
  constructor(body, status) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code;
  }
}

async function call(method, path, { body, signal } = {}) {
  const init = { method, signal, headers: { Accept: "application/json" } };
  if (body !== undefined) {
    init.headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(body);
  }
  const reply = await fetch(path, init);
  const type = reply.headers.get("Content-Type") || "";
  const value = type.includes("json") ? await reply.json() : {};
  if (!reply.ok) throw new Problem(value, reply.status);
  return value;
}

const name = encodeURIComponent;

export const threads = {
  list: (options) => call("GET", "/v1/threads", options),
};
export const tasks = {
  cancel: (id, options) => call("DELETE", `/v1/tasks/${name(id)}`, options),
};
export const executors = {
  /** The one of this name, or undefined: no failed request in the browser's console. */
  find: async (executor, options) => (await call("GET", `/v1/executors?name=${name(executor)}`, options)).items[0],
  put: (executor, terms, options) => call("PUT", `/v1/executors/${name(executor)}`, { ...options, body: terms }),
  submit: (executor, task, options) => call("POST", `/v1/executors/${name(executor)}/tasks`, { ...options, body: task }),
};
