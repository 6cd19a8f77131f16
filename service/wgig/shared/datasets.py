"""The dataset of a query, as the service that holds a shared store is told it."""

import re
from collections.abc import Sequence

from ..readers.wire import Job
from ..sparql import names_dataset
from .client import Parameters
from .reading import Plain
from .sharing import Sharing

BY_GRAPH = re.compile(r"\bGRAPH\b", re.IGNORECASE)


def names_all(job: Job, plain: Plain) -> bool:
    """Whether all graphs are to be named to the service, as it takes no other for named ones.

    They are beside an unnamed graph that is asked for as the default one (Query, section 13.2).
    """
    given = job.dataset
    if given.union or given.default or given.named:
        return False
    return bool(BY_GRAPH.search(plain.text)) and not names_dataset(job.text)


def parameters(job: Job, plain: Plain, sharing: Sharing, graphs: Sequence[str] = ()) -> Parameters:
    """The dataset of a query (SPARQL 1.1 Protocol, section 2.1.4), with all graphs where it names all."""
    given = job.dataset
    if given.default or given.named:
        return over(given.default, given.named, sharing)
    if plain.default or plain.named:
        return over(plain.default, plain.named, sharing)
    if names_dataset(job.text):
        return []
    if given.union:
        return list(sharing.engine.dialect.union.items())
    return over([sharing.ground.unnamed.value], sorted(plain.graphs.union(graphs)), sharing)


def over(default: Sequence[str], named: Sequence[str], sharing: Sharing) -> Parameters:
    """These graphs and no other: where none of a kind is given, a service may take all of them for it."""
    none = [f"{sharing.ledger.graph}/none"] if sharing.engine.dialect.takes_all else []
    return [
        *(("default-graph-uri", one) for one in default or none),
        *(("named-graph-uri", one) for one in named or none),
    ]
