"""Conversion between literals and Python values."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pyoxigraph as ox
import pytest
from wgig_client.literals import (
    build_typed_literal,
    build_value_literal,
    literal_value,
    parse_xsd_text,
    term_text,
)


@pytest.mark.parametrize(
    ("text", "datatype", "value"),
    [
        ("-5", "integer", -5),
        ("5", "nonNegativeInteger", 5),
        ("1.50", "decimal", Decimal("1.50")),
        ("-INF", "double", float("-inf")),
        ("1e3", "float", 1000.0),
        ("true", "boolean", True),
        ("0", "boolean", False),
        ("2005-01-25", "date", date(2005, 1, 25)),
        ("2005-01-25T10:00:00Z", "dateTime", datetime(2005, 1, 25, 10, tzinfo=UTC)),
        ("text", "string", "text"),
        ("2005", "gYear", "2005"),
    ],
)
def test_a_literal_is_converted_to_its_value(text: str, datatype: str, value: object) -> None:
    converted = literal_value(build_typed_literal(text, datatype))
    assert (converted, type(converted)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "datatype"),
    [
        ("many", "integer"),
        ("1_000", "integer"),
        (" 5", "integer"),
        ("٥", "integer"),
        ("9" * 5000, "integer"),
        ("1e3", "decimal"),
        ("NaN", "decimal"),
        ("infinity", "double"),
        ("yes", "boolean"),
        ("20050125", "date"),
        ("2005-02-30", "date"),
        ("2005-01-25", "dateTime"),
    ],
)
def test_a_text_that_is_invalid_for_its_datatype_is_not_converted(text: str, datatype: str) -> None:
    assert literal_value(build_typed_literal(text, datatype)) == text
    with pytest.raises(ValueError, match=r".+"):
        parse_xsd_text(text, datatype)


@pytest.mark.parametrize(
    "value",
    [True, 5, 0.1, float("inf"), Decimal("1.50"), date(2005, 1, 25), datetime(2005, 1, 25, 10, tzinfo=UTC)],
)
def test_a_value_is_converted_to_a_literal_and_back(value: object) -> None:
    converted = literal_value(build_value_literal(value))
    assert (converted, type(converted)) == (value, type(value))


def test_a_value_without_datatype_has_no_literal() -> None:
    with pytest.raises(TypeError, match="has no RDF datatype"):
        build_value_literal(object())


def test_the_text_of_a_term_is_its_iri_or_lexical_form() -> None:
    terms = [ox.NamedNode("urn:a"), ox.Literal("b", language="en"), ox.BlankNode("c")]
    assert list(map(term_text, terms)) == ["urn:a", "b", "_:c"]
