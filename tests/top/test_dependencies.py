"""Handlers declare their dependencies in the signature; only the getters read the application's state.

A getter is a function `get_…` of a module dependencies.py.
"""

from collections.abc import Callable
from inspect import getmembers, iscoroutinefunction, isfunction, signature
from pathlib import Path
from typing import Any

import pytest
import wgig.about.dependencies
import wgig.graphs.dependencies
import wgig.http.dependencies
import wgig.lists.dependencies
import wgig.pages.dependencies
import wgig.papers.dependencies
import wgig.resources.dependencies
import wgig.search.dependencies
import wgig.sparql.dependencies
from fastapi import Request
from fastapi.params import Depends
from wgig import about, graphs, http, lists, pages, papers, resources, search, sparql
from wgig.app import MIDDLEWARE, QUEUES, ROUTES, create_app, make_freshness_middleware, make_service
from wgig.settings import Settings
from wgig.store.store import Store

PACKAGE_FOLDER = Path(wgig.__file__).parent
DEPENDENCY_MODULES = [
    package.dependencies for package in (about, graphs, http, lists, pages, papers, resources, search, sparql)
]
GETTERS: dict[str, Callable[..., Any]] = {
    f"{module.__name__}.{name}": function
    for module in DEPENDENCY_MODULES
    for name, function in getmembers(module, isfunction)
    if name.startswith("get_") and function.__module__ == module.__name__
}


def test_all_dependency_modules_are_tested() -> None:
    assert sorted(str(path) for path in PACKAGE_FOLDER.rglob("dependencies.py")) == sorted(
        str(module.__file__) for module in DEPENDENCY_MODULES
    )


def test_only_getters_read_the_state_of_the_application() -> None:
    lines = [
        line.strip()
        for path in sorted(PACKAGE_FOLDER.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "app.state" in line and "`app.state" not in line and path.name != "dependencies.py"
    ]
    assert lines == [
        "app.state.service = service",
        "self.service = self.app.state.service = service",
    ]


def test_the_state_of_the_application_has_only_the_service() -> None:
    service = make_service(Settings(), Store.in_memory())
    assert vars(create_app(service).state) == {"_state": {"service": service}}


@pytest.mark.parametrize("getter", GETTERS.values(), ids=GETTERS)
def test_a_getter_is_a_coroutine_function(getter: Callable[..., Any]) -> None:
    assert iscoroutinefunction(getter)


@pytest.mark.parametrize("getter", GETTERS.values(), ids=GETTERS)
def test_a_getter_returns_a_value_without_waiting(getter: Callable[..., Any]) -> None:
    app = create_app(make_service(Settings(), Store.in_memory()))
    coroutine = getter(Request({"type": "http", "app": app}))
    with pytest.raises(StopIteration) as caught:
        coroutine.send(None)  # returns, as the getter waits for nothing
    assert caught.value.value is not None


def test_every_getter_is_used_by_a_handler() -> None:
    used_getters = {
        metadata.dependency
        for _, _, handler, _ in ROUTES
        for parameter in signature(handler).parameters.values()
        for metadata in getattr(parameter.annotation, "__metadata__", ())
        if isinstance(metadata, Depends)
    }
    assert used_getters >= {*GETTERS.values()}
    # FastAPI would run a plain function in a thread, which takes time.
    assert all(map(iscoroutinefunction, used_getters))


def test_every_queue_has_the_limits_in_the_table_of_queues() -> None:
    queues = make_service(Settings(), Store.in_memory()).queues
    assert vars(queues).keys() == QUEUES.keys()
    for name, limits in QUEUES.items():
        queue = getattr(queues, name)
        queue_limits = (queue.limiter.total_tokens, queue.max_waiting, queue.timeout_seconds)
        assert queue_limits == (limits["max_running"], limits["max_waiting"], limits["timeout_seconds"])


def test_only_a_shared_store_needs_the_freshness_middleware() -> None:
    service = make_service(Settings(), Store.in_memory())
    assert [make_middleware for make_middleware in MIDDLEWARE if make_middleware(service) is None] == [
        make_freshness_middleware
    ]
