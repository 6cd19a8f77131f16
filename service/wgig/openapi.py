"""/openapi.json: the routes by the first line of their function, parameters and bodies."""

import json
import re
from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

from fastapi import Request, Response

from .answers import answer
from .bodies import FORM, MULTIPART
from .documents import FORMATS, MARKDOWN
from .formats import GRAPHS, JSON, PROBLEM, SOLUTIONS, Format
from .reports import WRITERS

Described = dict[str, Any]


def parameter(name: str, description: str, *, many: bool = False) -> Described:
    """A parameter of the query string; `many`: it may be given several times."""
    schema = {"type": "array", "items": {"type": "string"}} if many else {"type": "string"}
    return {"name": name, "in": "query", "description": description, "schema": schema}


def path_parameter(name: str) -> Described:
    """A part of the path that the function takes from the request itself."""
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def content(media_types: Sequence[str]) -> Described:
    """Bodies of these media types."""
    return {one: {"schema": {"type": "string"}} for one in media_types}


NEW: Described = {"201": {"description": "A new graph is made; Location says where."}}


def answers(formats: Sequence[Format]) -> Described:
    """The answer in each of the formats."""
    return {
        "200": {"description": "The answer, whole.", "content": content([one.media_type for one in formats])}
    }


EXPLAIN = parameter("explain", "Given bare: the plan of the query in words, as JSON, text or a page.")
MEDIA_TYPE = parameter("_mediatype", "The media type of the answer; beats the Accept field.")
DATASET = [
    parameter("default-graph-uri", "A graph of the default graph.", many=True),
    parameter("named-graph-uri", "A named graph.", many=True),
]
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
RDF = [one.media_type for one in GRAPHS]
TOKEN: list[Described] = [{"token": []}]
SCHEMES = {"token": {"type": "http", "scheme": "bearer", "description": "The token that opens writing."}}
# What every route answers beside: stated, so that the framework does not state its own.
REFUSED: Described = {
    "default": {
        "description": "What is wrong and how to mend it.",
        "content": content([PROBLEM.media_type]),
    }
}

# What the routes take and give beside their path, by the name of their function.
EXTRAS: dict[str, Described] = {
    "ask": {
        "parameters": [
            parameter("query", "The query; without it, the service description."),
            *DATASET,
            EXPLAIN,
            MEDIA_TYPE,
        ],
        "responses": answers((*SOLUTIONS, *GRAPHS)),
    },
    "ask_by_body": {
        "parameters": [*DATASET, EXPLAIN, MEDIA_TYPE],
        "requestBody": {"required": True, "content": content(["application/sparql-query", FORM])},
        "responses": answers((*SOLUTIONS, *GRAPHS)),
    },
    "update": {
        "parameters": USING,
        "requestBody": {"required": True, "content": content(["application/sparql-update", FORM])},
        "security": TOKEN,
    },
    "validation_form": {"parameters": CHECKING},
    "validate": {
        "parameters": [*CHECKING, MEDIA_TYPE],
        "requestBody": {
            "required": True,
            "content": content([*(one.media_type for one in FORMATS), MULTIPART, FORM]),
        },
        "responses": answers([*WRITERS]),
    },
    "shape": {"parameters": [MEDIA_TYPE], "responses": answers(GRAPHS)},
    "example": {"responses": answers(GRAPHS[:1])},
    "read_graphs": {"parameters": [*GRAPH, *OLD, MEDIA_TYPE], "responses": answers(GRAPHS)},
    "read_graph": {"parameters": [*OLD, MEDIA_TYPE], "responses": answers(GRAPHS)},
    **{
        one: {"parameters": [MEDIA_TYPE], "responses": answers(GRAPHS)}
        for one in ("void", "sparql_examples", "catalog")
    },
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

# The usual status of an answer without a body.
STATUS = {"update": 204, "change_graphs": 204, "change_graph": 204, "thing": 303}

# OpenAPI 3.1 has no place for QUERY, and HEAD is GET without the body.
UNDESCRIBED = ("HEAD", "QUERY")


def interface(request: Request) -> Response:
    """The description of this interface (OpenAPI 3.1)."""
    schema: Described = request.app.openapi()
    schema.setdefault("components", {})["securitySchemes"] = SCHEMES
    return answer(request, json.dumps(schema, ensure_ascii=False).encode(), JSON)


def operation_id(method: str, path: str) -> str:
    """The name of an operation for programs that are made from the description, such as `getSparql`."""
    names = re.findall(r"\w+", path.replace(":path", "")) or ["home"]
    return method.lower() + "".join(name.capitalize() for name in names)


def described(method: str, path: str, function: Callable[..., Any]) -> Described:
    """The arguments with which a route is added to the application, so that it is described."""
    extra = dict(EXTRAS.get(function.__name__, {}))
    unsigned = set(re.findall(r"{(\w+)", path)) - signature(function).parameters.keys()
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
