"""/people: members of the working group by stakeholder group, region and development, with unknowns.

What is unknown is part of each sum: known seats are compared with the number of seats that sources claim.
"""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyoxigraph as ox
from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool

from ..http import language
from ..http.parameters import SERVICE, address, host, only
from ..i18n import ENGLISH, marked
from ..problems import Problem
from ..rdf.formats import CSV, HTML, JSON, Format
from ..resources import mappings
from ..resources.alternates import Subject
from ..resources.labels import labels
from ..resources.negotiation import SAME_IN_ALL, wish_alone
from ..resources.profiles import OWN, own
from ..resources.representation import represent, show
from ..sparql.service import rows, tsv
from ..text import natural
from .definitions import LISTS, SOURCE
from .fields import LABEL, Field, List
from .query import WHOLE, Asked, asked, prefixed, selection
from .results import Found, found

UNKNOWN, UNSEEN = "unknown", "unseen"
GROUP, REGION, DEVELOPMENT = "stakeholderGroup", "region", "developingCountry"
DEVELOPMENTS = {"true": marked("developing country"), "false": marked("developed country")}
OF_PEOPLE = LISTS["stakeholders"].by_name

SEATS = List(
    "people",
    "People",
    "The seats of the group.",
    ("org:Membership",),
    (
        LABEL,
        Field("org:member", "agent", "Who has the seat."),
        Field("org:role", "role", "As what."),
        Field(GROUP, "group", "The stakeholder group that it is counted under."),
        Field("stakeholderGroupBasis", "string", "What that rests on."),
        Field("country", "place", "The country of its holder.", many=True),
        Field(
            REGION,
            "name",
            OF_PEOPLE["region"].says,
            pattern=OF_PEOPLE["region"].pattern.replace(
                "wgig:country|^org:member/wgig:country", "wgig:country"
            ),
        ),
        Field(DEVELOPMENT, "boolean", "Whether that is a developing country."),
        Field("confidence", "confidence", "How sure the seat is."),
        SOURCE,
    ),
    only="?id org:organization agent:wgig ; org:role ?as . VALUES ?as { role:member role:chair }",
    without="?id wgig:illustrative true",
)
# What sources say of the number of seats, and on what they disagree.
SAID = """SELECT ?kind ?thing ?text WHERE {
  { ?thing wgig:about agent:wgig ; wgig:claimedProperty "number of members" ; rdf:value ?text .
    BIND ("size" AS ?kind) }
  UNION
  { ?thing wgig:about agent:wgig ; a wgig:Disagreement ; rdfs:label ?text . BIND ("dispute" AS ?kind) }
} LIMIT 100"""


@dataclass(frozen=True)
class Person:
    """Who has a seat, by IRI, and what they are called."""

    iri: str
    name: str
    language: str = ""


@dataclass(frozen=True)
class Bar:
    """Seats that have something in common: what, how many, and who has them.

    `state` is empty, or `unknown` of seats of which it is not known, or `unseen` of those that were not seen
    at all. Where sources differ, there are several `names`. `iri` names what the seats have in common, where
    that is a thing.
    """

    names: Sequence[ox.Literal]
    seats: int
    people: Sequence[Person]
    iri: str = ""
    state: str = ""

    @property
    def name(self) -> str:
        """What they have in common in words; empty where that is not known."""
        return " or ".join(one.value for one in self.names)


@dataclass(frozen=True)
class People:
    """The seats of the group: how many are known, how many there were by a claim, and how they are spread.

    `size` is None where no claim says how many there were. Each of the `bars` adds up to all seats.
    """

    seats: int
    size: int | None
    claim: str
    bars: Mapping[str, Sequence[Bar]]
    found: Found
    labels: Mapping[str, ox.Literal]
    disputes: Sequence[tuple[ox.Literal, str]]

    @property
    def total(self) -> int:
        """How many seats there were, as far as known."""
        return max(self.seats, self.size or 0)


def seats(base: str) -> Asked:
    """What is asked of the list of seats: all of them, up to WHOLE."""
    return asked(SEATS, [], base).whole()


def said(base: str) -> str:
    """The query for what sources say."""
    return prefixed(SAID, base)


def count_seats(found: Found, labels: Mapping[str, ox.Literal], claims: Sequence[Sequence[Any]]) -> People:
    """How the seats are spread, of what the list and the query found; `labels` are of what they name."""
    sizes = [
        (int(text.value), thing.value) for kind, thing, text in claims if is_size(kind.value, text.value)
    ]
    size, claim = max(sizes, default=(None, ""))
    disputes = [(text, thing.value) for kind, thing, text in claims if kind.value == "dispute"]
    known = len(found.things)
    unseen = [Bar([], size - known, [], state=UNSEEN)] if size is not None and size > known else []
    bars = {one: [*spread(found, labels, one), *unseen] for one in (GROUP, REGION, DEVELOPMENT)}
    return People(
        known, size, claim, bars, found, labels, sorted(disputes, key=lambda one: natural(one[0].value))
    )


def is_size(kind: str, text: str) -> bool:
    """Whether a claim is a number of seats."""
    return kind == "size" and text.isdecimal() and len(text) < 6


def spread(found: Found, labels: Mapping[str, ox.Literal], field: str) -> list[Bar]:
    """The seats by the value of a field; those of which it is not known come last.

    A seat of which sources say different things stands under all of these together.
    """
    by: dict[tuple[str, ...], list[str]] = {}
    for iri, about in found.things.items():
        by.setdefault(tuple(one.value for one in about.get(field, ())), []).append(iri)
    bars = [bar(found, labels, field, values, those) for values, those in by.items()]
    return sorted(bars, key=lambda one: (bool(one.state), -one.seats, natural(one.name)))


def bar(
    found: Found, labels: Mapping[str, ox.Literal], field: str, values: tuple[str, ...], those: Sequence[str]
) -> Bar:
    """The seats that have these values."""
    who = sorted((person(found, labels, one) for one in those), key=lambda one: natural(one.name))
    if not values:
        return Bar([], len(those), who, state=UNKNOWN)
    names = [called(labels, one) if field == GROUP else in_english(one) for one in values]
    iri = values[0] if field == GROUP and len(values) == 1 else ""
    return Bar(names, len(those), who, iri)


def in_english(value: str) -> ox.Literal:
    """What a region, or a development, is called."""
    return ox.Literal(DEVELOPMENTS.get(value, value), language=ENGLISH)


def person(found: Found, labels: Mapping[str, ox.Literal], seat: str) -> Person:
    """Who has a seat; where that is not said, the seat itself."""
    who = next((one.value for one in found.things[seat].get("org:member", ())), seat)
    name = called(labels, who)
    return Person(who, name.value, name.language or "")


def called(labels: Mapping[str, ox.Literal], iri: str) -> ox.Literal:
    """What a thing is called, or else its IRI."""
    return labels[iri] if iri in labels else ox.Literal(iri)


def as_json(found: People) -> bytes:
    """The numbers as JSON; what is unknown is a part of each sum."""
    document = {
        "seats": {"known": found.seats, "claimed": found.size, "total": found.total},
        **{
            field: [
                {
                    "id": one.iri or None,
                    "label": None if one.state else one.name,
                    "state": one.state or "known",
                    "seats": one.seats,
                    "people": [{"id": who.iri, "label": who.name} for who in one.people],
                }
                for one in bars
            ]
            for field, bars in found.bars.items()
        },
    }
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def as_csv(found: People) -> bytes:
    """The same as a table: a row for what seats have in common, and how many they are."""
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["by", "state", "id", "label", "seats", "people"])
    for field, bars in found.bars.items():
        for one in bars:
            table.writerow([field, *cells(one), " | ".join(who.name for who in one.people)])
    return out.getvalue().encode()


def cells(one: Bar) -> Iterable[str | int]:
    """What a row says of seats."""
    return one.state or "known", one.iri, one.name, one.seats


OFFERED = (JSON, CSV, HTML)
ABOUT = "Who sat in the group, by stakeholder group, region and development, as far as known."
PLAIN = {JSON: as_json, CSV: as_csv}


async def people(request: Request) -> Response:
    """How the seats of the group are spread over stakeholder groups, regions and development.

    What is not known is a part of each sum. Seats that were not seen are counted where a claim says how many
    there were.
    """
    base = request.app.state.settings.base
    only(request, ("_mediatype", "_profile"))
    wish = wish_alone(request, OFFERED, request.path_params.get("suffix", ""), {OWN: own(base)})
    there = found(await tsv(request, selection(seats(base), base)))
    if there.total > len(there.things):
        raise Problem(413, f"The group has {there.total} seats, and up to {WHOLE} are counted here.")
    ranges = language.ranges() if wish.choices[0].format is HTML else ()
    names = await run_in_threadpool(labels, request.app.state.store, there.labels, ranges)
    write = partial(written, request, count_seats(there, names, await rows(request, said(base))))
    iri = base.rstrip("/") + address("people", [])
    subject = Subject(iri, "/people", lambda: (), write, formats=OFFERED)
    return await run_in_threadpool(represent, request, wish, subject, more=[SERVICE], headers=SAME_IN_ALL)


def written(request: Request, found: People, format_: Format) -> bytes:
    """The numbers in a format."""
    if format_ is not HTML:
        return PLAIN[format_](found)
    others = [(one.title, address("people", [], one.suffix)) for one in OFFERED if one is not HTML]
    iri, page = f"{request.app.state.settings.base}people", f"{host(request)}people"
    markup = mappings.dataset(iri, page, "People", ABOUT, [JSON, CSV])
    return show(
        request, "people.html", people=found, developments=DEVELOPMENTS.values(), others=others, markup=markup
    )
