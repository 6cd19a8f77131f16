"""Query parameters of requests that read or write graphs, and of SPARQL updates.

The TimeMap of a graph is the list of its versions (RFC 7089).
"""

from ..http.operations import HeaderParameter
from ..http.parameter_models import (
    BareText,
    ParameterModel,
    Text,
    UnboundedTexts,
    describe_media_type,
    describe_parameter,
)
from ..rdf.formats import GRAPH_FORMATS, HTML, JSON, PLAIN_XML
from ..resources.parameters import NegotiationParameters
from ..sparql.parameters import (
    EXAMPLE_GRAPH,
    GRAPH_EXAMPLES,
    SPARQL_VERSION_DESCRIPTION,
    SparqlVersionText,
)
from .page import GRAPH_GROUPS, SORT_KEYS
from .versions import LINK_FORMAT

# Formats of a graph, of its description in all profiles, of its TimeMap and of its changes.
GRAPH_RESPONSE_FORMATS = (*GRAPH_FORMATS, PLAIN_XML, HTML, JSON, LINK_FORMAT)
EXAMPLE_VERSION = "20260101T000000000000Z"  # of the form of store.history: VERSION_TIME_FORMAT
ACCEPT_DATETIME_HEADER = HeaderParameter(
    "Accept-Datetime",
    "A time: the response is a redirect to the version of the graph at that time (RFC 7089).",
    "Thu, 01 Jan 2026 00:00:00 GMT",
)


class GraphParameters(NegotiationParameters):
    """Query parameters of /graph/<name>."""

    media_type: Text = describe_media_type(GRAPH_RESPONSE_FORMATS)
    version: Text = describe_parameter(
        "The name of an old version. Without it, the current graph.", examples=[EXAMPLE_VERSION]
    )
    versions: BareText = describe_parameter(
        "Without a value: the list of versions, as `application/link-format` or JSON.",
        examples=[""],
    )
    changes: Text = describe_parameter(
        "The name of a version: its changes, as JSON or as a page.", examples=[EXAMPLE_VERSION]
    )
    about: Text = describe_parameter(
        "With `changes`: the IRI of a resource; only its changes are listed.",
        examples=["https://w3id.org/wgig/id/issue/spam"],
    )


class GraphsParameters(GraphParameters):
    """Query parameters of GET /graphs: the list of graphs, or a graph by its IRI."""

    graph: Text = describe_parameter("The IRI of a graph.", examples=[EXAMPLE_GRAPH])
    default: BareText = describe_parameter("Without a value: the default graph.", examples=[""])
    q: Text = describe_parameter(
        "For the list: words in the title, description or address of the graphs.", examples=["report"]
    )
    group: Text = describe_parameter(
        "For the list: only these graphs.", json_schema_extra={"enum": [*GRAPH_GROUPS]}, examples=["papers"]
    )
    sort: Text = describe_parameter(
        "For the list: its order; with `-`, descending.",
        json_schema_extra={"enum": [sign + name for name in SORT_KEYS for sign in ("", "-")]},
        examples=["-size"],
    )


class GraphWriteParameters(ParameterModel):
    """Query parameters of a write to /graphs."""

    graph: Text = describe_parameter("The IRI of a graph.", examples=[EXAMPLE_GRAPH])
    default: BareText = describe_parameter("Without a value: the default graph.", examples=[""])


class UpdateParameters(ParameterModel):
    """Query parameters of /update."""

    version: SparqlVersionText = describe_parameter(SPARQL_VERSION_DESCRIPTION)
    using_graph_uri: UnboundedTexts = describe_parameter(
        "The IRI of a graph to include in the default graph of WHERE.",
        alias="using-graph-uri",
        examples=GRAPH_EXAMPLES,
    )
    using_named_graph_uri: UnboundedTexts = describe_parameter(
        "The IRI of a named graph for WHERE.", alias="using-named-graph-uri", examples=GRAPH_EXAMPLES
    )


class UpdateForm(UpdateParameters):
    """The form fields of POST /update."""

    update: Text = describe_parameter("The update.", examples=["DROP SILENT GRAPH <urn:example>"])
