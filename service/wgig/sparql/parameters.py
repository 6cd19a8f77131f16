"""Parameters of queries (SPARQL 1.1 Protocol, section 2.1) and of example queries.

The models describe them in OpenAPI and name them for the check of `sparql.request`. FastAPI does not parse
them: checking and parsing takes 90 µs of CPU, a short query 220 in all.
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

# What other services call `_mediatype`, so that clients made for them send it.
MEDIA_TYPE_ALIASES = ("format", "output", "results")
SPARQL_VERSIONS = ("1.0", "1.1", "1.2-basic", "1.2")  # of SPARQL, all of which the engine reads
QUERY_ANSWER_FORMATS = (*SOLUTION_FORMATS, *GRAPH_FORMATS, HTML, JSON, PLAIN_TEXT)
GRAPH_EXAMPLES = [["https://w3id.org/wgig/graph/issues"]]
ALIAS_DESCRIPTION = "What other services call `_mediatype`, which beats it."

SPARQL_VERSION_DESCRIPTION = f"The version of SPARQL: {', '.join(SPARQL_VERSIONS)}."
SparqlVersionText = Annotated[
    Text,
    WithJsonSchema({"type": "string", "enum": [*SPARQL_VERSIONS], "examples": ["1.1"]}),
]


class SparqlParameters(ParameterModel):
    """Query or form parameters of a query."""

    query: Text = describe_parameter(
        "The query; without it, the service description.",
        examples=["SELECT ?issue WHERE { ?issue a <https://w3id.org/wgig/ontology#Issue> }"],
    )
    explain: BareText = describe_parameter(
        "Given bare: the plan of the query in words, as JSON, text or a page.", examples=[""]
    )
    hints: BareText = describe_parameter(
        "Given bare: what is probably not meant is told, whatever the query finds.", examples=[""]
    )
    version: SparqlVersionText = describe_parameter(SPARQL_VERSION_DESCRIPTION)
    media_type: Text = describe_media_type(QUERY_ANSWER_FORMATS)
    ac: Text = describe_parameter(
        "Whether a program asks of itself, as editors tell: it changes nothing.", examples=["1"]
    )
    default_graph_uri: UnboundedTexts = describe_parameter(
        "A graph of the default graph.", alias="default-graph-uri", examples=GRAPH_EXAMPLES
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
        "The example query that the page is to begin with; values of its parameters may stand beside it.",
        examples=["coverage-matrix"],
    )


@lru_cache(200)
def build_example_model(one: ExampleQuery, formats: tuple[Format, ...] = ()) -> type[ParameterModel]:
    """The model of the query parameters of an example query in these formats, or of its feed without any."""
    fields: dict[str, Any] = {
        f"value_{each.name}": describe_example_parameter(each) for each in one.parameters
    }
    if one.date_variable:
        says = "A page of the feed, from 1 on; the feed links to the next one."
        fields["page"] = (PageNumberText, describe_parameter(says))
    if formats:
        fields["media_type"] = (Text, describe_media_type(formats))
    name = f"{build_model_name(one.name)}{'Query' if formats else 'Feed'}Parameters"
    model: type[ParameterModel] = create_model(name, __base__=ParameterModel, **fields)
    return model


def describe_example_parameter(one: ExampleParameter) -> tuple[Any, Any]:
    """The type and the pydantic field of a parameter of an example query."""
    default = {} if one.default == NO_DEFAULT else {"default": one.default}
    schema = WithJsonSchema({**json_schema_of(one.type), **default})
    return Annotated[Text, schema], describe_parameter(one.description, alias=one.name)


def build_model_name(name: str) -> str:
    """A name such as `coverage-matrix` in the form of a class name."""
    return "".join(map(str.capitalize, name.split("-")))
