"""For those who run the service: is it alive, and does it answer."""

import io

from fastapi import Request, Response

from .formats import JSON, JSON_RESULTS
from .problems import Problem


async def health() -> Response:
    """The process is alive, also while no thread is free."""
    return well("alive")


def ready(request: Request) -> Response:
    """The store answers a query. Raises Problem 503."""
    try:
        request.app.state.store.query("ASK {}", JSON_RESULTS.media_type, io.BytesIO())
    except Exception as error:
        raise Problem(
            503, "The store does not answer. Try again soon.", headers={"Retry-After": "5"}
        ) from error
    return well("ready")


def well(status: str) -> Response:
    """The answer that all is well, true for now only."""
    return Response(
        f'{{"status": "{status}"}}', media_type=JSON.media_type, headers={"Cache-Control": "no-store"}
    )
