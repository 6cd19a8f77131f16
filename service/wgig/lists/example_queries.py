"""/queries: the example queries, each at an address that answers it with the values of its parameters.

GET /sparql and the page on which queries are edited are in `lists.query_editor`.
"""

import json
from typing import Any

from fastapi import Request, Response

from ..feeds.query_feed import FEED_PAGE_NAMES, respond_with_example_feed
from ..http.negotiation import choose_response_format
from ..http.parameters import check_query_parameters, content_location_field, request_base_url
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep
from ..rdf.formats import ATOM, FORMATS_BY_FORM, HTML, JSON, Format
from ..resources import mappings
from ..resources.dependencies import StreamDep
from ..resources.existence import bind_example_query, example_parameter_names
from ..resources.representation import render_site_page
from ..sparql.dependencies import QueriesDep
from ..sparql.examples import NO_DEFAULT, ExampleQuery, list_example_queries, read_example_query
from ..sparql.request import build_own_query
from ..sparql.service import respond_with_result

EXAMPLE_FORMATS = (JSON, HTML)


def get_example_queries(context: ContextDep) -> Response:
    """The example queries: what each asks, where, and with which parameters."""
    request = context.request
    check_query_parameters(request, ("_mediatype",))
    format_ = choose_response_format(request, EXAMPLE_FORMATS)
    if format_ is HTML:
        page = render_site_page(
            context,
            "queries.html",
            examples=list_example_queries(),
            no_default=NO_DEFAULT,
            markup=build_examples_markup(request),
        )
        return respond_with_body(request, page, HTML)
    body = json.dumps(
        {"queries": [describe_example_query(one) for one in list_example_queries()]},
        ensure_ascii=False,
        indent=2,
    )
    return respond_with_body(request, body.encode() + b"\n", JSON)


def build_examples_markup(request: Request) -> dict[str, Any]:
    """What the page tells search engines: schema.org for the list of the queries."""
    items = [
        {
            "@type": "SoftwareSourceCode",
            "name": one.title,
            "description": one.question,
            "programmingLanguage": "SPARQL",
            "url": {"@id": f"{request_base_url(request)}queries/{one.name}"},
        }
        for one in list_example_queries()
    ]
    return mappings.build_item_list("Example queries", items, len(items))


def describe_example_query(one: ExampleQuery) -> dict[str, Any]:
    """An example query as JSON."""
    return {
        "name": one.name,
        "title": one.title,
        "question": one.question,
        "path": f"/queries/{one.name}",
        "form": one.form,
        "parameters": [
            {"name": name, "type": type_, "default": None if default == NO_DEFAULT else default, "says": says}
            for name, type_, default, says in one.parameters
        ],
    }


async def get_example_query(
    context: ContextDep, queries: QueriesDep, stream: StreamDep, name: str
) -> Response:
    """The answer to an example query, with values for its parameters; without one, its default holds.

    A suffix of the name chooses the format; as Atom it is the feed of the query. Raises Problem 404.
    """
    request = context.request
    name, _, suffix = name.partition(".")
    one = read_example_query(name, "/queries")
    check_query_parameters(
        request,
        (*example_parameter_names(one), *(FEED_PAGE_NAMES if one.date_variable else ()), "_mediatype"),
    )
    format_ = choose_response_format(request, example_answer_formats(one), suffix)
    if format_ is ATOM:
        return await respond_with_example_feed(context, queries, stream, one, "_mediatype")
    pairs = check_query_parameters(request, (*example_parameter_names(one), "_mediatype"))
    text = await bind_example_query(request, queries, one, pairs)
    asked = build_own_query(text, one.form)
    here = content_location_field(f"queries/{name}", pairs, format_)
    return await respond_with_result(request, queries, [("query", text)], asked, format_, here)


def example_answer_formats(one: ExampleQuery) -> tuple[Format, ...]:
    """What an example query is answered in; where its rows have a date, as a feed, too."""
    return (*FORMATS_BY_FORM[one.form], HTML, *((ATOM,) if one.date_variable else ()))
