"""The page of an example query: its question, fields for its parameters, and the answer.

A form sends empty fields, and a field with suggestions the label of a value: such a request is redirected to
the address of the answer, which has only the names of the chosen values. A wrong value stays in its field,
with a message beside it (status 400).
"""

import shlex
from functools import partial
from urllib.parse import quote

from fastapi import Response
from fastapi.concurrency import run_in_threadpool

from ..feeds.news import parse_page_number
from ..http.bodies import Pairs
from ..http.parameters import (
    add_url_parameters,
    build_service_path,
    content_location_field,
    request_base_url,
)
from ..http.responses import respond_with_body
from ..pages.dependencies import RequestContext
from ..problems import Problem
from ..rdf.formats import ATOM, CSV, FORMATS_BY_FORM, HTML
from ..resources.representation import render_site_page
from ..sparql.examples import (
    EXAMPLE_COLUMN_TITLES,
    ExampleQuery,
    bind_query_parameters,
    list_related_examples,
    strip_example_header,
)
from ..sparql.request import build_internal_query
from ..sparql.result_page import PageResult, build_result_view
from ..sparql.result_table import ResultTable, TableOptions
from ..sparql.service import SPARQL_RESPONSE_LINKS, QueryService, read_page_result
from ..store.resource_versions.projection import ResourceVersionsProjection
from .answer_table import AnswerTableBuilder, list_covered_names
from .parameter_fields import ParameterForm, list_canonical_pairs, read_parameter_form

MAX_ANSWER_PAGE_ROWS = 200  # so that a page has at most 40 kB when compressed


async def respond_with_example_page(
    context: RequestContext,
    queries: QueryService,
    resource_versions: ResourceVersionsProjection,
    example: ExampleQuery,
    pairs: Pairs,
) -> Response:
    """The page with the answer for these parameters, or a redirect to its address."""
    request = context.request
    form, result = None, None
    if not has_values(example, pairs):  # the result also has the values to choose from
        result = await read_page_result(request, queries, build_internal_query(example.text, example.form))
        if solutions := build_result_view(result).get("solutions"):
            form = await read_parameter_form(request, queries, resource_versions, example, pairs, solutions)
    form = form or await read_parameter_form(request, queries, resource_versions, example, pairs)
    if form.has_errors:
        page = await run_in_threadpool(render_example_page, context, example, form, pairs)
        return respond_with_body(request, page, HTML, status=400)
    path, canonical_pairs = f"/queries/{quote(example.name)}", list_canonical_pairs(form, pairs)
    if canonical_pairs != pairs:
        return Response(status_code=303, headers={"Location": add_url_parameters(path, canonical_pairs)})
    text = bind_query_parameters(example.source, form.terms)
    result = result or await read_page_result(request, queries, build_internal_query(text, example.form))
    page = await run_in_threadpool(
        partial(render_example_page, context, example, form, pairs, text=text, result=result)
    )
    headers = content_location_field(path.removeprefix("/"), pairs, HTML)
    return respond_with_body(request, page, HTML, links=SPARQL_RESPONSE_LINKS, headers=headers)


def has_values(example: ExampleQuery, pairs: Pairs) -> bool:
    """Whether the pairs have a value of a parameter of the query, even an empty one."""
    names = {parameter.name for parameter in example.parameters}
    return any(key in names for key, _ in pairs)


def render_example_page(  # noqa: PLR0913  the parts of the page
    context: RequestContext,
    example: ExampleQuery,
    form: ParameterForm,
    pairs: Pairs,
    *,
    text: str = "",
    result: PageResult | None = None,
) -> bytes:
    """The page of an example query; `text` is its text with the values, whose `result` is shown if given."""
    view = build_result_view(result) if result else {}
    values = [pair for pair in pairs if pair[0] not in ("_mediatype", "page")]
    name = f"queries/{quote(example.name)}"
    path = build_service_path(name, values)
    address = request_base_url(context.request).rstrip("/") + path
    media_type = FORMATS_BY_FORM[example.form][0].media_type
    table, totals = None, None
    if "solutions" in view:
        solutions, options = view["solutions"], read_table_options(pairs)
        builder = AnswerTableBuilder(example, list_covered_names(form), context.store, context.base)
        table = builder.build_table(solutions, options)
        totals = builder.build_totals(solutions, options) if options.page == 1 else None
        if options.page > 1 and not table.rows:
            raise Problem(
                404, f"The answer has no page {options.page}. Its first page is /queries/{example.name}"
            )
    return render_site_page(
        context,
        "answer.html",
        example=example,
        form=form,
        table=table,
        totals=totals,
        column_titles=EXAMPLE_COLUMN_TITLES,
        page_links={
            rel: build_service_path(name, [*values, ("page", str(number))] if number > 1 else values)
            for rel, number in (list_page_numbers(table, pairs) if table else {}).items()
        },
        text=view.get("text", ""),
        query_text=strip_example_header(text),
        path=path,
        address=address,
        commands=[
            shlex.join(["wgig", "query", "--name", example.name, *parameter_arguments(form)]),
            shlex.join(["curl", "--header", f"Accept: {media_type}", address]),
        ],
        editor_path=add_url_parameters("/sparql", [("example", example.name), *values]),
        feed_path=build_service_path(f"feed/query/{quote(example.name)}", values, ATOM.suffix)
        if example.date_variable
        else "",
        other_formats=[
            (format_.title, build_service_path(name, values, format_.suffix))
            for format_ in FORMATS_BY_FORM[example.form]
        ],
        named_csv_path=build_service_path(name, [*values, ("names", "")], CSV.suffix),
        related=list_related_examples(example),
    )


def read_table_options(pairs: Pairs) -> TableOptions:
    """Which rows the table has: those of the page in the pairs, by default the first."""
    page = parse_page_number(dict(pairs).get("page", "1"), "page")
    return TableOptions(MAX_ANSWER_PAGE_ROWS, page, translates_labels=True)


def list_page_numbers(table: ResultTable, pairs: Pairs) -> dict[str, int]:
    """The numbers of the other pages, by link relation; none if there is only one page."""
    page = int(dict(pairs).get("page", "1"))
    last_page = -(-table.available // MAX_ANSWER_PAGE_ROWS)
    numbers = {"first": 1, "prev": page - 1, "next": page + 1, "last": last_page}
    return (
        {rel: number for rel, number in numbers.items() if 1 <= number <= last_page} if last_page > 1 else {}
    )


def parameter_arguments(form: ParameterForm) -> list[str]:
    """The arguments of `wgig query` for the chosen values."""
    pairs = ((field.parameter.name, field.text) for field in form.filters)
    return [argument for name, text in pairs for argument in ("--param", f"{name}={text}")]
