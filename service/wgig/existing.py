"""Whether what a client names is there: nobody gets an empty answer for a slip."""

import pyoxigraph as ox
from fastapi import Request

from .near import unknown
from .query import rows
from .things import known

MOST = 1_000  # things that a name is compared with


async def check_known(request: Request, name: str, iri: str) -> None:
    """Raises Problem 400 where nothing is known about the IRI of a parameter, with one that is near."""
    if known(request.app.state.store, iri):
        return
    folder, _, end = iri.rpartition("/")
    start = f"{folder}/"
    query = (
        "SELECT DISTINCT ?thing WHERE { ?thing a ?type "
        f"FILTER (STRSTARTS(STR(?thing), {ox.Literal(start)})) }} LIMIT {MOST}"
    )
    names = [thing.value.removeprefix(start) for (thing,) in await rows(request, query)]
    raise unknown(f"Nothing is known about <{iri}>, so {name} cannot be", end, names)
