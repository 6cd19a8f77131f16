"""The lists, the matrix and the example queries as operations of OpenAPI."""

from collections.abc import Iterable, Sequence

from ..lists import coverage, people, routes
from ..lists.coverage_matrix import ROW_DIMENSIONS
from ..lists.definitions import LIST_DEFINITIONS
from ..lists.example_queries import EXAMPLE_FORMATS, example_answer_formats
from ..rdf.formats import ATOM, JSON, PLAIN_XML, Format
from ..rdf.jsonld import FRAME_TYPES
from ..rdf.values import MAX_VALUE_CHARACTERS, json_schema_of
from ..resources.profiles import OWN_PROFILE_FORMATS as OWN
from ..sparql.examples import NO_DEFAULT, ExampleQuery
from ..sparql.examples import ExampleParameter as Declared
from .openapi_lists import build_list_page_schema, build_list_parameters, build_schema_parameter
from .openapi_schemas import (
    ANY_JSON_SCHEMA,
    EXAMPLE_QUERIES_SCHEMA,
    FOLDER_SCHEMA,
    FRAMED_RESOURCE_SCHEMA,
    MATRIX_SCHEMA,
    PEOPLE_SCHEMA,
    REPRESENTATIONS_SCHEMA,
    RESOURCE_DOCUMENT_SCHEMA,
    TEXT_SCHEMA,
    OpenApiObject,
)

# How a thing is named that chooses some; not each fits all rows.
RESOURCE_NAME_SCHEMA: OpenApiObject = {"type": "string", "minLength": 1, "maxLength": MAX_VALUE_CHARACTERS}
LIST_DESCRIPTION = (
    "Filters of several fields all hold; a filter that is given several times takes any of its values. A "
    "thing is named by the end of its IRI, by prefix and end, or by the whole. What has no value is left out."
)

DOCUMENT_FORMATS = (*OWN, PLAIN_XML)  # as there is Dublin Core in plain XML
OPENAPI_PROFILE_PARAMETERS: list[OpenApiObject] = [
    build_schema_parameter(
        "_profile",
        "The profiles of the answer, the best first, with commas between: tokens, or IRIs between angle "
        "brackets. `all`: the list of what there is.",
        TEXT_SCHEMA,
    ),
    {
        "name": "Accept-Profile",
        "in": "header",
        "description": "The profiles of the answer: IRIs between angle brackets or tokens, with weights.",
        "schema": TEXT_SCHEMA,
    },
]
OPENAPI_NEGOTIATION_PARAMETERS: list[OpenApiObject] = [
    *OPENAPI_PROFILE_PARAMETERS,
    build_schema_parameter(
        "lang",
        "The languages of the texts, the best first, with commas between; beats Accept-Language.",
        TEXT_SCHEMA,
    ),
]
FEED_PAGE_PARAMETER = build_schema_parameter(
    "page", "A page of the feed, from 1 on; the feed links to the next one.", TEXT_SCHEMA
)
OPENAPI_RESOURCE_PARAMETERS = [
    *OPENAPI_NEGOTIATION_PARAMETERS,
    build_schema_parameter(
        "_frame",
        "JSON with the thing at the top, what it leads to inside.",
        {"type": "string", "enum": [*FRAME_TYPES]},
    ),
    build_schema_parameter(
        "inverse", "In JSON: the property whose page of what points here is wanted.", TEXT_SCHEMA
    ),
    build_schema_parameter("page", "In JSON: the number of that page.", {"type": "integer", "minimum": 1}),
    build_schema_parameter("after", "In a list of things: the name after which it goes on.", TEXT_SCHEMA),
]


def build_schema_responses(
    formats: Iterable[Format], json_schema: OpenApiObject = TEXT_SCHEMA
) -> OpenApiObject:
    """The answer in each of the formats; JSON of its schema."""
    content = {
        one.media_type: {"schema": ANY_JSON_SCHEMA if "json" in one.media_type else TEXT_SCHEMA}
        for one in formats
    }
    if JSON.media_type in content:
        content[JSON.media_type] = {"schema": json_schema}
    return {"200": {"description": "The answer, whole.", "content": content}}


def build_profile_responses(formats: Iterable[Format], json_schema: OpenApiObject) -> OpenApiObject:
    """The answer in each of the formats, or by `_profile=all` the list of the profiles in those of that."""
    return build_schema_responses(
        dict.fromkeys((*formats, *OWN)), {"anyOf": [json_schema, REPRESENTATIONS_SCHEMA]}
    )


def build_media_type_parameter(formats: Iterable[Format]) -> OpenApiObject:
    """The parameter that chooses one of the formats."""
    names = list(dict.fromkeys(one.media_type for one in formats))
    says = "The media type of the answer, or its suffix; beats the Accept field."
    return build_schema_parameter("_mediatype", says, {"type": "string", "enum": names})


def build_suffix_parameter(formats: Sequence[Format]) -> OpenApiObject:
    """The part of a path that names one of the formats."""
    names = [one.suffix for one in formats]
    return {"name": "suffix", "in": "path", "required": True, "schema": {"type": "string", "enum": names}}


def build_operations_by_path() -> dict[str, OpenApiObject]:
    """What the description adds to these operations, by path."""
    found: dict[str, OpenApiObject] = {
        "/queries": {
            "parameters": [build_media_type_parameter(EXAMPLE_FORMATS)],
            "responses": build_schema_responses(EXAMPLE_FORMATS, EXAMPLE_QUERIES_SCHEMA),
        },
    }
    matrix = {
        "parameters": [
            build_schema_parameter(
                "by",
                "What the rows are.",
                {"type": "string", "enum": [*ROW_DIMENSIONS], "default": coverage.DEFAULT_ROW_DIMENSION},
            ),
            *(
                build_schema_parameter(name, f"Only this {name}.", RESOURCE_NAME_SCHEMA, many=True)
                for name in coverage.COVERAGE_FILTER_TYPES
            ),
        ],
        "responses": build_profile_responses(coverage.COVERAGE_FORMATS, MATRIX_SCHEMA),
    }
    found |= build_suffixed_operations("/coverage", matrix, coverage.COVERAGE_FORMATS)
    seats = {"parameters": [], "responses": build_profile_responses(people.PEOPLE_FORMATS, PEOPLE_SCHEMA)}
    found |= build_suffixed_operations("/people", seats, people.PEOPLE_FORMATS)
    found["/doc/{path:path}"] = {
        "parameters": [build_media_type_parameter(DOCUMENT_FORMATS), *OPENAPI_RESOURCE_PARAMETERS],
        "responses": build_schema_responses(
            DOCUMENT_FORMATS,
            {
                "anyOf": [
                    RESOURCE_DOCUMENT_SCHEMA,
                    FOLDER_SCHEMA,
                    FRAMED_RESOURCE_SCHEMA,
                    REPRESENTATIONS_SCHEMA,
                ]
            },
        ),
    }
    for one in LIST_DEFINITIONS.values():
        operation = {
            "summary": one.description,
            "description": LIST_DESCRIPTION,
            "parameters": build_list_parameters(one),
            "responses": build_profile_responses(routes.LIST_FORMATS, build_list_page_schema(one)),
        }
        found |= build_suffixed_operations(f"/{one.name}", operation, routes.LIST_FORMATS)
    return found


def build_suffixed_operations(
    path: str, operation: OpenApiObject, formats: Sequence[Format]
) -> dict[str, OpenApiObject]:
    """An operation where the client accepts a format, and where the path names one."""
    given = [*operation["parameters"], build_media_type_parameter(formats), *OPENAPI_PROFILE_PARAMETERS]
    return {
        path: {**operation, "parameters": given},
        f"{path}.{{suffix}}": {**operation, "parameters": [build_suffix_parameter(formats), *given]},
    }


def build_example_operation(one: ExampleQuery) -> OpenApiObject:
    """An example query as an operation."""
    given = example_answer_formats(one)
    return {
        "summary": f"{one.title}.",
        "description": one.question,
        "parameters": [
            *map(build_example_parameter, one.parameters),
            *([FEED_PAGE_PARAMETER] if one.date_variable else []),
            build_media_type_parameter(given),
        ],
        "responses": build_schema_responses(given),
    }


def build_feed_operation(one: ExampleQuery) -> OpenApiObject:
    """The feed of an example query as an operation."""
    return {
        "summary": f"{one.title}, as a feed.",
        "description": one.question,
        "parameters": [*map(build_example_parameter, one.parameters), FEED_PAGE_PARAMETER],
        "responses": build_schema_responses([ATOM]),
    }


def build_example_parameter(one: Declared) -> OpenApiObject:
    """A parameter as its query declares it."""
    default = {} if one.default == NO_DEFAULT else {"default": one.default}
    return build_schema_parameter(one.name, one.description, {**json_schema_of(one.type), **default})
