"""The targets of attacks: the routes of ROUTES with the parameters that the OpenAPI document lists."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx2
from wgig.app import ROUTES, create_app, make_service
from wgig.pages.rendering import build_static_path
from wgig.resources.shapes import example_papers_by_name
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.openapi import list_parameters
from tests.hostile.client import send_requests

# A valid value for the variable part of each path; most name an existing resource.
PATH_VALUES = {
    "/queries/running/{id}": "0" * 16,
    "/queries/{name}": "coverage-matrix",
    "/releases/{name}": "2026-12-01",
    "/releases/{name}/{file}": "2026-12-01/SHA256SUMS",
    "/graph/{name}": "ontology",
    "/ontology/{version}": "0.1.0",
    "/dump.{suffix}": "nq",
    "/search.{suffix}": "json",
    "/dump/{name}": f"{'0' * 32}.nq",
    "/changes/{path}": "a/1",
    "/feed/query/{name}": "who-wrote-what.atom",
    "/feed/{name}": "issue.atom",
    "/sitemap/{name}": "1.xml",
    "/tables/{name}": "papers.csv",
    "/id/{path}": "issue/spam",
    "/doc/{path}": "issue/spam",
    "/doc/problem/{slug}": "not-found",
    "/shapes/examples/{name}": next(iter(example_papers_by_name())),
    "/shapes/{name}": "WGIG-7B-MISSING",
    "/reconcile/suggest/{what}": "entity",
    "/docs/{path}": "index.html",
    "/static/{name}": build_static_path("icon.svg").rpartition("/")[2],
}


class Target(NamedTuple):
    """A method of a route, its path with placeholders, and the names of its parameters."""

    method: str
    path: str
    parameters: tuple[str, ...]

    def fill_path(self, value: str = "") -> str:
        """The path with a value in place of its placeholder, by default the value of PATH_VALUES."""
        prefix, _, name = self.path.partition("{")
        if not name:
            return self.path
        default = PATH_VALUES.get(self.path) or ("ttl" if name == "suffix}" else "")
        assert default, f"Add a value for {self.path} to PATH_VALUES."
        return prefix + (value or default)


def fetch_openapi_document() -> dict[str, Any]:
    app = create_app(make_service(Settings(), Store.in_memory()))
    (response,) = send_requests(app, [("GET", "/openapi.json", {})])
    document: dict[str, Any] = response.json()
    return document


OPENAPI_DOCUMENT = fetch_openapi_document()
OPENAPI_PATHS = OPENAPI_DOCUMENT["paths"]


def list_query_parameters(method: str, path: str) -> list[dict[str, Any]]:
    """The OpenAPI objects of the query parameters of an operation."""
    operation = OPENAPI_PATHS.get(path, {}).get(method.lower(), {})
    parameters = list_parameters(OPENAPI_DOCUMENT, operation)
    return [parameter for parameter in parameters if parameter["in"] == "query"]


def list_targets() -> Iterator[Target]:
    """Every method of every route except HEAD, and the route of each example query."""
    operations = {(method, path.replace(":path}", "}")) for path, methods, *_ in ROUTES for method in methods}
    operations |= {
        ("GET", path)
        for path, item in OPENAPI_PATHS.items()
        if path.startswith(("/queries/", "/feed/query/")) and "get" in item
    }
    for method, path in sorted(operations):
        if method != "HEAD":
            names = tuple(parameter["name"] for parameter in list_query_parameters(method, path))
            yield Target(method, path, names)


TARGETS = tuple(list_targets())
GET_TARGETS = tuple(target for target in TARGETS if target.method == "GET")


def target_id(target: Target) -> str:
    """The ID of a test of a target."""
    return f"{target.method} {target.path}"


def summarize_response(response: httpx2.Response) -> tuple[int, str]:
    """The status and the start of the body, for the message of a failure."""
    return response.status_code, response.text[:300]
