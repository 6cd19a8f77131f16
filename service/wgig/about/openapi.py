"""/openapi.json: the OpenAPI 3.1 description of all routes, lists and example queries.

FastAPI derives paths, parameters and summaries from the handlers. This module adds what each `Operation`
declares: media types, types of JSON, request bodies, tokens, header fields. QUERY and HEAD are left out:
OpenAPI 3.1 cannot describe QUERY, and HEAD is GET without the body.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from copy import deepcopy
from functools import cache
from typing import Any

from fastapi import Depends, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi as generate_description
from pydantic import TypeAdapter

from ..graphs.citation.routes import CSL_JSON_FORMAT
from ..graphs.schemas import CslItemList
from ..http.bodies import FORM_MEDIA_TYPE, MULTIPART_MEDIA_TYPE
from ..http.operations import HeaderParameter, Operation, Route, list_route_checks
from ..http.parameter_models import ParameterModel
from ..http.responses import respond_with_json
from ..http.schemas import JsonLdDocument, ProblemDocument
from ..lists.example_queries import example_answer_formats
from ..lists.schemas import TableMetadataDocument
from ..papers.schemas import SarifLog
from ..rdf.formats import ATOM, CSVW, HTML, JSON, JSON_LD, JSON_RESULTS, PROBLEM_JSON, Format
from ..shacl.reports import SARIF_FORMAT
from ..sparql.examples import ExampleQuery, list_example_queries
from ..sparql.parameters import build_example_model
from ..sparql.schemas import SparqlResultDocument
from .schemas import Linkset, OpenApiDocument
from .well_known import LINKSET_FORMAT

OpenApiObject = dict[str, Any]

# The types of the JSON of standards, by media type.
STANDARD_JSON_TYPES: dict[str, Any] = {
    JSON_LD.media_type: JsonLdDocument,
    JSON_RESULTS.media_type: SparqlResultDocument,
    PROBLEM_JSON.media_type: ProblemDocument,
    SARIF_FORMAT.media_type: SarifLog,
    CSVW.media_type: TableMetadataDocument,
    CSL_JSON_FORMAT.media_type: CslItemList,
    LINKSET_FORMAT.media_type: Linkset,
}
COMPONENT_REFERENCE = "#/components/schemas/{model}"
TEXT_SCHEMA: OpenApiObject = {"type": "string"}
# The schemas of request bodies, by the end of their media type; all others are text.
BODY_SCHEMAS: dict[str, OpenApiObject] = {
    "json": {"type": ["object", "array"]},
    MULTIPART_MEDIA_TYPE: {"type": "object"},
    FORM_MEDIA_TYPE: {"type": "object"},
}
ANSWER_DESCRIPTIONS = {
    200: "The answer, whole.",
    204: "It is done.",
    303: "Location says where the answer is.",
}
CREATED_RESPONSE: OpenApiObject = {"description": "A new graph is made; Location says where."}
TOKEN_SECURITY: list[OpenApiObject] = [{"token": []}]
SECURITY_SCHEMES = {
    "token": {"type": "http", "scheme": "bearer", "description": "An access token, needed to write."}
}
# OpenAPI 3.1 has no place for QUERY, and HEAD is GET without the body.
UNDESCRIBED_METHODS = ("HEAD", "QUERY")

OPENAPI_OPERATION = Operation(formats=(JSON,), json=OpenApiDocument)


class DescribedApplication(FastAPI):
    """An application with the routes of a table, whose OpenAPI description includes their operations.

    The description is built on the first request for it, as its schemas take 0.2 s of CPU.
    """

    def __init__(self, table: Sequence[Route], **options: Any) -> None:
        """Add the routes of the table, each with the dependencies that run before its handler."""
        super().__init__(**options)
        self.table = table
        for route in table:
            checks = [Depends(one) for one in list_route_checks(route)]
            for method in route.methods:
                self.add_api_route(
                    route.path,
                    route.handler,
                    methods=[method],
                    dependencies=checks,
                    status_code=route.operation.status,
                    response_class=Response,  # its media types are negotiated
                    responses={"default": {}},  # which stands for 422, too
                    operation_id=build_operation_id(method, route.path),
                    include_in_schema=method not in UNDESCRIBED_METHODS,
                )

    def openapi(self) -> OpenApiObject:
        """The description (OpenAPI 3.1)."""
        if not self.openapi_schema:
            generated = generate_description(
                title=self.title, version=self.version, description=self.description, routes=self.routes
            )
            self.openapi_schema = finish_description(generated, self.table)
        return self.openapi_schema


def get_openapi(request: Request) -> Response:
    """The description of this interface (OpenAPI 3.1)."""
    return respond_with_json(request, request.app.openapi())


def finish_description(description: OpenApiObject, table: Iterable[Route]) -> OpenApiObject:
    """The description that FastAPI generated, with the operations of the routes and the example queries."""
    paths = description["paths"]
    for route in table:
        for method in set(route.methods).difference(UNDESCRIBED_METHODS):
            operation = paths[route.path.replace(":path", "")][method.lower()]
            operation |= describe_route(operation, method, route)
    for path, operation in describe_example_queries():
        paths[path] = {"get": {**operation, "operationId": build_operation_id("GET", path)}}
    schemas: OpenApiObject = {}
    for operation in (one for item in paths.values() for one in item.values()):
        for parameter in operation.get("parameters", []):
            move_explode_to_parameter(parameter)
        for answer in operation["responses"].values():
            for body in answer.get("content", {}).values():
                schemas |= body["schema"].pop("$defs", {})
    description["components"] = {
        "schemas": dict(sorted(schemas.items())),
        "securitySchemes": SECURITY_SCHEMES,
    }
    return description


def move_explode_to_parameter(parameter: OpenApiObject) -> None:
    """Move `explode` from a schema, where models have it, to the parameter, where OpenAPI has it."""
    if "explode" in parameter["schema"]:
        parameter |= {"style": "form", "explode": parameter["schema"].pop("explode")}


def build_operation_id(method: str, path: str) -> str:
    """The operationId for client generators, such as `getSparql`."""
    names = re.findall(r"\w+", path.replace(":path", "")) or ["home"]
    return method.lower() + "".join(name.capitalize() for name in names)


def describe_route(generated: OpenApiObject, method: str, route: Route) -> OpenApiObject:
    """The members of an operation that FastAPI cannot derive, with the parameters that it generated."""
    operation = route.operation
    first, _, rest = (route.handler.__doc__ or "").strip().partition("\n")
    has_body = method != "DELETE"
    parameters = {(one["in"], one["name"]): one for one in generated.get("parameters", [])}
    parameters |= {(one["in"], one["name"]): one for one in list_more_parameters(operation)}
    if route.path.endswith(".{suffix}"):
        parameters.setdefault(("path", "suffix"), build_suffix_parameter(operation.formats))
    return {
        "summary": operation.summary or first,
        "description": operation.description or rest.strip() or first,
        **({"parameters": [*parameters.values()]} if parameters else {}),
        **(describe_bodies(operation) if has_body else {}),
        **({"security": TOKEN_SECURITY} if operation.needs_token else {}),
        "responses": build_responses(operation, is_creation=operation.is_creation and has_body),
    }


def list_more_parameters(operation: Operation) -> list[OpenApiObject]:
    """The parameters of an operation that the signature of its handler lacks or describes less exactly."""
    return [
        *list_query_parameters(operation.parameters or ParameterModel),
        *map(build_header_parameter, operation.headers),
    ]


def describe_bodies(operation: Operation) -> OpenApiObject:
    """The request body of an operation; empty for none."""
    content = {one: {"schema": find_body_schema(one)} for one in operation.bodies}
    body = {"required": operation.is_body_required, "content": content}
    return {"requestBody": body} if content else {}


def build_responses(operation: Operation, *, is_creation: bool = False) -> OpenApiObject:
    """The responses of an operation by status."""
    problem: OpenApiObject = {
        "description": "What is wrong and how to mend it.",
        "content": build_content((PROBLEM_JSON, HTML)),
    }
    answer: OpenApiObject = {"description": ANSWER_DESCRIPTIONS[operation.status]}
    if formats := (*operation.formats, *operation.listing_formats):
        answer["content"] = build_content(formats, operation.json)
    created = {"201": CREATED_RESPONSE} if is_creation else {}
    return {str(operation.status): answer, **created, "default": problem}


def build_content(formats: Iterable[Format], json_type: Any = None) -> OpenApiObject:
    """The media types of a response with their schemas; `json_type` is the type of plain JSON."""
    types = {**STANDARD_JSON_TYPES, JSON.media_type: json_type}
    return {
        one.media_type: {"schema": deepcopy(build_json_schema(types.get(one.media_type, str)))}
        for one in formats
    }


@cache
def build_json_schema(type_: Any) -> OpenApiObject:
    """The JSON schema of a type, with the schemas that it refers to in `$defs`."""
    key: tuple[Any, Any, Any] = (type_, "serialization", TypeAdapter(type_))
    schemas, more = TypeAdapter.json_schemas([key], ref_template=COMPONENT_REFERENCE)
    return {**schemas[type_, "serialization"], **{name: one for name, one in more.items() if name == "$defs"}}


def list_query_parameters(model: type[ParameterModel]) -> list[OpenApiObject]:
    """The query parameters of a model."""
    members = model.model_json_schema().get("properties", {})
    return [
        {
            "name": name,
            "in": "query",
            "required": False,
            "schema": schema,
            "description": schema["description"],
        }
        for name, schema in members.items()
    ]


def build_suffix_parameter(formats: Iterable[Format]) -> OpenApiObject:
    """The path parameter that chooses one of the formats."""
    names = [one.suffix for one in formats]
    return {
        "name": "suffix",
        "in": "path",
        "required": True,
        "description": "The format of the answer.",
        "schema": {"type": "string", "enum": names, "examples": names[:1]},
    }


def build_header_parameter(one: HeaderParameter) -> OpenApiObject:
    """A header parameter."""
    schema = {**TEXT_SCHEMA, "examples": [one.example]}
    return {"name": one.name, "in": "header", "description": one.description, "schema": schema}


def find_body_schema(media_type: str) -> OpenApiObject:
    """The schema of a request body."""
    return BODY_SCHEMAS.get(media_type.rpartition("+")[2], TEXT_SCHEMA)


def describe_example_queries() -> Iterator[tuple[str, OpenApiObject]]:
    """The operations of the example queries and of their feeds, by path."""
    for one in list_example_queries():
        yield f"/queries/{one.name}", describe_example_operation(one, example_answer_formats(one))
        if one.date_variable:
            yield f"/feed/query/{one.name}.atom", describe_example_operation(one, ())


def describe_example_operation(one: ExampleQuery, formats: tuple[Format, ...]) -> OpenApiObject:
    """The operation of an example query in these formats, or of its feed without any."""
    operation = Operation(formats=formats or (ATOM,))
    return {
        "summary": f"{one.title}." if formats else f"{one.title}, as a feed.",
        "description": one.question,
        "parameters": list_query_parameters(build_example_model(one, formats)),
        "responses": build_responses(operation),
    }
