"""GET /sparql: the answer to a query; without one, the service description or the query editor."""

from typing import Any

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http.bodies import Pairs, get_query_parameters, parameter_values
from ..http.parameters import check_query_parameters
from ..http.responses import respond_with_body
from ..pages.dependencies import get_context
from ..pages.rendering import render_template
from ..problems import Problem
from ..rdf.formats import GRAPH_FORMATS, HTML
from ..rdf.values import EXAMPLE_NAMES
from ..resources.existence import parse_known_term
from ..sparql.dependencies import get_queries
from ..sparql.examples import (
    NO_DEFAULT,
    ExampleQuery,
    bind_query_parameters,
    list_example_queries,
    read_example_query,
)
from ..sparql.request import REPEATABLE_QUERY_PARAMETERS, SINGLE_QUERY_PARAMETERS, pick_result_format
from ..sparql.service import QueryService, answer_query
from ..sparql.service_description import describe_service, is_description_request


async def get_sparql(request: Request) -> Response:
    """Ask a query by its address, or get the description of the service when there is none."""
    queries = await get_queries(request)  # FastAPI, which solves dependencies, takes longer than many a query
    pairs = get_query_parameters(request)
    if not is_description_request(pairs):
        return await answer_query(request, queries, pairs)
    names = parameter_values(pairs, "example")
    chosen = read_example_query(names[0], "/queries") if len(names) == 1 else None
    fields = [one.name for one in chosen.parameters] if chosen else []
    pairs = check_query_parameters(
        request, ("example", *fields, *SINGLE_QUERY_PARAMETERS), REPEATABLE_QUERY_PARAMETERS
    )
    format_ = pick_result_format(pairs, request.headers.getlist("accept"), (*GRAPH_FORMATS, HTML))
    if format_ is HTML:
        return await respond_with_query_editor(
            request, queries, chosen, [pair for pair in pairs if pair[0] in fields and pair[1]]
        )
    return await run_in_threadpool(describe_service, await get_context(request), format_)


async def respond_with_query_editor(
    request: Request, queries: QueryService, chosen: ExampleQuery | None, pairs: Pairs
) -> Response:
    """The page to write queries on, with the example that was chosen and its parameters in it.

    What is wrong with a parameter is told at its field, with status 400.
    """
    given = dict(pairs)
    terms, wrong = await parse_example_terms(request, queries, chosen, given)
    page = render_template(
        "sparql.html",
        base=queries.settings.base,
        examples=list_example_queries(),
        chosen=chosen,
        given=given,
        wrong=wrong,
        text=bind_query_parameters(chosen.source, terms) if chosen else "",
        no_default=NO_DEFAULT,
        such_as=EXAMPLE_NAMES,
    )
    return respond_with_body(request, page, HTML, status=400 if wrong else 200)


async def parse_example_terms(
    request: Request, queries: QueryService, chosen: ExampleQuery | None, given: dict[str, str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The terms of those parameters that name one, and what is wrong with the others, by their names."""
    terms: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for parameter in chosen.parameters if chosen else ():
        if parameter.name in given:
            try:
                terms[parameter.name] = await parse_known_term(
                    request, queries, parameter, given[parameter.name]
                )
            except Problem as problem:
                wrong[parameter.name] = problem.detail
    return terms, wrong
