"""What there is to attack: the routes of ROUTES, with the parameters that OpenAPI says they have."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import httpx
from wgig.app import ROUTES, create_app, make_service
from wgig.pages.rendering import build_static_path
from wgig.resources.shapes import example_papers_by_name
from wgig.settings import Settings
from wgig.store.store import Store

from tests.hostile.asking import ask

# What stands in the place of a part of the path, so that the route is reached.
PARTS = {
    "/queries/running/{id}": "0" * 16,
    "/queries/{name}": "coverage-matrix",
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
    "/static/{name}": build_static_path("icon.svg").rpartition("/")[2],
}


class Target(NamedTuple):
    """A method of a route, its path with the names of parts, and the parameters that it is said to have."""

    method: str
    path: str
    parameters: tuple[str, ...]

    def at(self, part: str = "") -> str:
        """The path with a text in place of its part, by default one that is there."""
        begin, _, name = self.path.partition("{")
        if not name:
            return self.path
        usual = PARTS.get(self.path) or ("ttl" if name == "suffix}" else "")
        assert usual, f"Say in PARTS what stands in {self.path}."
        return begin + (part or usual)


def description() -> dict[str, Any]:
    """The OpenAPI description."""
    (answer,) = ask(create_app(make_service(Settings(), Store.in_memory())), [("GET", "/openapi.json", {})])
    found: dict[str, Any] = answer.json()
    return found


DESCRIBED = description()["paths"]


def parameters(method: str, path: str) -> list[dict[str, Any]]:
    """The parameters in the query string of an operation."""
    operation = DESCRIBED.get(path, {}).get(method.lower(), {})
    return [one for one in operation.get("parameters", []) if one["in"] == "query"]


def targets() -> Iterator[Target]:
    """Every method of every route, and each example query; HEAD is GET without the body."""
    every = {(method, path.replace(":path}", "}")) for path, methods, *_ in ROUTES for method in methods}
    every |= {
        ("GET", path)
        for path, item in DESCRIBED.items()
        if path.startswith(("/queries/", "/feed/query/")) and "get" in item
    }
    for method, path in sorted(every):
        if method != "HEAD":
            yield Target(method, path, tuple(one["name"] for one in parameters(method, path)))


TARGETS = tuple(targets())
READ = tuple(one for one in TARGETS if one.method == "GET")


def called(one: Target) -> str:
    """What a test of a target is called."""
    return f"{one.method} {one.path}"


def status(answer: httpx.Response) -> tuple[int, str]:
    """What shows when a test fails."""
    return answer.status_code, answer.text[:300]
