"""Values that a client writes as text, as terms of a type, so that none becomes text of a query."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..problems import Problem
from .literals import build_value_literal
from .namespaces import OTHER_IRI_KIND, OWN_NAMESPACES, kind_of_iri, namespaces_by_prefix
from .sparql_lexer import check_absolute_iri

MAX_VALUE_CHARACTERS = 1_000  # characters of a value
RESOURCE_NAME_PATTERN = re.compile(r"\w(?:[\w./-]*\w)?")  # of a thing, below the path of its kind
# Of /id: kinds.
ID_PATH_KINDS = frozenset(rest.split("/")[1] for rest in OWN_NAMESPACES.values() if rest.startswith("id/"))
IRI_SCHEME_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
PARTIAL_DATE_REGEX = "[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"
FIRST_DATE = "0001-01-01"  # a day, whose end makes one of a month or a year


class ValueType(NamedTuple):
    """A type of values: what it is called in a sentence, how a text is read, and its JSON schema.

    `parse` raises ValueError for a text that is none.
    """

    description: str
    parse: Callable[[str], ox.Literal]
    schema: dict[str, Any]


def parse_integer_literal(text: str) -> ox.Literal:
    """An integer that the engine can count with."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError
    return ox.Literal(int(text))


def parse_day_literal(text: str) -> ox.Literal:
    """A day, such as 2004-11-23."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError
    return build_value_literal(date.fromisoformat(text))


def parse_partial_date_literal(text: str) -> ox.Literal:
    """A day, a month or a year that there is, as a text with which a date begins."""
    if not re.fullmatch(PARTIAL_DATE_REGEX, text):
        raise ValueError
    date.fromisoformat(text + FIRST_DATE[len(text) :])
    return ox.Literal(text)


def parse_year_literal(text: str) -> ox.Literal:
    """A year of four digits, as a text with which a date begins."""
    if not re.fullmatch(r"[0-9]{4}", text):
        raise ValueError
    return ox.Literal(text)


def parse_boolean_literal(text: str) -> ox.Literal:
    """A truth value."""
    return ox.Literal({"true": True, "false": False}[text])


def parse_text_literal(text: str) -> ox.Literal:
    """A text of at least one character."""
    if not text:
        raise ValueError
    return ox.Literal(text)


VALUE_TYPES = {
    "text": ValueType(
        "a text of some characters",
        parse_text_literal,
        {"type": "string", "minLength": 1, "maxLength": MAX_VALUE_CHARACTERS},
    ),
    "integer": ValueType(
        "a whole number",
        parse_integer_literal,
        {"type": "integer", "minimum": 1 - 10**18, "maximum": 10**18 - 1},
    ),
    "date": ValueType("a day such as 2004-11-23", parse_day_literal, {"type": "string", "format": "date"}),
    "moment": ValueType(
        "a day, month or year such as 2004-11-23, 2004-11 or 2004",
        parse_partial_date_literal,
        {"type": "string", "pattern": f"^{PARTIAL_DATE_REGEX}$", "examples": ["2005-02-01"]},
    ),
    "year": ValueType(
        "a year such as 2005",
        parse_year_literal,
        {"type": "string", "pattern": "^[0-9]{4}$", "examples": ["2005"]},
    ),
    "boolean": ValueType("true or false", parse_boolean_literal, {"type": "boolean"}),
}
# What is known by name, as the prefixes of namespaces below /id are; and `thing`, whatever it is.
RESOURCE_KINDS = frozenset(prefix for prefix, rest in OWN_NAMESPACES.items() if rest.startswith("id/"))
ANY_RESOURCE = "thing"
# One of each that a client can name, as an example.
EXAMPLE_NAMES = {
    "agent": "desai",
    "agreement-kind": "decision",
    "audience": "everybody",
    "category": "access-for-all",
    "confidence": "high",
    "declaration": "48",
    "disagreement": "seats-by-group",
    "doc": "report",
    "group": "civil-society",
    "issue": "spam",
    "meeting": "m1",
    "milestone-kind": "deadline",
    "paper": "wp-spam",
    "participation": "real-time-captioning",
    "place": "CH",
    "principle": "transparency",
    "role": "chair",
    "scheme": "issues",
    "session-kind": "open-consultation",
    "test-result": "failed",
    "timeliness": "late",
    "verdict": "adequate",
    ANY_RESOURCE: "issue:spam",
}


def is_resource_type(type_: str) -> bool:
    """Whether values of the type are IRIs."""
    return type_ == ANY_RESOURCE or type_ in RESOURCE_KINDS


def parse_parameter_term(name: str, type_: str, text: str, base: str) -> Any:
    """The term of this type that a text stands for; `name` is the parameter in messages. Raises Problem 400.

    A thing is named by the end of its IRI, with or without prefix, or by the whole of it.
    """
    if len(text) > MAX_VALUE_CHARACTERS:
        raise Problem(
            400, f"The value of {name} is longer than {MAX_VALUE_CHARACTERS} characters. Give a shorter one."
        )
    if is_resource_type(type_):
        found = parse_resource_iri(name, type_, text, base)
        check_resource_kind(name, type_, found, base)
        return ox.NamedNode(found)
    try:
        return VALUE_TYPES[type_].parse(text)
    except (ValueError, KeyError) as error:
        raise Problem(400, f"{name} is {text!r}, which is not {VALUE_TYPES[type_].description}.") from error


def parse_resource_iri(name: str, type_: str, text: str, base: str) -> str:
    """The IRI of a thing by its name. Raises Problem 400.

    It is named by its IRI, with angle brackets or without, by a prefix, or by the end: what stands behind the
    path of its type, or behind `/id/` where that is any.
    """
    known = namespaces_by_prefix(base)
    if text.startswith("<") and text.endswith(">") and IRI_SCHEME_PATTERN.match(text[1:]):
        text = text[1:-1]
    prefix, _, local = text.partition(":")
    if prefix in known and RESOURCE_NAME_PATTERN.fullmatch(local):
        return check_absolute_iri(known[prefix] + local, name)
    if type_ != ANY_RESOURCE and RESOURCE_NAME_PATTERN.fullmatch(text):
        return check_absolute_iri(known[type_] + text, name)
    if type_ == ANY_RESOURCE and text.partition("/")[0] in ID_PATH_KINDS:
        return check_absolute_iri(f"{base}id/{text}", name)
    if not IRI_SCHEME_PATTERN.match(text):
        example = (
            ", or its end such as issue/spam"
            if type_ == ANY_RESOURCE
            else f" such as {known[type_]}…, or its end"
        )
        raise Problem(400, f"{name} is {text!r}, which names no thing. Give its IRI{example}.")
    return check_absolute_iri(text, name)


def check_resource_kind(name: str, type_: str, iri: str, base: str) -> None:
    """Raises Problem 400 where the IRI names one of our things that is not of the type.

    What papers name below their own IRIs, such as a drafter, may be of any.
    """
    known, kind = namespaces_by_prefix(base), kind_of_iri(iri, base)
    if (
        type_ == ANY_RESOURCE
        or kind == OTHER_IRI_KIND
        or iri.startswith(known[type_])
        or is_part_of_paper(iri, known["paper"])
    ):
        return
    raise Problem(
        400,
        f"{name} is <{iri}>, which is of the kind {kind}. Give one such as {known[type_]}…, or its end.",
    )


def is_part_of_paper(iri: str, papers: str) -> bool:
    """Whether an IRI names a part of a paper, by what the IRIs of `papers` begin with."""
    return iri.startswith(papers) and "/" in iri.removeprefix(papers)


def json_schema_of(type_: str) -> dict[str, Any]:
    """The JSON schema of what a client writes for a value of a type."""
    if is_resource_type(type_):
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_VALUE_CHARACTERS,
            "examples": [EXAMPLE_NAMES[type_]],
        }
    return VALUE_TYPES[type_].schema
