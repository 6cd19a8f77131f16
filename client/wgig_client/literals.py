"""Conversion between literals and Python values by XML Schema datatype (RDF 1.1 Concepts, section 5)."""

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pyoxigraph as ox

from .namespaces import XSD_NAMESPACE

INTEGER_DATATYPES = (
    *("integer", "int", "long", "short", "byte"),
    *("nonNegativeInteger", "nonPositiveInteger", "negativeInteger", "positiveInteger"),
    *("unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte"),
)
NUMBER_TYPE_IRIS = frozenset(
    XSD_NAMESPACE + name for name in (*INTEGER_DATATYPES, "decimal", "double", "float")
)
INTEGER_REGEX = "[+-]?[0-9]+"
DECIMAL_REGEX = r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)"
DOUBLE_REGEX = rf"{DECIMAL_REGEX}(?:[eE]{INTEGER_REGEX})?|[+-]?INF|NaN"
DATE_REGEX = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
BOOLEAN_VALUES = {"true": True, "1": True, "false": False, "0": False}

# By local name of the datatype: the pattern of valid texts (the Python parsers accept more), and the parser.
VALUE_PARSERS: dict[str, tuple[re.Pattern[str], Callable[[str], Any]]] = {
    "boolean": (re.compile("true|false|[01]"), BOOLEAN_VALUES.__getitem__),
    "decimal": (re.compile(DECIMAL_REGEX), Decimal),
    "double": (re.compile(DOUBLE_REGEX), float),
    "float": (re.compile(DOUBLE_REGEX), float),
    "date": (re.compile(DATE_REGEX), date.fromisoformat),
    "dateTime": (re.compile(rf"{DATE_REGEX}T[0-9:.]+(?:Z|[+-][0-9:]+)?"), datetime.fromisoformat),
    **dict.fromkeys(INTEGER_DATATYPES, (re.compile(INTEGER_REGEX), int)),
}
# bool is a subclass of int, and datetime of date, so they come first.
VALUE_SERIALIZERS: tuple[tuple[type, str, Callable[[Any], str]], ...] = (
    (bool, "boolean", lambda value: str(value).lower()),
    (int, "integer", str),
    (float, "double", lambda value: {"inf": "INF", "-inf": "-INF", "nan": "NaN"}.get(str(value), str(value))),
    (Decimal, "decimal", lambda value: f"{value:f}"),
    (datetime, "dateTime", datetime.isoformat),
    (date, "date", date.isoformat),
)


def parse_xsd_text(text: str, datatype: str) -> Any:
    """The value of a text of the datatype with this local name: a number, bool, date or datetime.

    The text itself for other datatypes. Raises ValueError for a text that is invalid for the datatype.
    """
    if datatype not in VALUE_PARSERS:
        return text
    pattern, parse = VALUE_PARSERS[datatype]
    if not pattern.fullmatch(text):
        raise ValueError(f"{text!r} is not a valid {datatype}")
    return parse(text)


def is_numeric_literal(term: Any) -> bool:
    """Whether a term is a literal with a numeric datatype."""
    return isinstance(term, ox.Literal) and term.datatype.value in NUMBER_TYPE_IRIS


def literal_value(literal: ox.Literal) -> Any:
    """The Python value of a literal; its text if it is ill-typed or its datatype has no Python type."""
    datatype = literal.datatype.value
    if not datatype.startswith(XSD_NAMESPACE):
        return literal.value
    try:
        return parse_xsd_text(literal.value, datatype.removeprefix(XSD_NAMESPACE))
    except ValueError:
        return literal.value


def build_value_literal(value: object) -> ox.Literal:
    """A number, bool, date or datetime as a literal. Raises TypeError for other types."""
    for type_, datatype, serialize in VALUE_SERIALIZERS:
        if isinstance(value, type_):
            return build_typed_literal(serialize(value), datatype)
    raise TypeError(f"{value!r} has no RDF datatype. Use a str, number, bool, date, datetime or wgig.IRI.")


def build_typed_literal(text: str, datatype: str) -> ox.Literal:
    """A literal of the XML Schema datatype with this local name."""
    return ox.Literal(text, datatype=ox.NamedNode(XSD_NAMESPACE + datatype))


def term_text(term: Any) -> str:
    """The text of a term: the IRI or the lexical form; other terms in N-Triples syntax."""
    return term.value if isinstance(term, ox.NamedNode | ox.Literal) else str(term)
