"""/openapi.json: the OpenAPI 3.1 description of all routes, lists and example queries.

A route is described by the first line of its function, with parameters and bodies from the tables here.
OpenAPI 3.1 cannot describe QUERY, and HEAD is GET without the body, so both are left out.
"""

import json
import re
from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

from fastapi import Request, Response

from ..graphs.citation.routes import WRITERS as CITATIONS
from ..graphs.versions import LINK_FORMAT
from ..http.bodies import FORM, MULTIPART
from ..http.parameters import BARE, only
from ..http.responses import answer
from ..rdf.formats import (
    ATOM,
    CALENDAR,
    CSVW,
    DATASETS,
    DUMPS,
    FORMATS,
    GRAPHS,
    HTML,
    JSON,
    JSON_LD,
    MARKDOWN,
    PLAIN_XML,
    PROBLEM,
    SOLUTIONS,
    TABLES,
    Format,
)
from ..rdf.formats import TEXT as PLAIN
from ..resources.profiles import OFFERED
from ..shacl.reports import WRITERS
from ..sparql.examples import examples
from ..sparql.request import ALSO, VERSIONS
from .openapi_operations import (
    DOC,
    NEGOTIATED,
    OF_THING,
    PAGE_OF_FEED,
    PROFILED,
    by_path,
    example_operation,
    feed_operation,
    media_type,
)
from .openapi_schemas import ANY, PROBLEM_DOCUMENT, TEXT, Described

# The schemas of bodies by the end of their media type; what is not here is text.
BODIES: dict[str, Described] = {
    "json": ANY,
    "application/json": ANY,
    MULTIPART: {"type": "object"},
    FORM: {"type": "object"},
}


def parameter(name: str, description: str, *, many: bool = False, example: str = "") -> Described:
    """A parameter of the query string; `many`: it may be given several times."""
    schema: Described = {"type": "string", "maxLength": 0} if name in BARE else {"type": "string"}
    if many:
        schema = {"type": "array", "items": schema}
    shown = {"example": example} if example else {}
    return {"name": name, "in": "query", "description": description, "schema": schema, **shown}


def path_parameter(name: str) -> Described:
    """A part of the path that the function takes from the request itself."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def content(media_types: Sequence[str]) -> Described:
    """Bodies of these media types."""
    return {one: {"schema": BODIES.get(one.rpartition("+")[2], TEXT)} for one in media_types}


NEW: Described = {"201": {"description": "A new graph is made; Location says where."}}


def answers(formats: Sequence[Format]) -> Described:
    """The answer in each of the formats."""
    return {
        "200": {"description": "The answer, whole.", "content": content([one.media_type for one in formats])}
    }


def offered(formats: Sequence[Format], *parameters: Described) -> Described:
    """Parameters, that of the media type among them, and the answer in each of the formats."""
    return {"parameters": [*parameters, media_type(formats)], "responses": answers(formats)}


QUERY = parameter("query", "The query; without it, the service description.")
EXPLAIN = parameter("explain", "Given bare: the plan of the query in words, as JSON, text or a page.")
HINTS = parameter("hints", "Given bare: what is probably not meant is told, whatever the query finds.")
BEFORE = parameter("before", "A later page of the feed, to which the page before links.")
DATASET = [
    parameter("default-graph-uri", "A graph of the default graph.", many=True),
    parameter("named-graph-uri", "A named graph.", many=True),
]
VERSION = parameter("version", f"The version of SPARQL: {', '.join(VERSIONS)}.")
ASKED = [
    QUERY,
    *DATASET,
    EXPLAIN,
    HINTS,
    VERSION,
    *(parameter(one, "What other services call `_mediatype`, which beats it.", many=True) for one in ALSO),
    parameter("ac", "Whether a program asks of itself, as editors tell: it changes nothing."),
]
EXAMPLE = parameter(
    "example",
    "The example query that the page is to begin with; values of its parameters may stand beside it.",
)
USING = [
    parameter("using-graph-uri", "A graph of the default graph of WHERE.", many=True),
    parameter("using-named-graph-uri", "A named graph of WHERE.", many=True),
]
GRAPH = [
    parameter("graph", "The IRI of a graph."),
    parameter("default", "Given bare: the default graph."),
]
OLD = [
    parameter("version", "The name of an old version; without it, the graph as it is now."),
    parameter("versions", "Given bare: the list of the versions, as `application/link-format` or JSON."),
    parameter("changes", "The version whose changes are wanted, as JSON or a page."),
    parameter("about", "With `changes`: the IRI of the thing whose changes alone are wanted."),
    {
        "name": "Accept-Datetime",
        "in": "header",
        "description": "A time: the answer leads to the version of then (RFC 7089).",
        "schema": {"type": "string"},
    },
]
CHECKING = [
    parameter("profile", "The profile to check by: `draft`, `complete` (meant without it) or `final`."),
    parameter("lang", "The language of the report: ar, en, es, fr, ru or zh; beats Accept-Language."),
]
WRITING = [
    parameter("issue", "The issue, such as `spam`, on which a new paper is begun."),
    parameter("paper", "The name or IRI of a paper of the graph, which is edited."),
    parameter("lang", "The language of the labels and messages: ar, en, es, fr, ru or zh."),
    parameter("saved", "Given bare: the page says that the paper was just saved."),
]
CITED = [
    parameter("iri", "The IRI of a thing, a graph or a term.", example="issue:spam"),
    parameter("query", "A SPARQL query, in place of an IRI."),
    parameter("version", "The version of the graph as a whole that is meant; without it, the current one."),
]
PROOF = parameter("sha256", "The SHA-256 of what was cited: it is given as long as that is so.")
RDF = [one.media_type for one in GRAPHS]
FOUND_BY_WORDS = tuple(dict.fromkeys((JSON, JSON_LD, ATOM, HTML, *OFFERED)))
FOUND = (*SOLUTIONS, *GRAPHS, HTML, JSON, PLAIN)
HELD = (*GRAPHS, PLAIN_XML, HTML, JSON, LINK_FORMAT)
TOKEN: list[Described] = [{"token": []}]
SCHEMES = {"token": {"type": "http", "scheme": "bearer", "description": "The token that opens writing."}}
# What every route answers beside: stated, so that the framework does not state its own.
REFUSED: Described = {
    "default": {
        "description": "What is wrong and how to mend it.",
        "content": {PROBLEM.media_type: {"schema": PROBLEM_DOCUMENT}, **content([HTML.media_type])},
    }
}

# What the routes take and give beside their path, by the name of their function.
EXTRAS: dict[str, Described] = {
    "ask": offered(FOUND, *ASKED, EXAMPLE),
    "ask_by_body": {
        **offered(FOUND, *ASKED),
        "requestBody": {"required": True, "content": content(["application/sparql-query", FORM])},
    },
    "update": {
        "parameters": [*USING, VERSION],
        "requestBody": {"required": True, "content": content(["application/sparql-update", FORM])},
        "security": TOKEN,
    },
    "validation_form": {"parameters": CHECKING, "responses": answers((HTML,))},
    "validate": {
        **offered([*WRITERS], *CHECKING),
        "requestBody": {
            "required": True,
            "content": content([*(one.media_type for one in FORMATS), MULTIPART, FORM]),
        },
    },
    "write_form": {"parameters": WRITING, "responses": answers((HTML,))},
    "write_by_form": {
        **offered((HTML, JSON)),
        "requestBody": {"required": True, "content": content([FORM, MULTIPART])},
    },
    "cite": offered((*CITATIONS, HTML), *CITED),
    "cited": offered((*SOLUTIONS, *GRAPHS), *CITED, PROOF),
    "home": {"responses": answers((HTML,))},
    "describe_update": offered((*GRAPHS, HTML)),
    "list_running": {"responses": answers((JSON,))},
    "explain": {"responses": answers(OFFERED)},
    "thing": {"parameters": [media_type(DOC), *OF_THING]},
    "ontology": offered(DOC, *NEGOTIATED),
    "shapes": offered(DOC, *NEGOTIATED),
    "context": {"responses": answers((JSON_LD,))},
    "health": {"responses": answers((JSON,))},
    "ready": {"responses": answers((JSON,))},
    "metrics": {"responses": answers((PLAIN,)), "security": TOKEN},
    "interface": {"responses": answers((JSON,))},
    "ask_example": offered((*SOLUTIONS, *GRAPHS, HTML, ATOM)),
    "shape": offered(OFFERED, *NEGOTIATED),
    "dump": {"responses": answers(DUMPS)},
    "version": {"responses": answers(DUMPS)},
    "stream": offered(DATASETS),
    "node": offered(DATASETS),
    "everything": {"parameters": [BEFORE], "responses": answers([ATOM])},
    "of_kind": {"parameters": [BEFORE], "responses": answers([ATOM])},
    "feed_of_example": {"parameters": [PAGE_OF_FEED], "responses": answers([ATOM])},
    "meetings": {"responses": answers([CALENDAR])},
    "sitemap": {"responses": answers([PLAIN_XML])},
    "part": {"responses": answers([PLAIN_XML])},
    "every_table": {"responses": answers((CSVW, HTML))},
    "one_table": {"responses": answers(TABLES)},
    "search": {
        "parameters": [
            parameter("q", 'The words; "a phrase" in quotes, wor* for the begin of a word.', example="spam"),
            parameter("lang", "A language, such as `fr`."),
            parameter("kind", "A kind of things, such as `issue`."),
            parameter("page", "The number of a page, from 1."),
            *PROFILED,
            media_type(FOUND_BY_WORDS),
        ],
        "responses": answers(FOUND_BY_WORDS),
    },
    "reconcile": {
        "parameters": [
            parameter("queries", "A batch of reconciliation queries as JSON; without it, the manifest."),
            parameter("extend", "A query for data extension as JSON."),
        ],
        "responses": answers([JSON, HTML]),
    },
    "reconcile_by_form": {
        "requestBody": {"required": True, "content": content([FORM])},
        "responses": answers([JSON]),
    },
    "suggest": {
        "parameters": [
            parameter("prefix", "What was typed."),
            parameter("type", "A kind that things are of."),
            parameter("cursor", "How many suggestions to leave out."),
        ],
        "responses": answers([JSON]),
    },
    "preview": {
        "parameters": [parameter("id", "The identifier of a thing.", example="issue/spam")],
        "responses": answers([HTML]),
    },
    "propose": {
        "parameters": [
            parameter("type", "A kind of things."),
            parameter("limit", "How many properties, at most 100."),
        ],
        "responses": answers([JSON]),
    },
    "example": {"responses": answers(GRAPHS[:1])},
    "read_graphs": offered(HELD, *GRAPH, *OLD, *NEGOTIATED),
    "read_graph": offered(HELD, *OLD, *NEGOTIATED),
    **{one: offered((*GRAPHS, HTML)) for one in ("void", "sparql_examples")},
    "catalog": offered(OFFERED, *PROFILED),
    "change_graphs": {
        "parameters": GRAPH,
        "requestBody": {"content": content([*RDF, MULTIPART])},
        "security": TOKEN,
        "responses": NEW,
    },
    "change_graph": {
        "requestBody": {"content": content([*RDF, MARKDOWN.media_type, MULTIPART])},
        "security": TOKEN,
        "responses": NEW,
    },
}

# The same for functions that answer at several paths.
PATHS = by_path()

# The usual status of an answer without a body.
STATUS = {"update": 204, "change_graphs": 204, "change_graph": 204, "thing": 303, "ontology_version": 303}

# OpenAPI 3.1 has no place for QUERY, and HEAD is GET without the body.
UNDESCRIBED = ("HEAD", "QUERY")


def interface(request: Request) -> Response:
    """The description of this interface (OpenAPI 3.1)."""
    only(request)
    schema: Described = request.app.openapi()
    schema.setdefault("components", {})["securitySchemes"] = SCHEMES
    operations = {f"/queries/{one.name}": example_operation(one) for one in examples()}
    operations |= {f"/feed/query/{one.name}.atom": feed_operation(one) for one in examples() if one.date}
    for path, one in operations.items():
        operation = {**one, "operationId": operation_id("GET", path)}
        schema["paths"][path] = {"get": {**operation, "responses": {**operation["responses"], **REFUSED}}}
    return answer(request, json.dumps(schema, ensure_ascii=False).encode(), JSON)


def operation_id(method: str, path: str) -> str:
    """The name of an operation for programs that are made from the description, such as `getSparql`."""
    names = re.findall(r"\w+", path.replace(":path", "")) or ["home"]
    return method.lower() + "".join(name.capitalize() for name in names)


def described(method: str, path: str, function: Callable[..., Any]) -> Described:
    """The arguments with which a route is added to the application, so that it is described."""
    extra = EXTRAS.get(function.__name__, {}) | PATHS.get(path, {})
    known = {one["name"] for one in extra.get("parameters", [])} | signature(function).parameters.keys()
    unsigned = set(re.findall(r"{(\w+)", path)) - known
    extra["parameters"] = [*extra.get("parameters", []), *map(path_parameter, sorted(unsigned))]
    if method == "DELETE":  # nothing is sent, nothing is made
        extra.pop("requestBody", None)
        extra.pop("responses", None)
    lines = (function.__doc__ or "").strip().partition("\n")
    return {
        "operation_id": operation_id(method, path),
        "summary": lines[0],
        "description": lines[2].strip() or lines[0],
        "include_in_schema": method not in UNDESCRIBED,
        "status_code": STATUS.get(function.__name__, 200),
        "response_class": Response,  # its media types stand in `responses`
        "responses": REFUSED,
        "openapi_extra": extra,
    }
