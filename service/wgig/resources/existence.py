"""Whether a resource or graph exists, and listings of resources by kind and IRI path.

A request for an unknown resource gets an error that suggests a similar name, never an empty result. The paths
of IRIs group resources into folders; the change log keeps IRIs sorted, so that a listing needs no scan.
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

MAX_THINGS_AT_ONCE = 1000  # resources in one page of a listing
# The first sorts before any character that an IRI may continue with, the second right after a slash.
LOWEST_IRI_CHARACTER, BEYOND_SLASH_CHARACTER = " ", "0"


class FolderListing(NamedTuple):
    """A page of the resources right below an IRI, by IRI with their labels, sorted by label; and the folders.

    `after` is the name after which the next page begins; empty on the last page.
    """

    things: dict[str, ox.Literal]
    folders: list[str]
    after: str


def count_things_by_kind(log: ChangeLog) -> dict[str, int]:
    """The number of resources of each kind, sorted by the title of the kind."""
    return dict(sorted(count_resources_by_kind(log).items(), key=lambda item: kind_title(item[0])))


def is_folder(log: ChangeLog, iri: str) -> bool:
    """Whether there are resources below an IRI."""
    return bool(find_next_resource(log, f"{iri}/", f"{iri}/"))


def find_near_iri(log: ChangeLog, iri: str) -> str:
    """The IRI of the resource in the same folder with the most similar name; empty where none is similar.

    Only the first MAX_THINGS_AT_ONCE names with the same first letter are compared.
    """
    folder, _, name = iri.rpartition("/")
    prefix = f"{folder}/"
    names = [
        resource.iri.removeprefix(prefix)
        for resource in list_resources_below(log, prefix + name[:1], (), 0, MAX_THINGS_AT_ONCE)
    ]
    near_name = find_near_name(name, [other for other in names if "/" not in other])
    return prefix + near_name if near_name else ""


def list_folder(
    log: ChangeLog, store: Store, iri: str, after: str = "", ranges: tuple[str, ...] = ()
) -> FolderListing:
    """The resources right below an IRI, up to MAX_THINGS_AT_ONCE after a name, and the folders.

    The labels are in the languages of `ranges` where there are such.
    """
    prefix, iris, folders = f"{iri}/", dict[str, None](), list[str]()
    next_iri = find_next_resource(log, prefix, f"{prefix}{after}{LOWEST_IRI_CHARACTER if after else ''}")
    while next_iri and len(iris) < MAX_THINGS_AT_ONCE:
        name, slash, _ = next_iri.removeprefix(prefix).partition("/")
        if not slash:
            iris[next_iri] = None
        elif name != after and prefix + name not in iris:
            folders.append(prefix + name)
        next_iri = find_next_resource(
            log,
            prefix,
            f"{prefix}{name}{BEYOND_SLASH_CHARACTER}" if slash else f"{next_iri}{LOWEST_IRI_CHARACTER}",
        )
    labels = find_labels(store, iris, ranges)
    labels_by_iri = {
        thing_iri: labels.get(thing_iri, ox.Literal(thing_iri.rpartition("/")[2])) for thing_iri in iris
    }
    ordered = dict(sorted(labels_by_iri.items(), key=lambda item: natural_sort_key(item[1].value)))
    return FolderListing(ordered, folders, next(reversed(iris)).removeprefix(prefix) if next_iri else "")


MAX_COMPARED_THINGS = 1_000  # resources whose names are compared with an unknown one
MAX_LISTED_THINGS = 10  # names that an error lists where none is similar
GRAPH_CLASSES = {
    f"{EXTERNAL_NAMESPACES['sd']}NamedGraph",
    f"{EXTERNAL_NAMESPACES['void']}Dataset",
    f"{EXTERNAL_NAMESPACES['dcat']}Dataset",
}


async def parse_known_term(
    request: Request, queries: QueryService, parameter: ExampleParameter, text: str
) -> Any:
    """The term that a parameter value stands for. Raises Problem 400 for a malformed or unknown one."""
    term = parse_parameter_term(parameter.name, parameter.type, text, queries.settings.base)
    if is_resource_type(parameter.type):
        await check_known_iri(request, queries, parameter.name, parameter.type, term.value)
    return term


async def check_known_iri(request: Request, queries: QueryService, name: str, type_: str, iri: str) -> None:
    """Raises Problem 400, with similar names, where no resource of the type has this IRI."""
    store = queries.store
    is_graph = type_ != ANY_RESOURCE and is_only_graph(store, iri)
    if is_known_iri(store, iri) and not is_graph:
        return
    folder, _, local_name = iri.rpartition("/")
    base = queries.settings.base
    prefix = f"{folder}/" if iri.startswith(f"{base}id/") else namespaces_by_prefix(base).get(type_, "")
    reason = f"<{iri}> is a graph" if is_graph else f"Nothing is known about <{iri}>"
    sentence = f"{reason}, so {name} cannot be"
    if not prefix:
        raise Problem(400, f"{sentence} that. Give the IRI of a resource that exists here.")
    query = (
        "SELECT DISTINCT ?thing WHERE { ?thing a ?type "
        f"FILTER (STRSTARTS(STR(?thing), {ox.Literal(prefix)})) }} LIMIT {MAX_COMPARED_THINGS}"
    )
    names = [thing.value.removeprefix(prefix) for (thing,) in await select_own_rows(request, queries, query)]
    raise unknown_name_problem(sentence, local_name, names, MAX_LISTED_THINGS)


def is_only_graph(store: Store, iri: str) -> bool:
    """Whether an IRI names a graph, and nothing else."""
    types = stated_types(iter_type_triples(store, [iri]))
    return bool(types) and types <= GRAPH_CLASSES


def example_parameter_names(example: ExampleQuery) -> tuple[str, ...]:
    """The names of the parameters of an example query."""
    return tuple(parameter.name for parameter in example.parameters)


async def bind_example_query(
    request: Request, queries: QueryService, example: ExampleQuery, pairs: Pairs
) -> str:
    """The text of an example query with the values in the pairs. Raises Problem 400 for unknown resources."""
    values = dict(pairs)
    return bind_query_parameters(
        example.source,
        {
            parameter.name: await parse_known_term(request, queries, parameter, values[parameter.name])
            for parameter in example.parameters
            if parameter.name in values
        },
    )
