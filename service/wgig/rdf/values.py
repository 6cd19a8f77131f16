"""Values that a client writes as text, as terms of a type, so that none becomes text of a query."""

import re
from collections.abc import Callable
from datetime import date
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..problems import Problem
from .namespaces import OTHER, OURS, OUTSIDE, kind_of, namespaces
from .sparql_lexer import absolute

XSD = OUTSIDE["xsd"]
LONGEST = 1_000  # characters of a value
NAME = re.compile(r"\w(?:[\w./-]*\w)?")  # of a thing, below the path of its kind
BELOW = frozenset(rest.split("/")[1] for rest in OURS.values() if rest.startswith("id/"))  # of /id: kinds
SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
MOMENT = "[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01]))?)?"
FIRST = "0001-01-01"  # a day, whose end makes one of a month or a year


class Type(NamedTuple):
    """A type of values: what it is called in a sentence, how a text is read, and its JSON schema.

    `read` raises ValueError for a text that is none.
    """

    called: str
    read: Callable[[str], ox.Literal]
    schema: dict[str, Any]


def literal(name: str) -> ox.NamedNode:
    """A datatype of XML Schema."""
    return ox.NamedNode(XSD + name)


def integer(text: str) -> ox.Literal:
    """An integer that the engine can count with."""
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise ValueError
    return ox.Literal(str(int(text)), datatype=literal("integer"))


def day(text: str) -> ox.Literal:
    """A day, such as 2004-11-23."""
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError
    return ox.Literal(date.fromisoformat(text).isoformat(), datatype=literal("date"))


def moment(text: str) -> ox.Literal:
    """A day, a month or a year that there is, as a text with which a date begins."""
    if not re.fullmatch(MOMENT, text):
        raise ValueError
    date.fromisoformat(text + FIRST[len(text) :])
    return ox.Literal(text)


def year(text: str) -> ox.Literal:
    """A year of four digits, as a text with which a date begins."""
    if not re.fullmatch(r"[0-9]{4}", text):
        raise ValueError
    return ox.Literal(text)


def truth(text: str) -> ox.Literal:
    """A truth value."""
    return ox.Literal({"true": True, "false": False}[text])


def words(text: str) -> ox.Literal:
    """A text of at least one character."""
    if not text:
        raise ValueError
    return ox.Literal(text)


TYPES = {
    "text": Type(
        "a text of some characters", words, {"type": "string", "minLength": 1, "maxLength": LONGEST}
    ),
    "integer": Type(
        "a whole number", integer, {"type": "integer", "minimum": 1 - 10**18, "maximum": 10**18 - 1}
    ),
    "date": Type("a day such as 2004-11-23", day, {"type": "string", "format": "date"}),
    "moment": Type(
        "a day, month or year such as 2004-11-23, 2004-11 or 2004",
        moment,
        {"type": "string", "pattern": f"^{MOMENT}$", "examples": ["2005-02-01"]},
    ),
    "year": Type(
        "a year such as 2005", year, {"type": "string", "pattern": "^[0-9]{4}$", "examples": ["2005"]}
    ),
    "boolean": Type("true or false", truth, {"type": "boolean"}),
}
# What is known by name, as the prefixes of namespaces below /id are; and `thing`, whatever it is.
THINGS = frozenset(prefix for prefix, rest in OURS.items() if rest.startswith("id/"))
THING = "thing"
# One of each that a client can name, as an example.
EXAMPLES = {
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
    THING: "issue:spam",
}


def is_thing(type_: str) -> bool:
    """Whether values of the type are IRIs."""
    return type_ == THING or type_ in THINGS


def term(name: str, type_: str, text: str, base: str) -> Any:
    """The term of this type that a text stands for; `name` is the parameter in messages. Raises Problem 400.

    A thing is named by the end of its IRI, with or without prefix, or by the whole of it.
    """
    if len(text) > LONGEST:
        raise Problem(400, f"The value of {name} is longer than {LONGEST} characters. Give a shorter one.")
    if is_thing(type_):
        found = iri(name, type_, text, base)
        check_kind(name, type_, found, base)
        return ox.NamedNode(found)
    try:
        return TYPES[type_].read(text)
    except (ValueError, KeyError) as error:
        raise Problem(400, f"{name} is {text!r}, which is not {TYPES[type_].called}.") from error


def iri(name: str, type_: str, text: str, base: str) -> str:
    """The IRI of a thing by its name. Raises Problem 400.

    It is named by its IRI, with angle brackets or without, by a prefix, or by the end: what stands behind the
    path of its type, or behind `/id/` where that is any.
    """
    known = namespaces(base)
    if text.startswith("<") and text.endswith(">") and SCHEME.match(text[1:]):
        text = text[1:-1]
    prefix, _, local = text.partition(":")
    if prefix in known and NAME.fullmatch(local):
        return absolute(known[prefix] + local, name)
    if type_ != THING and NAME.fullmatch(text):
        return absolute(known[type_] + text, name)
    if type_ == THING and text.partition("/")[0] in BELOW:
        return absolute(f"{base}id/{text}", name)
    if not SCHEME.match(text):
        example = (
            ", or its end such as issue/spam" if type_ == THING else f" such as {known[type_]}…, or its end"
        )
        raise Problem(400, f"{name} is {text!r}, which names no thing. Give its IRI{example}.")
    return absolute(text, name)


def check_kind(name: str, type_: str, iri: str, base: str) -> None:
    """Raises Problem 400 where the IRI names one of our things that is not of the type.

    What papers name below their own IRIs, such as a drafter, may be of any.
    """
    known, kind = namespaces(base), kind_of(iri, base)
    if type_ == THING or kind == OTHER or iri.startswith(known[type_]) or part_of_paper(iri, known["paper"]):
        return
    raise Problem(
        400,
        f"{name} is <{iri}>, which is of the kind {kind}. Give one such as {known[type_]}…, or its end.",
    )


def part_of_paper(iri: str, papers: str) -> bool:
    """Whether an IRI names a part of a paper, by what the IRIs of `papers` begin with."""
    return iri.startswith(papers) and "/" in iri.removeprefix(papers)


def schema(type_: str) -> dict[str, Any]:
    """The JSON schema of what a client writes for a value of a type."""
    if is_thing(type_):
        return {"type": "string", "minLength": 1, "maxLength": LONGEST, "examples": [EXAMPLES[type_]]}
    return TYPES[type_].schema
