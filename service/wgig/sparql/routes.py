"""Routes of the endpoint: POST /sparql and /queries/running. GET /sparql is in `lists.query_editor`."""

import json
from itertools import chain
from operator import itemgetter
from typing import Annotated

from fastapi import Path, Request, Response

from ..http.auth import authorize_request
from ..http.bodies import FORM_MEDIA_TYPE, SPARQL_QUERY_MEDIA_TYPE
from ..http.dependencies import PeersDep, TokensDep
from ..http.operations import Operation
from ..http.responses import NO_STORE_HEADERS
from ..problems import Problem
from ..rdf.formats import JSON
from ..settings import Settings
from .dependencies import RunningDep, get_queries
from .parameters import QUERY_RESPONSE_FORMATS, SparqlParameters
from .request import read_operation_pairs
from .schemas import QueryCheck, QueryPlan, RunningQueryList
from .service import answer_query

MAX_FORM_OVERHEAD_BYTES = 64 * 1024  # of a request body, in addition to its query


POST_QUERY_OPERATION = Operation(
    name="runQuery",
    formats=QUERY_RESPONSE_FORMATS,
    json=QueryPlan | QueryCheck,
    bodies=(SPARQL_QUERY_MEDIA_TYPE, FORM_MEDIA_TYPE),
    form=SparqlParameters,
    parameters=SparqlParameters,
    is_self_checked=True,  # the handler checks the parameters itself, without FastAPI
)
RUNNING_OPERATION = Operation(formats=(JSON,), json=RunningQueryList)
RunningQueryId = Annotated[
    str, Path(description="The ID of a query in the list at /queries/running.", examples=["0" * 16])
]


async def post_query(request: Request) -> Response:
    """Run a query sent as a form, or as `application/sparql-query`."""
    queries = await get_queries(request)  # not by Depends, which takes longer than many queries do
    max_bytes = max_query_body_bytes(queries.settings)
    pairs = await read_operation_pairs(request, "query", SPARQL_QUERY_MEDIA_TYPE, max_bytes)
    return await answer_query(request, queries, pairs)


def max_query_body_bytes(settings: Settings) -> int:
    """The limit for a body: in a form, a character takes up to 12 bytes, four bytes percent-encoded."""
    return min(settings.body_bytes, 12 * settings.query_length + MAX_FORM_OVERHEAD_BYTES)


async def get_running_queries(
    request: Request, running: RunningDep, peers: PeersDep, tokens: TokensDep
) -> Response:
    """The number and durations of the running queries; with an admin token, also texts and clients."""
    queries = [*running.describe_current(), *chain.from_iterable(await peers.call_all("running"))]
    queries.sort(key=itemgetter(1), reverse=True)
    body: dict[str, object] = {"count": len(queries)}
    if "authorization" in request.headers:
        authorize_request(request, tokens, "admin")
        names = ("id", "seconds", "client", "query")
        body["queries"] = [dict(zip(names, query, strict=True)) for query in queries]
    else:
        body["seconds"] = [seconds for _, seconds, _, _ in queries]
    return Response(
        json.dumps(body, ensure_ascii=False), media_type=JSON.media_type, headers=NO_STORE_HEADERS
    )


async def delete_running_query(running: RunningDep, peers: PeersDep, id: RunningQueryId) -> Response:  # noqa: A002  the name in the path
    """Cancel a running query. The ID is the only authorization. Raises Problem 404 for any other ID."""
    if not (running.cancel(id) or any(await peers.call_all("cancel", id))):
        raise Problem(404, "No query with this ID is running. It may have ended. See /queries/running.")
    return Response(status_code=204)
