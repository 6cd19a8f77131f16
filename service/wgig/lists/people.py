"""/people: members of the working group by stakeholder group, region and development, with unknowns.

What is unknown is part of each sum: known seats are compared with the number of seats that sources claim.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import pyoxigraph as ox
from fastapi import Response
from fastapi.concurrency import run_in_threadpool

from ..http import language
from ..http.parameters import SERVICE_DESC_LINK, build_service_path, check_query_parameters, request_base_url
from ..i18n import ENGLISH, gettext_noop
from ..pages.dependencies import ContextDep, RequestContext
from ..problems import Problem
from ..rdf.formats import CSV, HTML, JSON, Format
from ..resources import mappings
from ..resources.alternates import Resource
from ..resources.labels import find_labels
from ..resources.profile_negotiation import LANGUAGE_NEUTRAL_HEADERS, parse_format_preferences
from ..resources.profiles import OWN_PROFILE_TOKEN, own_profile
from ..resources.representation import render_site_page, respond_with_resource
from ..sparql.dependencies import QueriesDep
from ..sparql.service import select_own_rows, select_own_tsv
from ..text import natural_sort_key, serialize_csv_rows
from .definitions import LIST_DEFINITIONS, SOURCE_FIELD
from .fields import LABEL_FIELD, ListDefinition, ListField
from .query import MAX_WHOLE_LIST_ITEMS, ListRequest, add_query_prefixes, build_list_query, parse_list_request
from .results import ListPage, parse_list_page

STATE_UNKNOWN, STATE_UNSEEN = "unknown", "unseen"
GROUP_FIELD, REGION_FIELD, DEVELOPMENT_FIELD = "stakeholderGroup", "region", "developingCountry"
DEVELOPMENT_LABELS = {"true": gettext_noop("developing country"), "false": gettext_noop("developed country")}
STAKEHOLDER_FIELDS = LIST_DEFINITIONS["stakeholders"].by_name

SEAT_LIST = ListDefinition(
    "people",
    "People",
    "The seats of the group.",
    ("org:Membership",),
    (
        LABEL_FIELD,
        ListField("org:member", "agent", "Who has the seat."),
        ListField("org:role", "role", "As what."),
        ListField(GROUP_FIELD, "group", "The stakeholder group that it is counted under."),
        ListField("stakeholderGroupBasis", "string", "What that rests on."),
        ListField("country", "place", "The country of its holder.", many=True),
        ListField(
            REGION_FIELD,
            "name",
            STAKEHOLDER_FIELDS["region"].description,
            pattern=STAKEHOLDER_FIELDS["region"].pattern.replace(
                "wgig:country|^org:member/wgig:country", "wgig:country"
            ),
        ),
        ListField(DEVELOPMENT_FIELD, "boolean", "Whether that is a developing country."),
        ListField("confidence", "confidence", "How sure the seat is."),
        SOURCE_FIELD,
    ),
    required_pattern="?id org:organization agent:wgig ; org:role ?as . VALUES ?as { role:member role:chair }",
    excluded_pattern="?id wgig:illustrative true",
)
# What sources say of the number of seats, and on what they disagree.
CLAIMS_QUERY = """SELECT ?kind ?thing ?text WHERE {
  { ?thing wgig:about agent:wgig ; wgig:claimedProperty "number of members" ; rdf:value ?text .
    BIND ("size" AS ?kind) }
  UNION
  { ?thing wgig:about agent:wgig ; a wgig:Disagreement ; rdfs:label ?text . BIND ("dispute" AS ?kind) }
} LIMIT 100"""


@dataclass(frozen=True)
class SeatHolder:
    """Who has a seat, by IRI, and what they are called."""

    iri: str
    name: str
    language: str = ""


@dataclass(frozen=True)
class SeatGroup:
    """Seats that have something in common: what, how many, and who has them.

    `state` is empty, or `unknown` of seats of which it is not known, or `unseen` of those that were not seen
    at all. Where sources differ, there are several `names`. `iri` names what the seats have in common, where
    that is a thing.
    """

    names: Sequence[ox.Literal]
    seats: int
    people: Sequence[SeatHolder]
    iri: str = ""
    state: str = ""

    @property
    def name(self) -> str:
        """What they have in common in words; empty where that is not known."""
        return " or ".join(one.value for one in self.names)


@dataclass(frozen=True)
class SeatDistribution:
    """The seats of the group: how many are known, how many there were by a claim, and how they are spread.

    `size` is None where no claim says how many there were. Each of the `bars` adds up to all seats.
    """

    seats: int
    size: int | None
    claim: str
    bars: Mapping[str, Sequence[SeatGroup]]
    list_page: ListPage
    labels: Mapping[str, ox.Literal]
    disputes: Sequence[tuple[ox.Literal, str]]

    @property
    def total(self) -> int:
        """How many seats there were, as far as known."""
        return max(self.seats, self.size or 0)


def build_seats_request(base: str) -> ListRequest:
    """What is asked of the list of seats: all of them, up to MAX_WHOLE_LIST_ITEMS."""
    return parse_list_request(SEAT_LIST, [], base).as_single_page()


def build_claims_query(base: str) -> str:
    """The query for what sources say."""
    return add_query_prefixes(CLAIMS_QUERY, base)


def count_seats(
    found: ListPage, labels: Mapping[str, ox.Literal], claims: Sequence[Sequence[Any]]
) -> SeatDistribution:
    """How the seats are spread, of what the list and the query found; `labels` are of what they name."""
    sizes = [
        (int(text.value), thing.value)
        for kind, thing, text in claims
        if is_seat_count(kind.value, text.value)
    ]
    size, claim = max(sizes, default=(None, ""))
    disputes = [(text, thing.value) for kind, thing, text in claims if kind.value == "dispute"]
    known = len(found.things)
    unseen = (
        [SeatGroup([], size - known, [], state=STATE_UNSEEN)] if size is not None and size > known else []
    )
    bars = {
        one: [*group_seats(found, labels, one), *unseen]
        for one in (GROUP_FIELD, REGION_FIELD, DEVELOPMENT_FIELD)
    }
    return SeatDistribution(
        known,
        size,
        claim,
        bars,
        found,
        labels,
        sorted(disputes, key=lambda one: natural_sort_key(one[0].value)),
    )


def is_seat_count(kind: str, text: str) -> bool:
    """Whether a claim is a number of seats."""
    return kind == "size" and text.isdecimal() and len(text) < 6


def group_seats(found: ListPage, labels: Mapping[str, ox.Literal], field: str) -> list[SeatGroup]:
    """The seats by the value of a field; those of which it is not known come last.

    A seat of which sources say different things stands under all of these together.
    """
    by: dict[tuple[str, ...], list[str]] = {}
    for iri, about in found.things.items():
        by.setdefault(tuple(one.value for one in about.get(field, ())), []).append(iri)
    bars = [build_seat_group(found, labels, field, values, those) for values, those in by.items()]
    return sorted(bars, key=lambda one: (bool(one.state), -one.seats, natural_sort_key(one.name)))


def build_seat_group(
    found: ListPage,
    labels: Mapping[str, ox.Literal],
    field: str,
    values: tuple[str, ...],
    those: Sequence[str],
) -> SeatGroup:
    """The seats that have these values."""
    who = sorted(
        (find_seat_holder(found, labels, one) for one in those), key=lambda one: natural_sort_key(one.name)
    )
    if not values:
        return SeatGroup([], len(those), who, state=STATE_UNKNOWN)
    names = [
        labels.get(one, ox.Literal(one)) if field == GROUP_FIELD else english_group_name(one)
        for one in values
    ]
    iri = values[0] if field == GROUP_FIELD and len(values) == 1 else ""
    return SeatGroup(names, len(those), who, iri)


def english_group_name(value: str) -> ox.Literal:
    """What a region, or a development, is called."""
    return ox.Literal(DEVELOPMENT_LABELS.get(value, value), language=ENGLISH)


def find_seat_holder(found: ListPage, labels: Mapping[str, ox.Literal], seat: str) -> SeatHolder:
    """Who has a seat; where that is not said, the seat itself."""
    who = next((one.value for one in found.things[seat].get("org:member", ())), seat)
    name = labels.get(who, ox.Literal(who))
    return SeatHolder(who, name.value, name.language or "")


def serialize_people_json(found: SeatDistribution) -> bytes:
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


def serialize_people_csv(found: SeatDistribution) -> bytes:
    """The same as a table: a row for what seats have in common, and how many they are."""
    rows = (
        [field, *seat_group_cells(one), " | ".join(who.name for who in one.people)]
        for field, bars in found.bars.items()
        for one in bars
    )
    return serialize_csv_rows([["by", "state", "id", "label", "seats", "people"], *rows])


def seat_group_cells(one: SeatGroup) -> Iterable[str | int]:
    """What a row says of seats."""
    return one.state or "known", one.iri, one.name, one.seats


PEOPLE_FORMATS = (JSON, CSV, HTML)
PEOPLE_DESCRIPTION = "Who sat in the group, by stakeholder group, region and development, as far as known."
PEOPLE_SERIALIZERS = {JSON: serialize_people_json, CSV: serialize_people_csv}


async def get_people(context: ContextDep, queries: QueriesDep) -> Response:
    """How the seats of the group are spread over stakeholder groups, regions and development.

    What is not known is a part of each sum. Seats that were not seen are counted where a claim says how many
    there were.
    """
    request = context.request
    base = context.base
    check_query_parameters(request, ("_mediatype", "_profile"))
    wish = parse_format_preferences(
        context, PEOPLE_FORMATS, request.path_params.get("suffix", ""), {OWN_PROFILE_TOKEN: own_profile(base)}
    )
    there = parse_list_page(
        await select_own_tsv(request, queries, build_list_query(build_seats_request(base), base))
    )
    if there.total > len(there.things):
        raise Problem(
            413, f"The group has {there.total} seats, and up to {MAX_WHOLE_LIST_ITEMS} are counted here."
        )
    ranges = language.label_languages() if wish.representations[0].format is HTML else ()
    names = await run_in_threadpool(find_labels, context.store, there.labels, ranges)
    write = partial(
        serialize_people,
        context,
        count_seats(there, names, await select_own_rows(request, queries, build_claims_query(base))),
    )
    iri = base.rstrip("/") + build_service_path("people", [])
    subject = Resource(iri, "/people", lambda: (), write, formats=PEOPLE_FORMATS)
    return await run_in_threadpool(
        respond_with_resource,
        context,
        wish,
        subject,
        extra_links=[SERVICE_DESC_LINK],
        headers=LANGUAGE_NEUTRAL_HEADERS,
    )


def serialize_people(context: RequestContext, found: SeatDistribution, format_: Format) -> bytes:
    """The numbers in a format."""
    if format_ is not HTML:
        return PEOPLE_SERIALIZERS[format_](found)
    others = [
        (one.title, build_service_path("people", [], one.suffix)) for one in PEOPLE_FORMATS if one is not HTML
    ]
    iri, page = f"{context.base}people", f"{request_base_url(context.request)}people"
    markup = mappings.build_dataset_markup(iri, page, "People", PEOPLE_DESCRIPTION, [JSON, CSV])
    return render_site_page(
        context,
        "people.html",
        people=found,
        developments=DEVELOPMENT_LABELS.values(),
        others=others,
        markup=markup,
    )
