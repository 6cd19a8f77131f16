"""/people: the seats of the working group by stakeholder group, region and development.

Development is whether a seat counts for a developing country. A seat whose group, region or development is
not known counts as `unknown`. Sources also claim how many seats there are; seats that are claimed, but named
by no source, count as `unseen`. So all three distributions have the same sum.

A value is derived if no source states it, as its basis says: a group follows from a post, a country from a
place in the annex of the Background Report, development from a region.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

import pyoxigraph as ox
from fastapi import Query, Response
from fastapi.concurrency import run_in_threadpool

from ..http import language
from ..http.parameter_models import Text, describe_media_type
from ..http.parameters import SERVICE_DESC_LINK, build_service_path, request_base_url
from ..i18n import ENGLISH, gettext_noop
from ..pages.dependencies import ContextDep, RequestContext
from ..pages.notes import write_note_sentences
from ..pages.rendering import CLAIM_CODE_PATTERN, INFERENCE_PREFIX
from ..problems import Problem
from ..rdf.formats import CSV, HTML, JSON, Format
from ..rdf.labels import best_text
from ..resources import mappings
from ..resources.alternates import Resource
from ..resources.parameters import ProfileParameters, make_profile_operation
from ..resources.profile_negotiation import LANGUAGE_NEUTRAL_HEADERS, parse_format_preferences
from ..resources.profiles import DEFAULT_PROFILE_TOKEN, default_profile
from ..resources.representation import render_site_page, respond_with_resource
from ..resources.source_names import name_sources
from ..sparql.dependencies import QueriesDep
from ..sparql.service import select_internal_rows, select_internal_tsv
from ..store.labels import find_labels
from ..text import natural_sort_key, serialize_csv_rows
from .definitions import SOURCE_FIELD
from .fields import ILLUSTRATIVE_PATTERN, LABEL_FIELD, ListDefinition, ListField
from .filters import NO_VALUE_TEXT
from .query import MAX_WHOLE_LIST_ITEMS, ListRequest, add_query_prefixes, build_list_query, parse_list_request
from .results import ListPage, parse_list_page
from .schemas import PeopleDocument

STATE_UNKNOWN, STATE_UNSEEN = "unknown", "unseen"
GROUP_FIELD, REGION_FIELD, DEVELOPMENT_FIELD = "stakeholderGroup", "region", "developingCountry"
COUNTRY_FIELD = "country"
# By field: the field with the basis of its value. A region follows from a country.
BASIS_FIELDS = {
    GROUP_FIELD: "stakeholderGroupBasis",
    COUNTRY_FIELD: "countryBasis",
    REGION_FIELD: "countryBasis",
    DEVELOPMENT_FIELD: "developingBasis",
}
DERIVED_BASIS_PREFIXES = ("derived", "place in the annex")  # of the bases of derived values
# The list of the people with a seat, to which filters are added.
MEMBER_LIST_PATH = "/stakeholders?org:role=role:member&org:role=role:chair"
DEVELOPMENT_LABELS = {"true": gettext_noop("developing country"), "false": gettext_noop("developed country")}
STATED_BASIS = "source"  # of values that a source states
RESOURCE_FIELDS = (GROUP_FIELD, REGION_FIELD)  # whose values are resources with labels

SEAT_LIST = ListDefinition(
    "people",
    "People",
    "The seats of the group.",
    ("org:Membership",),
    (
        LABEL_FIELD,
        ListField("org:member", "agent", "Who has the seat."),
        ListField("org:role", "role", "The role of the seat."),
        ListField(GROUP_FIELD, "group", "The stakeholder group of the seat."),
        ListField("stakeholderGroupBasis", "string", "The evidence for the stakeholder group."),
        ListField(COUNTRY_FIELD, "place", "The country of its holder.", many=True),
        ListField("countryBasis", "string", "The evidence for the country."),
        ListField(
            REGION_FIELD, "place", "The UN M49 region of the country.", path="wgig:country/dcterms:isPartOf"
        ),
        ListField(DEVELOPMENT_FIELD, "boolean", "Whether the seat counts as one of a developing country."),
        ListField("developingBasis", "string", "The rule by which it counts as developing."),
        ListField("confidence", "confidence", "How certain the seat is."),
        SOURCE_FIELD,
    ),
    # A paper can introduce people as members; a seat that stands only in graphs of papers does not count.
    required_pattern="GRAPH ?graph { ?id org:organization agent:wgig ; org:role ?as } "
    "VALUES ?as { role:member role:chair } "
    "FILTER (!STRSTARTS(STR(?graph), CONCAT(STR(graph:), 'paper/')))",
    excluded_pattern=ILLUSTRATIVE_PATTERN,
)
# The claims of sources about the number of seats, their disagreements, and the rules of the data.
CLAIMS_QUERY = """SELECT ?kind ?thing ?text WHERE {
  { ?thing wgig:about agent:wgig ; wgig:claimedProperty "number of members" ; rdf:value ?text .
    BIND ("size" AS ?kind) }
  UNION
  { ?thing wgig:about agent:wgig ; a wgig:Disagreement ; rdfs:label ?text . BIND ("dispute" AS ?kind) }
  UNION
  { ?thing skos:note ?text FILTER (?thing = graph:members) BIND ("rule" AS ?kind) }
} LIMIT 100"""
# The posts of the people with a seat: titles, with the organization if it is known.
POSTS_QUERY = """SELECT DISTINCT ?person ?title ?organization WHERE {
  ?seat org:organization agent:wgig ; org:member ?person .
  { ?post org:member ?person ; wgig:postTitle ?title ; org:organization ?organization }
  UNION
  { ?person schema:jobTitle ?title . BIND (?person AS ?post) }
} ORDER BY ?person ?post ?title LIMIT 1000"""


@dataclass(frozen=True)
class SeatHolder:
    """The holder of a seat: IRI, name, its language, and whether the grouping value is derived."""

    iri: str
    name: str
    language: str = ""
    is_derived: bool = False


@dataclass(frozen=True)
class Post:
    """A post of a person: its title, and the IRI of the organization; empty if it is not known."""

    title: str
    organization: str = ""


@dataclass(frozen=True)
class SeatGroup:
    """Seats with the same value: the names of the value, the number of seats, and their holders.

    `state` is empty, or `unknown` for seats whose value is unknown, or `unseen` for seats that are claimed,
    but named by no source. If sources differ on the value, there are several `names`. `iri` is that of the
    value, if the value is a resource. `filter_text` is the value as a filter of the list of the people.
    """

    names: Sequence[ox.Literal]
    seats: int
    people: Sequence[SeatHolder]
    iri: str = ""
    state: str = ""
    filter_text: str = ""

    @property
    def name(self) -> str:
        """The names, joined by "or"; empty if the value is unknown."""
        return " or ".join(name.value for name in self.names)

    @property
    def derived(self) -> int:
        """The number of seats whose value is derived."""
        return sum(person.is_derived for person in self.people)


@dataclass(frozen=True)
class SeatDistribution:
    """The seats of the group: the number known, the number claimed, and their distribution.

    `size` is the highest claimed number, `claim` the IRI of its claim; None and empty without a claim. `bars`
    has the groups of seats by field; for each field, their seats add up to `total`. `list_page` has the known
    seats. `disputes` are the disagreements of sources: label and IRI. `rules` are notes on how values were
    derived. `posts` are by IRI of the person.
    """

    seats: int
    size: int | None
    claim: str
    bars: Mapping[str, Sequence[SeatGroup]]
    list_page: ListPage
    labels: Mapping[str, ox.Literal]
    disputes: Sequence[tuple[ox.Literal, str]]
    rules: Sequence[ox.Literal]
    posts: Mapping[str, Sequence[Post]]

    @property
    def total(self) -> int:
        """The number of known or claimed seats, whichever is greater."""
        return max(self.seats, self.size or 0)


def build_seats_request(base: str) -> ListRequest:
    """The request for the list of all seats, up to MAX_WHOLE_LIST_ITEMS."""
    return parse_list_request(SEAT_LIST, [], base).as_single_page()


def build_claims_query(base: str) -> str:
    """The query for the claims of sources."""
    return add_query_prefixes(CLAIMS_QUERY, base)


def build_posts_query(base: str) -> str:
    """The query for the posts of the people with a seat."""
    return add_query_prefixes(POSTS_QUERY, base)


def group_posts(rows: Sequence[Sequence[Any]]) -> dict[str, list[Post]]:
    """The posts by IRI of the person; `rows` are the result rows of POSTS_QUERY."""
    posts: dict[str, list[Post]] = {}
    for person, title, organization in rows:
        is_known = isinstance(organization, ox.NamedNode)
        posts.setdefault(person.value, []).append(Post(title.value, organization.value if is_known else ""))
    return posts


def count_seats(
    seats_page: ListPage,
    labels: Mapping[str, ox.Literal],
    claims: Sequence[Sequence[Any]],
    posts: Mapping[str, Sequence[Post]],
) -> SeatDistribution:
    """The distribution of the seats; `labels` are by IRI, `claims` are the result rows of CLAIMS_QUERY."""
    sizes = [
        (int(text.value), thing.value)
        for claim_kind, thing, text in claims
        if is_seat_count(claim_kind.value, text.value)
    ]
    size, claim = max(sizes, default=(None, ""))
    disputes = [(text, thing.value) for claim_kind, thing, text in claims if claim_kind.value == "dispute"]
    known_seats = len(seats_page.resources)
    unseen = (
        [SeatGroup([], size - known_seats, [], state=STATE_UNSEEN)]
        if size is not None and size > known_seats
        else []
    )
    bars = {
        field: [*group_seats(seats_page, labels, field), *unseen]
        for field in (GROUP_FIELD, REGION_FIELD, DEVELOPMENT_FIELD)
    }
    return SeatDistribution(
        known_seats,
        size,
        claim,
        bars,
        seats_page,
        labels,
        sorted(disputes, key=lambda dispute: natural_sort_key(dispute[0].value)),
        [text for claim_kind, _, text in claims if claim_kind.value == "rule"],
        posts,
    )


def is_seat_count(kind: str, text: str) -> bool:
    """Whether a claim is a number of seats, of at most 5 digits."""
    return kind == "size" and text.isdecimal() and len(text) < 6


def group_seats(seats_page: ListPage, labels: Mapping[str, ox.Literal], field: str) -> list[SeatGroup]:
    """The seats grouped by the value of a field; seats with an unknown value come last.

    If sources differ on the value of a seat, it is in a group for the combination of these values.
    """
    seats_by_values: dict[tuple[str, ...], list[str]] = {}
    for iri, terms_by_field in seats_page.resources.items():
        values = tuple(term.value for term in terms_by_field.get(field, ()))
        seats_by_values.setdefault(values, []).append(iri)
    groups = [
        build_seat_group(seats_page, labels, field, values, seat_iris)
        for values, seat_iris in seats_by_values.items()
    ]
    return sorted(groups, key=lambda group: (bool(group.state), -group.seats, natural_sort_key(group.name)))


def build_seat_group(
    seats_page: ListPage,
    labels: Mapping[str, ox.Literal],
    field: str,
    values: tuple[str, ...],
    seat_iris: Sequence[str],
) -> SeatGroup:
    """The group of the seats with these values."""
    holders = sorted(
        (find_seat_holder(seats_page, labels, seat, field) for seat in seat_iris),
        key=lambda holder: natural_sort_key(holder.name),
    )
    if not values:
        return SeatGroup([], len(seat_iris), holders, state=STATE_UNKNOWN, filter_text=NO_VALUE_TEXT)
    names = [
        labels.get(value, ox.Literal(value)) if field in RESOURCE_FIELDS else english_development_name(value)
        for value in values
    ]
    if len(values) > 1:
        return SeatGroup(names, len(seat_iris), holders)
    iri = values[0] if field in RESOURCE_FIELDS else ""
    # The list filters by the English names of regions.
    english_name = best_text(seats_page.labels.get(iri, ()), (ENGLISH,)).value
    filter_text = english_name if field == REGION_FIELD else values[0]
    return SeatGroup(names, len(seat_iris), holders, iri, filter_text=filter_text)


def english_development_name(value: str) -> ox.Literal:
    """The English name of a value of `developingCountry`."""
    return ox.Literal(DEVELOPMENT_LABELS.get(value, value), language=ENGLISH)


def find_seat_holder(
    seats_page: ListPage, labels: Mapping[str, ox.Literal], seat: str, field: str
) -> SeatHolder:
    """The holder of a seat, or the seat itself if its holder is unknown, for its value of the field."""
    terms_by_field = seats_page.resources[seat]
    holder = next((term.value for term in terms_by_field.get("org:member", ())), seat)
    name = labels.get(holder, ox.Literal(holder))
    return SeatHolder(holder, name.value, name.language or "", is_derived(terms_by_field, field))


def is_derived(terms_by_field: Mapping[str, Sequence[Any]], field: str) -> bool:
    """Whether the value of a field of a seat is derived, by its basis."""
    bases = terms_by_field.get(BASIS_FIELDS[field], ())
    return bool(terms_by_field.get(field)) and any(
        basis.value.startswith(DERIVED_BASIS_PREFIXES) for basis in bases
    )


def write_basis_sentences(basis: str) -> str:
    """What a value rests on, as sentences; empty if the basis says no more than that a source states it.

    They leave out that it is derived, which a mark says, and the codes of claims.
    """
    text = CLAIM_CODE_PATTERN.sub("", basis.removeprefix(INFERENCE_PREFIX))
    return "" if text == STATED_BASIS else write_note_sentences(text)


def serialize_people_json(distribution: SeatDistribution) -> bytes:
    """The distribution as JSON, with all known seats."""
    document = {
        "seats": {"known": distribution.seats, "claimed": distribution.size, "total": distribution.total},
        **{
            field: [
                {
                    "id": group.iri or None,
                    "label": None if group.state else group.name,
                    "state": group.state or "known",
                    "seats": group.seats,
                    "derived": group.derived,
                    "people": [
                        {"id": holder.iri, "label": holder.name, "derived": holder.is_derived}
                        for holder in group.people
                    ],
                }
                for group in groups
            ]
            for field, groups in distribution.bars.items()
        },
        "members": [build_member_json(distribution, seat) for seat in distribution.list_page.resources],
    }
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"


def build_member_json(distribution: SeatDistribution, seat: str) -> dict[str, Any]:
    """A seat as a JSON object; each value is a list, as sources can differ."""
    terms_by_field = distribution.list_page.resources[seat]

    def list_things(field: str) -> list[dict[str, str]]:
        return [name_thing(term.value) for term in terms_by_field.get(field, ())]

    def list_texts(field: str) -> list[str]:
        return [term.value for term in terms_by_field.get(field, ())]

    def name_thing(iri: str) -> dict[str, str]:
        return {"id": iri, "label": distribution.labels.get(iri, ox.Literal(iri)).value}

    return {
        "id": seat,
        "person": list_things("org:member"),
        "role": list_things("org:role"),
        "posts": [
            {
                "title": post.title,
                "organization": name_thing(post.organization) if post.organization else None,
            }
            for person in list_texts("org:member")
            for post in distribution.posts.get(person, ())
        ],
        COUNTRY_FIELD: list_things(COUNTRY_FIELD),
        GROUP_FIELD: list_things(GROUP_FIELD),
        REGION_FIELD: [region["label"] for region in list_things(REGION_FIELD)],
        DEVELOPMENT_FIELD: [english_development_name(value).value for value in list_texts(DEVELOPMENT_FIELD)],
        **{field: list_texts(field) for field in dict.fromkeys(BASIS_FIELDS.values())},
        "derived": [field for field in BASIS_FIELDS if is_derived(terms_by_field, field)],
    }


def serialize_people_csv(distribution: SeatDistribution) -> bytes:
    """The distribution as CSV: a row for each group of seats, then one for each known seat."""
    group_rows = (
        [field, *seat_group_cells(group), " | ".join(holder.name for holder in group.people), "", "", ""]
        for field, groups in distribution.bars.items()
        for group in groups
    )
    member_rows = (
        build_member_row(build_member_json(distribution, seat)) for seat in distribution.list_page.resources
    )
    header = ["by", "state", "id", "label", "seats", "derived", "people", "posts", "country", "basis"]
    return serialize_csv_rows([header, *group_rows, *member_rows])


def seat_group_cells(group: SeatGroup) -> Iterable[str | int]:
    """The cells of a group in CSV: state, IRI, name, number of seats, and of seats with a derived value."""
    return group.state or "known", group.iri, group.name, group.seats, group.derived


def build_member_row(member: Mapping[str, Any]) -> list[str | int]:
    """The row of a seat in CSV; `derived` is the number of its values that are derived."""
    people, countries = (
        " | ".join(thing["label"] for thing in member[name]) for name in ("person", COUNTRY_FIELD)
    )
    posts = " | ".join(
        f"{post['title']}, {post['organization']['label']}" if post["organization"] else post["title"]
        for post in member["posts"]
    )
    basis = " | ".join(
        f"{name}: {text}" for name in dict.fromkeys(BASIS_FIELDS.values()) for text in member[name]
    )
    return ["seat", "known", member["id"], people, 1, len(member["derived"]), people, posts, countries, basis]


PEOPLE_FORMATS = (JSON, CSV, HTML)
PEOPLE_DESCRIPTION = "The known members of the group by stakeholder group, region and level of development."
PEOPLE_SERIALIZERS = {JSON: serialize_people_json, CSV: serialize_people_csv}


class PeopleParameters(ProfileParameters):
    """Query parameters of /people."""

    media_type: Text = describe_media_type(PEOPLE_FORMATS)


PEOPLE_OPERATION = make_profile_operation(PEOPLE_FORMATS, PeopleDocument)


async def get_people(
    context: ContextDep, queries: QueriesDep, parameters: Annotated[PeopleParameters, Query()]
) -> Response:
    """The distribution of the seats of the group over stakeholder groups, regions and development.

    Each sum includes unknown seats. Seats that no source names are included if a claim states their number.
    """
    request = context.request
    base = context.base
    suffix, profiles = request.path_params.get("suffix", ""), {DEFAULT_PROFILE_TOKEN: default_profile(base)}
    preferences = parse_format_preferences(context, parameters, PEOPLE_FORMATS, suffix, profiles)
    seats_page = parse_list_page(
        await select_internal_tsv(request, queries, build_list_query(build_seats_request(base), base))
    )
    if seats_page.total > len(seats_page.resources):
        raise Problem(
            413,
            f"The group has {seats_page.total} seats, but this page counts at most {MAX_WHOLE_LIST_ITEMS}.",
        )
    ranges = language.label_languages() if preferences.representations[0].format is HTML else ()
    posts = group_posts(await select_internal_rows(request, queries, build_posts_query(base)))
    organizations = {post.organization for person_posts in posts.values() for post in person_posts}
    labels = await run_in_threadpool(
        find_labels, context.store, {*seats_page.labels, *organizations} - {""}, ranges
    )
    serialize = partial(
        serialize_people,
        context,
        count_seats(
            seats_page,
            labels,
            await select_internal_rows(request, queries, build_claims_query(base)),
            posts,
        ),
    )
    iri = base.rstrip("/") + build_service_path("people", [])
    # There are no triples, as no format is RDF.
    resource = Resource(iri, "/people", triples=lambda: (), write=serialize, formats=PEOPLE_FORMATS)
    return await run_in_threadpool(
        respond_with_resource,
        context,
        preferences,
        resource,
        extra_links=[SERVICE_DESC_LINK],
        headers=LANGUAGE_NEUTRAL_HEADERS,
    )


def serialize_people(context: RequestContext, distribution: SeatDistribution, format_: Format) -> bytes:
    """The distribution in the format."""
    if format_ is not HTML:
        return PEOPLE_SERIALIZERS[format_](distribution)
    other_formats = [
        (format_.title, build_service_path("people", [], format_.suffix))
        for format_ in PEOPLE_FORMATS
        if format_ is not HTML
    ]
    iri, page = f"{context.base}people", f"{request_base_url(context.request)}people"
    markup = mappings.build_dataset_markup(iri, page, "Members of the group", PEOPLE_DESCRIPTION, [JSON, CSV])
    return render_site_page(
        context,
        "people.html",
        people=distribution,
        developments=DEVELOPMENT_LABELS.values(),
        member_list=MEMBER_LIST_PATH,
        is_derived=is_derived,
        basis_sentences=write_basis_sentences,
        sources=name_sources(
            context.store,
            {
                term
                for terms in distribution.list_page.resources.values()
                for term in terms.get(SOURCE_FIELD.name, ())
            },
            context.base,
            language.label_languages(),
        ),
        other_formats=other_formats,
        markup=markup,
    )
