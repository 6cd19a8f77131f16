"""/queries/running: what is being answered now, and how to end it."""

import json
import re
import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

from fastapi import Request, Response

from ..http.auth import authorize_request
from ..http.parameters import check_query_parameters
from ..problems import Problem
from ..rdf.formats import JSON
from .workers.result import QueryResult

QUERY_ID_FIELD = "WGIG-Query-Id"
QUERY_ID_PATTERN = re.compile(r"[\w-]{16,100}", re.ASCII)
MAX_SHOWN_QUERY_CHARS = 2_000  # characters of a query
RUNNING_QUERIES_HEADERS = {"Cache-Control": "no-store"}


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


async def get_running_queries(request: Request) -> Response:
    """How many queries are being answered and for how long; with a token for it, which ones and for whom."""
    check_query_parameters(request)
    found = request.app.state.running.list_current()
    body: dict[str, object] = {"count": len(found)}
    if "authorization" in request.headers:
        authorize_request(request, "admin")
        body["queries"] = [
            {
                "id": one.id,
                "seconds": count_running_seconds(one),
                "client": one.client,
                "query": one.text.rstrip()[:MAX_SHOWN_QUERY_CHARS],
            }
            for _, one in found
        ]
    else:
        body["seconds"] = [count_running_seconds(one) for _, one in found]
    return Response(
        json.dumps(body, ensure_ascii=False), media_type=JSON.media_type, headers=RUNNING_QUERIES_HEADERS
    )


async def delete_running_query(request: Request, id: str) -> Response:  # noqa: A002  as the path names it
    """End a query; who knows its id may. Raises Problem 404."""
    check_query_parameters(request)
    wanted = [result for result, one in request.app.state.running.list_current() if one.id == id]
    if not wanted:
        raise Problem(
            404, "No query with this id is being answered. It may have ended. See /queries/running."
        )
    for one in wanted:
        one.close()
    return Response(status_code=204)


def count_running_seconds(query: RunningQuery) -> float:
    """For how long a query has been running."""
    return round(time.monotonic() - query.began, 3)
