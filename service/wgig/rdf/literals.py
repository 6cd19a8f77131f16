"""Literals as values of Python and back, by the datatypes of XML Schema (RDF 1.1 Concepts, section 5)."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyoxigraph as ox

from .namespaces import XSD_NAMESPACE, expand_curie

INTEGER_DATATYPES = (
    *("integer", "int", "long", "short", "byte"),
    *("nonNegativeInteger", "nonPositiveInteger", "negativeInteger", "positiveInteger"),
    *("unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte"),
)
INTEGER_REGEX = "[+-]?[0-9]+"
DECIMAL_REGEX = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
DOUBLE_REGEX = rf"{DECIMAL_REGEX}(?:[eE]{INTEGER_REGEX})?|[+-]?INF|NaN"
DATE_REGEX = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
BOOLEAN_VALUES = {"true": True, "1": True, "false": False, "0": False}

# By local name: what a text of the datatype looks like, as Python reads more than that, and how it is read.
VALUE_PARSERS: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    "boolean": (re.compile("true|false|[01]"), BOOLEAN_VALUES.__getitem__),
    "decimal": (re.compile(DECIMAL_REGEX), Decimal),
    "double": (re.compile(DOUBLE_REGEX), float),
    "float": (re.compile(DOUBLE_REGEX), float),
    "date": (re.compile(DATE_REGEX), date.fromisoformat),
    "dateTime": (re.compile(rf"{DATE_REGEX}T[0-9:.]+(?:Z|[+-][0-9:]+)?"), datetime.fromisoformat),
    **dict.fromkeys(INTEGER_DATATYPES, (re.compile(INTEGER_REGEX), int)),
}
# A truth value counts as a number in Python, and a time as a day, so these stand first.
VALUE_SERIALIZERS: tuple[tuple[type, str, Callable[[Any], str]], ...] = (
    (bool, "boolean", lambda value: str(value).lower()),
    (int, "integer", str),
    (float, "double", lambda value: {"inf": "INF", "-inf": "-INF", "nan": "NaN"}.get(str(value), str(value))),
    (Decimal, "decimal", lambda value: f"{value:f}"),
    (datetime, "dateTime", datetime.isoformat),
    (date, "date", date.isoformat),
)


def parse_xsd_text(text: str, datatype: str) -> Any:
    """The value of a text of the datatype with this local name: a number, truth value, day or time.

    For other datatypes that is the text. Raises ValueError for a text that is none of the datatype.
    """
    if datatype not in VALUE_PARSERS:
        return text
    pattern, parse = VALUE_PARSERS[datatype]
    if not pattern.fullmatch(text):
        raise ValueError(f"{text!r} is no {datatype}")
    return parse(text)


def literal_value(literal: ox.Literal) -> Any:
    """The value of a literal; its text where Python has no type for it, or where it is ill-typed."""
    datatype = literal.datatype.value
    if not datatype.startswith(XSD_NAMESPACE):
        return literal.value
    try:
        return parse_xsd_text(literal.value, datatype.removeprefix(XSD_NAMESPACE))
    except ValueError:
        return literal.value


def build_value_literal(value: object) -> ox.Literal:
    """A number, truth value, day or time as a literal: the way back. Raises TypeError for anything else."""
    for kind, datatype, written in VALUE_SERIALIZERS:
        if isinstance(value, kind):
            return build_typed_literal(written(value), datatype)
    raise TypeError(f"{value!r} is no value of RDF. Give a text, number, truth value, day, time or wgig.IRI.")


def build_typed_literal(text: str, datatype: str) -> ox.Literal:
    """A text of the datatype of XML Schema with this local name."""
    return ox.Literal(text, datatype=expand_curie(f"xsd:{datatype}"))


def term_text(term: Any) -> str:
    """A term as text: the IRI or the words alone; others as N-Triples has them."""
    return term.value if isinstance(term, ox.NamedNode | ox.Literal) else str(term)
