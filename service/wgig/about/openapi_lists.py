"""Lists in the terms of OpenAPI: the parameters that each takes, and the JSON schema of what it gives."""

from typing import Any

from ..http.parameters import MAX_PARAMETER_VALUES
from ..lists.fields import ListDefinition, ListField
from ..lists.query import (
    DEFAULT_LIST_PAGE_SIZE,
    FILTER_VALUE_TYPES,
    MAX_LIST_PAGE_SIZE,
    MAX_SORT_KEYS,
    filterable_fields,
)
from ..rdf.values import MAX_VALUE_CHARACTERS, is_resource_type, json_schema_of

Schema = dict[str, Any]

IRI_SCHEMA: Schema = {"type": "string"}
COUNT_SCHEMA: Schema = {"type": "integer", "minimum": 0}
LABELS_SCHEMA: Schema = {
    "type": "object",
    "description": "Texts by language; `@none` are those without one.",
    "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1},
}
RESOURCE_SCHEMA: Schema = {
    "type": "object",
    "properties": {"id": IRI_SCHEMA, "label": LABELS_SCHEMA},
    "required": ["id"],
    "additionalProperties": False,
}
VALUE_SCHEMAS: dict[str, Schema] = {"integer": {"type": "integer"}, "boolean": {"type": "boolean"}}
WORD_SCHEMA: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_VALUE_CHARACTERS}
PAGE_LINK_RELATIONS = ("self", "first", "prev", "next", "last")


def build_list_parameters(one: ListDefinition) -> list[Schema]:
    """The parameters of the query string of a list."""
    sorts = ["id", *one.by_name]
    return [
        *(
            build_schema_parameter(field.name, field.description, build_filter_schema(one, field), many=True)
            for field in filterable_fields(one).values()
        ),
        build_schema_parameter("q", "Words that stand in what a thing is called, in any case.", WORD_SCHEMA),
        *(
            [build_schema_parameter("year", "A year that one of its dates is in.", json_schema_of("year"))]
            if one.date_fields
            else []
        ),
        build_schema_parameter(
            "sort",
            "Fields to sort by, with commas between and a minus before one that falls; without it "
            f"{','.join(one.sort)}.",
            {**build_enum_array_schema([*sorts, *(f"-{name}" for name in sorts)]), "maxItems": MAX_SORT_KEYS},
            inline=True,
        ),
        build_schema_parameter(
            "fields",
            "The fields that are given, with commas between; without it all.",
            build_enum_array_schema(sorts),
            inline=True,
        ),
        build_schema_parameter(
            "page",
            "The number of a page, from 1 on. CSV is the whole list where neither page nor size is given.",
            {"type": "integer", "minimum": 1, "default": 1},
        ),
        build_schema_parameter(
            "size",
            "How many things are on a page.",
            {
                "type": "integer",
                "minimum": 1,
                "maximum": MAX_LIST_PAGE_SIZE,
                "default": DEFAULT_LIST_PAGE_SIZE,
            },
        ),
    ]


def build_schema_parameter(
    name: str, says: str, schema_: Schema, *, many: bool = False, inline: bool = False
) -> Schema:
    """A parameter; one with `many` values is given several times, one `inline` has commas between them."""
    array = (
        {"type": "array", "items": schema_, "minItems": 1, "maxItems": MAX_PARAMETER_VALUES}
        if many
        else schema_
    )
    style = {"style": "form", "explode": many} if many or inline else {}
    return {"name": name, "in": "query", "description": says, "schema": array, **style}


def build_enum_array_schema(names: list[str]) -> Schema:
    """A list of some of the names."""
    return {"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1}


def build_filter_schema(one: ListDefinition, field: ListField) -> Schema:
    """What things can be chosen by in a field."""
    if field.type == "class":
        return {"type": "string", "enum": [name.rpartition(":")[2] for name in one.classes]}
    return json_schema_of(FILTER_VALUE_TYPES.get(field.type, field.type))


def build_list_page_schema(one: ListDefinition) -> Schema:
    """The schema of a page of a list as JSON."""
    return {
        "type": "object",
        "properties": {
            "total": {**COUNT_SCHEMA, "description": "How many things fit in all."},
            "page": {"type": "integer", "minimum": 1},
            "pages": {"type": "integer", "minimum": 1},
            "size": {"type": "integer", "minimum": 1, "maximum": MAX_LIST_PAGE_SIZE},
            "links": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in PAGE_LINK_RELATIONS},
                "required": ["self", "first", "last"],
                "additionalProperties": False,
            },
            "items": {"type": "array", "items": build_list_item_schema(one), "maxItems": MAX_LIST_PAGE_SIZE},
        },
        "required": ["total", "page", "pages", "size", "links", "items"],
        "additionalProperties": False,
    }


def build_list_item_schema(one: ListDefinition) -> Schema:
    """The schema of a thing in a list; a field of which nothing is known is not there."""
    return {
        "type": "object",
        "properties": {"id": IRI_SCHEMA, **{field.name: build_field_schema(field) for field in one.fields}},
        "required": ["id"],
        "additionalProperties": False,
    }


def build_field_schema(field: ListField) -> Schema:
    """The schema of what a field holds: where sources differ, one of a single value has several."""
    if field.type == "text":
        return {**LABELS_SCHEMA, "description": field.description}
    single = (
        RESOURCE_SCHEMA if is_resource_type(field.type) else VALUE_SCHEMAS.get(field.type, {"type": "string"})
    )
    several = {"type": "array", "items": single, "minItems": 1}
    shape = several if field.many else {"anyOf": [single, {**several, "minItems": 2}]}
    return {**shape, "description": field.description}
