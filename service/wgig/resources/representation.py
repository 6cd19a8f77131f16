"""Responses with the representation of a resource, graph or list that content negotiation chose.

JSON and JSON-LD refer to the JSON-LD context of the ontology. A request for a profile that does not apply to
the resource gets 406 with a list of those that apply. Links to other pages of a list keep the format and the
other parameters.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from typing import Any
from urllib.parse import quote

import pyoxigraph as ox
from fastapi import Request, Response

from ..http import language
from ..http.bodies import Pairs, get_query_parameters
from ..http.language import (
    LanguagePreferences,
    content_language_field,
    format_lang_parameter,
    keep_best_languages,
    list_statement_languages,
)
from ..http.parameters import add_url_parameters, request_base_url
from ..http.responses import respond_with_body
from ..pages import rendering
from ..pages.dependencies import RequestContext
from ..pages.rendering import PATH_SAFE_CHARACTERS
from ..problems import Problem
from ..rdf import vocabulary
from ..rdf.formats import HTML, JSON, JSON_LD, N_TRIPLES, PLAIN_XML, Format
from ..rdf.json_layout import serialize_json_body
from ..rdf.jsonld import build_jsonld_context, compact_triples, serialize_compact_jsonld
from ..rdf.serialization import check_output_readable, serialize_triples, sort_for_reading
from ..store.node_cache import cache_for_node
from ..store.store import Store
from . import alternates, mappings
from .alternates import ALTR_MODEL_IRI, Resource, representation_links
from .description import iter_type_triples
from .mappings import build_list_items, map_to_profile
from .parameters import NEGOTIATION_PARAMETERS
from .profile_negotiation import (
    NEGOTIATION_VARY,
    Preferences,
    Representation,
    no_format_problem,
    no_profile_problem,
)
from .profiles import DEFAULT_PROFILE_FORMATS


def address_with_parameters(request: Request, pairs: Pairs) -> str:
    """The address of the request with these parameters, its format suffix and negotiation parameters."""
    negotiation_pairs = [
        pair
        for pair in get_query_parameters(request)
        if pair[0] in NEGOTIATION_PARAMETERS and pair[1] and pair not in pairs
    ]
    path = quote(request.scope["path"], safe=PATH_SAFE_CHARACTERS)
    return add_url_parameters(path, [*pairs, *negotiation_pairs])


CONTEXT_PATH = "/context.jsonld"
MAX_MARKUP_RESOURCES = 100  # resources of a list in the markup for search engines
SUFFIXED_PATH_PATTERN = re.compile(
    r"(?P<path>.+)\."
    rf"(?P<suffix>{'|'.join(format_.suffix for format_ in (*DEFAULT_PROFILE_FORMATS, PLAIN_XML))})"
)


def respond_with_resource(  # noqa: PLR0913 - one parameter per part of the response
    context: RequestContext,
    preferences: Preferences,
    resource: Resource,
    *,
    extra_links: Iterable[str] = (),
    find_languages: Callable[[Format], Iterable[str]] = lambda _: (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The preferred representation of a resource, or the list of its representations.

    `extra_links` are added to the Link header. `find_languages` returns the languages of the texts in a
    format of the default profile. Raises Problem 406 if the resource has no acceptable representation.
    """
    base = context.base
    fields = {"Vary": NEGOTIATION_VARY, **(headers or {})}
    if preferences.wants_listing:
        format_ = preferences.representations[0].format
        fields["Content-Profile"] = f"<{ALTR_MODEL_IRI}>"
        body = serialize_representation_list(context, resource, format_)
        return respond_with_body(
            context.request,
            body,
            format_,
            links=representation_links(resource, None, base, extra_links),
            headers=fields,
        )
    representation = choose_representation(preferences, resource, base)
    if resource.writes_profile(representation.profile):
        body = resource.write(representation.format)
        languages = {*find_languages(representation.format)}
        if representation.format is HTML:
            languages.add(language.current_language())
    else:
        triples = compute_profile_triples(context, representation, resource, preferences.languages)
        body, languages = (
            serialize_profile_triples(context, representation, triples, resource.iri),
            {*list_statement_languages(triples)},
        )
    fields["Content-Profile"] = f"<{representation.profile.iri}>"
    # No address identifies a response that depends on Accept-Language.
    if preferences.languages.is_explicit or not preferences.languages.ranges:
        fields["Content-Location"] = add_url_parameters(
            resource.representation_address(representation), format_lang_parameter(preferences.languages)
        )
    fields |= content_language_field(languages)
    return respond_with_body(
        context.request,
        body,
        representation.format,
        links=representation_links(resource, representation, base, extra_links),
        headers=fields,
    )


def choose_representation(preferences: Preferences, resource: Resource, base: str) -> Representation:
    """The first of the preferred representations that the resource has. Raises Problem 406 if it has none."""
    chosen = next(
        (
            representation
            for representation in preferences.representations
            if resource.has_profile(representation.profile)
        ),
        None,
    )
    if chosen:
        return chosen
    raise (
        empty_profile_problem(resource, preferences.representations, base)
        if preferences.names_profiles
        else no_format_problem(resource.representations(base))
    )


def compute_profile_triples(
    context: RequestContext,
    representation: Representation,
    resource: Resource,
    languages: LanguagePreferences,
) -> list[ox.Triple]:
    """The triples of a profile for the resource. Raises Problem 406 if there are none."""
    page = request_base_url(context.request).rstrip("/") + resource.path
    triples = map_to_profile(representation.profile, {resource.iri: page}, resource.triples())
    if not triples:
        raise empty_profile_problem(resource, [representation], context.base)
    return keep_best_languages(triples, languages.ranges) if languages.is_explicit else triples


def empty_profile_problem(
    resource: Resource, representations: Iterable[Representation], base: str
) -> Problem:
    """The 406 for profiles that do not apply to the resource, which lists those that apply."""
    empty_profiles = dict.fromkeys(representation.profile for representation in representations)
    available = dict.fromkeys(representation.profile for representation in resource.representations(base))
    tokens = " or ".join(profile.token for profile in empty_profiles)
    sentence = f"The profile {tokens} has no statements about <{resource.iri}>."
    return no_profile_problem(sentence, [profile for profile in available if profile not in empty_profiles])


def serialize_profile_triples(
    context: RequestContext, representation: Representation, triples: list[ox.Triple], iri: str
) -> bytes:
    """The triples of a profile about `iri` in a format. Raises UnserializableError."""
    serialize = PROFILE_SERIALIZERS.get((representation.profile.token, representation.format))
    if serialize is None:
        return serialize_graph_body(context, triples, representation.format)
    body = serialize(triples, iri)
    check_output_readable(body, representation.format.media_type)
    return body


def serialize_graph_body(
    context: RequestContext, triples: Iterable[ox.Triple], format_: Format, main_iri: str = ""
) -> bytes:
    """Triples in a stable order in an RDF format, or as JSON. Raises UnserializableError.

    Those about `main_iri` are first, except in N-Triples, whose order is that of citations. JSON-LD is
    compact, and JSON refers to the context by path.
    """
    if format_ is JSON_LD:
        return serialize_compact_jsonld(triples, ontology_context(context), main_iri)
    if format_ is JSON:
        triples = sort_for_reading(triples, main_iri)
        return serialize_json_body(compact_triples(triples, ontology_context(context), CONTEXT_PATH))
    return serialize_triples(triples, format_, context.base, "" if format_ is N_TRIPLES else main_iri)


def ontology_context(context: RequestContext) -> dict[str, object]:
    """The JSON-LD context of the ontology in the store."""
    return read_ontology_context(context.store, f"{context.base}graph/ontology", context.base)


@cache_for_node
def read_ontology_context(store: Store, graph: str, base: str) -> dict[str, object]:
    """The JSON-LD context of the ontology in a graph; cached until a write changes the graph."""
    return build_jsonld_context(vocabulary.list_vocabulary_terms(store.triples(graph)), base)


def render_site_page(context: RequestContext, template: str, **values: object) -> bytes:
    """A template rendered as a page, with the path of its entry in the navigation (`here`)."""
    here = "/" + context.request.scope["path"].split("/")[1].partition(".")[0]
    return rendering.render_template(template, base=context.base, here=here, **values)


def item_list_markup(
    context: RequestContext, title: str, labels: Mapping[str, ox.Literal], total: int, first: int = 1
) -> dict[str, Any]:
    """A list as schema.org JSON-LD for search engines: up to MAX_MARKUP_RESOURCES with type, name, page.

    `labels` are by IRI, `first` is the position of the first one among `total` resources.
    """
    return mappings.build_item_list(
        title,
        named_resource_markup(context, dict(islice(labels.items(), MAX_MARKUP_RESOURCES))),
        total,
        first,
    )


def named_resource_markup(context: RequestContext, labels: Mapping[str, ox.Literal]) -> list[dict[str, Any]]:
    """The resources with these labels (by IRI) as schema.org objects with type, name and page."""
    types = iter_type_triples(context.store, labels)
    return build_list_items(labels, types, request_base_url(context.request), context.base)


def serialize_schema_org(triples: list[ox.Triple], iri: str) -> bytes:
    """Triples about `iri` as schema.org JSON-LD."""
    return serialize_json_body(mappings.build_schema_document(triples, iri))


def serialize_representation_list(context: RequestContext, resource: Resource, format_: Format) -> bytes:
    """The list of the representations, in a format."""
    base = context.base
    if format_ is HTML:
        return render_site_page(
            context, "profiles.html", resource=resource, rows=alternates.representation_rows(resource, base)
        )
    if format_ is JSON:
        return serialize_json_body(alternates.build_representations_document(resource, base))
    return serialize_graph_body(context, alternates.representation_triples(resource, base), format_)


# Serializers of profiles with a special form, by token of the profile and format.
PROFILE_SERIALIZERS: dict[tuple[str, Format], Callable[[list[ox.Triple], str], bytes]] = {
    ("oai_dc", PLAIN_XML): mappings.serialize_oai_dc,
    ("schema.org", JSON_LD): serialize_schema_org,
}
