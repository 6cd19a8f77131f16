"""The paths that are asked most, answered without the framework, which takes longer than they do."""

from collections.abc import Awaitable, Callable, Mapping

from fastapi import Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from .opening import StoreError
from .problems import Problem
from .refusals import refused

Handler = Callable[[Request], Awaitable[Response]]


class Direct:
    """ASGI middleware: calls the handler of a method and path; all others are the application's."""

    def __init__(self, app: ASGIApp, handlers: Mapping[tuple[str, str], Handler]) -> None:
        """Take the handlers by method and path."""
        self.app, self.handlers = app, handlers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        handler = self.handlers.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if handler is None:
            return await self.app(scope, receive, send)
        request = Request(scope, receive)
        try:
            response = await handler(request)
        except (Problem, StoreError) as error:
            response = refused(request, error)
        return await response(scope, receive, send)
