"""/openapi.json: the OpenAPI 3.1 description of all routes, lists and example queries.

FastAPI derives paths, parameters and summaries from the handlers. This module adds the declarations of
each `Operation`: media types, JSON schemas, request bodies, tokens, header fields. `openapi_components` moves
what several operations share to the components of the description.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from functools import cache
from inspect import getdoc
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi as generate_description
from fastapi.routing import APIRoute
from pydantic import BaseModel, TypeAdapter

from ..graphs.citation.references import CSL_JSON_FORMAT
from ..graphs.schemas import CslItemList
from ..http.bodies import FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE
from ..http.operations import HeaderParameter, Operation, Route, list_route_checks
from ..http.parameter_models import ParameterModel
from ..http.responses import respond_with_json
from ..http.schemas import JsonLdDocument, ProblemDocument
from ..lists.example_queries import example_result_formats
from ..lists.schemas import TableMetadataDocument
from ..papers.schemas import SarifLog
from ..rdf.formats import (
    ATOM,
    CSVW,
    HTML,
    JSON,
    JSON_LD,
    JSON_RESULTS,
    NOTEBOOK_FORMAT,
    PROBLEM_JSON,
    Format,
)
from ..resources.signposting import LINKSET_JSON
from ..search.schemas import SearchSuggestions
from ..search.suggestions import SUGGESTIONS_FORMAT
from ..shacl.reports import SARIF_FORMAT
from ..sparql.examples import ExampleQuery, list_example_queries
from ..sparql.parameters import build_example_model, build_model_name
from ..sparql.schemas import SparqlResultDocument
from .openapi_components import OpenApiObject, refer_to, share_components
from .openapi_tags import OPENAPI_TAGS, find_tag
from .schemas import LinkSetDocument, NotebookDocument, OpenApiDocument

# The models of the JSON formats of standards, by media type.
STANDARD_JSON_TYPES: dict[str, Any] = {
    JSON_LD.media_type: JsonLdDocument,
    JSON_RESULTS.media_type: SparqlResultDocument,
    PROBLEM_JSON.media_type: ProblemDocument,
    SARIF_FORMAT.media_type: SarifLog,
    CSVW.media_type: TableMetadataDocument,
    CSL_JSON_FORMAT.media_type: CslItemList,
    LINKSET_JSON.media_type: LinkSetDocument,
    SUGGESTIONS_FORMAT.media_type: SearchSuggestions,
    NOTEBOOK_FORMAT.media_type: NotebookDocument,
}
COMPONENT_REFERENCE = "#/components/schemas/{model}"
TEXT_SCHEMA: OpenApiObject = {"type": "string"}
# Of request bodies. Generated clients cannot send a body that is an object or an array, so only objects are
# described, and they send the bytes of a file if the schema is that of bytes.
JSON_BODY_SCHEMA: OpenApiObject = {
    "type": "object",
    "description": "A JSON-LD document. It can also be an array of objects.",
}
RAW_BODY_SCHEMA: OpenApiObject = {"type": "string", "format": "binary"}
FORM_MEDIA_TYPES = (FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE)
RESPONSE_DESCRIPTIONS = {
    200: "The complete response.",
    204: "The request has succeeded. The response has no body.",
    303: "The Location header has the URL of the result.",
}
CREATED_RESPONSE: OpenApiObject = {"description": "A new graph was created. The Location header has its URL."}
TOKEN_SECURITY: list[OpenApiObject] = [{"token": []}]  # refers to SECURITY_SCHEMES
SECURITY_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "An access token, needed to write."}
}
API_LICENSE = {
    "name": "CC BY 4.0 (data, ontology and rules), Apache 2.0 (software)",
    "identifier": "CC-BY-4.0 AND Apache-2.0",
}
API_SERVERS = [{"url": "/", "description": "The service that returned this description."}]
EXTERNAL_DOCS = {"url": "/api", "description": "This description as a page."}
# Without the prefix `#/components/`, for any error of any operation.
PROBLEM_RESPONSE = "responses/Problem"
# OpenAPI 3.1 cannot describe QUERY, and HEAD is GET without the body.
UNDESCRIBED_METHODS = ("HEAD", "QUERY")

DUMP_PATH = "/dump.{suffix}"  # has no path without a suffix

OPENAPI_OPERATION = Operation(formats=(JSON,), json=OpenApiDocument)


class DescribedApplication(FastAPI):
    """A FastAPI application with these routes, whose OpenAPI description includes their `Operation` objects.

    The description is built on the first request for it, as that takes 0.2 s of CPU time.
    """

    def __init__(self, routes: Sequence[Route], **options: Any) -> None:
        """Add the routes."""
        super().__init__(routes=list(build_api_routes(tuple(routes))), **options)
        self.declared_routes = routes

    def openapi(self) -> OpenApiObject:
        """The OpenAPI 3.1 description."""
        if not self.openapi_schema:
            generated = generate_description(
                title=self.title,
                version=self.version,
                summary=self.summary,
                description=self.description,
                routes=self.routes,
                tags=OPENAPI_TAGS,
                servers=API_SERVERS,
                license_info=API_LICENSE,
            )
            self.openapi_schema = finish_description(generated, self.declared_routes)
        return self.openapi_schema


@cache
def build_api_routes(routes: tuple[Route, ...]) -> list[APIRoute]:
    """The routes of FastAPI, each with the checks that run before its handler.

    Applications can share them, as they have no state. They take 0.1 s of CPU time.
    """
    return [
        APIRoute(
            route.path,
            route.handler,
            methods=[method],
            dependencies=[Depends(check) for check in list_route_checks(route)],
            status_code=route.operation.status,
            response_class=Response,  # without a media type, as that is negotiated
            responses={"default": {}},  # else FastAPI adds a response 422
            operation_id=build_operation_id(method, route),
            include_in_schema=method not in UNDESCRIBED_METHODS,
        )
        for route in routes
        for method in route.methods
    ]


def get_openapi(request: Request) -> Response:
    """The OpenAPI 3.1 description of this service."""
    return respond_with_json(request, request.app.openapi())


def finish_description(description: OpenApiObject, routes: Iterable[Route]) -> OpenApiObject:
    """The description that FastAPI generated, with the operations of the routes and the example queries."""
    paths = description["paths"]
    for route in routes:
        for method in set(route.methods).difference(UNDESCRIBED_METHODS):
            operation = paths[route.path.replace(":path", "")][method.lower()]
            operation |= describe_route(operation, method, route)
    for path, operation in describe_example_queries():
        paths[path] = {"get": operation}
    description["components"] = {
        "responses": {"Problem": build_problem_response()},
        "securitySchemes": SECURITY_SCHEMES,
    }
    description["externalDocs"] = EXTERNAL_DOCS  # here, as FastAPI accepts no relative URL
    share_components(description)
    return description


EXCEPTIONS_PATTERN = re.compile(r"\s*Raises [^.]*\.(?=\s|$)")  # for programmers: clients see the responses


def build_operation_id(method: str, route: Route) -> str:
    """The operationId for client generators: the name in the operation, or such as `getSearch`.

    `As` follows if the path ends with the suffix of a format: `getPapersAs`.
    """
    _, *words = route.handler.__name__.split("_")
    name = route.operation.name or method.lower() + "".join(map(str.capitalize, words))
    return f"{name}As" if has_format_suffix(route) else name


def has_format_suffix(route: Route) -> bool:
    """Whether the path ends with the suffix of a format, such as `.csv`, and another path has the default."""
    return route.path.endswith(".{suffix}") and route.path != DUMP_PATH


def describe_route(generated: OpenApiObject, method: str, route: Route) -> OpenApiObject:
    """The members of an operation that FastAPI cannot derive, and all its parameters.

    `generated` is the operation that FastAPI has derived from the handler.
    """
    operation = route.operation
    docstring = EXCEPTIONS_PATTERN.sub("", getdoc(route.handler) or "")  # getdoc removes the indentation
    first_line, _, other_lines = docstring.partition("\n")
    has_body = method != "DELETE"
    parameters = {
        (parameter["in"], parameter["name"]): parameter
        for parameter in (*generated.get("parameters", []), *list_declared_parameters(operation))
    }
    if route.path.endswith(".{suffix}"):
        parameters.setdefault(("path", "suffix"), build_suffix_parameter(operation.formats))
    return {
        "tags": [find_tag(route.path)],
        "summary": operation.summary or first_line,
        "description": operation.description or other_lines.strip() or first_line,
        **({"parameters": [*parameters.values()]} if parameters else {}),
        **(describe_bodies(operation) if has_body else {}),
        **({"security": TOKEN_SECURITY} if operation.needs_token else {}),
        "responses": build_responses(operation, is_creation=operation.is_creation and has_body),
    }


def list_declared_parameters(operation: Operation) -> list[OpenApiObject]:
    """The query and header parameters that an operation declares, beside those of its handler's signature."""
    return [
        *list_query_parameters(operation.parameters or ParameterModel),
        *map(build_header_parameter, operation.headers),
    ]


def describe_bodies(operation: Operation) -> OpenApiObject:
    """The member `requestBody` of an operation; empty if it accepts no body."""
    content = {
        media_type: {"schema": build_body_schema(media_type, operation.form)}
        for media_type in operation.bodies
    }
    body = {"required": operation.is_body_required, "content": content}
    return {"requestBody": body} if content else {}


def build_responses(operation: Operation, *, is_creation: bool = False) -> OpenApiObject:
    """The responses of an operation by status."""
    success: OpenApiObject = {"description": RESPONSE_DESCRIPTIONS[operation.status]}
    if formats := (*operation.formats, *operation.listing_formats):
        success["content"] = build_content(formats, operation.json)
    created = {"201": CREATED_RESPONSE} if is_creation else {}
    return {str(operation.status): success, **created, "default": refer_to(PROBLEM_RESPONSE)}


def build_problem_response() -> OpenApiObject:
    """The response to any request that fails."""
    retry_after = {
        "description": "With 429 and 503: the number of seconds after which to try again.",
        "schema": {"type": "integer", "minimum": 0},
    }
    return {
        "description": "An error: what is wrong and how to correct it.",
        "headers": {"Retry-After": retry_after},
        "content": build_content((PROBLEM_JSON, HTML)),
    }


def build_content(formats: Iterable[Format], json_type: Any = None) -> OpenApiObject:
    """The media types of a response with their schemas; `json_type` is the model of `application/json`."""
    types = {**STANDARD_JSON_TYPES, JSON.media_type: json_type}
    return {
        format_.media_type: {"schema": deepcopy(build_json_schema(types.get(format_.media_type, str)))}
        for format_ in formats
    }


@cache
def build_json_schema(type_: Any) -> OpenApiObject:
    """The JSON schema of a type, with the schemas that it refers to in `$defs`."""
    key: tuple[Any, Any, Any] = (type_, "serialization", TypeAdapter(type_))
    schemas, shared = TypeAdapter.json_schemas([key], ref_template=COMPONENT_REFERENCE)
    definitions = {"$defs": shared["$defs"]} if "$defs" in shared else {}
    return {**schemas[type_, "serialization"], **definitions}


def list_query_parameters(model: type[ParameterModel]) -> list[OpenApiObject]:
    """The query parameters of a model."""
    properties = model.model_json_schema().get("properties", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": schema,
            "description": schema["description"],
        }
        for name, schema in properties.items()
    ]


def build_suffix_parameter(formats: Iterable[Format]) -> OpenApiObject:
    """The path parameter that selects one of the formats."""
    suffixes = [format_.suffix for format_ in formats]
    return {
        "name": "suffix",
        "in": "path",
        "required": True,
        "description": "The format of the response.",
        "schema": {"type": "string", "enum": suffixes, "examples": suffixes[:1]},
    }


def build_header_parameter(header: HeaderParameter) -> OpenApiObject:
    """The OpenAPI object of a header parameter."""
    schema = {**TEXT_SCHEMA, "examples": [header.example]}
    return {"name": header.name, "in": "header", "description": header.description, "schema": schema}


def build_body_schema(media_type: str, form: type[BaseModel] | None) -> OpenApiObject:
    """The schema of a request body of this media type; `form` is the model of a form."""
    if media_type in FORM_MEDIA_TYPES:
        return build_form_schema(form, has_files=media_type == MULTIPART_MEDIA_TYPE)
    return JSON_BODY_SCHEMA if media_type.endswith("json") else RAW_BODY_SCHEMA


def build_form_schema(form: type[BaseModel] | None, *, has_files: bool) -> OpenApiObject:
    """The schema of a form; without a model, it has any fields. Only multipart forms have files."""
    if form is None:
        return {"type": "object"}
    properties = {
        name: schema
        for name, schema in form.model_json_schema()["properties"].items()
        if has_files or schema.get("items", {}).get("format") != "binary"
    }
    return {"type": "object", "properties": properties}


def describe_example_queries() -> Iterator[tuple[str, OpenApiObject]]:
    """The operations of the example queries and of their feeds, by path."""
    for query in list_example_queries():
        yield f"/queries/{query.name}", describe_example_operation(query, example_result_formats(query))
        if query.date_variable:
            yield f"/feed/query/{query.name}.atom", describe_example_operation(query, ())


def describe_example_operation(query: ExampleQuery, formats: tuple[Format, ...]) -> OpenApiObject:
    """The operation of an example query with these result formats; of its Atom feed if there are none."""
    operation = Operation(formats=formats or (ATOM,))
    name = build_model_name(query.name)
    return {
        "tags": [find_tag("/queries" if formats else "/feed")],
        "operationId": f"query{name}" if formats else f"get{name}Feed",
        "summary": f"{query.title}." if formats else f"{query.title}, as a feed.",
        "description": query.question,
        "parameters": list_query_parameters(build_example_model(query, formats)),
        "responses": build_responses(operation),
    }
