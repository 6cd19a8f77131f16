"""/queries: the list of example queries. /queries/NAME: the result of the example query with that name.

GET /sparql and the query editor are in `lists.query_editor`.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

from fastapi import Path, Query, Request, Response

from ..feeds.query_feed import respond_with_example_feed
from ..http.language import gettext
from ..http.negotiation import choose_response_format
from ..http.operations import Operation
from ..http.parameter_models import (
    ParameterModel,
    Text,
    describe_media_type,
    describe_parameter,
    list_parameter_names,
)
from ..http.parameters import check_query_parameters, content_location_field, request_base_url
from ..http.responses import respond_with_body
from ..pages.dependencies import ContextDep
from ..rdf.formats import ATOM, FORMATS_BY_FORM, GRAPH_FORMATS, HTML, JSON, SOLUTION_FORMATS, Format
from ..resources import mappings
from ..resources.dependencies import ResourceVersionsDep
from ..resources.existence import bind_example_query, example_parameter_names
from ..resources.representation import render_site_page
from ..sparql.dependencies import QueriesDep
from ..sparql.examples import (
    EXAMPLE_SUBJECTS,
    NO_DEFAULT,
    ExampleQuery,
    list_example_queries,
    read_example_query,
)
from ..sparql.parameters import build_example_model
from ..sparql.request import build_internal_query
from ..sparql.service import respond_with_result
from .example_page import respond_with_example_page
from .parameter_fields import title_parameter_field
from .schemas import ExampleQueryList

EXAMPLE_FORMATS = (JSON, HTML)


class ExampleListParameters(ParameterModel):
    """Query parameters of /queries."""

    q: Text = describe_parameter("Words in the question, its title or its keywords.", examples=["Tunis"])
    media_type: Text = describe_media_type(EXAMPLE_FORMATS)


class ExampleParameters(ParameterModel):
    """Query parameters of every example query; the model of each adds the parameters of the query."""

    media_type: Text = describe_media_type((*SOLUTION_FORMATS, *GRAPH_FORMATS, HTML, ATOM))


EXAMPLES_OPERATION = Operation(formats=EXAMPLE_FORMATS, json=ExampleQueryList)
EXAMPLE_OPERATION = Operation(
    formats=(*SOLUTION_FORMATS, *GRAPH_FORMATS, HTML, ATOM),
    parameters=ExampleParameters,
    is_self_checked=True,  # the handler checks the parameters, which depend on the query
)
ExampleName = Annotated[
    str,
    Path(description="The name of an example query; a suffix names a format.", examples=["coverage-matrix"]),
]


def get_example_queries(
    context: ContextDep, parameters: Annotated[ExampleListParameters, Query()]
) -> Response:
    """The example queries, each with its question, path and parameters."""
    request = context.request
    format_ = choose_response_format(request, EXAMPLE_FORMATS, parameters.media_type)
    examples = find_examples_by_words(parameters.q or "")
    if format_ is HTML:
        page = render_site_page(
            context,
            "queries.html",
            groups=group_examples_by_subject(examples),
            found=len(examples),
            q=parameters.q or "",
            markup=build_examples_markup(request),
        )
        return respond_with_body(request, page, HTML)
    body = json.dumps(
        {"queries": [describe_example_query(example) for example in examples]},
        ensure_ascii=False,
        indent=2,
    )
    return respond_with_body(request, body.encode() + b"\n", JSON)


class ExampleEntry(NamedTuple):
    """An example query in the list, with the titles of the fields for its parameters, in English."""

    example: ExampleQuery
    titles: list[str]


def find_examples_by_words(words: str) -> list[ExampleQuery]:
    """The example queries whose title, question or keywords contain all words, in English or translated."""
    return [
        example
        for example in list_example_queries()
        if all(word in example_search_text(example) for word in words.casefold().split())
    ]


def example_search_text(example: ExampleQuery) -> str:
    """The text in which words are searched."""
    texts = (example.title, example.question, example.subject)
    return "\n".join([*texts, *map(gettext, filter(None, texts)), *example.keywords]).casefold()


def group_examples_by_subject(examples: Sequence[ExampleQuery]) -> dict[str, list[ExampleEntry]]:
    """The example queries by subject, in the order of EXAMPLE_SUBJECTS; those without one come last."""
    groups: dict[str, list[ExampleEntry]] = {subject: [] for subject in (*EXAMPLE_SUBJECTS, "")}
    for example in examples:
        titles = [title_parameter_field(parameter) for parameter in example.parameters]
        groups[example.subject].append(ExampleEntry(example, titles))
    return {subject: entries for subject, entries in groups.items() if entries}


def build_examples_markup(request: Request) -> dict[str, Any]:
    """The schema.org markup of the list of queries, for search engines."""
    items = [
        {
            "@type": "SoftwareSourceCode",
            "name": example.title,
            "description": example.question,
            "programmingLanguage": "SPARQL",
            "url": {"@id": f"{request_base_url(request)}queries/{example.name}"},
        }
        for example in list_example_queries()
    ]
    return mappings.build_item_list("Example queries", items, len(items))


def describe_example_query(example: ExampleQuery) -> dict[str, Any]:
    """The JSON entry of an example query in the list."""
    return {
        "name": example.name,
        "title": example.title,
        "question": example.question,
        "subject": example.subject,
        "path": f"/queries/{example.name}",
        "form": example.form,
        "parameters": [
            {
                "name": parameter.name,
                "type": parameter.type,
                "default": None if parameter.default == NO_DEFAULT else parameter.default,
                "says": parameter.description,
            }
            for parameter in example.parameters
        ],
    }


async def get_example_query(
    context: ContextDep, queries: QueriesDep, resource_versions: ResourceVersionsDep, name: ExampleName
) -> Response:
    """The result of an example query for the given parameters; a missing parameter has its default.

    A suffix of the name selects the format; `.atom` is the feed of the query. An empty value on a page is
    the same as none. Raises Problem 404 for an unknown name.
    """
    request = context.request
    name, _, suffix = name.partition(".")
    example = read_example_query(name, "/queries")
    formats = example_result_formats(example)
    pairs = check_query_parameters(request, *list_parameter_names(build_example_model(example, formats)))
    format_ = choose_response_format(request, formats, dict(pairs).get("_mediatype"), suffix)
    if format_ is ATOM:
        return await respond_with_example_feed(context, queries, resource_versions, example, pairs)
    if format_ is HTML:
        return await respond_with_example_page(context, queries, resource_versions, example, pairs)
    # The model also has the parameter `page`, which only the feed and the HTML page support.
    check_query_parameters(request, (*example_parameter_names(example), "_mediatype", "names"))
    option_pairs = [pair for pair in pairs if pair[0] == "names"]
    values = [pair for pair in pairs if pair not in option_pairs]
    query = await bind_example_query(request, queries, example, values)
    query_request = build_internal_query(query, example.form)
    headers = content_location_field(f"queries/{name}", pairs, format_)
    query_pairs = [("query", query), *option_pairs]
    return await respond_with_result(request, queries, query_pairs, query_request, format_, headers)


def example_result_formats(example: ExampleQuery) -> tuple[Format, ...]:
    """The formats of the results of an example query; Atom only if its rows have a date."""
    return (*FORMATS_BY_FORM[example.form], HTML, *((ATOM,) if example.date_variable else ()))
