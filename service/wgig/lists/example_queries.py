"""/queries: the list of example queries. /queries/NAME: the result of the example query with that name.

GET /sparql and the query editor are in `lists.query_editor`.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

import pyoxigraph as ox
from fastapi import Path, Query, Request, Response

from ..feeds.query_feed import respond_with_example_feed
from ..http.language import gettext, label_languages
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
from ..rdf.namespaces import RDF_TYPE, expand_curie
from ..resources import mappings
from ..resources.dependencies import ResourceVersionsDep
from ..resources.existence import bind_example_query, example_parameter_names
from ..resources.representation import render_site_page
from ..sparql.dependencies import QueriesDep
from ..sparql.examples import (
    EXAMPLE_SUBJECTS,
    NO_DEFAULT,
    ExampleParameter,
    ExampleQuery,
    list_example_queries,
    read_example_query,
)
from ..sparql.parameters import build_example_model
from ..sparql.request import build_internal_query
from ..sparql.service import respond_with_result
from ..store.labels import find_labels
from ..store.store import Store
from .example_page import respond_with_example_page
from .parameter_fields import title_parameter_field
from .schemas import ExampleQueryList

EXAMPLE_FORMATS = (JSON, HTML)
# The types of parameters whose values are searched, with the classes of the values.
VALUE_CLASSES = {
    "category": "wgig:Category",
    "criterion": "wgig:Principle",
    "issue": "wgig:Issue",
    "mechanism": "wgig:GovernanceMechanism",
    "principle": "wgig:Principle",
}
MAX_VALUE_LINKS = 5  # of a question
WORD_PATTERN = re.compile(r"\w+")

ExampleValues = Mapping[str, Mapping[str, ox.Literal]]


class ExampleListParameters(ParameterModel):
    """Query parameters of /queries."""

    q: Text = describe_parameter(
        "Words in the question, its title, its keywords, or what it can be asked about.", examples=["Tunis"]
    )
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
    examples = list_example_queries()
    values = list_example_values(context.store, context.base)
    words = (parameters.q or "").casefold().split()
    search_texts = {example.name: build_search_text(example, values) for example in examples}
    found = {name for name, text in search_texts.items() if contains_words(text, words)}
    if format_ is HTML:
        page = render_site_page(
            context,
            "queries.html",
            groups=group_examples_by_subject(examples, values, words, search_texts),
            found=found,
            total=len(examples),
            q=parameters.q or "",
            markup=build_examples_markup(request),
        )
        return respond_with_body(request, page, HTML)
    body = json.dumps(
        {"queries": [describe_example_query(example) for example in examples if example.name in found]},
        ensure_ascii=False,
        indent=2,
    )
    return respond_with_body(request, body.encode() + b"\n", JSON)


class ValueLink(NamedTuple):
    """An answer for one value of a parameter: the path, and the label of the value."""

    path: str
    label: ox.Literal


class ExampleEntry(NamedTuple):
    """An example query in the list: the titles of the fields that filter it, in English, answers for the
    values with the words that were searched for, and a text in which a script searches.
    """

    example: ExampleQuery
    titles: list[str]
    links: list[ValueLink]
    search_text: str


def list_example_values(store: Store, base: str) -> ExampleValues:
    """The values that parameters can have, by type, with their labels."""
    values = {}
    for type_, class_ in VALUE_CLASSES.items():
        quads = store.match(None, RDF_TYPE, expand_curie(class_, base))
        iris = {quad.subject.value for quad in quads if isinstance(quad.subject, ox.NamedNode)}
        labels = find_labels(store, iris, label_languages())
        values[type_] = {iri: labels[iri] for iri in sorted(iris) if iri in labels}
    return values


def build_search_text(example: ExampleQuery, values: ExampleValues) -> str:
    """The text in which words are searched: also the labels of the values of parameters."""
    texts = (example.title, example.question, example.subject)
    types = dict.fromkeys(parameter.type for parameter in example.parameters if is_filter(parameter))
    labels = dict.fromkeys(label.value for type_ in types for label in values.get(type_, {}).values())
    return "\n".join([*texts, *map(gettext, filter(None, texts)), *example.keywords, *labels]).casefold()


def contains_words(text: str, words: Sequence[str]) -> bool:
    """Whether a text contains all words, which are in lower case."""
    return all(word in text for word in words)


def is_filter(parameter: ExampleParameter) -> bool:
    """Whether a parameter selects from an answer that is complete without it."""
    return parameter.default == NO_DEFAULT


def group_examples_by_subject(
    examples: Sequence[ExampleQuery],
    values: ExampleValues,
    words: Sequence[str],
    search_texts: Mapping[str, str],
) -> dict[str, list[ExampleEntry]]:
    """The example queries by subject, in the order of EXAMPLE_SUBJECTS; those without one come last."""
    groups: dict[str, list[ExampleEntry]] = {subject: [] for subject in (*EXAMPLE_SUBJECTS, "")}
    for example in examples:
        titles = [title_parameter_field(item) for item in example.parameters if is_filter(item)]
        links = list_value_links(example, values, words) if words else []
        groups[example.subject].append(ExampleEntry(example, titles, links, search_texts[example.name]))
    return {subject: entries for subject, entries in groups.items() if entries}


def list_value_links(example: ExampleQuery, values: ExampleValues, words: Sequence[str]) -> list[ValueLink]:
    """The answers for the values with these words, at most MAX_VALUE_LINKS: those with whole words first."""
    links = [
        ValueLink(f"/queries/{example.name}?{urlencode({parameter.name: iri.rpartition('/')[2]})}", label)
        for parameter in example.parameters
        if is_filter(parameter)
        for iri, label in values.get(parameter.type, {}).items()
        if contains_words(label.value.casefold(), words)
    ]
    wanted = set(words)
    links.sort(
        key=lambda link: (
            not wanted <= {*WORD_PATTERN.findall(link.label.value.casefold())},
            len(link.label.value),
        )
    )
    return links[:MAX_VALUE_LINKS]


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
