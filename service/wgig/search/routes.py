"""/search: full-text search over names, definitions and the texts of papers, best first, page by page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pyoxigraph as ox
from fastapi import Request, Response

from ..http.bodies import Pairs
from ..http.parameters import check_query_parameters
from ..http.responses import respond_with_body, serialize_compact_json
from ..pages import rendering
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.names import localized_kind_title
from ..problems import Problem
from ..rdf.formats import ATOM, HTML, JSON, JSON_LD, Format
from ..resources.alternates import Resource
from ..resources.labels import find_labels
from ..resources.profile_negotiation import LANGUAGE_NEUTRAL_HEADERS, parse_format_preferences
from ..resources.profiles import OWN_PROFILE_TOKEN, Profile, own_profile, profiles_by_token
from ..resources.representation import address_with_parameters, named_resource_markup, respond_with_resource
from . import index as search_index
from . import opensearch
from .database import list_distinct_values, read_index_entries, read_index_property
from .dependencies import IndexDep, SearchesDep
from .entries import IndexEntry
from .index import FullTextIndex
from .ranking import MAX_SEARCH_MATCHES, SearchCriteria, SearchMatches, find_search_matches
from .results import SearchResults, build_search_hit, build_search_json, build_search_json_ld
from .tokenizer import parse_search_terms

SEARCH_FORMATS = (JSON, ATOM, HTML)
SEARCH_PARAMETERS = ("q", "lang", "kind", "page", "_mediatype", "_profile")
SCHEMA_ORG_PROFILE = "schema.org"
HITS_PER_PAGE = 20  # things


async def get_search(context: ContextDep, index: IndexDep, searches: SearchesDep) -> Response:
    """Things by words of theirs: names before texts, typing errors mended, what was found marked."""
    return await searches.run(answer_search_request, context, index)


def answer_search_request(context: RequestContext, index: FullTextIndex) -> Response:
    """The page of results that is asked for, or the form. Raises Problem 400, 404, 406 and 503."""
    request = context.request
    given = parse_unique_parameters(request, SEARCH_PARAMETERS)
    there = search_profiles(context.base)
    wish = parse_format_preferences(context, SEARCH_FORMATS, request.path_params.get("suffix", ""), there)
    is_page = wish.representations[0].format is HTML and not wish.wants_listing
    if is_page and not given.get("q", "").strip():
        return respond_with_body(
            request,
            render_search_page(context, None, index),
            HTML,
            links=[opensearch.OPENSEARCH_LINK],
            headers=LANGUAGE_NEUTRAL_HEADERS,
        )
    if "q" not in given:
        raise Problem(
            400, "Nothing is searched for. Give the words as the parameter q, as in /search?q=spam."
        )
    wanted = SearchCriteria(
        parse_search_terms(given["q"]),
        search_index.parse_search_language(index, given.get("lang", "")),
        search_index.parse_search_kind(index, given.get("kind", "")),
    )
    results = build_search_results(
        context, index, given, index.query(find_search_matches, wanted, index.frequent_terms)
    )
    around = [f'<{path}>; rel="{name}"' for name, path in results.page_addresses.items()]
    pairs = search_page_parameters(given, results.page)
    iri = f"{context.base}search?{urlencode(pairs)}"
    write = partial(serialize_search_results, context, index, results, pairs)
    subject = Resource(
        iri, "/search", lambda: (), write, formats=SEARCH_FORMATS, pairs=pairs, written_profiles=there
    )
    return respond_with_resource(
        context,
        wish,
        subject,
        extra_links=[opensearch.OPENSEARCH_LINK, *around],
        headers=LANGUAGE_NEUTRAL_HEADERS,
    )


def search_profiles(base: str) -> dict[str, Profile]:
    """The profiles of results: our own, and schema.org as JSON-LD."""
    linked = profiles_by_token(base)[SCHEMA_ORG_PROFILE]
    return {OWN_PROFILE_TOKEN: own_profile(base), SCHEMA_ORG_PROFILE: replace(linked, formats=(JSON_LD,))}


def parse_unique_parameters(request: Request, allowed: Sequence[str]) -> dict[str, str]:
    """The parameters of a request, each given once; empty ones count as none. Raises Problem 400."""
    return {name: value for name, value in check_query_parameters(request, allowed) if value}


def build_search_results(
    context: RequestContext, index: FullTextIndex, given: dict[str, str], found: SearchMatches
) -> SearchResults:
    """The results on the page that is asked for. Raises Problem 400 and 404 for a page that there is not."""
    number = parse_results_page_number(given.get("page", "1"))
    last = max(1, -(-len(found.rows) // HITS_PER_PAGE))
    if number > last:
        raise Problem(404, f"There is no page {number} of these results. The last one is {last}.")
    rows = found.rows[(number - 1) * HITS_PER_PAGE : number * HITS_PER_PAGE]
    pages = {
        name: search_page_parameters(given, one) for name, one in search_page_relations(number, last).items()
    }
    base = context.base
    names = find_labels(context.store, (row.iri for row in rows if not row.label))
    held = index.query(read_index_entries, rows)
    terms = found.criteria.terms
    return SearchResults(
        given["q"],
        given.get("lang", ""),
        given.get("kind", ""),
        number,
        found,
        [
            build_search_hit(row, held.get(row.id, IndexEntry()), terms, names.get(row.iri), base)
            for row in rows
        ],
        (number - 1) * HITS_PER_PAGE,
        HITS_PER_PAGE,
        {name: urlencode(pairs) for name, pairs in pages.items()},
        {name: address_with_parameters(context.request, pairs) for name, pairs in pages.items()},
    )


def parse_results_page_number(text: str) -> int:
    """The number of a page. Raises Problem 400."""
    if not re.fullmatch(r"[1-9][0-9]{0,8}", text):
        raise Problem(400, f"There is no page {text!r}. Pages are numbered from 1.")
    return int(text)


def search_page_relations(number: int, last: int) -> dict[str, int]:
    """The pages around one, by what they are to it."""
    found = {"first": 1, "prev": number - 1, "next": number + 1, "last": last}
    return {name: one for name, one in found.items() if 1 <= one <= last}


def search_page_parameters(given: dict[str, str], page: int) -> Pairs:
    """The parameters that lead to a page of the same results."""
    same = [(name, value) for name, value in given.items() if name in ("q", "lang", "kind")]
    return [*same, *([("page", str(page))] if page > 1 else [])]


def serialize_search_results(
    context: RequestContext, index: FullTextIndex, results: SearchResults, pairs: Pairs, format_: Format
) -> bytes:
    """The results of these parameters in a format."""
    if format_ is HTML:
        names = {one.iri: ox.Literal(one.label) for one in results.hits}
        return render_search_page(
            context, results, index, build_results_markup(context, results, pairs, names)
        )
    if format_ is ATOM:
        changed = index.query(read_index_property, "changed")
        return opensearch.serialize_search_feed(results, str(context.request.base_url), changed)
    if format_ is JSON_LD:
        names = {one.iri: ox.Literal(one.label, language=one.language or None) for one in results.hits}
        return serialize_compact_json(build_results_markup(context, results, pairs, names))
    return serialize_compact_json(build_search_json(results))


def build_results_markup(
    context: RequestContext, results: SearchResults, pairs: Pairs, names: Mapping[str, ox.Literal]
) -> dict[str, Any]:
    """The results of these parameters as schema.org, with these names of the things by IRI."""
    things = dict(zip(names, named_resource_markup(context, names), strict=True))
    return build_search_json_ld(results, f"{context.request.base_url}search?{urlencode(pairs)}", things)


def render_search_page(
    context: RequestContext, results: SearchResults | None, index: FullTextIndex, markup: object = None
) -> bytes:
    """The page with the form, and with results where something was searched for, and `markup` of them."""
    return rendering.render_template(
        "search.html",
        base=context.base,
        results=results,
        markup=markup,
        most=MAX_SEARCH_MATCHES,
        kinds={one: localized_kind_title(one) for one in index.query(list_distinct_values, "kind")},
        languages=[one for one in index.query(list_distinct_values, "language") if one],
    )
