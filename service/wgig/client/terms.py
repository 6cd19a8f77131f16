"""RDF terms as values of Python, and values of Python as RDF terms."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Self

import pyoxigraph as ox

XSD = "http://www.w3.org/2001/XMLSchema#"
INTEGERS = (
    *("integer", "int", "long", "short", "byte"),
    *("nonNegativeInteger", "nonPositiveInteger", "negativeInteger", "positiveInteger"),
    *("unsignedInt", "unsignedLong", "unsignedShort", "unsignedByte"),
)
TRUTH = {"true": True, "1": True, "false": False, "0": False}

READ: dict[str, Callable[[str], object]] = {
    f"{XSD}string": str,
    f"{XSD}boolean": TRUTH.__getitem__,
    f"{XSD}decimal": Decimal,
    f"{XSD}double": float,
    f"{XSD}float": float,
    f"{XSD}date": date.fromisoformat,
    f"{XSD}dateTime": datetime.fromisoformat,
    **dict.fromkeys((XSD + name for name in INTEGERS), int),
}
# A truth value counts as a number in Python, and a time as a day, so these stand first.
WRITTEN: tuple[tuple[type, str, Callable[[Any], str]], ...] = (
    (bool, "boolean", lambda value: str(value).lower()),
    (int, "integer", str),
    (float, "double", lambda value: {"inf": "INF", "-inf": "-INF", "nan": "NaN"}.get(str(value), str(value))),
    (Decimal, "decimal", lambda value: f"{value:f}"),
    (datetime, "dateTime", datetime.isoformat),
    (date, "date", date.isoformat),
)


class IRI(str):
    """The IRI of a thing."""

    __slots__ = ()


class Text(str):
    """A text with its `language`, or of a `datatype` that Python has no type for; the other is None."""

    __slots__ = ("datatype", "language")
    language: str | None
    datatype: str | None

    def __new__(cls, text: str, *, language: str | None = None, datatype: str | None = None) -> Self:
        """A text in a language (`Text("Spam", language="en")`), or of the datatype with an IRI."""
        made = super().__new__(cls, text)
        made.language, made.datatype = language, datatype
        return made


def value(term: object) -> Any:
    """A term as a value of Python.

    An IRI, a text with a language, a number, truth value, day or time; what Python has no type for, or is
    ill-typed, is a Text with its datatype. A blank node and a triple stay terms; None is None.
    """
    match term:
        case ox.NamedNode():
            return IRI(term.value)
        case ox.Literal() if term.language:
            return Text(term.value, language=term.language)
        case ox.Literal():
            datatype = term.datatype.value
            try:
                return READ[datatype](term.value)
            except (KeyError, ValueError, ArithmeticError):
                return Text(term.value, datatype=datatype)
        case _:
            return term


def term(value: object) -> ox.NamedNode | ox.Literal:
    """A value of Python as a term: the way back. Raises TypeError for what is none, ValueError for no IRI."""
    match value:
        case ox.NamedNode() | ox.Literal():
            return value
        case IRI():
            return ox.NamedNode(value)
        case Text() if value.language:
            return ox.Literal(value, language=value.language)
        case Text() if value.datatype:
            return ox.Literal(value, datatype=ox.NamedNode(value.datatype))
        case str():
            return ox.Literal(value)
    for kind, datatype, written in WRITTEN:
        if isinstance(value, kind):
            return ox.Literal(written(value), datatype=ox.NamedNode(XSD + datatype))
    raise TypeError(f"{value!r} is no value of RDF. Give a text, number, truth value, day, time or wgig.IRI.")
