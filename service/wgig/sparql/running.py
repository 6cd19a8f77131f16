"""Running queries, which /queries/running lists and cancels."""

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
MAX_LISTED_QUERY_CHARS = 2_000  # of a query in the list of running queries
QUERY_ID_PATTERN = re.compile(r"[\w-]{16,100}", re.ASCII)


@dataclass(frozen=True)
class RunningQuery:
    """A running query. `began` is the time of its start on the monotonic clock, in seconds."""

    requested_id: str  # the ID of the query from the header WGIG-Query-Id; empty if the client sent none
    text: str
    client: str  # the address of the client
    began: float

    @cached_property
    def id(self) -> str:
        """The ID from the client, else a random UUID, which nobody can guess."""
        return self.requested_id or str(uuid.uuid4())


# The ID, seconds, client and text of a running query.
RunningQueryDescription = tuple[str, float, str, str]


class RunningQueries:
    """The running queries. Each is removed when its result is garbage-collected."""

    def __init__(self) -> None:
        """Start with no queries."""
        self.queries: WeakKeyDictionary[QueryResult, RunningQuery] = WeakKeyDictionary()

    def add(self, request: Request, text: str, result: QueryResult) -> None:
        """Add the query of a request."""
        self.add_query(result, text, request_client_address(request), request.headers.get(QUERY_ID_FIELD, ""))

    def add_query(self, result: QueryResult, text: str, client: str, requested_id: str = "") -> None:
        """Add the query of a client."""
        self.queries[result] = RunningQuery(requested_id, text, client, time.monotonic())

    def cancel_all(self) -> None:
        """Cancel all running queries."""
        for result, _ in self.list_current():
            result.close()

    def cancel(self, id_: str) -> bool:
        """Cancel the running queries with an ID. Returns whether there are any."""
        results = [result for result, query in self.list_current() if query.id == id_]
        for result in results:
            result.close()
        return bool(results)

    def describe_current(self) -> list[RunningQueryDescription]:
        """The ID, seconds, client and text of each query that a worker evaluates, the oldest first."""
        return [
            (query.id, count_running_seconds(query), query.client, query.text[:MAX_LISTED_QUERY_CHARS])
            for result, query in self.list_current()
            if not result.is_waiting
        ]

    def list_current(self) -> list[tuple[QueryResult, RunningQuery]]:
        """The running and waiting queries with their results, the oldest first."""
        running = [(result, query) for result, query in self.queries.items() if not result.has_ended]
        return sorted(running, key=lambda pair: pair[1].began)


def request_client_address(request: Request) -> str:
    """The IP address of the client; empty if unknown."""
    return request.client.host if request.client else ""


def check_query_id(request: Request) -> None:
    """Raises Problem 400 if the client chose a query ID that others could guess."""
    query_id = request.headers.get(QUERY_ID_FIELD)
    if query_id is not None and not QUERY_ID_PATTERN.fullmatch(query_id):
        raise Problem(
            400,
            f"{QUERY_ID_FIELD} is not a valid query ID. Send 16 to 100 letters, digits, - and _, as "
            "in a UUID.",
        )


def count_running_seconds(query: RunningQuery) -> float:
    """The seconds since a query started."""
    return round(time.monotonic() - query.began, 3)
