"""For those who run the service: is it alive, does it answer, what does it offer."""

import io
import json

from fastapi import Request, Response

from .answers import answer
from .formats import JSON
from .problems import Problem


def health() -> Response:
    """The process is alive."""
    return Response('{"status": "alive"}', media_type=JSON.media_type, headers={"Cache-Control": "no-store"})


def ready(request: Request) -> Response:
    """The store answers a query. Raises Problem 503."""
    try:
        request.app.state.store.query("ASK {}", "application/sparql-results+json", io.BytesIO())
    except Exception as error:
        raise Problem(
            503, "The store does not answer. Try again soon.", headers={"Retry-After": "5"}
        ) from error
    return Response('{"status": "ready"}', media_type=JSON.media_type, headers={"Cache-Control": "no-store"})


def openapi(request: Request) -> Response:
    """The description of this interface (OpenAPI 3.1)."""
    return answer(request, json.dumps(request.app.openapi(), ensure_ascii=False).encode(), JSON)
