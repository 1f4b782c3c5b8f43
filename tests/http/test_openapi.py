"""openapi.json: it lists what the route table has, no more and no less, and real replies are as it says.

SPDX-License-Identifier: MIT
"""

import json
import subprocess

import jsonschema
import pytest

from bobbind import BINARY, SOURCE

DOC = json.loads((SOURCE / "www" / "openapi.json").read_text())


def routes():
    """(method, path) -> ({parameter: is it needed}, takes others too, effect), as `bobbind --routes` prints them."""
    text = subprocess.run([BINARY, "--routes"], capture_output=True, text=True, timeout=10, check=True).stdout
    found = {}
    for line in text.splitlines():
        method, path, *params, effect = line.split()
        is_open = params[-1:] == ["..."]
        found[method.lower(), path] = ({p.rstrip("!"): p.endswith("!") for p in params if p != "..."}, is_open,
                                       effect.strip("()"))
    return found


def look(node):
    """Follows a $ref."""
    while "$ref" in node:
        at = DOC
        for part in node["$ref"].removeprefix("#/").split("/"):
            at = at[part]
        node = at
    return node


def operations():
    return {(method, path): op for path, item in DOC["paths"].items() for method, op in item.items()}


def parameters(op):
    """The same as routes() has, from the document: by query for GET, in the body else."""
    named = {p["name"]: p.get("required", False) for p in map(look, op.get("parameters", ())) if p["in"] == "query"}
    content = op.get("requestBody", {}).get("content", {})
    assert not content or set(content) == {"application/json", "application/x-www-form-urlencoded"}
    for body in content.values():
        schema = look(body["schema"])
        named.update({name: name in schema["required"] for name in schema["properties"]})
    is_open = any(look(body["schema"])["additionalProperties"] for body in content.values())
    return named, is_open


def test_it_has_every_route_and_no_other():
    assert set(operations()) == set(routes())


def test_every_route_has_its_parameters():
    table = routes()
    for key, op in operations().items():
        named, is_open, _ = table[key]
        if key[1] == "/v1/stream":
            named["mode"] = True  # the handler asks for it, to say which there are
        assert parameters(op) == (named, is_open), key


def test_every_call_says_whether_it_passes_while_the_server_is_stopping():
    assert {key: op["x-effect"] for key, op in operations().items()} == {key: row[2] for key, row in routes().items()}


def test_every_parameter_says_what_it_is_for():
    """What the reader of a schema sees beside the name; a name alone told nobody that max_queue counts running tasks."""
    silent = []
    for (method, path), op in operations().items():
        told = {p["name"]: p for p in map(look, op.get("parameters", ())) if p["in"] == "query"}
        for body in op.get("requestBody", {}).get("content", {}).values():
            told.update(look(body["schema"])["properties"])
        silent += [f"{method} {path} {name}" for name, p in told.items() if not p.get("description")]
    assert not silent


def test_every_path_names_its_parts():
    for (method, path), op in operations().items():
        parts = {p["name"] for p in map(look, op.get("parameters", ())) if p["in"] == "path"}
        assert parts == {part[1:-1] for part in path.split("/") if part.startswith("{")}, (method, path)


def test_every_reference_leads_somewhere_and_every_id_is_its_own():
    def walk(node):
        if isinstance(node, dict):
            if "$ref" in node:
                look(node)
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(DOC)
    ids = [op["operationId"] for op in operations().values()]
    assert len(ids) == len(set(ids))
    for name, schema in DOC["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert f'schemas/{name}"' in json.dumps(DOC), f"nobody uses {name}"


def test_every_call_has_the_refusals_that_any_may_get():
    """A name that is none, a store that cannot be written or a stop, a key that is not kept, a condition that is not looked at."""
    for (method, path), op in operations().items():
        if not path.startswith("/v1/") or path in ("/v1/kinds", "/v1/threads", "/v1/config"):
            continue
        needed = {"400", "503"} | {"get": set(), "post": {"501"}}.get(method, {"412"})
        assert needed <= set(op["responses"]), f"{method} {path} lacks {needed - set(op['responses'])}"


def is_as_described(method, path, reply):
    """`reply` is one that the document has for this call, and its body is as the schema says."""
    op = DOC["paths"][path][method]
    assert str(reply.status) in op["responses"], f"{method} {path} has no {reply.status}: {reply}"
    content = look(op["responses"][str(reply.status)]).get("content", {})
    if reply.json is None:
        return
    schema = content[reply.type]["schema"]
    jsonschema.Draft202012Validator({**schema, "components": DOC["components"]}).validate(reply.json)


@pytest.mark.quick
def test_real_replies_are_as_it_says(client, name):
    def call(method, path, status, headers=None, **params):
        reply = client(method.upper(), path.format(name=name, id=task, kind="square"), headers=headers, **params)
        is_as_described(method, path.removesuffix("%20"), reply.expect(status))
        return reply

    task = "t999999"
    lock, semaphore, counter = "/v1/locks/{name}", "/v1/semaphores/{name}", "/v1/counters/{name}"
    grant = call("post", lock + "/acquire", 200, owner="ana")
    call("post", lock + "/acquire", 423)
    call("post", lock + "/acquire", 400, colour="red")
    call("post", lock + "/acquire", 501, {"Idempotency-Key": "1"})
    call("get", lock, 200)
    call("get", lock + "%20", 400)
    call("get", "/v1/locks", 200)
    call("delete", lock, 412, {"If-Match": '"9007199254740991"'})
    call("post", lock + "/renew", 200, token=grant["token"])
    call("post", lock + "/release", 200, token=grant["token"])
    call("post", lock + "/release", 412, token=grant["token"])
    call("get", lock, 200)
    call("delete", lock, 200)

    call("put", semaphore, 201, value=3)
    call("put", semaphore, 200, value=4)
    grant = call("post", semaphore + "/acquire", 200, permits=2)
    call("post", semaphore + "/acquire", 423, permits=3)
    call("post", semaphore + "/acquire", 400, permits=5)
    call("get", semaphore, 200)
    call("get", "/v1/semaphores", 200)
    call("delete", semaphore, 409)
    call("post", semaphore + "/renew", 200, token=grant["token"])
    call("post", semaphore + "/release", 200, token=grant["token"])
    call("delete", semaphore, 200)

    call("get", counter, 404)
    call("post", counter + "/add", 200, n=3)
    call("post", counter + "/set", 200, value=4)
    call("post", counter + "/compare_and_set", 200, expected=4, value=5)
    call("post", counter + "/compare_and_set", 409, expected=4, value=6)
    call("get", counter, 200)
    call("get", "/v1/counters", 200)
    call("delete", counter, 200)

    executor = "/v1/executors/{name}"
    call("put", executor, 201, max_workers=1, timeout="1m")
    call("put", executor, 200)
    call("post", executor + "/tasks", 400, kind="nonsense")
    call("post", executor + "/tasks", 501, {"Idempotency-Key": "1"}, kind="square", n=1)
    call("post", executor + "/tasks", 200, kind="square", n=12, wait=10)
    task = call("post", executor + "/tasks", 202, kind="sleep", seconds=30)["id"]
    call("get", "/v1/tasks/{id}", 200)
    call("get", "/v1/tasks/{id}/result", 202)
    call("get", executor, 200)
    call("get", "/v1/executors", 200)
    call("delete", executor, 409)
    call("delete", "/v1/tasks/{id}", (200, 202))
    call("get", "/v1/tasks/{id}/result", 409, wait=10)
    call("delete", "/v1/tasks/{id}", 409)
    call("get", "/v1/tasks", 200)
    task = call("post", executor + "/tasks", 202, kind="sleep", seconds=30, timeout="50ms")["id"]
    call("get", "/v1/tasks/{id}/result", 422, wait=10)
    call("get", "/v1/tasks/{id}", 200)
    call("delete", executor, 200)

    call("post", "/v1/run/{kind}", 200, n=12)
    call("post", "/v1/run/{kind}", 400)
    call("post", "/v1/run/{kind}", 501, {"Idempotency-Key": "1"}, n=12)
    for path in ("/v1/kinds", "/v1/threads", "/v1/config", "/openapi.json"):
        call("get", path, 200)


@pytest.mark.quick
def test_the_document_is_served_as_it_is(client):
    reply = client.get("/openapi.json").expect(200)
    assert reply.type == "application/json" and reply.json == DOC
