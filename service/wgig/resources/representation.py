"""The representation of a resource, graph, list, ontology or shape that content negotiation chose.

The one place where they are rendered, by profile and format. Our JSON and JSON-LD name the context of the
ontology. A profile that has nothing for the resource gets 406 with those that have. Links to other pages of a
list keep the format and parameters.
"""

import json
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
from ..rdf.formats import HTML, JSON, JSON_LD, PLAIN_XML, Format
from ..rdf.jsonld import build_jsonld_context, compact_triples, embed_used_context
from ..rdf.serialization import check_output_readable, serialize_triples
from ..store.projections import cache_for_version
from ..store.store import Store
from . import alternates, mappings
from .alternates import ALTR_MODEL_IRI, Resource, representation_links
from .description import iter_type_triples
from .mappings import build_list_items, map_to_profile
from .profile_negotiation import (
    NEGOTIATION_PARAMETERS,
    NEGOTIATION_VARY,
    Preferences,
    Representation,
    no_format_problem,
    no_profile_problem,
)
from .profiles import OWN_PROFILE_FORMATS


def address_with_parameters(request: Request, pairs: Pairs) -> str:
    """The address of the page with these parameters, with what this one was asked for by: suffix and wish."""
    wished = [
        one
        for one in get_query_parameters(request)
        if one[0] in NEGOTIATION_PARAMETERS and one[1] and one not in pairs
    ]
    return add_url_parameters(quote(request.scope["path"], safe=PATH_SAFE_CHARACTERS), [*pairs, *wished])


CONTEXT_PATH = "/context.jsonld"
MAX_MARKUP_THINGS = 100  # things of a list that its page tells search engines
JSON_LINE_SEPARATOR = ",\n    "
SUFFIXED_PATH_PATTERN = re.compile(
    rf"(?P<path>.+)\.(?P<suffix>{'|'.join(one.suffix for one in (*OWN_PROFILE_FORMATS, PLAIN_XML))})"
)


def respond_with_resource(  # noqa: PLR0913 - what a representation consists of
    context: RequestContext,
    wish: Preferences,
    subject: Resource,
    *,
    more: Iterable[str] = (),
    languages: Iterable[str] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The representation of a subject that is wished for, or the list of them.

    `more` are further links, `languages` those of the texts in our own profile. Raises Problem 406.
    """
    base = context.base
    fields = {"Vary": NEGOTIATION_VARY, **(headers or {})}
    if wish.wants_listing:
        format_ = wish.representations[0].format
        fields["Content-Profile"] = f"<{ALTR_MODEL_IRI}>"
        body = serialize_representation_list(context, subject, format_)
        return respond_with_body(
            context.request,
            body,
            format_,
            links=representation_links(subject, None, base, more),
            headers=fields,
        )
    choice = choose_representation(wish, subject, base)
    if subject.writes_profile(choice.profile):
        body = subject.write(choice.format)
        languages = [*languages, language.current_language()] if choice.format is HTML else languages
    else:
        triples = compute_profile_triples(context, choice, subject, wish.languages)
        body, languages = (
            serialize_profile_triples(context, choice, triples, subject.iri),
            list_statement_languages(triples),
        )
    fields["Content-Profile"] = f"<{choice.profile.iri}>"
    # What Accept-Language moves has no address of its own.
    if wish.languages.is_explicit or not wish.languages.ranges:
        fields["Content-Location"] = add_url_parameters(
            subject.representation_address(choice), format_lang_parameter(wish.languages)
        )
    fields |= content_language_field(languages)
    return respond_with_body(
        context.request,
        body,
        choice.format,
        links=representation_links(subject, choice, base, more),
        headers=fields,
    )


def choose_representation(wish: Preferences, subject: Resource, base: str) -> Representation:
    """The first representation wished for that the subject has. Raises Problem 406 with those that it has."""
    found = next((one for one in wish.representations if subject.has_profile(one.profile)), None)
    if found:
        return found
    raise (
        empty_profile_problem(subject, wish.representations, base)
        if wish.by_profile
        else no_format_problem(subject.representations(base))
    )


def compute_profile_triples(
    context: RequestContext, choice: Representation, subject: Resource, languages: LanguagePreferences
) -> list[ox.Triple]:
    """What a profile says of the subject. Raises Problem 406 where that is nothing."""
    page = request_base_url(context.request).rstrip("/") + subject.path
    triples = map_to_profile(choice.profile, {subject.iri: page}, subject.triples())
    if not triples:
        raise empty_profile_problem(subject, [choice], context.base)
    return keep_best_languages(triples, languages.ranges) if languages.is_explicit else triples


def empty_profile_problem(subject: Resource, asked: Iterable[Representation], base: str) -> Problem:
    """The 406 for profiles that have nothing for the subject, with those that have."""
    missed = dict.fromkeys(one.profile for one in asked)
    there = dict.fromkeys(one.profile for one in subject.representations(base))
    tokens = " or ".join(one.token for one in missed)
    sentence = f"There is nothing to say of <{subject.iri}> by the profile {tokens}."
    return no_profile_problem(sentence, [one for one in there if one not in missed])


def serialize_profile_triples(
    context: RequestContext, choice: Representation, triples: list[ox.Triple], iri: str
) -> bytes:
    """What a profile says of the thing `iri`, in a format. Raises UnserializableError."""
    writer = PROFILE_SERIALIZERS.get((choice.profile.token, choice.format))
    if writer is None:
        return serialize_graph_body(context, triples, choice.format)
    body = writer(triples, iri)
    check_output_readable(body, choice.format.media_type)
    return body


def serialize_graph_body(context: RequestContext, triples: Iterable[ox.Triple], format_: Format) -> bytes:
    """Triples in an RDF format, JSON-LD being compact; or as JSON, which names our context.

    Raises UnserializableError.
    """
    if format_ in (JSON, JSON_LD):
        terms = ontology_context(context)
        document = compact_triples(dict.fromkeys(triples), terms, CONTEXT_PATH)
        return serialize_json_body(document if format_ is JSON else embed_used_context(document, terms))
    return serialize_triples(triples, format_, context.base)


def ontology_context(context: RequestContext) -> dict[str, object]:
    """The JSON-LD context of the ontology as it stands in the store."""
    store = context.store
    return ontology_context_at_version(store, store.version, context.base)


@cache_for_version(4)
def ontology_context_at_version(store: Store, version: int, base: str) -> dict[str, object]:
    """The JSON-LD context of the ontology in a version of the store."""
    del version  # which makes the cache forget
    return build_jsonld_context(
        vocabulary.list_vocabulary_terms(store.triples(f"{base}graph/ontology")), base
    )


def serialize_json_body(document: Mapping[str, object]) -> bytes:
    """JSON that people can read: a line for each member, and for each item or member of what stands there.

    To break and indent all lines takes four times as long.
    """
    members = ",\n".join(
        f"  {serialize_json_line(name)}: {serialize_json_member(value)}" for name, value in document.items()
    )
    return f"{{\n{members}\n}}\n".encode()


def serialize_json_member(value: object) -> str:
    """A value as JSON, each item of a list and each member of an object in a line of its own."""
    if isinstance(value, list) and value:
        return f"[\n    {JSON_LINE_SEPARATOR.join(map(serialize_json_line, value))}\n  ]"
    if isinstance(value, dict) and value:
        members = (f"{serialize_json_line(name)}: {serialize_json_line(one)}" for name, one in value.items())
        return f"{{\n    {JSON_LINE_SEPARATOR.join(members)}\n  }}"
    return serialize_json_line(value)


def serialize_json_line(value: object) -> str:
    """A value as JSON in one line."""
    return json.dumps(value, ensure_ascii=False)


def render_site_page(context: RequestContext, template: str, **values: object) -> bytes:
    """A page of this service, which knows where it is: the main page that its path begins with."""
    here = "/" + context.request.scope["path"].split("/")[1].partition(".")[0]
    return rendering.render_template(template, base=context.base, here=here, **values)


def item_list_markup(
    context: RequestContext, title: str, names: Mapping[str, ox.Literal], total: int, first: int = 1
) -> dict[str, Any]:
    """What the page of a list tells search engines: the first of its things with kinds, names and pages."""
    return mappings.build_item_list(
        title, named_resource_markup(context, dict(islice(names.items(), MAX_MARKUP_THINGS))), total, first
    )


def named_resource_markup(context: RequestContext, names: Mapping[str, ox.Literal]) -> list[dict[str, Any]]:
    """Things with these names by their IRI, as objects of schema.org with their kinds and pages."""
    kinds = iter_type_triples(context.store, names)
    return build_list_items(names, kinds, request_base_url(context.request), context.base)


def serialize_schema_org(triples: list[ox.Triple], iri: str) -> bytes:
    """schema.org as JSON-LD."""
    return serialize_json_body(mappings.build_schema_document(triples, iri))


def serialize_representation_list(context: RequestContext, subject: Resource, format_: Format) -> bytes:
    """The list of the representations, in a format."""
    base = context.base
    if format_ is HTML:
        return render_site_page(
            context, "profiles.html", subject=subject, rows=alternates.representation_rows(subject, base)
        )
    if format_ is JSON:
        return serialize_json_body(alternates.build_representations_document(subject, base))
    return serialize_graph_body(context, alternates.representation_triples(subject, base), format_)


# What a profile writes in a way of its own, by its token and the format.
PROFILE_SERIALIZERS: dict[tuple[str, Format], Callable[[list[ox.Triple], str], bytes]] = {
    ("oai_dc", PLAIN_XML): mappings.serialize_oai_dc,
    ("schema.org", JSON_LD): serialize_schema_org,
}
