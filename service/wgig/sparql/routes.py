"""Routes of the endpoint: POST /sparql and /queries/running. GET /sparql is in `lists.query_editor`."""

import json
from typing import Annotated

from fastapi import Path, Request, Response

from ..http.auth import authorize_request
from ..http.bodies import FORM_MEDIA_TYPE, SPARQL_QUERY_MEDIA_TYPE
from ..http.dependencies import TokensDep
from ..http.operations import Operation
from ..http.responses import NO_STORE_HEADERS
from ..problems import Problem
from ..rdf.formats import JSON
from ..settings import Settings
from .dependencies import RunningDep, get_queries
from .parameters import QUERY_ANSWER_FORMATS, SparqlParameters
from .request import read_operation_pairs
from .running import count_running_seconds
from .schemas import QueryPlan, RunningQueryList
from .service import answer_query

MAX_FORM_OVERHEAD_BYTES = 64 * 1024  # bytes of a request body in addition to its query
MAX_LISTED_QUERY_LENGTH = 2_000  # characters of a query that are shown


POST_QUERY_OPERATION = Operation(
    formats=QUERY_ANSWER_FORMATS,
    json=QueryPlan,
    bodies=(SPARQL_QUERY_MEDIA_TYPE, FORM_MEDIA_TYPE),
    parameters=SparqlParameters,
    is_self_checked=True,  # without FastAPI
)
RUNNING_OPERATION = Operation(formats=(JSON,), json=RunningQueryList)
RunningQueryId = Annotated[
    str, Path(description="The id of a query, as /queries/running lists it.", examples=["0" * 16])
]


async def post_query(request: Request) -> Response:
    """Run a query sent as a form, or as `application/sparql-query`."""
    queries = await get_queries(request)  # not by Depends, which takes longer than many queries
    max_bytes = max_query_body_bytes(queries.settings)
    pairs = await read_operation_pairs(request, "query", SPARQL_QUERY_MEDIA_TYPE, max_bytes)
    return await answer_query(request, queries, pairs)


def max_query_body_bytes(settings: Settings) -> int:
    """The bytes of the longest query: in a form, each character may be four percent-encoded bytes."""
    return min(settings.body_bytes, 12 * settings.query_length + MAX_FORM_OVERHEAD_BYTES)


async def get_running_queries(request: Request, running: RunningDep, tokens: TokensDep) -> Response:
    """How many queries are being answered and for how long; with a token for it, which ones and for whom."""
    queries = running.list_current()
    body: dict[str, object] = {"count": len(queries)}
    if "authorization" in request.headers:
        authorize_request(request, tokens, "admin")
        body["queries"] = [
            {
                "id": query.id,
                "seconds": count_running_seconds(query),
                "client": query.client,
                "query": query.text[:MAX_LISTED_QUERY_LENGTH],
            }
            for _, query in queries
        ]
    else:
        body["seconds"] = [count_running_seconds(query) for _, query in queries]
    return Response(
        json.dumps(body, ensure_ascii=False), media_type=JSON.media_type, headers=NO_STORE_HEADERS
    )


async def delete_running_query(running: RunningDep, id: RunningQueryId) -> Response:  # noqa: A002  as the path names it
    """End a query; who knows its id may. Raises Problem 404."""
    wanted = [result for result, one in running.list_current() if one.id == id]
    if not wanted:
        raise Problem(
            404, "No query with this id is being answered. It may have ended. See /queries/running."
        )
    for one in wanted:
        one.close()
    return Response(status_code=204)
