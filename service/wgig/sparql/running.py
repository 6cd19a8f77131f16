"""Running queries, as listed and canceled at /queries/running."""

import re
import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

from fastapi import Request

from ..problems import Problem
from .workers.result import QueryResult

QUERY_ID_FIELD = "WGIG-Query-Id"
QUERY_ID_PATTERN = re.compile(r"[\w-]{16,100}", re.ASCII)


@dataclass(frozen=True)
class RunningQuery:
    """A running query. `began` is its start by the monotonic clock, in seconds."""

    client_id: str  # the ID that the client gave it; empty if none
    text: str
    client: str
    began: float

    @cached_property
    def id(self) -> str:
        """The ID given by the client, else a random UUID, which nobody can guess."""
        return self.client_id or str(uuid.uuid4())


class RunningQueries:
    """The running queries; each is removed together with its result."""

    def __init__(self) -> None:
        """No query is running."""
        self.queries: WeakKeyDictionary[QueryResult, RunningQuery] = WeakKeyDictionary()

    def add(self, request: Request, text: str, result: QueryResult) -> None:
        """Add the query of a request."""
        client_id = request.headers.get(QUERY_ID_FIELD, "")
        self.queries[result] = RunningQuery(
            client_id, text, request_client_address(request), time.monotonic()
        )

    def end_all(self) -> None:
        """Cancel all running queries."""
        for result, _ in self.list_current():
            result.close()

    def list_current(self) -> list[tuple[QueryResult, RunningQuery]]:
        """The running queries with their results, the oldest first."""
        running = [(result, query) for result, query in self.queries.items() if not result.has_ended]
        return sorted(running, key=lambda pair: pair[1].began)


def request_client_address(request: Request) -> str:
    """The address of the client; empty where it is not known."""
    return request.client.host if request.client else ""


def check_query_id(request: Request) -> None:
    """Raises Problem 400 where the client gives its query an ID that others could guess."""
    if not QUERY_ID_PATTERN.fullmatch(request.headers.get(QUERY_ID_FIELD, "x" * 16)):
        raise Problem(
            400,
            f"{QUERY_ID_FIELD} is no valid query ID. Send 16 to 100 letters, digits, - and _, as in a UUID.",
        )


def count_running_seconds(query: RunningQuery) -> float:
    """For how many seconds a query has been running."""
    return round(time.monotonic() - query.began, 3)
