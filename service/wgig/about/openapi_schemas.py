"""JSON schemas of what the service answers beside lists."""

from typing import Any

from ..lists.coverage_matrix import ROW_DIMENSIONS
from ..rdf.formats import FORMATS_BY_FORM
from .openapi_lists import COUNT_SCHEMA, IRI_SCHEMA, LABELS_SCHEMA, RESOURCE_SCHEMA

OpenApiObject = dict[str, Any]

TEXT_SCHEMA: OpenApiObject = {"type": "string"}
ANY_JSON_SCHEMA: OpenApiObject = {"type": ["object", "array"]}  # in JSON
PROBLEM_SCHEMA: OpenApiObject = {
    "type": "object",
    "properties": {
        "type": TEXT_SCHEMA,
        "title": TEXT_SCHEMA,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT_SCHEMA,
        "instance": TEXT_SCHEMA,
        "suggestion": {**TEXT_SCHEMA, "description": "What was probably meant."},
    },
    "required": ["type", "title", "status", "detail", "instance"],
}
FACT_SCHEMA: OpenApiObject = {
    "type": "object",
    "properties": {
        **RESOURCE_SCHEMA["properties"],
        "value": {"type": ["string", "integer", "boolean"]},
        "language": TEXT_SCHEMA,
        "datatype": TEXT_SCHEMA,
        "graphs": {"type": "array", "items": IRI_SCHEMA, "description": "The graphs that say so."},
    },
    "required": ["graphs"],
    "anyOf": [{"required": ["id"]}, {"required": ["value"]}],
    "additionalProperties": False,
}
FACTS_SCHEMA: OpenApiObject = {
    "type": "object",
    "description": "By the name of the property in the JSON-LD context.",
    "additionalProperties": {"type": "array", "items": FACT_SCHEMA, "minItems": 1},
}
INVERSE_SCHEMA: OpenApiObject = {
    "type": "object",
    "description": "What points here, by the name of the property.",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "total": COUNT_SCHEMA,
            "items": {"type": "array", "items": RESOURCE_SCHEMA},
            "links": {
                "type": "object",
                "properties": {"prev": TEXT_SCHEMA, "next": TEXT_SCHEMA},
                "additionalProperties": False,
            },
        },
        "required": ["total", "items", "links"],
        "additionalProperties": False,
    },
}
RESOURCE_DOCUMENT_SCHEMA: OpenApiObject = {
    "type": "object",
    "properties": {
        "id": IRI_SCHEMA,
        "type": {"type": "array", "items": TEXT_SCHEMA},
        "label": LABELS_SCHEMA,
        "sources": {"type": "array", "items": {**FACT_SCHEMA, "required": []}},
        "facts": FACTS_SCHEMA,
        "parts": {"type": "object", "additionalProperties": FACTS_SCHEMA},
        "inverse": INVERSE_SCHEMA,
        "note": TEXT_SCHEMA,
    },
    "required": ["id", "inverse"],
    "additionalProperties": False,
}
FOLDER_SCHEMA: OpenApiObject = {
    "type": "object",
    "description": "What is below a path, as JSON-LD.",
    "required": ["@context", "@graph"],
}
FRAMED_RESOURCE_SCHEMA: OpenApiObject = {
    "type": "object",
    "description": "A thing in a frame, as JSON-LD with what it leads to inside.",
    "required": ["@context", "id"],
}
REPRESENTATIONS_SCHEMA: OpenApiObject = {
    "type": "object",
    "description": "The profiles that the thing can be had by, each with its media types.",
    "properties": {
        "resource": IRI_SCHEMA,
        "default": {"type": "object"},
        "profiles": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["resource", "default", "profiles"],
    "additionalProperties": False,
}
EXAMPLE_QUERY_SCHEMA: OpenApiObject = {
    "type": "object",
    "properties": {
        "name": TEXT_SCHEMA,
        "title": TEXT_SCHEMA,
        "question": TEXT_SCHEMA,
        "path": TEXT_SCHEMA,
        "form": {"type": "string", "enum": [*FORMATS_BY_FORM]},
        "parameters": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": TEXT_SCHEMA,
                    "type": TEXT_SCHEMA,
                    "default": {"type": ["string", "null"]},
                    "says": TEXT_SCHEMA,
                },
                "required": ["name", "type", "default", "says"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["name", "title", "question", "path", "form", "parameters"],
    "additionalProperties": False,
}
EXAMPLE_QUERIES_SCHEMA = {
    "type": "object",
    "properties": {"queries": {"type": "array", "items": EXAMPLE_QUERY_SCHEMA}},
    "required": ["queries"],
}
MATRIX_SIDE_SCHEMA: OpenApiObject = {
    "type": "array",
    "items": {**RESOURCE_SCHEMA, "required": ["id", "label"]},
}
MATRIX_ROWS_SCHEMA: OpenApiObject = {
    "type": "array",
    "items": {
        **RESOURCE_SCHEMA,
        "properties": {
            **RESOURCE_SCHEMA["properties"],
            "papers": {**COUNT_SCHEMA, "description": "All papers that stand here."},
        },
        "required": ["id", "label", "papers"],
    },
}


def build_matrix_schema(key: str, plural: str) -> OpenApiObject:
    """The schema of a matrix whose rows are called so, one and all of them."""
    cell = {
        "type": "object",
        "properties": {
            key: IRI_SCHEMA,
            "criterion": IRI_SCHEMA,
            "papers": COUNT_SCHEMA,
            "verdicts": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
        },
        "required": [key, "criterion", "papers", "verdicts"],
        "additionalProperties": False,
    }
    properties = {
        plural: MATRIX_ROWS_SCHEMA,
        "criteria": MATRIX_SIDE_SCHEMA,
        "verdicts": MATRIX_SIDE_SCHEMA,
        "cells": {"type": "array", "items": cell},
    }
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


MATRIX_SCHEMA: OpenApiObject = {
    "anyOf": [build_matrix_schema(one.key, one.plural) for one in ROW_DIMENSIONS.values()]
}
SEATS_SCHEMA: OpenApiObject = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {
            "id": {"type": ["string", "null"]},
            "label": {"type": ["string", "null"], "description": "What the seats have in common."},
            "state": {
                "enum": ["known", "unknown", "unseen"],
                "description": "Whether it is known. Of unseen seats, nothing is but their number.",
            },
            "seats": COUNT_SCHEMA,
            "people": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"id": IRI_SCHEMA, "label": TEXT_SCHEMA},
                    "required": ["id", "label"],
                },
            },
        },
        "required": ["id", "label", "state", "seats", "people"],
        "additionalProperties": False,
    },
}
PEOPLE_SCHEMA: OpenApiObject = {
    "type": "object",
    "properties": {
        "seats": {
            "type": "object",
            "properties": {
                "known": COUNT_SCHEMA,
                "claimed": {"type": ["integer", "null"]},
                "total": COUNT_SCHEMA,
            },
            "required": ["known", "claimed", "total"],
            "additionalProperties": False,
        },
        "stakeholderGroup": SEATS_SCHEMA,
        "region": SEATS_SCHEMA,
        "developingCountry": SEATS_SCHEMA,
    },
    "required": ["seats", "stakeholderGroup", "region", "developingCountry"],
    "additionalProperties": False,
}
