"""/search: ranked full-text search over names, definitions and the texts of papers."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

import pyoxigraph as ox
from fastapi import Query, Response

from ..http.bodies import Pairs, get_query_parameters
from ..http.language import gettext, label_languages
from ..http.parameter_models import PageNumberText, Text, describe_media_type, describe_parameter
from ..http.responses import respond_with_body, serialize_compact_json
from ..i18n import gettext_noop
from ..pages import rendering
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.names import localized_kind_name, localized_kind_title
from ..problems import Problem, build_sentence
from ..rdf.formats import ATOM, HTML, JSON, JSON_LD, Format
from ..rdf.namespaces import expand_curie
from ..resources.added_papers import find_added_papers
from ..resources.alternates import Resource
from ..resources.parameters import ProfileParameters, make_profile_operation
from ..resources.profile_negotiation import LANGUAGE_NEUTRAL_HEADERS, parse_format_preferences
from ..resources.profiles import (
    DEFAULT_PROFILE_FORMATS,
    DEFAULT_PROFILE_TOKEN,
    Profile,
    default_profile,
    profiles_by_token,
)
from ..resources.representation import address_with_parameters, named_resource_markup, respond_with_resource
from ..store.labels import find_labels
from . import index as search_index
from . import opensearch
from .criteria import SearchCriteria
from .database import list_distinct_values, read_index_entries, read_index_property
from .dependencies import IndexDep, SearchesDep
from .entries import MACHINE_KINDS, VOCABULARY_VALUE_KINDS, IndexEntry, kind_rank
from .index import FullTextIndex
from .ranking import KindCount, SearchMatches, count_matches_by_kind, find_search_matches
from .relaxation import suggest_spelling
from .results import SearchHit, SearchResults, build_search_hit, build_search_json, build_search_json_ld
from .schemas import SearchResultPage
from .terms import parse_search_terms

CATEGORY_PROPERTY = expand_curie("wgig:category")
SEARCH_FORMATS = (JSON, ATOM, HTML)  # of the default profile
SEARCH_RESULT_FORMATS = (JSON, JSON_LD, ATOM, HTML)  # of this profile and of schema.org (JSON-LD)
SCHEMA_ORG_PROFILE = "schema.org"
HITS_PER_PAGE = 20
MINOR_KINDS = {*VOCABULARY_VALUE_KINDS, "citation", "claim", "concept", "membership", "participation"} - {
    "query"
}
EXAMPLE_SEARCHES = (gettext_noop("spam"), gettext_noop("root servers"), gettext_noop('"open source"'))


class SearchParameters(ProfileParameters):
    """Query parameters of /search."""

    media_type: Text = describe_media_type((*SEARCH_RESULT_FORMATS, *DEFAULT_PROFILE_FORMATS))
    q: Text = describe_parameter(
        'Words, a "phrase in quotes", or the start of a word followed by an asterisk (gover*).',
        examples=["spam"],
    )
    lang: Text = describe_parameter("The language of the texts, such as `fr`.", examples=["fr"])
    kind: Text = describe_parameter("The kind of the resources, such as `issue`.", examples=["issue"])
    page: PageNumberText = describe_parameter("The page number, from 1.")


SEARCH_OPERATION = make_profile_operation(SEARCH_RESULT_FORMATS, SearchResultPage, name="searchResources")


async def get_search(
    context: ContextDep,
    index: IndexDep,
    searches: SearchesDep,
    parameters: Annotated[SearchParameters, Query()],
) -> Response:
    """Search for resources by words in their names and texts. Misspelled words are corrected."""
    return await searches.run(answer_search_request, context, index, parameters)


def answer_search_request(
    context: RequestContext, index: FullTextIndex, parameters: SearchParameters
) -> Response:
    """The response with a page of results, or without `q` the page with the form.

    Raises Problem 400 for an invalid parameter, 404 for a page after the last, 406 without an acceptable
    format, and 503 while the index cannot be searched.
    """
    request = context.request
    profiles = search_profiles(context.base)
    suffix = request.path_params.get("suffix", "")
    preferences = parse_format_preferences(context, parameters, SEARCH_FORMATS, suffix, profiles)
    is_page = preferences.representations[0].format is HTML and not preferences.wants_listing
    if is_page and not (parameters.q or "").strip():
        return respond_with_body(
            request,
            render_search_page(context, None, index),
            HTML,
            links=[opensearch.OPENSEARCH_LINK],
            headers=LANGUAGE_NEUTRAL_HEADERS,
        )
    if not parameters.q:
        message = gettext_noop("Enter the words to search for: set the parameter q, as in /search?q=spam.")
        raise Problem(400, [build_sentence(message)])
    criteria = SearchCriteria(
        parse_search_terms(parameters.q),
        search_index.parse_search_language(index, parameters.lang or ""),
        search_index.parse_search_kind(index, parameters.kind or ""),
    )
    query_values = {name: value for name, value in get_query_parameters(request) if value}
    results = build_search_results(
        context, index, query_values, index.query(find_search_matches, criteria, index.frequent_terms)
    )
    page_links = [f'<{path}>; rel="{name}"' for name, path in results.page_addresses.items()]
    pairs = search_page_parameters(query_values, results.page)
    iri = f"{context.base}search?{urlencode(pairs)}"
    serialize = partial(serialize_search_results, context, index, results, pairs)
    resource = Resource(
        iri,
        "/search",
        triples=lambda: (),
        write=serialize,
        formats=SEARCH_FORMATS,
        pairs=pairs,
        written_profiles=profiles,
    )
    return respond_with_resource(
        context,
        preferences,
        resource,
        extra_links=[opensearch.OPENSEARCH_LINK, *page_links],
        headers=LANGUAGE_NEUTRAL_HEADERS,
    )


def search_profiles(base: str) -> dict[str, Profile]:
    """The profiles of results: that of this service, and schema.org as JSON-LD."""
    schema_org = profiles_by_token(base)[SCHEMA_ORG_PROFILE]
    return {
        DEFAULT_PROFILE_TOKEN: default_profile(base),
        SCHEMA_ORG_PROFILE: replace(schema_org, formats=(JSON_LD,)),
    }


def build_search_results(
    context: RequestContext, index: FullTextIndex, parameters: dict[str, str], matches: SearchMatches
) -> SearchResults:
    """The results on the requested page. Raises Problem 400 for no number, 404 for a page after the last."""
    number = parse_results_page_number(parameters.get("page", "1"))
    last_page = max(1, -(-len(matches.rows) // HITS_PER_PAGE))
    if number > last_page:
        raise Problem(404, f"There is no page {number} of these results. The last one is {last_page}.")
    rows = matches.rows[(number - 1) * HITS_PER_PAGE : number * HITS_PER_PAGE]
    pages = {
        name: search_page_parameters(parameters, related_number)
        for name, related_number in search_page_relations(number, last_page).items()
    }
    base = context.base
    labels = find_labels(context.store, (row.iri for row in rows if not row.label))
    entries = index.query(read_index_entries, rows)
    terms = matches.criteria.terms
    return SearchResults(
        parameters["q"],
        parameters.get("lang", ""),
        parameters.get("kind", ""),
        number,
        matches,
        [
            build_search_hit(row, entries.get(row.id, IndexEntry()), terms, labels.get(row.iri), base)
            for row in rows
        ],
        (number - 1) * HITS_PER_PAGE,
        HITS_PER_PAGE,
        {name: urlencode(pairs) for name, pairs in pages.items()},
        {name: address_with_parameters(context.request, pairs) for name, pairs in pages.items()},
    )


def parse_results_page_number(text: str) -> int:
    """The page number in a text. Raises Problem 400 if it is not a number from 1."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise Problem(400, f"There is no page {text!r}. Pages are numbered from 1.")
    return int(text)


def search_page_relations(number: int, last_page: int) -> dict[str, int]:
    """The numbers of related pages that exist, by link relation, such as `next`."""
    numbers = {"first": 1, "prev": number - 1, "next": number + 1, "last": last_page}
    return {
        name: related_number for name, related_number in numbers.items() if 1 <= related_number <= last_page
    }


def search_page_parameters(parameters: dict[str, str], page: int) -> Pairs:
    """The query parameters for a page of the same results."""
    search_parameters = [(name, value) for name, value in parameters.items() if name in ("q", "lang", "kind")]
    return [*search_parameters, *([("page", str(page))] if page > 1 else [])]


def serialize_search_results(
    context: RequestContext, index: FullTextIndex, results: SearchResults, pairs: Pairs, format_: Format
) -> bytes:
    """The results in a format; `pairs` are the query parameters of their URL."""
    if format_ is HTML:
        labels = {hit.iri: ox.Literal(hit.label) for hit in results.hits}
        return render_search_page(
            context,
            results,
            index,
            build_results_markup(context, results, pairs, labels),
            list_kind_links(context, index, results, pairs),
        )
    if format_ is ATOM:
        changed = index.query(read_index_property, "changed")
        return opensearch.serialize_search_feed(results, str(context.request.base_url), changed)
    if format_ is JSON_LD:
        labels = {hit.iri: ox.Literal(hit.label, language=hit.language or None) for hit in results.hits}
        return serialize_compact_json(build_results_markup(context, results, pairs, labels))
    return serialize_compact_json(build_search_json(results))


def build_results_markup(
    context: RequestContext, results: SearchResults, pairs: Pairs, labels: Mapping[str, ox.Literal]
) -> dict[str, Any]:
    """The results as schema.org JSON-LD; `labels` are the labels of the hits by IRI."""
    markup_by_iri = dict(zip(labels, named_resource_markup(context, labels), strict=True))
    address = f"{context.request.base_url}search?{urlencode(pairs)}"
    return build_search_json_ld(results, address, markup_by_iri)


class KindLink(NamedTuple):
    """A link to the results of a kind, with their number; or to the results of all kinds.

    `is_minor` is true for values of vocabularies and other kinds that few people look for.
    """

    title: str
    address: str
    found: KindCount
    is_current: bool
    is_for_machines: bool = False
    is_minor: bool = False


def list_kind_links(
    context: RequestContext, index: FullTextIndex, results: SearchResults, pairs: Pairs
) -> list[KindLink]:
    """A link to all results, and one to those of each kind; `pairs` are the parameters of their URL."""
    counts = index.query(count_matches_by_kind, results.matches)
    other_pairs = [(name, value) for name, value in pairs if name not in ("kind", "page")]
    links = [
        KindLink(
            localized_kind_title(kind),
            address_with_parameters(context.request, [*other_pairs, ("kind", kind)]),
            count,
            kind == results.kind.lower(),
            kind in MACHINE_KINDS,
            kind in MINOR_KINDS,
        )
        for kind, count in sorted(counts.items(), key=lambda item: (kind_rank(item[0]), item[0]))
    ]
    total = KindCount(
        sum(count.resources for count in counts.values()),
        all(count.is_complete for count in counts.values()),
    )
    all_address = address_with_parameters(context.request, other_pairs)
    return [KindLink(gettext("All"), all_address, total, not results.kind), *links]


def find_hit_contexts(context: RequestContext, hits: Iterable[SearchHit]) -> dict[str, ox.Literal]:
    """By IRI of a line of the inventory: the label of its category, as lines can have the same label."""
    categories = {
        hit.iri: quad.object.value
        for hit in hits
        if hit.kind == "paragraph"
        for quad in context.store.match(ox.NamedNode(hit.iri), CATEGORY_PROPERTY)
        if isinstance(quad.object, ox.NamedNode)
    }
    labels = find_labels(context.store, categories.values(), label_languages())
    return {iri: labels[category] for iri, category in categories.items() if category in labels}


def render_search_page(
    context: RequestContext,
    results: SearchResults | None,
    index: FullTextIndex,
    markup: object = None,
    kind_links: Sequence[KindLink] = (),
) -> bytes:
    """The page with the form, and after a search with the results and their JSON-LD `markup`."""
    is_empty = results is not None and not results.total
    return rendering.render_template(
        "search.html",
        base=context.base,
        results=results,
        added_papers=find_added_papers(context.store, (hit.iri for hit in results.hits), context.base)
        if results
        else (),
        markup=markup,
        spelling=index.query(suggest_spelling, results.matches.criteria) if results and is_empty else "",
        kind_links=kind_links,
        kind_name=localized_kind_name,
        contexts=find_hit_contexts(context, results.hits) if results else {},
        example_searches=EXAMPLE_SEARCHES,
        languages=[language for language in index.query(list_distinct_values, "language") if language],
    )
