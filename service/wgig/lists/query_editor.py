"""GET /sparql: the result of a query; without a query, the service description or the query editor."""

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http.bodies import Pairs, get_query_parameters, parameter_values
from ..http.operations import Operation
from ..http.parameters import check_query_parameters
from ..http.responses import respond_with_body
from ..pages.dependencies import get_context
from ..pages.rendering import render_template
from ..rdf.formats import GRAPH_FORMATS, HTML
from ..resources.dependencies import get_resource_versions
from ..sparql.dependencies import get_queries
from ..sparql.examples import (
    ExampleQuery,
    bind_query_parameters,
    list_example_queries,
    read_example_query,
    strip_example_header,
)
from ..sparql.parameters import QUERY_RESPONSE_FORMATS, QueryPageParameters
from ..sparql.request import REPEATABLE_QUERY_PARAMETERS, SINGLE_QUERY_PARAMETERS, pick_result_format
from ..sparql.schemas import QueryCheck, QueryPlan
from ..sparql.service import QueryService, answer_query
from ..sparql.service_description import describe_service, is_description_request
from .parameter_fields import read_parameter_form

GET_QUERY_OPERATION = Operation(
    name="getQueryResult",
    formats=QUERY_RESPONSE_FORMATS,
    json=QueryPlan | QueryCheck,
    parameters=QueryPageParameters,
    is_self_checked=True,  # the handler parses the parameters itself, as FastAPI would be slower
)


async def get_sparql(request: Request) -> Response:
    """Evaluate the query in the query string, or describe the service if there is none."""
    queries = await get_queries(request)  # called directly: Depends() takes longer than many queries
    pairs = get_query_parameters(request)
    if not is_description_request(pairs):
        return await answer_query(request, queries, pairs)
    example_names = parameter_values(pairs, "example")
    example = read_example_query(example_names[0], "/queries") if len(example_names) == 1 else None
    parameter_names = [parameter.name for parameter in example.parameters] if example else []
    pairs = check_query_parameters(
        request, ("example", *parameter_names, *SINGLE_QUERY_PARAMETERS), REPEATABLE_QUERY_PARAMETERS
    )
    format_ = pick_result_format(pairs, request.headers.getlist("accept"), (*GRAPH_FORMATS, HTML))
    if format_ is HTML:
        return await respond_with_query_editor(
            request, queries, example, [pair for pair in pairs if pair[0] in parameter_names and pair[1]]
        )
    return await run_in_threadpool(describe_service, await get_context(request), format_)


async def respond_with_query_editor(
    request: Request, queries: QueryService, example: ExampleQuery | None, pairs: Pairs
) -> Response:
    """The query editor with the selected example query and the values of its parameters.

    An invalid parameter is reported at its field, with status 400.
    """
    form, text = None, ""
    if example:
        resource_versions = await get_resource_versions(request)
        form = await read_parameter_form(request, queries, resource_versions, example, pairs)
        text = strip_example_header(bind_query_parameters(example.source, form.terms))
    page = await run_in_threadpool(
        render_template,
        "sparql.html",
        base=queries.settings.base,
        examples=list_example_queries(),
        selected_example=example,
        fields=form.fields if form else [],
        text=text,
    )
    return respond_with_body(request, page, HTML, status=400 if form and form.has_errors else 200)
