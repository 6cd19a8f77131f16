"""/queries/running: what is being answered now, and how to end it."""

import json
import re
import time
import uuid
from dataclasses import dataclass
from functools import cached_property
from weakref import WeakKeyDictionary

from fastapi import Request, Response

from ..http.auth import may
from ..http.parameters import only
from ..problems import Problem
from ..rdf.formats import JSON
from .workers.result import Result

FIELD = "WGIG-Query-Id"
NAME = re.compile(r"[\w-]{16,100}", re.ASCII)
SHOWN = 2_000  # characters of a query
NO_STORE = {"Cache-Control": "no-store"}


@dataclass(frozen=True)
class Query:
    """A query that is being answered. `began` is a time of the monotonic clock, in seconds."""

    given: str  # the id that the client gave it
    text: str
    client: str
    began: float

    @cached_property
    def id(self) -> str:
        """What it is called, so that nobody guesses it."""
        return self.given or str(uuid.uuid4())


class Running:
    """The queries that are being answered; one is forgotten with its result."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self.queries: WeakKeyDictionary[Result, Query] = WeakKeyDictionary()

    def add(self, request: Request, text: str, result: Result) -> None:
        """Remember the query of a request as long as its result is not there."""
        given = request.headers.get(FIELD, "")
        self.queries[result] = Query(given, text, client_of(request), time.monotonic())

    def end_all(self) -> None:
        """End all queries that are being answered."""
        for result, _ in self.now():
            result.close()

    def now(self) -> list[tuple[Result, Query]]:
        """What is being answered, the oldest first."""
        found = [(result, query) for result, query in self.queries.items() if not result.ended]
        return sorted(found, key=lambda pair: pair[1].began)


def client_of(request: Request) -> str:
    """Who asks, as far as that is known."""
    return request.client.host if request.client else ""


def check_id(request: Request) -> None:
    """Raises Problem 400 where the client gives its query an id that others could guess."""
    if not NAME.fullmatch(request.headers.get(FIELD, "x" * 16)):
        raise Problem(
            400, f"{FIELD} is no id of a query. Send 16 to 100 letters, digits, - and _, such as a UUID."
        )


async def list_running(request: Request) -> Response:
    """How many queries are being answered and for how long; with a token for it, which ones and for whom."""
    only(request)
    found = request.app.state.running.now()
    body: dict[str, object] = {"count": len(found)}
    if "authorization" in request.headers:
        may(request, "admin")
        body["queries"] = [
            {"id": one.id, "seconds": seconds(one), "client": one.client, "query": one.text.rstrip()[:SHOWN]}
            for _, one in found
        ]
    else:
        body["seconds"] = [seconds(one) for _, one in found]
    return Response(json.dumps(body, ensure_ascii=False), media_type=JSON.media_type, headers=NO_STORE)


async def end(request: Request, id: str) -> Response:  # noqa: A002  as the path names it
    """End a query; who knows its id may. Raises Problem 404."""
    only(request)
    wanted = [result for result, one in request.app.state.running.now() if one.id == id]
    if not wanted:
        raise Problem(
            404, "No query with this id is being answered. It may have ended. See /queries/running."
        )
    for one in wanted:
        one.close()
    return Response(status_code=204)


def seconds(query: Query) -> float:
    """For how long a query has been running."""
    return round(time.monotonic() - query.began, 3)
