"""Lists in the terms of OpenAPI: the parameters that each takes, and the JSON schema of what it gives."""

from typing import Any

from ..http.parameters import MOST
from ..lists.fields import Field, List
from ..lists.query import ASKED_AS, LARGEST, MAX_SORT_KEYS, SIZE, filterable
from ..rdf.values import LONGEST, is_thing, schema

Schema = dict[str, Any]

IRI: Schema = {"type": "string"}
COUNT: Schema = {"type": "integer", "minimum": 0}
LABELS: Schema = {
    "type": "object",
    "description": "Texts by language; `@none` are those without one.",
    "additionalProperties": {"type": "array", "items": {"type": "string"}, "minItems": 1},
}
THING: Schema = {
    "type": "object",
    "properties": {"id": IRI, "label": LABELS},
    "required": ["id"],
    "additionalProperties": False,
}
VALUES: dict[str, Schema] = {"integer": {"type": "integer"}, "boolean": {"type": "boolean"}}
WORD: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST}
RELATIONS = ("self", "first", "prev", "next", "last")


def parameters(one: List) -> list[Schema]:
    """The parameters of the query string of a list."""
    sorts = ["id", *one.by_name]
    return [
        *(
            list_parameter(field.name, field.says, filter_schema(one, field), many=True)
            for field in filterable(one).values()
        ),
        list_parameter("q", "Words that stand in what a thing is called, in any case.", WORD),
        *(
            [list_parameter("year", "A year that one of its dates is in.", schema("year"))]
            if one.when
            else []
        ),
        list_parameter(
            "sort",
            "Fields to sort by, with commas between and a minus before one that falls; without it "
            f"{','.join(one.sort)}.",
            {**listed([*sorts, *(f"-{name}" for name in sorts)]), "maxItems": MAX_SORT_KEYS},
            inline=True,
        ),
        list_parameter(
            "fields",
            "The fields that are given, with commas between; without it all.",
            listed(sorts),
            inline=True,
        ),
        list_parameter(
            "page",
            "The number of a page, from 1 on. CSV is the whole list where neither page nor size is given.",
            {"type": "integer", "minimum": 1, "default": 1},
        ),
        list_parameter(
            "size",
            "How many things are on a page.",
            {"type": "integer", "minimum": 1, "maximum": LARGEST, "default": SIZE},
        ),
    ]


def list_parameter(
    name: str, says: str, schema_: Schema, *, many: bool = False, inline: bool = False
) -> Schema:
    """A parameter; one with `many` values is given several times, one `inline` has commas between them."""
    array = {"type": "array", "items": schema_, "minItems": 1, "maxItems": MOST} if many else schema_
    style = {"style": "form", "explode": many} if many or inline else {}
    return {"name": name, "in": "query", "description": says, "schema": array, **style}


def listed(names: list[str]) -> Schema:
    """A list of some of the names."""
    return {"type": "array", "items": {"type": "string", "enum": names}, "minItems": 1}


def filter_schema(one: List, field: Field) -> Schema:
    """What things can be chosen by in a field."""
    if field.type == "class":
        return {"type": "string", "enum": [name.rpartition(":")[2] for name in one.classes]}
    return schema(ASKED_AS.get(field.type, field.type))


def page(one: List) -> Schema:
    """The schema of a page of a list as JSON."""
    return {
        "type": "object",
        "properties": {
            "total": {**COUNT, "description": "How many things fit in all."},
            "page": {"type": "integer", "minimum": 1},
            "pages": {"type": "integer", "minimum": 1},
            "size": {"type": "integer", "minimum": 1, "maximum": LARGEST},
            "links": {
                "type": "object",
                "properties": {name: {"type": "string"} for name in RELATIONS},
                "required": ["self", "first", "last"],
                "additionalProperties": False,
            },
            "items": {"type": "array", "items": item(one), "maxItems": LARGEST},
        },
        "required": ["total", "page", "pages", "size", "links", "items"],
        "additionalProperties": False,
    }


def item(one: List) -> Schema:
    """The schema of a thing in a list; a field of which nothing is known is not there."""
    return {
        "type": "object",
        "properties": {"id": IRI, **{field.name: value(field) for field in one.fields}},
        "required": ["id"],
        "additionalProperties": False,
    }


def value(field: Field) -> Schema:
    """The schema of what a field holds: where sources differ, one of a single value has several."""
    if field.type == "text":
        return {**LABELS, "description": field.says}
    single = THING if is_thing(field.type) else VALUES.get(field.type, {"type": "string"})
    several = {"type": "array", "items": single, "minItems": 1}
    shape = several if field.many else {"anyOf": [single, {**several, "minItems": 2}]}
    return {**shape, "description": field.says}
