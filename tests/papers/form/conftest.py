"""Fixtures for tests of the web form for papers."""

import pickle
from collections.abc import Callable
from typing import Any, TypeVar, cast

import httpx2
import pytest
from wgig.app import QUEUES, create_app, make_service
from wgig.http.work_queue import WorkQueue
from wgig.settings import Settings
from wgig.store.store import Store

from tests.fixtures.paper_form import TOKEN
from tests.fixtures.service import make_client

ResultT = TypeVar("ResultT")


class PicklingWorkQueue(WorkQueue):
    """A queue on threads that copies arguments and results, as a queue on processes does."""

    async def run(self, function: Callable[..., ResultT], *args: Any) -> ResultT:
        """The copy of the return value of the function, called with copies of the arguments."""
        return cast(ResultT, copy_by_pickle(await super().run(function, *copy_by_pickle(args))))


def copy_by_pickle(value: Any) -> Any:
    return pickle.loads(pickle.dumps(value))


@pytest.fixture
def client() -> httpx2.Client:
    """A client, without a token, of an empty service that accepts papers with a token."""
    checks = PicklingWorkQueue(**QUEUES["checks"])
    return make_client(create_app(make_service(Settings(token=TOKEN), Store.in_memory(), checks=checks)))
