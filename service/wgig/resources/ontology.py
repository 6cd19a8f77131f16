"""Routes of terms and files: /ontology and its versions, /shapes, /context.jsonld, /static.

The ontology and the shapes are graphs with a page, in each format; static files have a digest in their path,
and may be cached for good.
"""

from collections.abc import Callable
from dataclasses import dataclass

import pyoxigraph as ox
from fastapi import Request, Response

from ..http import language as http_language
from ..http.language import current_language
from ..http.parameters import check_query_parameters, request_base_url
from ..http.responses import IMMUTABLE_CACHE_CONTROL, respond_with_body
from ..pages import rendering
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem
from ..rdf import vocabulary
from ..rdf.formats import HTML, JSON_LD, SVG, Format
from ..rdf.namespaces import expand_curie
from ..shacl.rules import rules_by_code, section_headings
from ..store import history
from ..store.history import MAX_LISTED_VERSIONS
from ..store.projections import cache_for_version
from ..store.store import Store
from .alternates import Resource, data_links
from .description import stated_types
from .mappings import resource_markup
from .ontology_page import build_ontology_view as vocabulary_of
from .profile_negotiation import parse_preferences
from .profiles import OWN_PROFILE_FORMATS
from .representation import (
    ontology_context,
    render_site_page,
    respond_with_resource,
    serialize_graph_body,
    serialize_json_body,
)

STATIC_FORMATS = {
    "css": Format("text/css", "css", "CSS"),
    "js": Format("text/javascript", "js", "JavaScript"),
    "svg": SVG,
}
GRAPH_ENTRY_BUILDERS: dict[str, Callable[[list[ox.Triple], str], object]] = {
    "ontology": vocabulary.group_terms_by_kind,
    "shapes": lambda triples, _: vocabulary.list_node_shapes(triples),
}
OWL_VERSION_IRI = expand_curie("owl:versionIRI")


def get_ontology(context: ContextDep) -> Response:
    """Our terms: a page with a place for each, or the graph that declares them."""
    return respond_with_graph_document(context, "ontology")


def get_ontology_version(context: ContextDep, version: str) -> Response:
    """The way from the IRI of the current version to the ontology: 303. Raises Problem 404 for another."""
    check_query_parameters(context.request)
    base = context.base
    said = [
        one.object for one in get_shipped_triples(context, "ontology") if one.predicate == OWL_VERSION_IRI
    ]
    there = [one.value for one in said if isinstance(one, ox.NamedNode)]
    if f"{base}ontology/{version}" not in there:
        raise Problem(
            404,
            f"There is no version {version!r} of the ontology here. There is: {', '.join(there)}. What its "
            "graph held before is listed at /graph/ontology?versions.",
        )
    return Response(status_code=303, headers={"Location": "/ontology", "Vary": "Accept, Accept-Profile"})


def get_shapes(context: ContextDep) -> Response:
    """Our shapes: a page of what they demand, or their graph."""
    return respond_with_graph_document(context, "shapes")


def get_json_ld_context(context: ContextDep) -> Response:
    """The JSON-LD context of the ontology."""
    check_query_parameters(context.request)
    body = serialize_json_body({"@context": ontology_context(context)})
    return respond_with_body(context.request, body, JSON_LD, links=data_links())


def get_static_file(request: Request, name: str) -> Response:
    """A file that pages load; its path holds its digest, so it never changes. Raises Problem 404."""
    check_query_parameters(request)
    body = rendering.read_static_files().get(request.url.path)
    if body is None:
        raise Problem(404, f"There is no file {request.url.path}. Pages link the files that they need.")
    return respond_with_body(
        request,
        body,
        STATIC_FORMATS[name.rpartition(".")[2]],
        headers={"Cache-Control": IMMUTABLE_CACHE_CONTROL},
    )


@dataclass(frozen=True)
class GraphContent:
    """A graph that has a page: its triples, the languages of its texts, and what the page shows of it.

    `header` is what it says of itself, `labels` what its terms are called in the language of the page.
    """

    triples: list[ox.Triple]
    languages: list[str]
    header: list[ox.Triple]
    entries: object
    labels: dict[str, ox.Literal]


def respond_with_graph_document(context: RequestContext, name: str) -> Response:
    """One of the graphs that have a page, `ontology` or `shapes`. Raises Problem 404 while it is empty."""
    asked = parse_preferences(context, OWN_PROFILE_FORMATS, context.request.path_params.get("suffix", ""))
    store = context.store
    base = context.base
    iri = f"{base}{name}"
    triples = get_shipped_triples(context, name)
    if asked.languages.is_explicit:
        found = build_graph_content(
            http_language.keep_requested_languages(triples, asked.languages), name, base, current_language()
        )
    else:
        found = graph_content_at_version(store, store.version, name, base, current_language())

    def write(format_: Format) -> bytes:
        if format_ is not HTML:
            return serialize_graph_body(context, found.triples, format_)
        given: dict[str, object] = {
            "entries": found.entries,
            "labels": found.labels,
            "markup": resource_markup(
                iri, f"{request_base_url(context.request)}{name}", found.header, asked.languages.ranges, base
            ),
            "versions": history.list_graph_versions(context.history, context.store, f"{base}graph/{name}")[
                -MAX_LISTED_VERSIONS:
            ],
        }
        if name == "ontology":
            given["book"] = vocabulary_of(store, store.version, base, current_language())
        return render_site_page(
            context, f"{name}.html", **given, rules=rules_by_code().values(), headings=section_headings()
        )

    subject = Resource(iri, f"/{name}", lambda: found.header, write, stated_types(found.header))
    return respond_with_resource(
        context, asked, subject, more=[f'<{iri}>; rel="about"'], languages=found.languages
    )


@cache_for_version(4)
def graph_triples_at_version(store: Store, version: int, name: str, base: str) -> list[ox.Triple]:
    """One of our graphs as a version of the store has it."""
    del version  # which makes the cache forget
    return list(store.triples(f"{base}graph/{name}"))


@cache_for_version(12)
def graph_content_at_version(store: Store, version: int, name: str, base: str, tongue: str) -> GraphContent:
    """What a page in a language shows of one of our graphs, as a version of the store has it."""
    return build_graph_content(graph_triples_at_version(store, version, name, base), name, base, tongue)


def build_graph_content(triples: list[ox.Triple], name: str, base: str, tongue: str) -> GraphContent:
    """What a page in a language shows of one of our graphs, by its triples."""
    about = ox.NamedNode(f"{base}{name}")
    header = [one for one in triples if one.subject == about]
    entries, labels = GRAPH_ENTRY_BUILDERS[name](triples, tongue), vocabulary.labels_by_node(triples, tongue)
    return GraphContent(triples, http_language.list_statement_languages(triples), header, entries, labels)


def get_shipped_triples(context: RequestContext, name: str) -> list[ox.Triple]:
    """The triples of one of our graphs. Raises Problem 404 while it is empty."""
    store = context.store
    base = context.base
    triples = graph_triples_at_version(store, store.version, name, base)
    if not triples:
        raise Problem(
            404, f"The store holds no graph <{base}graph/{name}>. Load it with: wgig load --shipped {name}"
        )
    return triples
