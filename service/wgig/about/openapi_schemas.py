"""JSON schemas of what the service answers beside lists."""

from typing import Any

from ..lists.coverage_matrix import ROWS
from ..rdf.formats import BY_FORM
from .openapi_lists import COUNT, IRI, LABELS, THING

Described = dict[str, Any]

TEXT: Described = {"type": "string"}
ANY: Described = {"type": ["object", "array"]}  # in JSON
PROBLEM_DOCUMENT: Described = {
    "type": "object",
    "properties": {
        "type": TEXT,
        "title": TEXT,
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": TEXT,
        "instance": TEXT,
        "suggestion": {**TEXT, "description": "What was probably meant."},
    },
    "required": ["type", "title", "status", "detail", "instance"],
}
FACT: Described = {
    "type": "object",
    "properties": {
        **THING["properties"],
        "value": {"type": ["string", "integer", "boolean"]},
        "language": TEXT,
        "datatype": TEXT,
        "graphs": {"type": "array", "items": IRI, "description": "The graphs that say so."},
    },
    "required": ["graphs"],
    "anyOf": [{"required": ["id"]}, {"required": ["value"]}],
    "additionalProperties": False,
}
FACTS: Described = {
    "type": "object",
    "description": "By the name of the property in the JSON-LD context.",
    "additionalProperties": {"type": "array", "items": FACT, "minItems": 1},
}
INVERSE: Described = {
    "type": "object",
    "description": "What points here, by the name of the property.",
    "additionalProperties": {
        "type": "object",
        "properties": {
            "total": COUNT,
            "items": {"type": "array", "items": THING},
            "links": {
                "type": "object",
                "properties": {"prev": TEXT, "next": TEXT},
                "additionalProperties": False,
            },
        },
        "required": ["total", "items", "links"],
        "additionalProperties": False,
    },
}
THING_DOCUMENT: Described = {
    "type": "object",
    "properties": {
        "id": IRI,
        "type": {"type": "array", "items": TEXT},
        "label": LABELS,
        "sources": {"type": "array", "items": {**FACT, "required": []}},
        "facts": FACTS,
        "parts": {"type": "object", "additionalProperties": FACTS},
        "inverse": INVERSE,
        "note": TEXT,
    },
    "required": ["id", "inverse"],
    "additionalProperties": False,
}
FOLDER: Described = {
    "type": "object",
    "description": "What is below a path, as JSON-LD.",
    "required": ["@context", "@graph"],
}
FRAMED: Described = {
    "type": "object",
    "description": "A thing in a frame, as JSON-LD with what it leads to inside.",
    "required": ["@context", "id"],
}
REPRESENTATIONS: Described = {
    "type": "object",
    "description": "The profiles that the thing can be had by, each with its media types.",
    "properties": {
        "resource": IRI,
        "default": {"type": "object"},
        "profiles": {"type": "array", "items": {"type": "object"}},
    },
    "required": ["resource", "default", "profiles"],
    "additionalProperties": False,
}
QUERY: Described = {
    "type": "object",
    "properties": {
        "name": TEXT,
        "title": TEXT,
        "question": TEXT,
        "path": TEXT,
        "form": {"type": "string", "enum": [*BY_FORM]},
        "parameters": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "name": TEXT,
                    "type": TEXT,
                    "default": {"type": ["string", "null"]},
                    "says": TEXT,
                },
                "required": ["name", "type", "default", "says"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["name", "title", "question", "path", "form", "parameters"],
    "additionalProperties": False,
}
QUERIES = {
    "type": "object",
    "properties": {"queries": {"type": "array", "items": QUERY}},
    "required": ["queries"],
}
SIDE: Described = {"type": "array", "items": {**THING, "required": ["id", "label"]}}
ROW: Described = {
    "type": "array",
    "items": {
        **THING,
        "properties": {
            **THING["properties"],
            "papers": {**COUNT, "description": "All papers that stand here."},
        },
        "required": ["id", "label", "papers"],
    },
}


def matrix(key: str, plural: str) -> Described:
    """The schema of a matrix whose rows are called so, one and all of them."""
    cell = {
        "type": "object",
        "properties": {
            key: IRI,
            "criterion": IRI,
            "papers": COUNT,
            "verdicts": {"type": "object", "additionalProperties": {"type": "integer", "minimum": 1}},
        },
        "required": [key, "criterion", "papers", "verdicts"],
        "additionalProperties": False,
    }
    properties = {plural: ROW, "criteria": SIDE, "verdicts": SIDE, "cells": {"type": "array", "items": cell}}
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


MATRIX: Described = {"anyOf": [matrix(one.key, one.plural) for one in ROWS.values()]}
SEATS: Described = {
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
            "seats": COUNT,
            "people": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"id": IRI, "label": TEXT},
                    "required": ["id", "label"],
                },
            },
        },
        "required": ["id", "label", "state", "seats", "people"],
        "additionalProperties": False,
    },
}
PEOPLE: Described = {
    "type": "object",
    "properties": {
        "seats": {
            "type": "object",
            "properties": {"known": COUNT, "claimed": {"type": ["integer", "null"]}, "total": COUNT},
            "required": ["known", "claimed", "total"],
            "additionalProperties": False,
        },
        "stakeholderGroup": SEATS,
        "region": SEATS,
        "developingCountry": SEATS,
    },
    "required": ["seats", "stakeholderGroup", "region", "developingCountry"],
    "additionalProperties": False,
}
