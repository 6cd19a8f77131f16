"""Whether a resource or graph exists, and lists of the resources in a folder.

A folder is a path of IRIs: `…/id/issue/spam` is in the folder `…/id/issue`. Lists come from the versions of
resources, in which the IRIs of all resources of which something is stated are sorted. A request for an
unknown resource gets an error that suggests a similar name, never an empty result.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

import pyoxigraph as ox
from fastapi import Request
from wgig_client.namespaces import EXTERNAL_NAMESPACES, namespaces_by_prefix

from ..http.bodies import Pairs
from ..pages.names import kind_title
from ..problems import Problem, unknown_name_problem
from ..rdf.values import ANY_RESOURCE, is_resource_type, parse_parameter_term
from ..sparql.examples import ExampleParameter, ExampleQuery, bind_query_parameters
from ..sparql.service import QueryService, select_internal_rows
from ..store.labels import find_labels
from ..store.resource_versions.database import ResourceVersions
from ..store.resource_versions.queries import (
    count_resources_by_kind,
    find_next_resource,
    list_resources_below,
)
from ..store.store import Store
from ..text import find_near_name, natural_sort_key
from .description import is_known_iri, iter_type_triples, stated_types

MAX_FOLDER_RESOURCES = 1000  # resources on a page of the list of a folder
# In a sorted list of IRIs, a space sorts before any IRI character, and "0" is the character after the slash.
LOWEST_IRI_CHARACTER, CHARACTER_AFTER_SLASH = " ", "0"


class FolderListing(NamedTuple):
    """A page of the list of a folder: its resources and the IRIs of its subfolders.

    `resources` has labels by IRI, sorted by label. `after` is the name after which the next page begins,
    empty on the last page.
    """

    resources: dict[str, ox.Literal]
    folders: list[str]
    after: str


def sort_resource_counts(versions: ResourceVersions) -> dict[str, int]:
    """The number of resources of each kind (such as `issue`), sorted by the title of the kind."""
    return dict(sorted(count_resources_by_kind(versions).items(), key=lambda item: kind_title(item[0])))


def is_folder(versions: ResourceVersions, iri: str) -> bool:
    """Whether there are resources below an IRI."""
    return bool(find_next_resource(versions, f"{iri}/", f"{iri}/"))


def find_near_iri(versions: ResourceVersions, iri: str) -> str:
    """The IRI of the resource in the same folder with the most similar name; empty if none is similar.

    Only the first MAX_FOLDER_RESOURCES names with the same first letter are compared; if none is similar,
    also the first names of the folder, as `wp-spam` has the words of `spam`.
    """
    folder, _, name = iri.rpartition("/")
    prefix = f"{folder}/"
    near_name = find_near_name(name, list_folder_names(versions, prefix, name[:1])) or find_name_with_words(
        name, list_folder_names(versions, prefix)
    )
    return prefix + near_name if near_name else ""


def list_folder_names(versions: ResourceVersions, prefix: str, first_letter: str = "") -> list[str]:
    """The first MAX_FOLDER_RESOURCES names of resources in a folder whose IRIs begin with `prefix`."""
    resources = list_resources_below(
        versions, prefix + first_letter, excluded=(), skip=0, limit=MAX_FOLDER_RESOURCES
    )
    names = (resource.iri.removeprefix(prefix) for resource in resources)
    return [name for name in names if "/" not in name]


def find_name_with_words(name: str, names: Iterable[str]) -> str:
    """The shortest name that has all words of another in the same order, or else the longest that is in it.

    Words are separated by hyphens. Empty if there is none.
    """
    wanted = f"-{name.casefold()}-"
    texts = {other: f"-{other.casefold()}-" for other in names}
    longer = [other for other, text in texts.items() if wanted in text]
    shorter = [other for other, text in texts.items() if text in wanted]
    return min(longer, key=len, default="") or max(shorter, key=len, default="")


def list_folder(
    versions: ResourceVersions, store: Store, iri: str, after: str = "", language_ranges: tuple[str, ...] = ()
) -> FolderListing:
    """A page of the folder with this IRI: at most MAX_FOLDER_RESOURCES resources after the name `after`.

    Labels are in the languages of `language_ranges` if there are such labels.
    """
    prefix, iris, folders = f"{iri}/", dict[str, None](), list[str]()
    next_iri = find_next_resource(versions, prefix, f"{prefix}{after}{LOWEST_IRI_CHARACTER if after else ''}")
    while next_iri and len(iris) < MAX_FOLDER_RESOURCES:
        name, slash, _ = next_iri.removeprefix(prefix).partition("/")
        if not slash:
            iris[next_iri] = None
        elif name != after and prefix + name not in iris:  # a resource that has parts is not a folder
            folders.append(prefix + name)
        next_iri = find_next_resource(
            versions,
            prefix,
            f"{prefix}{name}{CHARACTER_AFTER_SLASH}" if slash else f"{next_iri}{LOWEST_IRI_CHARACTER}",
        )
    labels = find_labels(store, iris, language_ranges)
    resources = {
        resource_iri: labels.get(resource_iri, ox.Literal(resource_iri.rpartition("/")[2]))
        for resource_iri in iris
    }
    sorted_resources = dict(sorted(resources.items(), key=lambda item: natural_sort_key(item[1].value)))
    next_after = next(reversed(iris)).removeprefix(prefix) if next_iri else ""
    return FolderListing(sorted_resources, folders, next_after)


MAX_COMPARED_NAMES = 1_000  # names of resources that are compared with an unknown name
MAX_NAMES_IN_ERROR = 10  # names that an error lists if none is similar
GRAPH_CLASSES = {
    f"{EXTERNAL_NAMESPACES['sd']}NamedGraph",
    f"{EXTERNAL_NAMESPACES['void']}Dataset",
    f"{EXTERNAL_NAMESPACES['dcat']}Dataset",
}


async def parse_known_term(
    request: Request, queries: QueryService, parameter: ExampleParameter, text: str
) -> Any:
    """The term in the value of a parameter of an example query.

    Raises Problem 400 if it is malformed, or the IRI of an unknown resource.
    """
    term = parse_parameter_term(parameter.name, parameter.type, text, queries.settings.base)
    if is_resource_type(parameter.type):
        await check_known_iri(request, queries, parameter.name, parameter.type, term.value)
    return term


async def check_known_iri(request: Request, queries: QueryService, name: str, type_: str, iri: str) -> None:
    """Raise Problem 400 if the IRI is unknown or, unless `type_` is ANY_RESOURCE, is that of a graph.

    `name` is the parameter, and `type_` its type. The message suggests similar names.
    """
    store = queries.store
    is_graph = type_ != ANY_RESOURCE and is_only_graph(store, iri)
    if is_known_iri(store, iri) and not is_graph:
        return
    folder, _, local_name = iri.rpartition("/")
    base = queries.settings.base
    prefix = f"{folder}/" if iri.startswith(f"{base}id/") else namespaces_by_prefix(base).get(type_, "")
    reason = f"<{iri}> is a graph" if is_graph else f"There is no resource <{iri}>"
    message_start = f"{reason}, so {name} cannot be"
    if not prefix:
        raise Problem(400, f"{message_start} that. Give the IRI of a resource that exists here.")
    query = (
        "SELECT DISTINCT ?resource WHERE { ?resource a ?type "
        f"FILTER (STRSTARTS(STR(?resource), {ox.Literal(prefix)})) }} LIMIT {MAX_COMPARED_NAMES}"
    )
    rows = await select_internal_rows(request, queries, query)
    names = [resource.value.removeprefix(prefix) for (resource,) in rows]
    raise unknown_name_problem(message_start, local_name, names, MAX_NAMES_IN_ERROR)


def is_only_graph(store: Store, iri: str) -> bool:
    """Whether all classes of an IRI are classes of graphs."""
    types = stated_types(iter_type_triples(store, [iri]))
    return bool(types) and types <= GRAPH_CLASSES


def example_parameter_names(example: ExampleQuery) -> tuple[str, ...]:
    """The names of the parameters of an example query."""
    return tuple(parameter.name for parameter in example.parameters)


async def bind_example_query(
    request: Request, queries: QueryService, example: ExampleQuery, pairs: Pairs
) -> str:
    """The text of an example query with the parameter values filled in.

    Raises Problem 400 for a malformed value or an unknown resource.
    """
    values = dict(pairs)
    return bind_query_parameters(
        example.source,
        {
            parameter.name: await parse_known_term(request, queries, parameter, values[parameter.name])
            for parameter in example.parameters
            if parameter.name in values
        },
    )
