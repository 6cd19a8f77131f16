"""Parameters of queries (SPARQL 1.1 Protocol, section 2.1) and of example queries.

The models describe the parameters in OpenAPI and list their names for the check in `sparql.request`. FastAPI
does not parse the parameters: parsing takes 90 µs of CPU, while a short query takes 220 µs in all.
"""

from functools import lru_cache
from typing import Annotated, Any

from pydantic import WithJsonSchema, create_model

from ..http.parameter_models import (
    BareText,
    PageNumberText,
    ParameterModel,
    Text,
    UnboundedTexts,
    describe_media_type,
    describe_parameter,
)
from ..rdf.formats import GRAPH_FORMATS, HTML, JSON, PLAIN_TEXT, SOLUTION_FORMATS, Format
from ..rdf.values import json_schema_of
from .examples import NO_DEFAULT, ExampleParameter, ExampleQuery

# Other services use these names for `_mediatype`, and their clients send them.
MEDIA_TYPE_ALIASES = ("format", "output", "results")
SPARQL_VERSIONS = ("1.0", "1.1", "1.2-basic", "1.2")  # supported by the engine
QUERY_RESPONSE_FORMATS = (*SOLUTION_FORMATS, *GRAPH_FORMATS, HTML, JSON, PLAIN_TEXT)
EXAMPLE_GRAPH = "https://w3id.org/wgig/graph/issues"
GRAPH_EXAMPLES = [[EXAMPLE_GRAPH]]
ALIAS_DESCRIPTION = "An alias of `_mediatype` for clients of other services. `_mediatype` takes precedence."

# Example values by query and parameter, if the example of the type matches nothing in the bundled data.
VALUES_WITH_RESULTS = {
    ("assessments", "the_issue"): "ip-addresses",
    ("assessments", "the_criterion"): "coordination-capacity",
    ("comments-on-papers", "text"): "paper:wp-names-and-ip-addresses",
}

NAMES_DESCRIPTION = (
    "Sent without a value, with CSV: resources are given by their names, as on the page, not by their IRIs."
)
SPARQL_VERSION_DESCRIPTION = f"The version of SPARQL: {', '.join(SPARQL_VERSIONS)}."
TIMEOUT_DESCRIPTION = (
    "The maximum time to evaluate the query, in seconds, or in milliseconds with `ms`, as in `500ms`; at "
    "least 100ms. It cannot exceed the limit of the service, which applies without it and for 0."
)
SparqlVersionText = Annotated[
    Text,
    WithJsonSchema({"type": "string", "enum": [*SPARQL_VERSIONS], "examples": ["1.1"]}),
]


class SparqlParameters(ParameterModel):
    """Parameters of a query, in the query string or in a form."""

    query: Text = describe_parameter(
        "The query. Without it, the response is the service description.",
        examples=["SELECT ?issue WHERE { ?issue a <https://w3id.org/wgig/ontology#Issue> }"],
    )
    explain: BareText = describe_parameter(
        "Sent without a value: respond with an explanation of the query plan, as JSON, text or HTML.",
        examples=[""],
    )
    check: BareText = describe_parameter(
        "Sent without a value: respond with the problems in the text of the query, as JSON, "
        "without running it.",
        examples=[""],
    )
    hints: BareText = describe_parameter(
        "Sent without a value: return hints about likely mistakes in the query.",
        examples=[""],
    )
    names: BareText = describe_parameter(NAMES_DESCRIPTION, examples=[""])
    version: SparqlVersionText = describe_parameter(SPARQL_VERSION_DESCRIPTION)
    timeout: Text = describe_parameter(TIMEOUT_DESCRIPTION, examples=["10"])
    media_type: Text = describe_media_type(QUERY_RESPONSE_FORMATS)
    ac: Text = describe_parameter(
        "Editors send this with queries for autocompletion. It has no effect.", examples=["1"]
    )
    default_graph_uri: UnboundedTexts = describe_parameter(
        "A graph that becomes part of the default graph.", alias="default-graph-uri", examples=GRAPH_EXAMPLES
    )
    named_graph_uri: UnboundedTexts = describe_parameter(
        "A named graph.", alias="named-graph-uri", examples=GRAPH_EXAMPLES
    )
    format: UnboundedTexts = describe_parameter(ALIAS_DESCRIPTION, examples=[["json"]])
    output: UnboundedTexts = describe_parameter(ALIAS_DESCRIPTION, examples=[["json"]])
    results: UnboundedTexts = describe_parameter(ALIAS_DESCRIPTION, examples=[["json"]])


class QueryPageParameters(SparqlParameters):
    """Query parameters of GET /sparql: a query, or the query editor."""

    example: Text = describe_parameter(
        "The example query to show in the editor. Values for its parameters can be added as parameters.",
        examples=["coverage-matrix"],
    )


@lru_cache(200)
def build_example_model(example: ExampleQuery, formats: tuple[Format, ...] = ()) -> type[ParameterModel]:
    """The model of the URL parameters of an example query, or of its feed if `formats` is empty."""
    fields: dict[str, Any] = {  # the prefix keeps the names apart from `page` and `media_type`
        f"value_{parameter.name}": describe_example_parameter(example, parameter)
        for parameter in example.parameters
    }
    if formats or example.date_variable:
        description = "The number of a page of the HTML or feed, from 1. Each page links to the next one."
        fields["page"] = (PageNumberText, describe_parameter(description))
    if formats:
        fields["media_type"] = (Text, describe_media_type(formats))
        fields["names"] = (BareText, describe_parameter(NAMES_DESCRIPTION, examples=[""]))
    name = f"{build_model_name(example.name)}{'Query' if formats else 'Feed'}Parameters"
    model: type[ParameterModel] = create_model(name, __base__=ParameterModel, **fields)
    return model


def describe_example_parameter(example: ExampleQuery, parameter: ExampleParameter) -> tuple[Any, Any]:
    """The type and the pydantic field of a parameter of an example query."""
    schema = {**json_schema_of(parameter.type)}
    if parameter.default != NO_DEFAULT:
        schema["default"] = parameter.default
    if value := VALUES_WITH_RESULTS.get((example.name, parameter.name)):
        schema["examples"] = [value]
    text_type = Annotated[Text, WithJsonSchema(schema)]
    return text_type, describe_parameter(parameter.description, alias=parameter.name)


def build_model_name(name: str) -> str:
    """A class name from a name with hyphens: `coverage-matrix` becomes `CoverageMatrix`."""
    return "".join(map(str.capitalize, name.split("-")))
