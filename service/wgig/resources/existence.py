"""Whether a resource or graph exists, and listings of resources by kind and IRI path.

A request for something unknown gets an error with a suggestion of a similar name, never an empty result. IRIs
group resources into folders as paths do; the change log keeps them in that order, so that no scan is needed.
"""

from typing import Any, NamedTuple

import pyoxigraph as ox
from fastapi import Request

from ..http.bodies import Pairs
from ..pages.names import kind_title
from ..problems import Problem, unknown_name_problem
from ..rdf.namespaces import EXTERNAL_NAMESPACES, namespaces_by_prefix
from ..rdf.values import ANY_RESOURCE, is_resource_type, parse_parameter_term
from ..sparql.examples import ExampleParameter, ExampleQuery, bind_query_parameters
from ..sparql.service import QueryService, select_own_rows
from ..store.changelog.log import ChangeLog
from ..store.changelog.queries import count_resources_by_kind, find_next_resource, list_resources_below
from ..store.store import Store
from ..text import find_near_name, natural_sort_key
from .description import is_known_iri, iter_type_triples, stated_types
from .labels import find_labels

MAX_THINGS_AT_ONCE = 1000  # things at once
# What comes before all that an IRI may go on with, and right behind a slash.
LOWEST_IRI_CHARACTER, BEYOND_SLASH_CHARACTER = " ", "0"


class FolderListing(NamedTuple):
    """What is right below an IRI: some things by IRI with their labels, in their order, and further folders.

    `after` is the name after which the other things stand; empty where these are the last.
    """

    things: dict[str, ox.Literal]
    folders: list[str]
    after: str


def count_things_by_kind(log: ChangeLog) -> dict[str, int]:
    """How many things there are of each kind, ordered by the title of the kind."""
    return dict(sorted(count_resources_by_kind(log).items(), key=lambda item: kind_title(item[0])))


def is_folder(log: ChangeLog, iri: str) -> bool:
    """Whether there is anything below an IRI."""
    return bool(find_next_resource(log, f"{iri}/", f"{iri}/"))


def find_near_iri(log: ChangeLog, iri: str) -> str:
    """The thing whose name is near to that of an IRI, right below the same path; empty where there is none.

    It is looked for among those that begin with the same letter.
    """
    folder, _, name = iri.rpartition("/")
    start = f"{folder}/"
    names = [
        one.iri.removeprefix(start)
        for one in list_resources_below(log, start + name[:1], (), 0, MAX_THINGS_AT_ONCE)
    ]
    meant = find_near_name(name, [one for one in names if "/" not in one])
    return start + meant if meant else ""


def list_folder(
    log: ChangeLog, store: Store, iri: str, after: str = "", ranges: tuple[str, ...] = ()
) -> FolderListing:
    """What is right below an IRI, up to MOST things after a name.

    The labels are in the languages of these ranges, where there are such.
    """
    start, here, folders = f"{iri}/", dict[str, None](), list[str]()
    at = find_next_resource(log, start, f"{start}{after}{LOWEST_IRI_CHARACTER if after else ''}")
    while at and len(here) < MAX_THINGS_AT_ONCE:
        name, slash, _ = at.removeprefix(start).partition("/")
        if not slash:
            here[at] = None
        elif name != after and start + name not in here:
            folders.append(start + name)
        at = find_next_resource(
            log, start, f"{start}{name}{BEYOND_SLASH_CHARACTER}" if slash else f"{at}{LOWEST_IRI_CHARACTER}"
        )
    found = find_labels(store, here, ranges)
    named = {one: found.get(one, ox.Literal(one.rpartition("/")[2])) for one in here}
    ordered = dict(sorted(named.items(), key=lambda item: natural_sort_key(item[1].value)))
    return FolderListing(ordered, folders, next(reversed(here)).removeprefix(start) if at else "")


MAX_COMPARED_THINGS = 1_000  # things that a name is compared with
MAX_LISTED_THINGS = 10  # things that are listed where none is near
GRAPH_CLASSES = {
    f"{EXTERNAL_NAMESPACES['sd']}NamedGraph",
    f"{EXTERNAL_NAMESPACES['void']}Dataset",
    f"{EXTERNAL_NAMESPACES['dcat']}Dataset",
}


async def parse_known_term(
    request: Request, queries: QueryService, parameter: ExampleParameter, text: str
) -> Any:
    """The term that a text stands for as a parameter of a query. Raises Problem 400 where there is none."""
    found = parse_parameter_term(parameter.name, parameter.type, text, queries.settings.base)
    if is_resource_type(parameter.type):
        await check_known_iri(request, queries, parameter.name, parameter.type, found.value)
    return found


async def check_known_iri(request: Request, queries: QueryService, name: str, type_: str, iri: str) -> None:
    """Raises Problem 400 where the IRI of a parameter names nothing of its type, with one that is near."""
    store = queries.store
    is_other = type_ != ANY_RESOURCE and is_only_graph(store, iri)
    if is_known_iri(store, iri) and not is_other:
        return
    folder, _, end = iri.rpartition("/")
    base = queries.settings.base
    start = f"{folder}/" if iri.startswith(f"{base}id/") else namespaces_by_prefix(base).get(type_, "")
    why = f"<{iri}> is a graph" if is_other else f"Nothing is known about <{iri}>"
    sentence = f"{why}, so {name} cannot be"
    if not start:
        raise Problem(400, f"{sentence} that. Give the IRI of a thing that is here.")
    query = (
        "SELECT DISTINCT ?thing WHERE { ?thing a ?type "
        f"FILTER (STRSTARTS(STR(?thing), {ox.Literal(start)})) }} LIMIT {MAX_COMPARED_THINGS}"
    )
    names = [thing.value.removeprefix(start) for (thing,) in await select_own_rows(request, queries, query)]
    raise unknown_name_problem(sentence, end, names, MAX_LISTED_THINGS)


def is_only_graph(store: Store, iri: str) -> bool:
    """Whether an IRI names a graph, and nothing else."""
    found = stated_types(iter_type_triples(store, [iri]))
    return bool(found) and found <= GRAPH_CLASSES


def example_parameter_names(one: ExampleQuery) -> tuple[str, ...]:
    """The names of the parameters of a query."""
    return tuple(parameter.name for parameter in one.parameters)


async def bind_example_query(request: Request, queries: QueryService, one: ExampleQuery, pairs: Pairs) -> str:
    """A query with the values in the pairs. Raises Problem 400 for those that there are not."""
    given = dict(pairs)
    return bind_query_parameters(
        one.source,
        {
            parameter.name: await parse_known_term(request, queries, parameter, given[parameter.name])
            for parameter in one.parameters
            if parameter.name in given
        },
    )
