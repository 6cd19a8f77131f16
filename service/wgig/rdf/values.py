"""Typed parameter values: parameters become RDF terms, so that clients cannot inject text into queries."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

import pyoxigraph as ox
from wgig_client.literals import build_value_literal
from wgig_client.namespaces import (
    ID_PATH_KINDS,
    LOCAL_NAMESPACE_PATHS,
    RESOURCE_NAME_PATTERN,
    namespaces_by_prefix,
    resolve_resource_name,
)

from ..problems import Problem
from .namespaces import OTHER_IRI_KIND, kind_of_iri
from .sparql_lexer import check_absolute_iri

MAX_VALUE_CHARACTERS = 1_000
PARTIAL_DATE_REGEX = "[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"
FIRST_DATE = "0001-01-01"  # the end of it is added to a year or month, which makes a date


class ValueType(NamedTuple):
    """A type of values: its description for messages, its parser, and its JSON schema.

    `parse` raises ValueError for an invalid text.
    """

    description: str
    parse: Callable[[str], ox.Literal]
    schema: dict[str, Any]


def parse_integer_literal(text: str) -> ox.Literal:
    """An xsd:integer of at most 18 digits, as pyoxigraph computes with 64 bits. Raises ValueError."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError
    return ox.Literal(int(text))


def parse_day_literal(text: str) -> ox.Literal:
    """An xsd:date, such as 2004-11-23. Raises ValueError for any other text."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError
    return build_value_literal(date.fromisoformat(text))


def parse_partial_date_literal(text: str) -> ox.Literal:
    """A date, month or year as a string, a prefix of each date in it. Raises ValueError for other texts."""
    if not re.fullmatch(PARTIAL_DATE_REGEX, text):
        raise ValueError
    date.fromisoformat(text + FIRST_DATE[len(text) :])
    return ox.Literal(text)


def parse_year_literal(text: str) -> ox.Literal:
    """A year of four digits as a string, a prefix of each date in it. Raises ValueError for other texts."""
    if not re.fullmatch(r"[0-9]{4}", text):
        raise ValueError
    return ox.Literal(text)


def parse_boolean_literal(text: str) -> ox.Literal:
    """An xsd:boolean. Raises KeyError for other texts than `true` and `false`."""
    return ox.Literal({"true": True, "false": False}[text])


def parse_text_literal(text: str) -> ox.Literal:
    """A text of at least one character. Raises ValueError if it is empty."""
    if not text:
        raise ValueError
    return ox.Literal(text)


VALUE_TYPES = {
    "text": ValueType(
        "a non-empty string",
        parse_text_literal,
        {"type": "string", "minLength": 1, "maxLength": MAX_VALUE_CHARACTERS},
    ),
    "integer": ValueType(
        "a whole number",
        parse_integer_literal,
        {"type": "integer", "minimum": 1 - 10**18, "maximum": 10**18 - 1},
    ),
    "date": ValueType("a date such as 2004-11-23", parse_day_literal, {"type": "string", "format": "date"}),
    "moment": ValueType(
        "a date, month or year such as 2004-11-23, 2004-11 or 2004",
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
# Types of values that are resources: prefixes of the namespaces below /id/, and `thing` for any resource.
RESOURCE_KINDS = frozenset(prefix for prefix, path in LOCAL_NAMESPACE_PATHS.items() if path.startswith("id/"))
ANY_RESOURCE = "thing"
# A criterion is a principle or one of these concepts, which are no principles.
CRITERION_TYPE, OTHER_CRITERIA = "criterion", frozenset({"adequacy"})
# Values of these types can also be of another type.
SECOND_TYPES = {CRITERION_TYPE: "principle", "mechanism": "agent"}
# Examples of resources by type, for the documentation of the API.
EXAMPLE_NAMES = {
    "agent": "desai",
    "agreement": "d01",
    "agreement-kind": "decision",
    "audience": "everybody",
    "author-type": "individual",
    "bg": "101",
    "category": "access-for-all",
    "confidence": "high",
    "criterion": "transparency",
    "declaration": "48",
    "disagreement": "seats-by-group",
    "dispute": "icann-legitimacy",
    "doc": "report",
    "group": "civil-society",
    "issue": "spam",
    "judged-kind": "mechanism",
    "judgment": "069",
    "mechanism": "iana",
    "mechanism-kind": "treaty",
    "meeting": "m1",
    "milestone-kind": "deadline",
    "outcome-kind": "kept",
    "paper": "wp-spam",
    "part-kind": "section",
    "participation": "real-time-captioning",
    "place": "CH",
    "principle": "transparency",
    "recommendation-kind": "need",
    "role": "chair",
    "scheme": "issues",
    "session-kind": "open-consultation",
    "test-result": "cannot-tell",
    "timeliness": "late",
    "verdict": "adequate",
    "view-holder": "some-members",
    ANY_RESOURCE: "issue:spam",
}


def is_resource_type(type_: str) -> bool:
    """Whether values of the type are IRIs."""
    return type_ == ANY_RESOURCE or type_ in RESOURCE_KINDS


def parse_parameter_term(name: str, type_: str, text: str, base: str, alternative: str = "") -> Any:
    """The RDF term for a value of this type; `name` is the parameter in messages.

    `alternative` is a text that the parameter may be instead.

    The text of a resource is its IRI, a prefixed name, or the last part of its IRI. Raises Problem 400 if the
    text is too long or does not fit the type.
    """
    check_value_length(name, text)
    if is_resource_type(type_):
        iri = parse_resource_iri(name, type_, text, base)
        check_resource_kind(name, type_, iri, base)
        return ox.NamedNode(iri)
    try:
        return VALUE_TYPES[type_].parse(text)
    except (ValueError, KeyError) as error:
        description = VALUE_TYPES[type_].description
        if alternative:
            raise Problem(400, f"{name} is {text!r}. Give {description}, or {alternative}.") from error
        raise Problem(400, f"{name} is {text!r}, which is not {description}.") from error


def check_value_length(name: str, text: str) -> None:
    """Raise Problem 400 if the text of a parameter is too long."""
    if len(text) > MAX_VALUE_CHARACTERS:
        raise Problem(
            400, f"The value of {name} is longer than {MAX_VALUE_CHARACTERS} characters. Give a shorter one."
        )


def parse_resource_iri(name: str, type_: str, text: str, base: str) -> str:
    """The IRI of the resource in `text`; `name` is the parameter in messages.

    The text is an IRI, with or without angle brackets, a prefixed name, or the last part of an IRI: the part
    after the namespace of its type, or after `/id/` for any type or a second type. Raises Problem 400 for any
    other text.
    """
    namespaces = namespaces_by_prefix(base)
    kinds = ID_PATH_KINDS if type_ == ANY_RESOURCE else {SECOND_TYPES.get(type_, "")} if "/" in text else ()
    iri = resolve_resource_name(text, base, kinds)
    if not iri and type_ != ANY_RESOURCE and RESOURCE_NAME_PATTERN.fullmatch(text):
        is_principle = type_ == CRITERION_TYPE and text not in OTHER_CRITERIA
        iri = namespaces["principle" if is_principle else type_] + text
    if not iri:
        example = (
            ", or its last part such as issue/spam"
            if type_ == ANY_RESOURCE
            else f" such as {namespaces[type_]}…, or its last part"
        )
        raise Problem(400, f"{name} is {text!r}, which does not name a resource. Give its IRI{example}.")
    return check_absolute_iri(iri, name)


def check_resource_kind(name: str, type_: str, iri: str, base: str) -> None:
    """Raise Problem 400 if the IRI is of this service, but of a resource of another type.

    IRIs below that of a paper, such as that of a drafter, can be of any type.
    """
    namespaces, kind = namespaces_by_prefix(base), kind_of_iri(iri, base)
    if (
        type_ == ANY_RESOURCE
        or kind == OTHER_IRI_KIND
        or iri.startswith(namespaces[type_])
        or iri.startswith(namespaces[SECOND_TYPES.get(type_, type_)])
        or is_part_of_paper(iri, namespaces["paper"])
    ):
        return
    raise Problem(
        400,
        f"{name} is <{iri}>, which is a resource of the kind {kind}. Give an IRI such as "
        f"{namespaces[type_]}…, or its last part.",
    )


def is_part_of_paper(iri: str, paper_namespace: str) -> bool:
    """Whether an IRI is below that of a paper; `paper_namespace` is the namespace of papers."""
    return iri.startswith(paper_namespace) and "/" in iri.removeprefix(paper_namespace)


def json_schema_of(type_: str) -> dict[str, Any]:
    """The JSON schema of the values of a type."""
    if is_resource_type(type_):
        return {
            "type": "string",
            "minLength": 1,
            "maxLength": MAX_VALUE_CHARACTERS,
            "examples": [EXAMPLE_NAMES[type_]],
        }
    return VALUE_TYPES[type_].schema
