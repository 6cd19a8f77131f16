"""/openapi.json: the OpenAPI 3.1 description of all routes, lists and example queries.

A route is described by the first line of its function, with parameters and bodies from the tables here.
OpenAPI 3.1 cannot describe QUERY, and HEAD is GET without the body, so both are left out.
"""

import re
from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

from fastapi import Request, Response

from ..graphs.citation.routes import CITATION_SERIALIZERS
from ..graphs.versions import LINK_FORMAT
from ..http.bodies import (
    FORM_MEDIA_TYPE,
    MULTIPART_MEDIA_TYPE,
    SPARQL_QUERY_MEDIA_TYPE,
    SPARQL_UPDATE_MEDIA_TYPE,
)
from ..http.parameters import BARE_PARAMETERS, check_query_parameters
from ..http.responses import respond_with_json
from ..rdf.formats import (
    ATOM,
    CSVW,
    DATASET_FORMATS,
    DUMP_FORMATS,
    FILE_FORMATS,
    GRAPH_FORMATS,
    HTML,
    ICALENDAR_FORMAT,
    JSON,
    JSON_LD,
    MARKDOWN,
    PLAIN_XML,
    PROBLEM_JSON,
    SOLUTION_FORMATS,
    TABLE_FORMATS,
    Format,
)
from ..rdf.formats import PLAIN_TEXT as PLAIN
from ..resources.profiles import OWN_PROFILE_FORMATS
from ..shacl.reports import REPORT_WRITERS
from ..sparql.examples import list_example_queries
from ..sparql.request import MEDIA_TYPE_ALIASES, SPARQL_VERSIONS
from .openapi_operations import (
    DOCUMENT_FORMATS,
    FEED_PAGE_PARAMETER,
    OPENAPI_NEGOTIATION_PARAMETERS,
    OPENAPI_PROFILE_PARAMETERS,
    OPENAPI_RESOURCE_PARAMETERS,
    build_example_operation,
    build_feed_operation,
    build_media_type_parameter,
    build_operations_by_path,
)
from .openapi_schemas import ANY_JSON_SCHEMA, PROBLEM_SCHEMA, TEXT_SCHEMA, OpenApiObject

# The schemas of bodies by the end of their media type; what is not here is text.
BODY_SCHEMAS: dict[str, OpenApiObject] = {
    "json": ANY_JSON_SCHEMA,
    "application/json": ANY_JSON_SCHEMA,
    MULTIPART_MEDIA_TYPE: {"type": "object"},
    FORM_MEDIA_TYPE: {"type": "object"},
}


def build_query_parameter(
    name: str, description: str, *, many: bool = False, example: str = ""
) -> OpenApiObject:
    """A parameter of the query string; `many`: it may be given several times."""
    schema: OpenApiObject = (
        {"type": "string", "maxLength": 0} if name in BARE_PARAMETERS else {"type": "string"}
    )
    if many:
        schema = {"type": "array", "items": schema}
    shown = {"example": example} if example else {}
    return {"name": name, "in": "query", "description": description, "schema": schema, **shown}


def build_path_parameter(name: str) -> OpenApiObject:
    """A part of the path that the function takes from the request itself."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def build_body_content(media_types: Sequence[str]) -> OpenApiObject:
    """Bodies of these media types."""
    return {one: {"schema": BODY_SCHEMAS.get(one.rpartition("+")[2], TEXT_SCHEMA)} for one in media_types}


CREATED_RESPONSE: OpenApiObject = {"201": {"description": "A new graph is made; Location says where."}}


def build_format_responses(formats: Sequence[Format]) -> OpenApiObject:
    """The answer in each of the formats."""
    return {
        "200": {
            "description": "The answer, whole.",
            "content": build_body_content([one.media_type for one in formats]),
        }
    }


def build_format_operation(formats: Sequence[Format], *parameters: OpenApiObject) -> OpenApiObject:
    """Parameters, that of the media type among them, and the answer in each of the formats."""
    return {
        "parameters": [*parameters, build_media_type_parameter(formats)],
        "responses": build_format_responses(formats),
    }


QUERY_PARAMETER = build_query_parameter("query", "The query; without it, the service description.")
EXPLAIN_PARAMETER = build_query_parameter(
    "explain", "Given bare: the plan of the query in words, as JSON, text or a page."
)
HINTS_PARAMETER = build_query_parameter(
    "hints", "Given bare: what is probably not meant is told, whatever the query finds."
)
BEFORE_PARAMETER = build_query_parameter(
    "before", "A later page of the feed, to which the page before links."
)
OPENAPI_DATASET_PARAMETERS = [
    build_query_parameter("default-graph-uri", "A graph of the default graph.", many=True),
    build_query_parameter("named-graph-uri", "A named graph.", many=True),
]
SPARQL_VERSION_PARAMETER = build_query_parameter(
    "version", f"The version of SPARQL: {', '.join(SPARQL_VERSIONS)}."
)
OPENAPI_ENDPOINT_PARAMETERS = [
    QUERY_PARAMETER,
    *OPENAPI_DATASET_PARAMETERS,
    EXPLAIN_PARAMETER,
    HINTS_PARAMETER,
    SPARQL_VERSION_PARAMETER,
    *(
        build_query_parameter(one, "What other services call `_mediatype`, which beats it.", many=True)
        for one in MEDIA_TYPE_ALIASES
    ),
    build_query_parameter("ac", "Whether a program asks of itself, as editors tell: it changes nothing."),
]
EXAMPLE_PARAMETER = build_query_parameter(
    "example",
    "The example query that the page is to begin with; values of its parameters may stand beside it.",
)
OPENAPI_USING_GRAPH_PARAMETERS = [
    build_query_parameter("using-graph-uri", "A graph of the default graph of WHERE.", many=True),
    build_query_parameter("using-named-graph-uri", "A named graph of WHERE.", many=True),
]
OPENAPI_GRAPH_PARAMETERS = [
    build_query_parameter("graph", "The IRI of a graph."),
    build_query_parameter("default", "Given bare: the default graph."),
]
OPENAPI_GRAPH_VERSION_PARAMETERS = [
    build_query_parameter("version", "The name of an old version; without it, the graph as it is now."),
    build_query_parameter(
        "versions", "Given bare: the list of the versions, as `application/link-format` or JSON."
    ),
    build_query_parameter("changes", "The version whose changes are wanted, as JSON or a page."),
    build_query_parameter("about", "With `changes`: the IRI of the thing whose changes alone are wanted."),
    {
        "name": "Accept-Datetime",
        "in": "header",
        "description": "A time: the answer leads to the version of then (RFC 7089).",
        "schema": {"type": "string"},
    },
]
OPENAPI_VALIDATION_PARAMETERS = [
    build_query_parameter(
        "profile", "The profile to check by: `draft`, `complete` (meant without it) or `final`."
    ),
    build_query_parameter(
        "lang", "The language of the report: ar, en, es, fr, ru or zh; beats Accept-Language."
    ),
]
OPENAPI_PAPER_FORM_PARAMETERS = [
    build_query_parameter("issue", "The issue, such as `spam`, on which a new paper is begun."),
    build_query_parameter("paper", "The name or IRI of a paper of the graph, which is edited."),
    build_query_parameter("lang", "The language of the labels and messages: ar, en, es, fr, ru or zh."),
    build_query_parameter("saved", "Given bare: the page says that the paper was just saved."),
]
OPENAPI_CITATION_PARAMETERS = [
    build_query_parameter("iri", "The IRI of a thing, a graph or a term.", example="issue:spam"),
    build_query_parameter("query", "A SPARQL query, in place of an IRI."),
    build_query_parameter(
        "version", "The version of the graph as a whole that is meant; without it, the current one."
    ),
]
SHA256_PARAMETER = build_query_parameter(
    "sha256", "The SHA-256 of what was cited: it is given as long as that is so."
)
RDF_MEDIA_TYPES = [one.media_type for one in GRAPH_FORMATS]
SEARCH_RESPONSE_FORMATS = tuple(dict.fromkeys((JSON, JSON_LD, ATOM, HTML, *OWN_PROFILE_FORMATS)))
QUERY_RESPONSE_FORMATS = (*SOLUTION_FORMATS, *GRAPH_FORMATS, HTML, JSON, PLAIN)
GRAPH_RESPONSE_FORMATS = (*GRAPH_FORMATS, PLAIN_XML, HTML, JSON, LINK_FORMAT)
TOKEN_SECURITY: list[OpenApiObject] = [{"token": []}]
SECURITY_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "The token that opens writing."}
}
# What every route answers beside: stated, so that the framework does not state its own.
PROBLEM_RESPONSES: OpenApiObject = {
    "default": {
        "description": "What is wrong and how to mend it.",
        "content": {
            PROBLEM_JSON.media_type: {"schema": PROBLEM_SCHEMA},
            **build_body_content([HTML.media_type]),
        },
    }
}

# What the routes take and give beside their path, by the name of their function.
OPERATIONS_BY_FUNCTION: dict[str, OpenApiObject] = {
    "get_sparql": build_format_operation(
        QUERY_RESPONSE_FORMATS, *OPENAPI_ENDPOINT_PARAMETERS, EXAMPLE_PARAMETER
    ),
    "post_query": {
        **build_format_operation(QUERY_RESPONSE_FORMATS, *OPENAPI_ENDPOINT_PARAMETERS),
        "requestBody": {
            "required": True,
            "content": build_body_content([SPARQL_QUERY_MEDIA_TYPE, FORM_MEDIA_TYPE]),
        },
    },
    "post_update": {
        "parameters": [*OPENAPI_USING_GRAPH_PARAMETERS, SPARQL_VERSION_PARAMETER],
        "requestBody": {
            "required": True,
            "content": build_body_content([SPARQL_UPDATE_MEDIA_TYPE, FORM_MEDIA_TYPE]),
        },
        "security": TOKEN_SECURITY,
    },
    "get_validation": {
        "parameters": OPENAPI_VALIDATION_PARAMETERS,
        "responses": build_format_responses((HTML,)),
    },
    "post_validation": {
        **build_format_operation([*REPORT_WRITERS], *OPENAPI_VALIDATION_PARAMETERS),
        "requestBody": {
            "required": True,
            "content": build_body_content(
                [*(one.media_type for one in FILE_FORMATS), MULTIPART_MEDIA_TYPE, FORM_MEDIA_TYPE]
            ),
        },
    },
    "get_paper_form": {
        "parameters": OPENAPI_PAPER_FORM_PARAMETERS,
        "responses": build_format_responses((HTML,)),
    },
    "post_paper_form": {
        **build_format_operation((HTML, JSON)),
        "requestBody": {
            "required": True,
            "content": build_body_content([FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE]),
        },
    },
    "get_citation": build_format_operation((*CITATION_SERIALIZERS, HTML), *OPENAPI_CITATION_PARAMETERS),
    "get_cited_content": build_format_operation(
        (*SOLUTION_FORMATS, *GRAPH_FORMATS), *OPENAPI_CITATION_PARAMETERS, SHA256_PARAMETER
    ),
    "get_home": {"responses": build_format_responses((HTML,))},
    "get_update": build_format_operation((*GRAPH_FORMATS, HTML)),
    "get_running_queries": {"responses": build_format_responses((JSON,))},
    "get_problem_kind": {"responses": build_format_responses(OWN_PROFILE_FORMATS)},
    "get_resource": {
        "parameters": [build_media_type_parameter(DOCUMENT_FORMATS), *OPENAPI_RESOURCE_PARAMETERS]
    },
    "get_ontology": build_format_operation(DOCUMENT_FORMATS, *OPENAPI_NEGOTIATION_PARAMETERS),
    "get_shapes": build_format_operation(DOCUMENT_FORMATS, *OPENAPI_NEGOTIATION_PARAMETERS),
    "get_json_ld_context": {"responses": build_format_responses((JSON_LD,))},
    "get_health": {"responses": build_format_responses((JSON,))},
    "get_readiness": {"responses": build_format_responses((JSON,))},
    "get_metrics": {"responses": build_format_responses((PLAIN,)), "security": TOKEN_SECURITY},
    "get_openapi": {"responses": build_format_responses((JSON,))},
    "get_example_query": build_format_operation((*SOLUTION_FORMATS, *GRAPH_FORMATS, HTML, ATOM)),
    "get_shape": build_format_operation(OWN_PROFILE_FORMATS, *OPENAPI_NEGOTIATION_PARAMETERS),
    "get_dump": {"responses": build_format_responses(DUMP_FORMATS)},
    "get_dump_version": {"responses": build_format_responses(DUMP_FORMATS)},
    "get_changes": build_format_operation(DATASET_FORMATS),
    "get_changes_node": build_format_operation(DATASET_FORMATS),
    "get_feed": {"parameters": [BEFORE_PARAMETER], "responses": build_format_responses([ATOM])},
    "get_kind_feed": {"parameters": [BEFORE_PARAMETER], "responses": build_format_responses([ATOM])},
    "get_query_feed": {"parameters": [FEED_PAGE_PARAMETER], "responses": build_format_responses([ATOM])},
    "get_meetings": {"responses": build_format_responses([ICALENDAR_FORMAT])},
    "get_sitemap": {"responses": build_format_responses([PLAIN_XML])},
    "get_sitemap_part": {"responses": build_format_responses([PLAIN_XML])},
    "get_tables": {"responses": build_format_responses((CSVW, HTML))},
    "get_table": {"responses": build_format_responses(TABLE_FORMATS)},
    "get_search": {
        "parameters": [
            build_query_parameter(
                "q", 'The words; "a phrase" in quotes, wor* for the begin of a word.', example="spam"
            ),
            build_query_parameter("lang", "A language, such as `fr`."),
            build_query_parameter("kind", "A kind of things, such as `issue`."),
            build_query_parameter("page", "The number of a page, from 1."),
            *OPENAPI_PROFILE_PARAMETERS,
            build_media_type_parameter(SEARCH_RESPONSE_FORMATS),
        ],
        "responses": build_format_responses(SEARCH_RESPONSE_FORMATS),
    },
    "get_reconciliation": {
        "parameters": [
            build_query_parameter(
                "queries", "A batch of reconciliation queries as JSON; without it, the manifest."
            ),
            build_query_parameter("extend", "A query for data extension as JSON."),
        ],
        "responses": build_format_responses([JSON, HTML]),
    },
    "post_reconciliation": {
        "requestBody": {"required": True, "content": build_body_content([FORM_MEDIA_TYPE])},
        "responses": build_format_responses([JSON]),
    },
    "get_suggestions": {
        "parameters": [
            build_query_parameter("prefix", "What was typed."),
            build_query_parameter("type", "A kind that things are of."),
            build_query_parameter("cursor", "How many suggestions to leave out."),
        ],
        "responses": build_format_responses([JSON]),
    },
    "get_preview": {
        "parameters": [build_query_parameter("id", "The identifier of a thing.", example="issue/spam")],
        "responses": build_format_responses([HTML]),
    },
    "get_property_proposals": {
        "parameters": [
            build_query_parameter("type", "A kind of things."),
            build_query_parameter("limit", "How many properties, at most 100."),
        ],
        "responses": build_format_responses([JSON]),
    },
    "get_example_paper": {"responses": build_format_responses(GRAPH_FORMATS[:1])},
    "get_graphs": build_format_operation(
        GRAPH_RESPONSE_FORMATS,
        *OPENAPI_GRAPH_PARAMETERS,
        *OPENAPI_GRAPH_VERSION_PARAMETERS,
        *OPENAPI_NEGOTIATION_PARAMETERS,
    ),
    "get_graph": build_format_operation(
        GRAPH_RESPONSE_FORMATS, *OPENAPI_GRAPH_VERSION_PARAMETERS, *OPENAPI_NEGOTIATION_PARAMETERS
    ),
    **{one: build_format_operation((*GRAPH_FORMATS, HTML)) for one in ("get_void", "get_sparql_examples")},
    "get_catalog": build_format_operation(OWN_PROFILE_FORMATS, *OPENAPI_PROFILE_PARAMETERS),
    "change_graphs": {
        "parameters": OPENAPI_GRAPH_PARAMETERS,
        "requestBody": {"content": build_body_content([*RDF_MEDIA_TYPES, MULTIPART_MEDIA_TYPE])},
        "security": TOKEN_SECURITY,
        "responses": CREATED_RESPONSE,
    },
    "change_graph": {
        "requestBody": {
            "content": build_body_content([*RDF_MEDIA_TYPES, MARKDOWN.media_type, MULTIPART_MEDIA_TYPE])
        },
        "security": TOKEN_SECURITY,
        "responses": CREATED_RESPONSE,
    },
}

# The same for functions that answer at several paths.
OPERATIONS_BY_PATH = build_operations_by_path()

# The usual status of an answer without a body.
STATUS_BY_FUNCTION = {
    "post_update": 204,
    "change_graphs": 204,
    "change_graph": 204,
    "get_resource": 303,
    "get_ontology_version": 303,
}

# OpenAPI 3.1 has no place for QUERY, and HEAD is GET without the body.
UNDESCRIBED_METHODS = ("HEAD", "QUERY")


def get_openapi(request: Request) -> Response:
    """The description of this interface (OpenAPI 3.1)."""
    check_query_parameters(request)
    schema: OpenApiObject = request.app.openapi()
    schema.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
    operations = {f"/queries/{one.name}": build_example_operation(one) for one in list_example_queries()}
    operations |= {
        f"/feed/query/{one.name}.atom": build_feed_operation(one)
        for one in list_example_queries()
        if one.date_variable
    }
    for path, one in operations.items():
        operation = {**one, "operationId": build_operation_id("GET", path)}
        schema["paths"][path] = {
            "get": {**operation, "responses": {**operation["responses"], **PROBLEM_RESPONSES}}
        }
    return respond_with_json(request, schema)


def build_operation_id(method: str, path: str) -> str:
    """The name of an operation for programs that are made from the description, such as `getSparql`."""
    names = re.findall(r"\w+", path.replace(":path", "")) or ["home"]
    return method.lower() + "".join(name.capitalize() for name in names)


def describe_route(method: str, path: str, function: Callable[..., Any]) -> OpenApiObject:
    """The arguments with which a route is added to the application, so that it is described."""
    extra = OPERATIONS_BY_FUNCTION.get(function.__name__, {}) | OPERATIONS_BY_PATH.get(path, {})
    known = {one["name"] for one in extra.get("parameters", [])} | signature(function).parameters.keys()
    unsigned = set(re.findall(r"{(\w+)", path)) - known
    extra["parameters"] = [*extra.get("parameters", []), *map(build_path_parameter, sorted(unsigned))]
    if method == "DELETE":  # nothing is sent, nothing is made
        extra.pop("requestBody", None)
        extra.pop("responses", None)
    lines = (function.__doc__ or "").strip().partition("\n")
    return {
        "operation_id": build_operation_id(method, path),
        "summary": lines[0],
        "description": lines[2].strip() or lines[0],
        "include_in_schema": method not in UNDESCRIBED_METHODS,
        "status_code": STATUS_BY_FUNCTION.get(function.__name__, 200),
        "response_class": Response,  # its media types stand in `responses`
        "responses": PROBLEM_RESPONSES,
        "openapi_extra": extra,
    }
