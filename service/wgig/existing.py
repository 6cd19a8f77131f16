"""Whether what a client names is there: nobody gets an empty answer for a slip."""

from typing import Any

import pyoxigraph as ox
from fastapi import Request

from .examples import Parameter
from .namespaces import OUTSIDE, namespaces
from .near import unknown
from .problems import Problem
from .query import rows
from .store import Store
from .things import known, types, types_of
from .typed import THING, is_thing, term

MOST = 1_000  # things that a name is compared with
SHOWN = 10  # things that are listed where none is near
OF_GRAPHS = {f"{OUTSIDE['sd']}NamedGraph", f"{OUTSIDE['void']}Dataset", f"{OUTSIDE['dcat']}Dataset"}


async def known_term(request: Request, parameter: Parameter, text: str) -> Any:
    """The term that a text stands for as a parameter of a query. Raises Problem 400 where there is none."""
    found = term(parameter.name, parameter.type, text, request.app.state.settings.base)
    if is_thing(parameter.type):
        await check_known(request, parameter.name, parameter.type, found.value)
    return found


async def check_known(request: Request, name: str, type_: str, iri: str) -> None:
    """Raises Problem 400 where the IRI of a parameter names nothing of its type, with one that is near."""
    store: Store = request.app.state.store
    is_other = type_ != THING and is_graph(store, iri)
    if known(store, iri) and not is_other:
        return
    folder, _, end = iri.rpartition("/")
    base = request.app.state.settings.base
    start = f"{folder}/" if iri.startswith(f"{base}id/") else namespaces(base).get(type_, "")
    why = f"<{iri}> is a graph" if is_other else f"Nothing is known about <{iri}>"
    sentence = f"{why}, so {name} cannot be"
    if not start:
        raise Problem(400, f"{sentence} that. Give the IRI of a thing that is here.")
    query = (
        "SELECT DISTINCT ?thing WHERE { ?thing a ?type "
        f"FILTER (STRSTARTS(STR(?thing), {ox.Literal(start)})) }} LIMIT {MOST}"
    )
    names = [thing.value.removeprefix(start) for (thing,) in await rows(request, query)]
    raise unknown(sentence, end, names, SHOWN)


def is_graph(store: Store, iri: str) -> bool:
    """Whether an IRI names a graph, and nothing else."""
    found = types_of(types(store, [iri]))
    return bool(found) and found <= OF_GRAPHS
