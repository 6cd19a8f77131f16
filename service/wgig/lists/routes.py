"""/papers, /issues and the other lists: chosen, sorted and paged, as JSON, RDF, CSV or a page."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http.bodies import Pairs, get_query_parameters, parameter_values
from ..http.parameters import SERVICE_DESC_LINK, build_service_path
from ..http.responses import NO_STORE_HEADERS
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem, unknown_name_problem
from ..rdf.formats import CSV, HTML, JSON, JSON_LD, TURTLE, Format
from ..rdf.labels import best_text, label_or_words, words_of_iri
from ..resources.alternates import Resource
from ..resources.existence import check_known_iri
from ..resources.profile_negotiation import LANGUAGE_NEUTRAL_HEADERS, parse_format_preferences
from ..resources.profiles import OWN_PROFILE_TOKEN, own_profile
from ..resources.representation import (
    address_with_parameters,
    item_list_markup,
    render_site_page,
    respond_with_resource,
    serialize_graph_body,
)
from ..shacl.rules import section_headings
from ..sparql.dependencies import QueriesDep
from ..sparql.examples import find_examples_by_keyword
from ..sparql.service import MAX_OWN_RESULT_BYTES, QueryService, select_own_rows, select_own_tsv
from .counts import CellKey
from .definitions import LIST_DEFINITIONS
from .dependencies import Counts, CountsDep, PapersDep
from .page import (
    COUNT_DIMENSIONS,
    build_list_view,
    has_explicit_fields,
    list_column_names,
    select_page_fields,
)
from .papers_index import PAPER_FACETS, PapersIndex
from .papers_page import (
    PaperSelection,
    address_without_value,
    build_paper_rows,
    find_papers_labels,
    is_answered_by_index,
    select_papers,
)
from .query import (
    MAX_WHOLE_LIST_ITEMS,
    ListRequest,
    build_field_values_query,
    build_list_query,
    build_matching_iris_query,
    list_filter_iris,
    parse_list_request,
)
from .results import (
    ListPage,
    count_list_pages,
    iter_list_triples,
    list_page_relations,
    parse_list_page,
    serialize_list_csv,
    serialize_list_json,
)

PAPERS_LIST_NAME = "papers"
LIST_COUNT_WAIT_SECONDS = 1  # seconds that somebody waits for a count of papers
LIST_FORMATS = (JSON, JSON_LD, CSV, TURTLE, HTML)


async def get_list(
    context: ContextDep, queries: QueriesDep, counts: CountsDep, papers: PapersDep
) -> Response:
    """A list of things, with filters by their fields, a page at a time; CSV whole where no page is asked for.

    `sort` names fields, a minus before one that falls; `fields` names those that are given; `q` is looked for
    in what things are called, `year` in their dates. A filter that is given several times takes any of them.
    """
    request = context.request
    name = request.scope["path"].removeprefix("/").partition(".")[0]
    base = context.base
    what = parse_list_request(LIST_DEFINITIONS[name], parse_list_parameters(request), base)
    wish = parse_format_preferences(
        context, LIST_FORMATS, request.path_params.get("suffix", ""), {OWN_PROFILE_TOKEN: own_profile(base)}
    )
    await check_filter_values(request, queries, what)
    is_whole = wish.representations[0].format is CSV and not what.is_paged
    what = what.as_single_page() if is_whole else what
    is_page = wish.representations[0].format is HTML
    what = select_page_fields(what) if is_page else what
    is_narrowed = name == PAPERS_LIST_NAME and is_page and not has_explicit_fields(what)
    page = await (
        read_papers_page(request, queries, papers, what)
        if is_narrowed
        else read_list_page(request, queries, what, is_whole=is_whole)
    )
    if is_whole and page.total > MAX_WHOLE_LIST_ITEMS:
        raise list_too_long_problem(page.total)
    if what.page > count_list_pages(what, page):
        last = address_with_parameters(request, what.page_parameters(count_list_pages(what, page)))
        raise Problem(404, f"There is no page {what.page}. The last one is {last}")
    iri = base.rstrip("/") + build_service_path(name, what.page_parameters(what.page))
    number = await find_paper_counts(counts, what) if is_page else None
    write = partial(serialize_list_page, context, what, page, number)
    subject = Resource(
        iri, f"/{name}", lambda: (), write, formats=LIST_FORMATS, pairs=what.page_parameters(what.page)
    )
    turns = [
        f'<{path}>; rel="{rel}"'
        for rel, path in list_page_addresses(request, what, page).items()
        if rel != "self"
    ]
    more = [*reversed(turns), SERVICE_DESC_LINK]
    is_done = not is_page or number is not None or "papers" not in list_column_names(what)
    headers = LANGUAGE_NEUTRAL_HEADERS if is_done else {**LANGUAGE_NEUTRAL_HEADERS, **NO_STORE_HEADERS}
    return await run_in_threadpool(
        respond_with_resource, context, wish, subject, extra_links=more, headers=headers
    )


def parse_list_parameters(request: Request) -> Pairs:
    """The parameters of a request; a field for words that was left empty in a form means nothing."""
    pairs = get_query_parameters(request)
    is_empty = parameter_values(pairs, "q") == [""]
    return [pair for pair in pairs if not (is_empty and pair[0] == "q")]


async def read_list_page(
    request: Request, queries: QueryService, what: ListRequest, *, is_whole: bool
) -> ListPage:
    """A page of a list with all fields. Raises Problem, 503 where it is too much."""
    settings = queries.settings
    most = settings.result_bytes if is_whole else MAX_OWN_RESULT_BYTES
    return await run_in_threadpool(
        parse_list_page, await select_own_tsv(request, queries, build_list_query(what, settings.base), most)
    )


async def read_papers_page(
    request: Request, queries: QueryService, papers: PapersIndex, what: ListRequest
) -> PaperSelection:
    """A page of the papers at hand, with what they can be narrowed by; all else is looked up by a query."""
    base = queries.settings.base
    if is_answered_by_index(what):
        return await papers.query(select_papers, what, base)
    others = {name: terms for name, terms in what.filters.items() if name not in PAPER_FACETS}
    fitting = await select_own_rows(
        request, queries, build_matching_iris_query(replace(what, filters=others, q=None, year=None), base)
    )
    return await papers.query(select_papers, what, base, [one.value for (one,) in fitting])


async def find_paper_counts(counts: Counts, what: ListRequest) -> Mapping[CellKey, int] | None:
    """The papers by what the list has; None where they are being counted, or nobody wants to know."""
    if "papers" not in list_column_names(what):
        return None
    return await counts[COUNT_DIMENSIONS[what.definition.name]].get_counts_within(LIST_COUNT_WAIT_SECONDS)


def list_too_long_problem(total: int) -> Problem:
    """The 413 for a whole list of so many things: a table says nowhere that it is a part."""
    return Problem(
        413,
        f"The list has {total} things, and up to {MAX_WHOLE_LIST_ITEMS} are given as one table. "
        "Ask for page and size, or choose fewer things; whole tables of the main lists are at /tables.",
        total=total,
    )


def list_page_addresses(
    request: Request, what: ListRequest, page: ListPage | PaperSelection
) -> dict[str, str]:
    """The addresses of this page and of those around it by relation, as this one was asked for."""
    return {
        rel: address_with_parameters(request, pairs)
        for rel, pairs in build_page_parameters(what, page).items()
    }


def build_page_parameters(what: ListRequest, page: ListPage | PaperSelection) -> dict[str, Pairs]:
    """The parameters of this page and of those around it, by relation."""
    numbers = {"self": what.page, **list_page_relations(what, page)}
    return {rel: what.page_parameters(number) for rel, number in numbers.items()}


async def check_filter_values(request: Request, queries: QueryService, what: ListRequest) -> None:
    """Raises Problem 400 where things are chosen by a value that nothing has, with one that is near."""
    for field, iri in list_filter_iris(what):
        await check_known_iri(request, queries, field.name, field.type, iri)
    for name, terms in what.filters.items():
        field = what.definition.by_name[name]
        if field.type == "name":
            query = build_field_values_query(what.definition, field, queries.settings.base)
            texts = [value.value for (value,) in await select_own_rows(request, queries, query)]
            for term in terms:
                if term.value not in texts:
                    raise unknown_name_problem(
                        f"Nothing in /{what.definition.name} has as its {name}", term.value, texts
                    )


def serialize_list_page(
    context: RequestContext,
    what: ListRequest,
    page: ListPage | PaperSelection,
    papers: Mapping[CellKey, int] | None,
    format_: Format,
) -> bytes:
    """A page of a list in a format."""
    base = context.base
    if isinstance(page, PaperSelection):
        return render_papers_page(context, what, page)
    if format_ is HTML:
        return render_list_page(context, what, page, papers)
    if format_ is JSON:
        links_ = {
            rel: build_service_path(what.definition.name, pairs, JSON.suffix)
            for rel, pairs in build_page_parameters(what, page).items()
        }
        return serialize_list_json(what, page, base, links_)
    if format_ is CSV:
        return serialize_list_csv(what, page, base)
    return serialize_graph_body(context, iter_list_triples(what, page, base), format_)


def render_papers_page(context: RequestContext, what: ListRequest, page: PaperSelection) -> bytes:
    """A page of the list of papers, with what they can be narrowed by."""
    store, base = context.store, context.base
    labels = find_papers_labels(store, page)
    called = {one.iri: label_or_words(labels, one.iri) for one in page.papers}
    return render_site_page(
        context,
        "papers.html",
        asked=what,
        examples=find_examples_by_keyword(what.definition.name),
        chosen=page,
        lines=build_paper_rows(store, page.papers, base),
        labels=labels,
        headings=section_headings(),
        without=partial(address_without_value, what),
        markup=item_list_markup(context, what.definition.title, called, page.total, first_item_number(what)),
        links=list_page_addresses(context.request, what, page),
        pages=count_list_pages(what, page),
        others=list_other_formats(what),
    )


def first_item_number(what: ListRequest) -> int:
    """The number of the first thing on a page."""
    return (what.page - 1) * what.size + 1


def list_other_formats(what: ListRequest) -> list[tuple[str, str]]:
    """The names of the other formats of a page of a list, and its addresses in them."""
    pairs = what.page_parameters(what.page)
    return [
        (one.title, build_service_path(what.definition.name, pairs, one.suffix))
        for one in LIST_FORMATS
        if one is not HTML
    ]


def render_list_page(
    context: RequestContext, what: ListRequest, page: ListPage, papers: Mapping[CellKey, int] | None
) -> bytes:
    """A page of a list for people."""
    english = {
        iri: best_text(said.get("label", ()), otherwise=words_of_iri(iri))
        for iri, said in page.things.items()
    }
    called = {iri: ox.Literal(text.value) for iri, text in english.items()}
    return render_site_page(
        context,
        "list.html",
        asked=what,
        examples=find_examples_by_keyword(what.definition.name),
        total=page.total,
        sheet=build_list_view(context.store, what, page, context.base, papers),
        markup=item_list_markup(context, what.definition.title, called, page.total, first_item_number(what)),
        links=list_page_addresses(context.request, what, page),
        pages=count_list_pages(what, page),
        others=list_other_formats(what),
    )
