"""FastAPI dependencies of handlers that read the store.

Every dependency is `async`, because FastAPI runs others on a thread, which takes 175 µs of CPU instead of 38.
"""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from ..settings import Settings
from ..store.history import GraphHistory
from ..store.store import Store


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A request with the settings, the store, and the history of graphs, which is None if it is not kept.

    Most code that reads the store needs all of these, so they are one dependency and one parameter.
    """

    request: Request
    settings: Settings
    store: Store
    history: GraphHistory | None

    @property
    def base(self) -> str:
        """The base IRI of the graph."""
        return self.settings.base


async def get_context(request: Request) -> RequestContext:
    """The context of a request."""
    service = request.app.state.service
    return RequestContext(request, service.settings, service.store, service.history)


def find_store(request: Request) -> Store:
    """The store, outside handlers."""
    store: Store = request.app.state.service.store
    return store


async def get_store(request: Request) -> Store:
    """The store."""
    return find_store(request)


ContextDep = Annotated[RequestContext, Depends(get_context)]
StoreDep = Annotated[Store, Depends(get_store)]
