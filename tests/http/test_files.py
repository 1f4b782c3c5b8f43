"""The dashboard's files: what is served, with which headers, and what never is.

SPDX-License-Identifier: MIT
"""

import re

import pytest

from bobbind import SOURCE
from wire import Client, Raw

TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


def served():
    """Every file of www/ as a path."""
    return ["/" + str(file.relative_to(SOURCE / "www")) for file in (SOURCE / "www").rglob("*")
            if file.is_file() and file.suffix in TYPES]


@pytest.mark.quick
def test_every_file_of_www_is_served_as_it_is(client):
    assert len(served()) >= 3
    for path in served():
        reply = client.get(path).expect(200)
        assert reply.body == (SOURCE / "www" / path[1:]).read_bytes(), path
        kind = TYPES[path[path.rindex("."):]]
        assert reply.type in (kind, "application/javascript" if kind == "text/javascript" else kind), path


@pytest.mark.quick
def test_the_page_is_under_a_strict_policy(client):
    page = client.get("/").expect(200)
    assert page.type == "text/html" and "charset=utf-8" in page.headers["Content-Type"].lower()
    policy = dict(part.strip().partition(" ")[::2] for part in page.headers["Content-Security-Policy"].split(";") if part.strip())
    assert policy["default-src"] in ("'none'", "'self'")
    assert policy.get("script-src", policy["default-src"]) == "'self'"
    assert policy.get("style-src", policy["default-src"]) == "'self'"
    assert policy["frame-ancestors"] == "'none'" and policy["base-uri"] == "'none'"
    assert "unsafe" not in page.headers["Content-Security-Policy"] and "*" not in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\bon[a-z]+=\"|style=\"|javascript:", page.text), "nothing inline"
    assert not re.search(r"(src|href)=\"(https?:)?//", page.text), "nothing from elsewhere"


@pytest.mark.quick
def test_the_api_says_nosniff_and_no_store(client):
    for path in ("/v1/locks", "/nothing", "/metrics"):
        reply = client.get(path)
        assert reply.headers["X-Content-Type-Options"] == "nosniff", path
    assert "no-store" in client.get("/v1/locks").headers["Cache-Control"]


@pytest.mark.quick
def test_a_file_that_is_known_is_304(client):
    for path in ["/", *served()]:
        first = client.get(path).expect(200)
        again = client.get(path, {"If-None-Match": first.headers["ETag"]}).expect(304)
        assert again.headers["ETag"] == first.headers["ETag"]
        client.get(path, {"If-None-Match": '"another"'}).expect(200)


@pytest.mark.quick
@pytest.mark.parametrize("path", [
    "/../configure.ac", "/../../etc/passwd", "/js/../../configure.ac", "/%2e%2e/configure.ac", "/..%2fconfigure.ac",
    "/js/%2e%2e/%2e%2e/configure.ac", "//etc/passwd", "/./../etc/passwd", "/js/..\\..\\configure.ac", "/index.html%00.js",
    "/.gitignore", "/README", "/js", "/js/", "/index.html/", "/store", "/files", "/index.html~", "/%2fetc/passwd",
    "/..", "/../../../../../../../../etc/passwd", "/js/main.js/..%2f..%2fetc/passwd",
])
def test_nothing_outside_is_served(server, path):
    raw = Raw(server).request(f"GET {path}")
    reply = raw.reply()
    assert reply.status in (400, 404), reply
    assert b"root:" not in reply.body and b"AC_INIT" not in reply.body


@pytest.mark.quick
def test_a_folder_without_files_is_no_error(start, tmp_path):
    (tmp_path / "empty").mkdir()
    client = Client(start("--www", str(tmp_path / "empty")))
    client.get("/").expect(404)
    client.get("/livez").expect(200)


@pytest.mark.quick
def test_what_is_not_a_plain_file_is_left_out(start, tmp_path):
    www = tmp_path / "www"
    (www / "js").mkdir(parents=True)
    (www / "index.html").write_text("<title>x</title>")
    (www / "js" / "link.js").symlink_to("/etc/passwd")
    (www / "out").symlink_to("/etc")
    client = Client(start("--www", str(www)))
    client.get("/").expect(200)
    client.get("/js/link.js").expect(404)
    client.get("/out/passwd").expect(404)
