"""The overview at the top of a resource page: its most important facts, and a picture of its neighborhood.

Facts come from property paths per kind of resource, for the sentences of gist.html. The picture has what
links to the resource on the left, and what it links to on the right.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..pages.rendering import drawn, href, words
from ..pages.svg import GAP, HIGH, WIDE, Box, Drawn, Picture
from ..rdf.namespaces import OUTSIDE, namespaces
from ..store.store import Store
from ..text import natural

MAX_NEIGHBORS, LABEL = 7, 20  # neighbors on a side, and letters of what a line stands for
ROOM = 200  # between two columns, for what the lines stand for
# What leads to everything, and so tells little.
PLAIN = frozenset(
    OUTSIDE[prefix] + name
    for prefix, name in (
        ("rdf", "type"),
        ("dcterms", "source"),
        ("dcterms", "license"),
        ("dcterms", "subject"),
        ("dcterms", "relation"),
        ("skos", "inScheme"),
        ("skos", "topConceptOf"),
        ("skos", "broaderTransitive"),
        ("skos", "narrowerTransitive"),
    )
)


class Neighbor(NamedTuple):
    """A thing that is linked with another, and what the link is called."""

    iri: str
    by: ox.Literal


class Around(NamedTuple):
    """The neighbors of a thing, on each side, with their picture, and how many more there are."""

    picture: Picture
    left: list[Neighbor]
    right: list[Neighbor]
    beside: int


def around(
    title: str, left: Sequence[Any], right: Sequence[Any], labels: Mapping[str, ox.Literal], base: str
) -> Around:
    """The neighborhood of a thing by the groups of what points to it, and of what it leads to."""
    sides = [neighbors(left), neighbors(right)]
    shown = [some[:MAX_NEIGHBORS] for some in sides]
    picture = Picture()
    rows = max(map(len, shown), default=0)
    middle = 1 + max(0, rows - 1) * (HIGH + GAP) / 2
    start = 1 + (WIDE + ROOM if shown[0] else 0)
    (center,) = picture.column(start, [(title, None, "self")], middle)
    for place, some in enumerate(shown):
        named: list[Drawn] = [(called(one.iri, labels), href(one.iri, base), "") for one in some]
        top = 1 + (rows - len(some)) * (HIGH + GAP) / 2
        boxes = picture.column(start + WIDE + ROOM if place else 1, named, top)
        for box, one in zip(boxes, some, strict=True):
            join(picture, *((center, box) if place else (box, center)), one.by.value)
    return Around(picture, shown[0], shown[1], sum(map(len, sides)) - sum(map(len, shown)))


def join(picture: Picture, start: Box, end: Box, by: str) -> None:
    """Draw the link between two boxes, and say beside the outer one what it is."""
    outer = end if start.kind == "self" else start
    picture.join(start, end, by, drawn(by, LABEL), outer)


def neighbors(groups: Sequence[Any]) -> list[Neighbor]:
    """The things of groups of values, one of each group in turn, each thing once."""
    named = [
        [
            Neighbor(value.term.value, group.label)
            for value in group.values
            if isinstance(value.term, ox.NamedNode)
        ]
        for group in groups
        if group.iri not in PLAIN
    ]
    turns = (one for turn in zip_longest(*named) for one in turn if one)
    found: dict[str, Neighbor] = {}
    for one in turns:
        found.setdefault(one.iri, one)
    return [*found.values()]


def called(iri: str, labels: Mapping[str, ox.Literal]) -> str:
    """What a thing is called."""
    return labels[iri].value if iri in labels else words(iri)


MAX_PATH_TERMS = 200  # terms at the end of a path
LOOKED_AT = 1000  # nodes that a step of a path leads to


class Way(NamedTuple):
    """A path of properties, `^` before one that is followed backwards; ends whose IRI begins so are taken."""

    path: str
    only: str = ""


PARAGRAPH = {
    "document": Way("wgig:partOf"),
    "principles": Way("wgig:namesPrinciple"),
    "bears_on": Way("wgig:bearsOn"),
    "citing": Way("^cito:cites"),
    "answered_by": Way("wgig:answeredBy"),
    "answers": Way("wgig:respondsTo"),
    "settled": Way("wgig:concernOf", "agreement:"),
    "evidence": Way("wgig:evidence"),
}
PAPER = {
    "issue": Way("wgig:issue"),
    "category": Way("wgig:category"),
    "drafter": Way("wgig:drafter"),
    "posted": Way("wgig:posted"),
    "comments": Way("^wgig:concerns", "contribution:"),
    "criteria": Way("wgig:assessment/wgig:criterion"),
    "cites": Way("cito:cites"),
}
PRINCIPLE = {
    "texts": Way("^wgig:namesPrinciple"),
    "measured": Way("^wgig:measuredAgainst"),
    "agreements": Way("^wgig:concerns", "agreement:"),
    "broader": Way("skos:broader"),
    "narrower": Way("^skos:broader"),
}
MEETING = {
    "starts": Way("schema:startDate"),
    "ends": Way("schema:endDate"),
    "place": Way("wgig:place"),
    "venue": Way("wgig:venue"),
    "sessions": Way("^wgig:partOf", "session:"),
    "part_of": Way("wgig:partOf"),
    "kind": Way("wgig:actualKind"),
    "planned": Way("wgig:plannedKind"),
    "open_to": Way("wgig:actualKind/wgig:openTo"),
    "speak": Way("wgig:actualKind/wgig:observersMaySpeak"),
    "remote": Way("wgig:remoteParticipation"),
    "settled": Way("^wgig:settledAt"),
    "documents": Way("^wgig:about", "doc:"),
}
# The values that the sentences about things of a class speak of, by the names that they have there.
KINDS: dict[str, tuple[str, dict[str, Way]]] = {
    "wgig:Issue": (
        "issue",
        {
            "categories": Way("wgig:category"),
            "cluster": Way("wgig:cluster"),
            "entries": Way("^wgig:issue", "inventory:"),
            "papers": Way("^wgig:issue", "paper:"),
            "measured": Way("wgig:measuredAgainst"),
            "broader": Way("skos:broader"),
            "narrower": Way("^skos:broader"),
            "treated": Way("wgig:treatedIn"),
            "report": Way("wgig:treatedIn", "report:"),
            "tunis": Way("wgig:treatedIn/wgig:answeredBy", "tunis:"),
        },
    ),
    "wgig:IssuePaper": ("paper", PAPER),
    "wgig:AssessmentPaper": ("paper", PAPER),
    "wgig:Principle": ("principle", PRINCIPLE),
    "wgig:CrosscuttingPriority": ("principle", PRINCIPLE),
    "wgig:Paragraph": ("paragraph", PARAGRAPH),
    "wgig:Meeting": ("meeting", MEETING),
    "wgig:Session": ("meeting", MEETING),
    "wgig:Agreement": (
        "agreement",
        {
            "kind": Way("dcterms:type"),
            "at": Way("wgig:settledAt"),
            "by": Way("wgig:settledBy"),
            "topic": Way("wgig:topic"),
            "concerns": Way("wgig:concerns"),
            "outcome": Way("wgig:outcome"),
            "basis": Way("wgig:outcomeBasis"),
            "confidence": Way("wgig:confidence"),
            "due": Way("wgig:outcome/wgig:due"),
            "delivered": Way("wgig:outcome/wgig:delivered"),
        },
    ),
    "wgig:Milestone": (
        "milestone",
        {
            "due": Way("wgig:due"),
            "delivered": Way("wgig:delivered"),
            "timeliness": Way("wgig:timeliness"),
            "late": Way("wgig:daysLate"),
            "basis": Way("wgig:deliveryBasis"),
            "by": Way("wgig:responsible"),
            "about": Way("wgig:about"),
            "agreed": Way("^wgig:outcome"),
        },
    ),
    "wgig:Category": (
        "category",
        {
            "scheme": Way("skos:inScheme"),
            "issues": Way("^wgig:category", "issue:"),
            "clustered": Way("^wgig:cluster", "issue:"),
            "papers": Way("^wgig:category", "paper:"),
            "treated": Way("wgig:treatedIn"),
        },
    ),
    "wgig:StakeholderGroup": ("group", {"members": Way("^wgig:stakeholderGroup/org:member")}),
    "wgig:Contribution": (
        "contribution",
        {
            "by": Way("wgig:contributor"),
            "speaker": Way("wgig:speaker"),
            "capacity": Way("wgig:capacity"),
            "about": Way("wgig:concerns"),
        },
    ),
    "foaf:Person": (
        "agent",
        {
            "bodies": Way("^org:member/org:organization"),
            "roles": Way("^org:member/org:role"),
            "groups": Way("^org:member/wgig:stakeholderGroup"),
            "countries": Way("^org:member/wgig:country"),
            "papers": Way("^wgig:drafter"),
            "spoke": Way("^wgig:speaker"),
            "sent": Way("^wgig:contributor"),
            "settled": Way("^wgig:settledBy"),
        },
    ),
    "org:Organization": (
        "body",
        {
            "members": Way("^org:organization/org:member"),
            "settled": Way("^wgig:settledBy"),
            "due": Way("^wgig:responsible"),
            "sent": Way("^wgig:contributor"),
        },
    ),
}


@dataclass(frozen=True)
class Gist:
    """What the sentences about a thing speak of: its kind, and terms by the names that they have there.

    `cut` has the names of those that are more than are given.
    """

    kind: str = ""
    found: Mapping[str, list[Any]] = field(default_factory=dict)
    cut: frozenset[str] = frozenset()

    @property
    def iris(self) -> set[str]:
        """The IRIs of all terms."""
        return {one.value for those in self.found.values() for one in those if isinstance(one, ox.NamedNode)}


def gist(store: Store, iri: str, types: Collection[str], base: str) -> Gist:
    """What matters most about a thing of these classes; nothing for kinds that have no sentences."""
    known = namespaces(base)
    of_type = {full(name, known): what for name, what in KINDS.items()}
    kind, ways = next((of_type[one] for one in of_type if one in types), ("", {}))
    followed = {name: follow(store, iri, way, known) for name, way in ways.items()}
    cut = frozenset(name for name, (_, is_whole) in followed.items() if not is_whole)
    found = {name: sorted(those, key=lambda one: natural(one.value)) for name, (those, _) in followed.items()}
    return Gist(kind, found, cut)


def follow(store: Store, iri: str, way: Way, known: Mapping[str, str]) -> tuple[list[Any], bool]:
    """The ends of a path from a thing, each once: what has an IRI, and texts; and whether these are all."""
    nodes, is_whole = [ox.NamedNode(iri)], True
    for one in way.path.split("/"):
        ends = (end for node in nodes for end in step(store, node, one, known))
        some = list(islice(ends, LOOKED_AT + 1))
        is_whole &= len(some) <= LOOKED_AT
        nodes = list(dict.fromkeys(some[:LOOKED_AT]))
    begin = full(way.only, known) if way.only else ""
    found = [
        one
        for one in nodes
        if isinstance(one, ox.Literal) or (isinstance(one, ox.NamedNode) and one.value.startswith(begin))
    ]
    return found[:MAX_PATH_TERMS], is_whole and len(found) <= MAX_PATH_TERMS


def step(store: Store, node: Any, name: str, known: Mapping[str, str]) -> Iterator[Any]:
    """Where a property leads from a node; backwards where its name begins with `^`."""
    property_ = ox.NamedNode(full(name.removeprefix("^"), known))
    if name.startswith("^"):
        quads = store.match(None, property_, node) if isinstance(node, ox.NamedNode) else ()
        return (quad.subject for quad in quads)
    quads = store.match(node, property_) if isinstance(node, ox.NamedNode | ox.BlankNode) else ()
    return (quad.object for quad in quads)


def full(name: str, known: Mapping[str, str]) -> str:
    """The IRI that is given as prefix and local name."""
    prefix, _, local = name.partition(":")
    return known[prefix] + local
