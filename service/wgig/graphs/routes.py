"""Routes that read graphs: the list of graphs, and each graph (Graph Store Protocol, section 5.2).

The TimeMap of a graph is the list of its versions (RFC 7089).
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from typing import Annotated

import pyoxigraph as ox
from fastapi import Depends, Path, Query, Response

from ..http import language
from ..http.bodies import get_query_parameters
from ..http.language import label_languages
from ..http.negotiation import choose_response_format
from ..http.parameters import check_query_parameters, request_base_url
from ..http.responses import respond_with_body, respond_with_json
from ..i18n import gettext_noop
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.rendering import graph_path
from ..problems import Problem, build_sentence
from ..rdf.formats import GRAPH_FORMATS, HTML, JSON, JSON_LD, Format
from ..rdf.namespaces import DESCRIPTION_GRAPH_NAMES, RDF_TYPE, SCHEMA_NAMESPACE, expand_curie
from ..rdf.serialization import UnserializableError, find_used_prefixes, serialize_triples
from ..rdf.sparql_lexer import check_absolute_iri
from ..resources.alternates import Resource, alternate_format_links, data_links
from ..resources.description import statements_about
from ..resources.licenses import shared_license
from ..resources.mappings import resource_markup
from ..resources.parameters import make_profile_operation
from ..resources.profile_negotiation import Preferences, parse_preferences
from ..resources.profiles import DEFAULT_PROFILE_TOKEN
from ..resources.representation import (
    SUFFIXED_PATH_PATTERN,
    render_site_page,
    respond_with_resource,
    serialize_graph_body,
)
from ..resources.signposting import LandingPage, describe_landing_page
from ..sparql.service_description import iter_service_dataset_triples
from ..store import history
from ..store.graph_dates import DCAT_VERSION
from ..store.labels import find_labels
from . import versions
from .dependencies import GraphSizesDep
from .differences import build_differences, parse_changed_lines
from .page import (
    GRAPH_LIST_PARAMETERS,
    find_graphs,
    graph_title,
    parse_graph_choice,
    render_graph_page,
    render_graphs_page,
)
from .parameters import (
    ACCEPT_DATETIME_HEADER,
    GRAPH_RESPONSE_FORMATS,
    GraphParameters,
    GraphsParameters,
    GraphWriteParameters,
)
from .schemas import GraphChanges, GraphList, GraphVersionList
from .versions import diff_graph_versions

MAX_COMPACTED_STATEMENTS = 20_000  # compact JSON-LD takes twenty times as long as expanded
MAX_FILTERED_STATEMENTS = 200_000  # of a graph that is filtered by language
GRAPH_READ_FORMATS = (*GRAPH_FORMATS, HTML)
GRAPH_NAME_PARAMETERS = ("graph", "default")
HISTORY_PARAMETERS = ("version", "versions", "changes")  # at most one may be set
MAX_SHOWN_CHANGE_STATEMENTS = 1000  # on a page of changes: added ones, and as many removed ones
SD_NAMED_GRAPH = expand_curie("sd:NamedGraph")


GraphName = Annotated[
    str,
    Path(description="The name of a graph; a suffix such as `.ttl` selects a format.", examples=["ontology"]),
]


async def parse_graph_name(context: ContextDep, name: GraphName) -> str:
    """The IRI of the graph at /graph/<name>. Raises Problem 400 if it is malformed."""
    return parse_graph_path(context, name)


GRAPH_OPERATION = make_profile_operation(
    GRAPH_RESPONSE_FORMATS,
    GraphVersionList | GraphChanges,
    headers=(ACCEPT_DATETIME_HEADER,),
    early_dependencies=(parse_graph_name,),
)
GRAPHS_OPERATION = replace(GRAPH_OPERATION, json=GRAPH_OPERATION.json | GraphList, early_dependencies=())


def get_graphs(
    context: ContextDep, graph_sizes: GraphSizesDep, parameters: Annotated[GraphsParameters, Query()]
) -> Response:
    """The graph named by `?graph=` or `?default`, or the list of graphs."""
    request = context.request
    names = {key for key, _ in get_query_parameters(request)}
    listed_names = names.intersection(GRAPH_LIST_PARAMETERS)
    if names - listed_names - {"_mediatype"}:
        if listed_names:
            raise Problem(400, f"The parameter {min(listed_names)} is for the list of graphs. Omit it.")
        graph = parse_graph_parameter(context, parameters)
        return respond_with_graph_content(context, parameters, graph, GRAPH_NAME_PARAMETERS)
    settings = context.settings
    store = context.store
    formats = (*GRAPH_FORMATS, HTML, JSON)
    format_ = choose_response_format(request, formats, parameters.media_type)
    links = [*alternate_format_links("/graphs", formats, format_), *data_links()]
    choice = parse_graph_choice(parameters.q, parameters.group, parameters.sort)
    store.flush_descriptions()
    if format_ is HTML:
        page = render_graphs_page(context, graph_sizes.read(), choice)
        return respond_with_body(request, page, HTML, links=links)
    if format_ is JSON:
        graphs = find_graphs(context, graph_sizes.read(), choice)
        return respond_with_json(request, {"graphs": graphs}, links=links)
    if listed_names:
        raise Problem(400, f"The parameter {min(listed_names)} is for the page and for JSON. Omit it.")
    triples = iter_service_dataset_triples(str(request.url.replace(query="")), store, settings.base)
    return respond_with_body(
        request, serialize_triples(triples, format_, settings.base), format_, links=links
    )


def get_graph(
    context: ContextDep,
    name: GraphName,
    graph: Annotated[str, Depends(parse_graph_name)],
    parameters: Annotated[GraphParameters, Query()],
) -> Response:
    """The graph at this address, or else the graph at the address without its format suffix."""
    store, suffixed = context.store, SUFFIXED_PATH_PATTERN.fullmatch(name)
    if suffixed and not store.has_graph(graph):
        unsuffixed_graph = parse_graph_path(context, suffixed["path"])
        if store.has_graph(unsuffixed_graph):
            return respond_with_graph_content(
                context, parameters, unsuffixed_graph, suffix=suffixed["suffix"]
            )
    return respond_with_graph_content(context, parameters, graph)


def respond_with_graph_content(
    context: RequestContext,
    parameters: GraphParameters,
    graph: str | None,
    names: Sequence[str] = (),
    suffix: str = "",
) -> Response:
    """A graph (None: the default graph): its current content, an old version, its TimeMap or changes.

    `names` are the query parameters that may name the graph, `suffix` is the format suffix of the path.
    Raises Problem 404 if the graph does not exist, 400 for parameters that exclude each other.
    """
    request = context.request
    if history_parameter := find_history_parameter(parameters):
        # Old versions have no alternate profiles.
        optional_names = ("about",) if history_parameter == "changes" else ()
        check_query_parameters(request, (*names, history_parameter, *optional_names, "_mediatype"))
        check_graph_existed(context, graph)
        return respond_with_old_content(context, parameters, graph)
    if redirect := versions.redirect_to_memento(context, graph, parameters.media_type):
        check_query_parameters(request, (*names, "_mediatype"))
        return redirect
    preferences = parse_preferences(context, parameters, GRAPH_READ_FORMATS, suffix)
    if parameters.about is not None:
        raise Problem(400, "The parameter about needs changes. Set changes to the name of a version.")
    if not is_existing_graph(context, graph):
        raise missing_graph_problem(graph)
    resource = build_graph_resource(context, graph, preferences)
    links = ['</graphs>; rel="collection"', *versions.timegate_links(context, graph)]
    return respond_with_resource(
        context, preferences, resource, extra_links=links, headers={"Vary": versions.MEMENTO_VARY}
    )


def find_history_parameter(parameters: GraphParameters) -> str:
    """The one of HISTORY_PARAMETERS that is set, or empty. Raises Problem 400 if several are set."""
    names = [name for name in HISTORY_PARAMETERS if getattr(parameters, name) is not None]
    if len(names) > 1:
        raise Problem(400, f"The parameters {' and '.join(names)} exclude each other. Give one of them.")
    return "".join(names)


def respond_with_old_content(
    context: RequestContext, parameters: GraphParameters, graph: str | None
) -> Response:
    """An old version of a graph, its TimeMap, or the changes of a version.

    Raises Problem 404 for an unknown version, 406 for an unsupported format.
    """
    if parameters.version is not None:
        return versions.respond_with_memento(context, graph, parameters.version, parameters.media_type)
    if parameters.changes is not None:
        return respond_with_changes(context, graph, parameters.changes, parameters)
    return versions.respond_with_timemap(context, graph, parameters.media_type)


def is_existing_graph(context: RequestContext, graph: str | None) -> bool:
    """Whether the graph exists now; the history graph exists even before the first write."""
    store = context.store
    graph_history = context.history
    if graph in {f"{context.base}graph/{name}" for name in DESCRIPTION_GRAPH_NAMES}:
        store.flush_descriptions()
    return store.has_graph(graph) or (graph_history is not None and graph == graph_history.graph.value)


def check_graph_existed(context: RequestContext, graph: str | None) -> None:
    """Raise Problem 404 if the graph does not exist and has no old versions."""
    if not is_existing_graph(context, graph) and not history.list_graph_versions(
        context.history, context.store, graph
    ):
        raise missing_graph_problem(graph)


def respond_with_changes(
    context: RequestContext, graph: str | None, version: str, parameters: GraphParameters
) -> Response:
    """The changes of a version of a graph since the previous version.

    Raises Problem 404 for an unknown version, 406 for an unsupported format.
    """
    request = context.request
    store, base = context.store, context.base
    format_ = choose_response_format(request, (JSON, HTML), parameters.media_type)
    diff = diff_graph_versions(context, graph, version, parameters.about)
    if format_ is JSON:
        version_names = {"from": diff.before and diff.before.name, "to": diff.after.name}
        return respond_with_json(request, {**version_names, "removed": diff.removed, "added": diff.added})
    statements = [
        statement
        for lines, is_added in ((diff.removed, False), (diff.added, True))
        for statement in parse_changed_lines(lines[:MAX_SHOWN_CHANGE_STATEMENTS], is_added=is_added)
    ]
    objects = {triple.object.value for triple, _ in statements if isinstance(triple.object, ox.NamedNode)}
    shown_iris = objects.union(filter(None, (graph, parameters.about)))
    labels = find_labels(store, shown_iris, label_languages())
    page = render_site_page(
        context,
        "difference.html",
        title=graph_title(graph, labels),
        path=graph_path(graph, base),
        diff=diff,
        is_released=store.has_statement(ox.NamedNode(graph), DCAT_VERSION, None) if graph else False,
        differences=build_differences(store, statements, base),
        labels=labels,
        about=parameters.about or "",
        max_shown=MAX_SHOWN_CHANGE_STATEMENTS,
    )
    return respond_with_body(request, page, HTML)


def build_graph_resource(context: RequestContext, graph: str | None, preferences: Preferences) -> Resource:
    """The graph as a resource: its content in the default profile, its description in other profiles."""
    base = context.base
    path = graph_path(graph, base)
    iri = graph or base.rstrip("/") + path
    filtered_triples = (
        filter_graph_languages(context, graph, preferences) if preferences.languages.is_explicit else None
    )

    def write(format_: Format) -> bytes:
        if format_ is HTML:
            page = request_base_url(context.request).rstrip("/") + path
            markup = graph and resource_markup(
                iri, page, graph_metadata_triples(context, iri), preferences.languages.ranges, base
            )
            return render_graph_page(
                context, graph, json_ld=markup, language_ranges=preferences.languages.ranges
            )
        if filtered_triples is not None:
            return serialize_graph_body(context, filtered_triples, format_)
        return serialize_graph(context, graph, format_)

    types = frozenset((SD_NAMED_GRAPH.value,)) if graph else None
    license_ = shared_license(context.store, [graph])
    return Resource(
        iri,
        path,
        lambda: graph_metadata_triples(context, iri),
        write,
        types,
        GRAPH_READ_FORMATS,
        uses_suffix=False,
        license=license_,
        landing=partial(describe_graph_page, context, graph) if graph else None,
        content_profile=DEFAULT_PROFILE_TOKEN,
    )


def describe_graph_page(context: RequestContext, graph: str) -> LandingPage:
    """The landing page of a graph, which is a dataset."""
    statements = statements_about(context.store, [graph])
    page = describe_landing_page(graph, statements, context.base)
    return replace(page, types=(f"{SCHEMA_NAMESPACE}Dataset",))


def filter_graph_languages(
    context: RequestContext, graph: str | None, preferences: Preferences
) -> list[ox.Triple]:
    """The triples of a graph, with texts in the requested languages only.

    Raises Problem 406 if no text is in them, 503 for more than MAX_FILTERED_STATEMENTS triples.
    """
    triples = list(islice(context.store.triples(graph), MAX_FILTERED_STATEMENTS + 1))
    if len(triples) > MAX_FILTERED_STATEMENTS:
        raise Problem(
            503,
            f"The graph has more than {MAX_FILTERED_STATEMENTS} statements, too many to filter by language. "
            "Omit lang.",
        )
    return language.keep_requested_languages(triples, preferences.languages)


def graph_metadata_triples(context: RequestContext, iri: str) -> list[ox.Triple]:
    """The statements about a graph (in any graph), and its type sd:NamedGraph."""
    triples = [statement.triple for statement in statements_about(context.store, [iri])]
    return [*triples, ox.Triple(ox.NamedNode(iri), RDF_TYPE, SD_NAMED_GRAPH)]


def serialize_graph(context: RequestContext, graph: str | None, format_: Format) -> bytes:
    """A graph in an RDF format. Raises UnserializableError if the format cannot express it."""
    return (
        serialize_graph_json_ld(context, graph)
        if format_ is JSON_LD
        else serialize_full_graph(context, graph, format_)
    )


def serialize_graph_json_ld(context: RequestContext, graph: str | None) -> bytes:
    """A graph as compact JSON-LD, or as expanded JSON-LD if it is large or cannot be compacted.

    Raises UnserializableError if JSON-LD cannot express it.
    """
    triples = list(islice(context.store.triples(graph), MAX_COMPACTED_STATEMENTS + 1))
    if len(triples) <= MAX_COMPACTED_STATEMENTS:
        with suppress(UnserializableError):
            return serialize_graph_body(context, triples, JSON_LD)
    return serialize_full_graph(context, graph, JSON_LD)


def serialize_full_graph(context: RequestContext, graph: str | None, format_: Format) -> bytes:
    """A graph as serialized by the engine, with prefixes. Raises UnserializableError if that fails."""
    store = context.store
    prefixes = find_used_prefixes(store.triples(graph), context.base)
    return store.serialize_graph(graph, format_.media_type, prefixes)


def parse_graph_parameter(
    context: RequestContext, parameters: GraphsParameters | GraphWriteParameters
) -> str | None:
    """The graph that `?graph=` or `?default` names (None: the default graph).

    Raises Problem 400 unless exactly one of them is set.
    """
    iri = parameters.graph
    if (iri is None) == (parameters.default is None):
        raise Problem(
            400,
            "The list of graphs takes no other parameters. For the content of a graph, name exactly one: "
            "/graphs?graph=<its IRI>, or /graphs?default.",
        )
    return None if iri is None else localize_graph_iri(context, check_absolute_iri(iri, "graph"))


def localize_graph_iri(context: RequestContext, iri: str) -> str:
    """The IRI of a graph; its address on the host of the request is replaced by its IRI below the base."""
    host_prefix = f"{context.request.base_url}graph/"
    return f"{context.base}graph/{iri.removeprefix(host_prefix)}" if iri.startswith(host_prefix) else iri


def parse_graph_path(context: RequestContext, name: str) -> str:
    """The IRI of the graph at the address /graph/<name>. Raises Problem 400 if it is malformed."""
    return check_absolute_iri(f"{context.base}graph/{name}", "The graph")


def missing_graph_problem(graph: str | None) -> Problem:
    """The 404 for a graph that does not exist."""
    detail = [
        build_sentence(gettext_noop("There is no graph <%(iri)s>."), iri=graph),
        build_sentence(gettext_noop("The list of graphs is at /graphs.")),
    ]
    return Problem(404, detail)
