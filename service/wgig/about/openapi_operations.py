"""The lists, the matrix and the example queries as operations of OpenAPI."""

from collections.abc import Iterable, Sequence

from ..lists import coverage, people, routes
from ..lists.coverage_matrix import ROWS
from ..lists.definitions import LISTS
from ..lists.example_queries import EXAMPLE_FORMATS, formats
from ..rdf.formats import ATOM, JSON, PLAIN_XML, Format
from ..rdf.jsonld import FRAMES
from ..rdf.values import LONGEST, schema
from ..resources.profiles import OFFERED as OWN
from ..sparql.examples import NONE, Example
from ..sparql.examples import Parameter as Declared
from .openapi_lists import list_parameter, page, parameters
from .openapi_schemas import (
    ANY,
    FOLDER,
    FRAMED,
    MATRIX,
    PEOPLE,
    QUERIES,
    REPRESENTATIONS,
    TEXT,
    THING_DOCUMENT,
    Described,
)

# How a thing is named that chooses some; not each fits all rows.
NAMED: Described = {"type": "string", "minLength": 1, "maxLength": LONGEST}
LISTING = (
    "Filters of several fields all hold; a filter that is given several times takes any of its values. A "
    "thing is named by the end of its IRI, by prefix and end, or by the whole. What has no value is left out."
)

DOC = (*OWN, PLAIN_XML)  # as there is Dublin Core in plain XML
PROFILED: list[Described] = [
    list_parameter(
        "_profile",
        "The profiles of the answer, the best first, with commas between: tokens, or IRIs between angle "
        "brackets. `all`: the list of what there is.",
        TEXT,
    ),
    {
        "name": "Accept-Profile",
        "in": "header",
        "description": "The profiles of the answer: IRIs between angle brackets or tokens, with weights.",
        "schema": TEXT,
    },
]
NEGOTIATED: list[Described] = [
    *PROFILED,
    list_parameter(
        "lang",
        "The languages of the texts, the best first, with commas between; beats Accept-Language.",
        TEXT,
    ),
]
PAGE_OF_FEED = list_parameter("page", "A page of the feed, from 1 on; the feed links to the next one.", TEXT)
OF_THING = [
    *NEGOTIATED,
    list_parameter(
        "_frame",
        "JSON with the thing at the top, what it leads to inside.",
        {"type": "string", "enum": [*FRAMES]},
    ),
    list_parameter("inverse", "In JSON: the property whose page of what points here is wanted.", TEXT),
    list_parameter("page", "In JSON: the number of that page.", {"type": "integer", "minimum": 1}),
    list_parameter("after", "In a list of things: the name after which it goes on.", TEXT),
]


def answered(formats: Iterable[Format], json_schema: Described = TEXT) -> Described:
    """The answer in each of the formats; JSON of its schema."""
    content = {one.media_type: {"schema": ANY if "json" in one.media_type else TEXT} for one in formats}
    if JSON.media_type in content:
        content[JSON.media_type] = {"schema": json_schema}
    return {"200": {"description": "The answer, whole.", "content": content}}


def profiled(formats: Iterable[Format], json_schema: Described) -> Described:
    """The answer in each of the formats, or by `_profile=all` the list of the profiles in those of that."""
    return answered(dict.fromkeys((*formats, *OWN)), {"anyOf": [json_schema, REPRESENTATIONS]})


def media_type(formats: Iterable[Format]) -> Described:
    """The parameter that chooses one of the formats."""
    names = list(dict.fromkeys(one.media_type for one in formats))
    says = "The media type of the answer, or its suffix; beats the Accept field."
    return list_parameter("_mediatype", says, {"type": "string", "enum": names})


def suffix(formats: Sequence[Format]) -> Described:
    """The part of a path that names one of the formats."""
    names = [one.suffix for one in formats]
    return {"name": "suffix", "in": "path", "required": True, "schema": {"type": "string", "enum": names}}


def by_path() -> dict[str, Described]:
    """What the description adds to these operations, by path."""
    found: dict[str, Described] = {
        "/queries": {
            "parameters": [media_type(EXAMPLE_FORMATS)],
            "responses": answered(EXAMPLE_FORMATS, QUERIES),
        },
    }
    matrix = {
        "parameters": [
            list_parameter(
                "by", "What the rows are.", {"type": "string", "enum": [*ROWS], "default": coverage.BY}
            ),
            *(list_parameter(name, f"Only this {name}.", NAMED, many=True) for name in coverage.FILTERS),
        ],
        "responses": profiled(coverage.OFFERED, MATRIX),
    }
    found |= in_formats("/coverage", matrix, coverage.OFFERED)
    seats = {"parameters": [], "responses": profiled(people.OFFERED, PEOPLE)}
    found |= in_formats("/people", seats, people.OFFERED)
    found["/doc/{path:path}"] = {
        "parameters": [media_type(DOC), *OF_THING],
        "responses": answered(DOC, {"anyOf": [THING_DOCUMENT, FOLDER, FRAMED, REPRESENTATIONS]}),
    }
    for one in LISTS.values():
        operation = {
            "summary": one.says,
            "description": LISTING,
            "parameters": parameters(one),
            "responses": profiled(routes.OFFERED, page(one)),
        }
        found |= in_formats(f"/{one.name}", operation, routes.OFFERED)
    return found


def in_formats(path: str, operation: Described, formats: Sequence[Format]) -> dict[str, Described]:
    """An operation where the client accepts a format, and where the path names one."""
    given = [*operation["parameters"], media_type(formats), *PROFILED]
    return {
        path: {**operation, "parameters": given},
        f"{path}.{{suffix}}": {**operation, "parameters": [suffix(formats), *given]},
    }


def example_operation(one: Example) -> Described:
    """An example query as an operation."""
    given = formats(one)
    return {
        "summary": f"{one.title}.",
        "description": one.question,
        "parameters": [
            *map(declared, one.parameters),
            *([PAGE_OF_FEED] if one.date else []),
            media_type(given),
        ],
        "responses": answered(given),
    }


def feed_operation(one: Example) -> Described:
    """The feed of an example query as an operation."""
    return {
        "summary": f"{one.title}, as a feed.",
        "description": one.question,
        "parameters": [*map(declared, one.parameters), PAGE_OF_FEED],
        "responses": answered([ATOM]),
    }


def declared(one: Declared) -> Described:
    """A parameter as its query declares it."""
    default = {} if one.default == NONE else {"default": one.default}
    return list_parameter(one.name, one.says, {**schema(one.type), **default})
