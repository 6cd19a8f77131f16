"""Routes of the endpoint: a query in a body, and /queries/running. GET /sparql: `lists.query_editor`."""

import json

from fastapi import Request, Response

from ..http.auth import authorize_request
from ..http.bodies import SPARQL_QUERY_MEDIA_TYPE
from ..http.dependencies import TokensDep
from ..http.parameters import check_query_parameters
from ..http.responses import NO_STORE_HEADERS
from ..problems import Problem
from ..rdf.formats import JSON
from ..settings import Settings
from .dependencies import RunningDep, get_queries
from .request import read_operation_pairs
from .running import count_running_seconds
from .service import answer_query

MAX_FORM_OVERHEAD_BYTES = 64 * 1024  # bytes of a body beside its query
MAX_LISTED_QUERY_LENGTH = 2_000  # characters of a query


async def post_query(request: Request) -> Response:
    """Ask a query by a form, or by its text as `application/sparql-query`."""
    queries = await get_queries(request)  # FastAPI, which solves dependencies, takes longer than many a query
    most = max_query_body_bytes(queries.settings)
    pairs = await read_operation_pairs(request, "query", SPARQL_QUERY_MEDIA_TYPE, most)
    return await answer_query(request, queries, pairs)


def max_query_body_bytes(settings: Settings) -> int:
    """The most bytes that the longest query can take: in a form, each character as four escaped bytes."""
    return min(settings.body_bytes, 12 * settings.query_length + MAX_FORM_OVERHEAD_BYTES)


async def get_running_queries(request: Request, running: RunningDep, tokens: TokensDep) -> Response:
    """How many queries are being answered and for how long; with a token for it, which ones and for whom."""
    check_query_parameters(request)
    found = running.list_current()
    body: dict[str, object] = {"count": len(found)}
    if "authorization" in request.headers:
        authorize_request(request, tokens, "admin")
        body["queries"] = [
            {
                "id": one.id,
                "seconds": count_running_seconds(one),
                "client": one.client,
                "query": one.text[:MAX_LISTED_QUERY_LENGTH],
            }
            for _, one in found
        ]
    else:
        body["seconds"] = [count_running_seconds(one) for _, one in found]
    return Response(
        json.dumps(body, ensure_ascii=False), media_type=JSON.media_type, headers=NO_STORE_HEADERS
    )


async def delete_running_query(request: Request, running: RunningDep, id: str) -> Response:  # noqa: A002  as the path names it
    """End a query; who knows its id may. Raises Problem 404."""
    check_query_parameters(request)
    wanted = [result for result, one in running.list_current() if one.id == id]
    if not wanted:
        raise Problem(
            404, "No query with this id is being answered. It may have ended. See /queries/running."
        )
    for one in wanted:
        one.close()
    return Response(status_code=204)
