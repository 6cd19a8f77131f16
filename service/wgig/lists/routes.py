"""Routes of /papers, /issues and the other lists: filtered, sorted and paged, as JSON, RDF, CSV or HTML."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import pyoxigraph as ox
from fastapi import Query, Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http.bodies import Pairs, get_query_parameters, parameter_values
from ..http.language import current_language
from ..http.operations import Route
from ..http.parameters import SERVICE_DESC_LINK, build_service_path
from ..http.responses import NO_STORE_HEADERS
from ..i18n import gettext_noop
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem, build_sentence, unknown_name_problem
from ..rdf.formats import CSV, HTML, JSON, Format
from ..rdf.labels import best_text, label_or_words, words_of_iri
from ..resources.alternates import Resource
from ..resources.existence import check_known_iri
from ..resources.parameters import make_profile_operation
from ..resources.profile_negotiation import LANGUAGE_NEUTRAL_HEADERS, parse_format_preferences
from ..resources.profiles import DEFAULT_PROFILE_TOKEN, default_profile
from ..resources.representation import (
    address_with_parameters,
    item_list_markup,
    render_site_page,
    respond_with_resource,
    serialize_graph_body,
)
from ..resources.text_links import find_text_pages
from ..shacl.rules import section_headings
from ..sparql.dependencies import QueriesDep
from ..sparql.examples import find_examples_by_keyword
from ..sparql.parameters import build_model_name
from ..sparql.service import (
    MAX_INTERNAL_RESULT_BYTES,
    QueryService,
    select_internal_rows,
    select_internal_tsv,
)
from ..store.view import is_writable_iri
from .count_fields import add_selecting_counts, read_counts, read_counts_within
from .dependencies import CountSources, CountSourcesDep, ListIndexDep
from .facets import (
    Facet,
    Tallies,
    build_facet_table,
    build_faceted_ids_query,
    build_facets,
    build_facets_query,
    build_tallied_facets,
    has_few_items,
    list_facet_fields,
    list_facet_iris,
)
from .fields import COUNT_TYPE, ListDefinition, ListField
from .filters import filter_terms, filtered_resources
from .list_index import ListIndex
from .list_selection import ListSelection, list_known_texts, select_list_items
from .page import (
    PAPER_SORT_FIELDS,
    PART_LISTS,
    arrange_part_facets,
    build_list_view,
    build_sort_link,
    find_field_titles,
    find_value_labels,
    has_explicit_fields,
    iter_list_conditions,
    list_column_names,
    select_page_fields,
)
from .papers_page import (
    PAPER_ROW_FIELDS,
    build_paper_facets,
    build_paper_rows,
    count_series,
    find_papers_labels,
)
from .parameters import LIST_FORMATS, ListParameters, build_list_model
from .query import (
    MAX_WHOLE_LIST_ITEMS,
    CountsByField,
    ListRequest,
    add_query_prefixes,
    build_field_values_query,
    build_items_query,
    build_list_query,
    parse_list_request,
)
from .results import (
    ListPage,
    add_counts,
    count_list_pages,
    iter_list_triples,
    list_page_relations,
    parse_list_page,
    serialize_list_csv,
    serialize_list_json,
)
from .schemas import build_list_page_model

PAPERS_LIST_NAME = "papers"
LIST_COUNT_WAIT_SECONDS = 1  # time that a request waits for the counts of papers
LIST_INDEX_WAIT_SECONDS = 2  # time that a request waits for the index, before a query answers instead
LIST_DESCRIPTION = (
    "A resource must match all filters. If a filter is repeated, it must match one of the values. Identify a "
    "resource by the local name of its IRI, by its prefixed name, or by its IRI. A text matches if it "
    "contains the value, and a date if it begins with it. Numbers and dates can be ranges, such as `2..5`, "
    "`2..` or `..2005-02`, with both ends included. `none` matches resources without a value. Fields without "
    "a value are omitted. Counts, such as `papers`, are only returned if `fields` names them."
)


@dataclass(frozen=True)
class ListDependencies:
    """The dependencies of a list handler."""

    context: RequestContext
    queries: QueryService
    counts: CountSources
    index: ListIndex


@dataclass(frozen=True)
class ListResult:
    """A page of a list, its counts, for HTML the facets of the list, and whether all are counted."""

    page: ListPage | ListSelection
    counts: CountsByField
    facets: Sequence[Facet] = ()
    is_complete: bool = True


ListResponder = Callable[[ListDefinition, ListDependencies, ListParameters], Awaitable[Response]]


def make_list_handler(
    definition: ListDefinition, respond: ListResponder | None
) -> Callable[..., Awaitable[Response]]:
    """The FastAPI handler of a list, which calls `respond`, or by default `respond_with_list`.

    FastAPI parses only the parameters that all lists have, as it takes 3 µs for each parameter;
    `parse_list_request` parses the filters.
    """

    async def get_list(
        context: ContextDep,
        queries: QueriesDep,
        counts: CountSourcesDep,
        index: ListIndexDep,
        parameters: Annotated[ListParameters, Query()],
    ) -> Response:
        dependencies = ListDependencies(context, queries, counts, index)
        return await (respond or respond_with_list)(definition, dependencies, parameters)

    return get_list


def make_list_routes(definition: ListDefinition, respond: ListResponder | None = None) -> list[Route]:
    """The routes of a list: one with content negotiation, and one with the format as a suffix of the path."""
    handler = make_list_handler(definition, respond)
    operation = make_profile_operation(
        LIST_FORMATS,
        build_list_page_model(definition),
        name=f"get{build_model_name(definition.name)}",
        parameters=build_list_model(definition),
        summary=definition.description,
        description=LIST_DESCRIPTION,
    )
    paths = (f"/{definition.name}", f"/{definition.name}.{{suffix}}")
    return [Route(path, ("GET", "HEAD"), handler, operation) for path in paths]


async def respond_with_list(
    definition: ListDefinition, dependencies: ListDependencies, parameters: ListParameters
) -> Response:
    """A page of a list of resources with filters by field; CSV is the whole list without `page` and `size`.

    `sort` names fields, with a minus for descending order; `fields` selects fields; `q` searches names,
    `year` dates. A repeated filter matches any of its values.
    """
    context = dependencies.context
    request, name, base = context.request, definition.name, context.base
    list_request = parse_list_request(definition, parse_list_parameters(request), base)
    suffix, profiles = request.path_params.get("suffix", ""), {DEFAULT_PROFILE_TOKEN: default_profile(base)}
    preferences = parse_format_preferences(context, parameters, LIST_FORMATS, suffix, profiles)
    await check_filter_values(dependencies, list_request)
    list_request = await add_selecting_counts(dependencies.counts, list_request)
    format_ = preferences.representations[0].format
    is_whole, is_html = format_ is CSV and not list_request.is_paged, format_ is HTML
    list_request = list_request.as_single_page() if is_whole else list_request
    list_request = select_page_fields(list_request) if is_html else list_request
    read_result = read_list_result if is_html else read_data_result
    result = await read_result(dependencies, list_request)
    page = result.page
    if list_request.page > count_list_pages(list_request, page):
        last_page = count_list_pages(list_request, page)
        detail = [
            build_sentence(gettext_noop("There is no page %(number)s."), number=list_request.page),
            build_sentence(gettext_noop("The last one is page %(number)s."), number=last_page),
        ]
        last_address = address_with_parameters(request, list_request.page_parameters(last_page))
        raise Problem(404, detail, last=last_address)
    iri = base.rstrip("/") + build_service_path(name, list_request.page_parameters(list_request.page))
    resource = Resource(
        iri,
        f"/{name}",
        triples=lambda: (),  # not used, as `write` also serializes the RDF formats
        write=partial(serialize_list_page, context, list_request, result),
        formats=LIST_FORMATS,
        pairs=list_request.page_parameters(list_request.page),
    )
    page_links = [
        f'<{path}>; rel="{rel}"'
        for rel, path in list_page_addresses(request, list_request, page).items()
        if rel != "self"
    ]
    links = [*reversed(page_links), SERVICE_DESC_LINK]
    headers = LANGUAGE_NEUTRAL_HEADERS if result.is_complete else LANGUAGE_NEUTRAL_HEADERS | NO_STORE_HEADERS
    return await run_in_threadpool(
        respond_with_resource, context, preferences, resource, extra_links=links, headers=headers
    )


async def read_data_result(dependencies: ListDependencies, list_request: ListRequest) -> ListResult:
    """The result for a format other than HTML. Raises Problem 413 for a whole list with too many items."""
    is_whole = list_request.size == MAX_WHOLE_LIST_ITEMS
    selection = await select_indexed(dependencies, list_request)
    page = await read_list_page(dependencies, list_request, selection, is_whole=is_whole)
    if is_whole and page.total > MAX_WHOLE_LIST_ITEMS:
        raise list_too_long_problem(page.total)
    count_fields = [field for field in list_request.fields if field.type == COUNT_TYPE]
    return ListResult(page, await read_counts(dependencies.counts, list_request.definition, count_fields))


async def read_list_result(dependencies: ListDependencies, list_request: ListRequest) -> ListResult:
    """The result for a page, with facets unless the request has the parameter `fields`.

    It is incomplete if the numbers of its columns or facets are still being counted; then it must not be
    cached.
    """
    context, queries, definition = dependencies.context, dependencies.queries, list_request.definition
    has_facets = not has_explicit_fields(list_request)
    if has_facets and definition.name == PAPERS_LIST_NAME:
        papers = await dependencies.index.query(
            select_list_items, list_request, context.base, PAPER_ROW_FIELDS, has_facets=True
        )
        return ListResult(papers, {})
    selection = await select_indexed(dependencies, list_request, has_facets=has_facets)
    page = await read_list_page(dependencies, list_request, selection)
    if selection:
        facets = await run_in_threadpool(build_indexed_facets, context, list_request, selection.tallies)
        return ListResult(page, {}, facets)
    facet_fields = list_facet_fields(list_request) if has_facets else []
    columns = [definition.by_name[name] for name in list_column_names(list_request)]
    count_fields = [field for field in dict.fromkeys([*columns, *facet_fields]) if field.type == COUNT_TYPE]
    counts = await read_counts_within(dependencies.counts, definition, count_fields, LIST_COUNT_WAIT_SECONDS)
    is_short = facet_fields and await is_faceted(context, queries, list_request, page.total)
    facets = await read_facets(context, queries, list_request, counts) if is_short else []
    is_complete = len(counts) == len(count_fields) and not definition.is_indexed
    return ListResult(page, counts, facets, is_complete)


def parse_list_parameters(request: Request) -> Pairs:
    """The parameters of a request, without an empty `q`, which a form sends for an empty field."""
    pairs = get_query_parameters(request)
    has_empty_query = parameter_values(pairs, "q") == [""]
    return [pair for pair in pairs if not (has_empty_query and pair[0] == "q")]


async def read_list_page(
    dependencies: ListDependencies,
    list_request: ListRequest,
    selection: ListSelection | None,
    *,
    is_whole: bool = False,
) -> ListPage:
    """A page of a list with the requested fields. Raises the Problems of `select_internal_tsv`.

    The index selects the items of the lists that it has, as sorting all of them in a query takes seconds.
    """
    request, queries = dependencies.context.request, dependencies.queries
    settings = queries.settings
    max_bytes = settings.result_bytes if is_whole else MAX_INTERNAL_RESULT_BYTES
    iris = [item.iri for item in selection.items] if selection else []
    if selection and all(map(is_writable_iri, iris)):
        query = build_items_query(list_request, selection.total, iris, settings.base)
    else:
        query = build_list_query(list_request, settings.base)
    return await run_in_threadpool(
        parse_list_page, await select_internal_tsv(request, queries, query, max_bytes)
    )


async def select_indexed(
    dependencies: ListDependencies, list_request: ListRequest, *, has_facets: bool = False
) -> ListSelection | None:
    """What the index selects for a request; None if the list is not in the index, or that is being built."""
    if not list_request.definition.is_indexed:
        return None
    return await dependencies.index.query_within(
        LIST_INDEX_WAIT_SECONDS,
        select_list_items,
        list_request,
        dependencies.context.base,
        has_facets=has_facets,
    )


async def is_faceted(
    context: RequestContext, queries: QueryService, list_request: ListRequest, total: int
) -> bool:
    """Whether a list has few enough items for facets, also without the filters by facets.

    `total` is the number of its items with all filters.
    """
    if not (has_few_items(total) and list_request.filters):
        return has_few_items(total)
    query = add_query_prefixes(build_faceted_ids_query(list_request), context.base)
    return has_few_items(len(await select_internal_rows(context.request, queries, query)))


async def read_facets(
    context: RequestContext, queries: QueryService, list_request: ListRequest, counts: CountsByField
) -> list[Facet]:
    """The facets of a list."""
    base = context.base
    rows = await select_internal_rows(context.request, queries, build_facets_query(list_request, base))
    table = build_facet_table(list_request, rows, counts, base)
    facets = await run_in_threadpool(
        build_facets,
        list_request,
        table,
        counts,
        partial(find_value_labels, context.store, list_request, base=base),
        base,
    )
    return arrange_part_facets(list_request, facets) if list_request.definition.name in PART_LISTS else facets


def build_indexed_facets(context: RequestContext, list_request: ListRequest, tallies: Tallies) -> list[Facet]:
    """The facets of a list from the index."""
    iris = list_facet_iris(list_request, tallies)
    labels = find_value_labels(context.store, list_request, iris, context.base)
    return build_tallied_facets(list_request, tallies, labels, context.base)


def list_too_long_problem(total: int) -> Problem:
    """The problem 413 for an unpaged list with too many items; a truncated CSV would look complete."""
    return Problem(
        413,
        f"The list has {total} items, but one table holds at most {MAX_WHOLE_LIST_ITEMS}. "
        "Add the parameters page and size, or filters; complete tables of the main lists are at /tables.",
        total=total,
    )


def list_page_addresses(
    request: Request, list_request: ListRequest, page: ListPage | ListSelection
) -> dict[str, str]:
    """The addresses of this page and of related pages, by link relation, in the requested format."""
    return {
        rel: address_with_parameters(request, pairs)
        for rel, pairs in build_page_parameters(list_request, page).items()
    }


def build_page_parameters(list_request: ListRequest, page: ListPage | ListSelection) -> dict[str, Pairs]:
    """The parameters of this page and of related pages, by link relation."""
    numbers = {"self": list_request.page, **list_page_relations(list_request, page)}
    return {rel: list_request.page_parameters(number) for rel, number in numbers.items()}


async def check_filter_values(dependencies: ListDependencies, list_request: ListRequest) -> None:
    """Raise Problem 400, with the nearest known value, if no resource has the value of a filter."""
    request, queries = dependencies.context.request, dependencies.queries
    for field, iri in filtered_resources(list_request.definition, list_request.filters):
        await check_known_iri(request, queries, field.name, field.type, iri)
    for name, values in list_request.filters.items():
        field = list_request.definition.by_name[name]
        if field.type == "name":
            texts = await read_known_texts(dependencies, list_request.definition, field)
            for term in filter_terms(values):
                if term.value not in texts:
                    raise unknown_name_problem(
                        f"Nothing in /{list_request.definition.name} has as its {name}", term.value, texts
                    )


async def read_known_texts(
    dependencies: ListDependencies, definition: ListDefinition, field: ListField
) -> list[str]:
    """The values of a field in a list."""
    if definition.is_indexed:
        known = await dependencies.index.query_within(
            LIST_INDEX_WAIT_SECONDS, list_known_texts, definition.name, field.name
        )
        if known is not None:
            return known
    request, queries = dependencies.context.request, dependencies.queries
    query = build_field_values_query(definition, field, queries.settings.base)
    return [value.value for (value,) in await select_internal_rows(request, queries, query)]


def serialize_list_page(
    context: RequestContext,
    list_request: ListRequest,
    result: ListResult,
    format_: Format,
) -> bytes:
    """A page of a list in the format."""
    base, page, counts = context.base, result.page, result.counts
    if isinstance(page, ListSelection):
        return render_papers_page(context, list_request, page)
    if format_ is HTML:
        return render_list_page(context, list_request, page, result)
    page = add_counts(list_request, page, counts)
    if format_ is JSON:
        links = {
            rel: build_service_path(list_request.definition.name, pairs, JSON.suffix)
            for rel, pairs in build_page_parameters(list_request, page).items()
        }
        return serialize_list_json(list_request, page, base, links)
    if format_ is CSV:
        return serialize_list_csv(list_request, page, base)
    return serialize_graph_body(context, iter_list_triples(list_request, page, base), format_)


def render_papers_page(context: RequestContext, list_request: ListRequest, page: ListSelection) -> bytes:
    """The HTML page of the list of papers, with facets."""
    store, base = context.store, context.base
    labels = find_papers_labels(store, list_request, page, base)
    facets = build_paper_facets(list_request, page, labels, base)
    fields, titles = list_request.definition.by_name, find_field_titles(store, list_request, base)
    names = {paper.iri: label_or_words(labels, paper.iri) for paper in page.items}
    return render_site_page(
        context,
        "papers.html",
        list_request=list_request,
        examples=find_examples_by_keyword(list_request.definition.name),
        total=page.total,
        rows=build_paper_rows(store, page.items, base),
        labels=labels,
        headings=section_headings(),
        series=count_series(store, base),
        facets=facets,
        titles=titles,
        conditions=list(iter_list_conditions(list_request, titles, labels, base)),
        sorts={name: build_sort_link(list_request, fields[name]) for name in PAPER_SORT_FIELDS},
        markup=item_list_markup(
            context, list_request.definition.title, names, page.total, first_item_number(list_request)
        ),
        links=list_page_addresses(context.request, list_request, page),
        pages=count_list_pages(list_request, page),
        other_formats=list_other_formats(list_request),
    )


def first_item_number(list_request: ListRequest) -> int:
    """The number, from 1, of the first item of the page within the list."""
    return (list_request.page - 1) * list_request.size + 1


def list_other_formats(list_request: ListRequest) -> list[tuple[str, str]]:
    """The formats of the page other than HTML: titles and addresses."""
    pairs = list_request.page_parameters(list_request.page)
    return [
        (format_.title, build_service_path(list_request.definition.name, pairs, format_.suffix))
        for format_ in LIST_FORMATS
        if format_ is not HTML
    ]


def render_list_page(
    context: RequestContext,
    list_request: ListRequest,
    page: ListPage,
    result: ListResult,
) -> bytes:
    """The HTML page of a list."""
    english_labels = {
        iri: best_text(terms_by_field.get("label", ()), default=words_of_iri(iri))
        for iri, terms_by_field in page.resources.items()
    }
    names = {iri: ox.Literal(text.value) for iri, text in english_labels.items()}
    document = PART_LISTS.get(list_request.definition.name)
    document_iri = f"{context.base}id/document/{document}"
    return render_site_page(
        context,
        "list.html",
        list_request=list_request,
        examples=find_examples_by_keyword(list_request.definition.name),
        total=page.total,
        view=build_list_view(context.store, list_request, page, context.base, result.counts),
        titles=find_field_titles(context.store, list_request, context.base),
        facets=result.facets,
        document=document,
        text_pages=find_text_pages(
            context.store, document_iri, document_iri, context.base, current_language()
        )
        if document
        else [],
        markup=item_list_markup(
            context, list_request.definition.title, names, page.total, first_item_number(list_request)
        ),
        links=list_page_addresses(context.request, list_request, page),
        pages=count_list_pages(list_request, page),
        other_formats=list_other_formats(list_request),
    )
