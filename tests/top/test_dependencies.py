"""What a handler depends on is in its signature: nothing but the getters reads the application's state."""

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
import wgig.resources.dependencies
import wgig.search.dependencies
import wgig.sparql.dependencies
from fastapi import Request
from fastapi.params import Depends
from wgig import about, graphs, http, lists, pages, resources, search, sparql
from wgig.app import MIDDLEWARE, QUEUES, ROUTES, create_app, make_freshness_middleware, make_service
from wgig.settings import Settings
from wgig.store.store import Store

PACKAGE = Path(wgig.__file__).parent
MODULES = [one.dependencies for one in (about, graphs, http, lists, pages, resources, search, sparql)]
GETTERS: dict[str, Callable[..., Any]] = {
    f"{module.__name__}.{name}": function
    for module in MODULES
    for name, function in getmembers(module, isfunction)
    if name.startswith("get_") and function.__module__ == module.__name__
}


def test_all_modules_of_getters_are_looked_at() -> None:
    assert sorted(str(one) for one in PACKAGE.rglob("dependencies.py")) == sorted(
        str(module.__file__) for module in MODULES
    )


def test_only_the_getters_read_the_state_of_the_application() -> None:
    found = [
        line.strip()
        for path in sorted(PACKAGE.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if "app.state" in line and "`app.state" not in line and path.name != "dependencies.py"
    ]
    assert found == [
        "app.state.service = service",
        "self.service = self.app.state.service = replace(self.service, settings=settings)",
    ]


def test_the_application_keeps_the_service_alone() -> None:
    service = make_service(Settings(), Store.in_memory())
    assert vars(create_app(service).state) == {"_state": {"service": service}}


@pytest.mark.parametrize("getter", GETTERS.values(), ids=GETTERS)
def test_a_getter_needs_no_thread(getter: Callable[..., Any]) -> None:
    assert iscoroutinefunction(getter)


@pytest.mark.parametrize("getter", GETTERS.values(), ids=GETTERS)
def test_a_getter_finds_what_it_gives(getter: Callable[..., Any]) -> None:
    app = create_app(make_service(Settings(), Store.in_memory()))
    coroutine = getter(Request({"type": "http", "app": app}))
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)  # it waits for nothing
    assert ended.value.value is not None


def test_each_getter_is_of_use_to_a_handler() -> None:
    used = {
        metadata.dependency
        for _, _, handler, _ in ROUTES
        for parameter in signature(handler).parameters.values()
        for metadata in getattr(parameter.annotation, "__metadata__", ())
        if isinstance(metadata, Depends)
    }
    assert used >= {*GETTERS.values()}
    assert all(map(iscoroutinefunction, used))  # a plain one costs a thread hop


def test_each_queue_has_its_limits_in_the_table() -> None:
    queues = make_service(Settings(), Store.in_memory()).queues
    assert vars(queues).keys() == QUEUES.keys()
    for name, limits in QUEUES.items():
        queue = getattr(queues, name)
        found = (queue.limiter.total_tokens, queue.max_waiting, queue.timeout_seconds)
        assert found == (limits["max_running"], limits["max_waiting"], limits["timeout_seconds"])


def test_a_store_of_ones_own_needs_no_middleware_of_a_shared_one() -> None:
    service = make_service(Settings(), Store.in_memory())
    assert [make for make in MIDDLEWARE if make(service) is None] == [make_freshness_middleware]
