"""/queries/running: what is being answered now, and how to end it."""

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
    """A query that is being answered. `began` is a time of the monotonic clock, in seconds."""

    client_id: str  # the id that the client gave it
    text: str
    client: str
    began: float

    @cached_property
    def id(self) -> str:
        """What it is called, so that nobody guesses it."""
        return self.client_id or str(uuid.uuid4())


class RunningQueries:
    """The queries that are being answered; one is forgotten with its result."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self.queries: WeakKeyDictionary[QueryResult, RunningQuery] = WeakKeyDictionary()

    def add(self, request: Request, text: str, result: QueryResult) -> None:
        """Remember the query of a request as long as its result is not there."""
        given = request.headers.get(QUERY_ID_FIELD, "")
        self.queries[result] = RunningQuery(given, text, request_client_address(request), time.monotonic())

    def end_all(self) -> None:
        """End all queries that are being answered."""
        for result, _ in self.list_current():
            result.close()

    def list_current(self) -> list[tuple[QueryResult, RunningQuery]]:
        """What is being answered, the oldest first."""
        found = [(result, query) for result, query in self.queries.items() if not result.has_ended]
        return sorted(found, key=lambda pair: pair[1].began)


def request_client_address(request: Request) -> str:
    """Who asks, as far as that is known."""
    return request.client.host if request.client else ""


def check_query_id(request: Request) -> None:
    """Raises Problem 400 where the client gives its query an id that others could guess."""
    if not QUERY_ID_PATTERN.fullmatch(request.headers.get(QUERY_ID_FIELD, "x" * 16)):
        raise Problem(
            400,
            f"{QUERY_ID_FIELD} is no id of a query. Send 16 to 100 letters, digits, - and _, such as a UUID.",
        )


def count_running_seconds(query: RunningQuery) -> float:
    """For how long a query has been running."""
    return round(time.monotonic() - query.began, 3)
