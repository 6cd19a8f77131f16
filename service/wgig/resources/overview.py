"""The overview at the top of a resource page: its most important facts, and a picture of its neighborhood.

Facts come from property paths per kind of resource, for the sentences of gist.html. The picture has what
links to the resource on the left, and what it links to on the right.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..pages.rendering import find_href, truncate_to_letters
from ..pages.svg import BOX_GAP_PX, BOX_HEIGHT_PX, BOX_WIDTH_PX, BoxItem, Picture, PictureBox
from ..rdf.labels import label_or_words
from ..rdf.namespaces import expand_curie
from ..store.store import Store
from ..text import natural_sort_key

MAX_NEIGHBORS, MAX_LINK_LABEL_LETTERS = 7, 20  # neighbors on a side, and letters of what a line stands for
NEIGHBOR_GAP_PIXELS = 200  # between two columns, for what the lines stand for
# What leads to everything, and so tells little.
UNINFORMATIVE_PROPERTIES = frozenset(
    expand_curie(name).value
    for name in (
        "rdf:type",
        "dcterms:source",
        "dcterms:license",
        "dcterms:subject",
        "dcterms:relation",
        "skos:inScheme",
        "skos:topConceptOf",
        "skos:broaderTransitive",
        "skos:narrowerTransitive",
    )
)


class Neighbor(NamedTuple):
    """A thing that is linked with another, and what the link is called."""

    iri: str
    label: ox.Literal


class NeighborhoodView(NamedTuple):
    """The neighbors of a thing, on each side, with their picture, and how many more there are."""

    picture: Picture
    left: list[Neighbor]
    right: list[Neighbor]
    hidden_count: int


def build_neighborhood(
    title: str, left: Sequence[Any], right: Sequence[Any], labels: Mapping[str, ox.Literal], base: str
) -> NeighborhoodView:
    """The neighborhood of a thing by the groups of what points to it, and of what it leads to."""
    sides = [list_neighbors(left), list_neighbors(right)]
    shown = [some[:MAX_NEIGHBORS] for some in sides]
    picture = Picture()
    rows = max(map(len, shown), default=0)
    middle = 1 + max(0, rows - 1) * (BOX_HEIGHT_PX + BOX_GAP_PX) / 2
    start = 1 + (BOX_WIDTH_PX + NEIGHBOR_GAP_PIXELS if shown[0] else 0)
    (center,) = picture.add_column(start, [(title, None, "self")], middle)
    for place, some in enumerate(shown):
        named: list[BoxItem] = [
            (label_or_words(labels, one.iri).value, find_href(one.iri, base), "") for one in some
        ]
        top = 1 + (rows - len(some)) * (BOX_HEIGHT_PX + BOX_GAP_PX) / 2
        boxes = picture.add_column(start + BOX_WIDTH_PX + NEIGHBOR_GAP_PIXELS if place else 1, named, top)
        for box, one in zip(boxes, some, strict=True):
            draw_neighbor_link(picture, *((center, box) if place else (box, center)), one.label.value)
    return NeighborhoodView(picture, shown[0], shown[1], sum(map(len, sides)) - sum(map(len, shown)))


def draw_neighbor_link(picture: Picture, start: PictureBox, end: PictureBox, by: str) -> None:
    """Draw the link between two boxes, and say beside the outer one what it is."""
    outer = end if start.kind == "self" else start
    picture.add_line(start, end, by, truncate_to_letters(by, MAX_LINK_LABEL_LETTERS), outer)


def list_neighbors(groups: Sequence[Any]) -> list[Neighbor]:
    """The things of groups of values, one of each group in turn, each thing once."""
    named = [
        [
            Neighbor(value.term.value, group.label)
            for value in group.values
            if isinstance(value.term, ox.NamedNode)
        ]
        for group in groups
        if group.iri not in UNINFORMATIVE_PROPERTIES
    ]
    turns = (one for turn in zip_longest(*named) for one in turn if one)
    found: dict[str, Neighbor] = {}
    for one in turns:
        found.setdefault(one.iri, one)
    return [*found.values()]


MAX_PATH_TERMS = 200  # terms at the end of a path
MAX_PATH_NODES = 1000  # nodes that a step of a path leads to


class PropertyPath(NamedTuple):
    """A path of properties, `^` before one that is followed backwards; ends whose IRI begins so are taken."""

    path: str
    target_prefix: str = ""


PARAGRAPH_PATHS = {
    "document": PropertyPath("wgig:partOf"),
    "principles": PropertyPath("wgig:namesPrinciple"),
    "bears_on": PropertyPath("wgig:bearsOn"),
    "citing": PropertyPath("^cito:cites"),
    "answered_by": PropertyPath("wgig:answeredBy"),
    "answers": PropertyPath("wgig:respondsTo"),
    "settled": PropertyPath("wgig:concernOf", "agreement:"),
    "evidence": PropertyPath("wgig:evidence"),
}
PAPER_PATHS = {
    "issue": PropertyPath("wgig:issue"),
    "category": PropertyPath("wgig:category"),
    "drafter": PropertyPath("wgig:drafter"),
    "posted": PropertyPath("wgig:posted"),
    "comments": PropertyPath("^wgig:concerns", "contribution:"),
    "criteria": PropertyPath("wgig:assessment/wgig:criterion"),
    "cites": PropertyPath("cito:cites"),
}
PRINCIPLE_PATHS = {
    "texts": PropertyPath("^wgig:namesPrinciple"),
    "measured": PropertyPath("^wgig:measuredAgainst"),
    "agreements": PropertyPath("^wgig:concerns", "agreement:"),
    "broader": PropertyPath("skos:broader"),
    "narrower": PropertyPath("^skos:broader"),
}
MEETING_PATHS = {
    "starts": PropertyPath("schema:startDate"),
    "ends": PropertyPath("schema:endDate"),
    "place": PropertyPath("wgig:place"),
    "venue": PropertyPath("wgig:venue"),
    "sessions": PropertyPath("^wgig:partOf", "session:"),
    "part_of": PropertyPath("wgig:partOf"),
    "kind": PropertyPath("wgig:actualKind"),
    "planned": PropertyPath("wgig:plannedKind"),
    "open_to": PropertyPath("wgig:actualKind/wgig:openTo"),
    "speak": PropertyPath("wgig:actualKind/wgig:observersMaySpeak"),
    "remote": PropertyPath("wgig:remoteParticipation"),
    "settled": PropertyPath("^wgig:settledAt"),
    "documents": PropertyPath("^wgig:about", "doc:"),
}
# The values that the sentences about things of a class speak of, by the names that they have there.
OVERVIEW_PATHS_BY_CLASS: dict[str, tuple[str, dict[str, PropertyPath]]] = {
    "wgig:Issue": (
        "issue",
        {
            "categories": PropertyPath("wgig:category"),
            "cluster": PropertyPath("wgig:cluster"),
            "entries": PropertyPath("^wgig:issue", "inventory:"),
            "papers": PropertyPath("^wgig:issue", "paper:"),
            "measured": PropertyPath("wgig:measuredAgainst"),
            "broader": PropertyPath("skos:broader"),
            "narrower": PropertyPath("^skos:broader"),
            "treated": PropertyPath("wgig:treatedIn"),
            "report": PropertyPath("wgig:treatedIn", "report:"),
            "tunis": PropertyPath("wgig:treatedIn/wgig:answeredBy", "tunis:"),
        },
    ),
    "wgig:IssuePaper": ("paper", PAPER_PATHS),
    "wgig:AssessmentPaper": ("paper", PAPER_PATHS),
    "wgig:Principle": ("principle", PRINCIPLE_PATHS),
    "wgig:CrosscuttingPriority": ("principle", PRINCIPLE_PATHS),
    "wgig:Paragraph": ("paragraph", PARAGRAPH_PATHS),
    "wgig:Meeting": ("meeting", MEETING_PATHS),
    "wgig:Session": ("meeting", MEETING_PATHS),
    "wgig:Agreement": (
        "agreement",
        {
            "kind": PropertyPath("dcterms:type"),
            "at": PropertyPath("wgig:settledAt"),
            "by": PropertyPath("wgig:settledBy"),
            "topic": PropertyPath("wgig:topic"),
            "concerns": PropertyPath("wgig:concerns"),
            "outcome": PropertyPath("wgig:outcome"),
            "basis": PropertyPath("wgig:outcomeBasis"),
            "confidence": PropertyPath("wgig:confidence"),
            "due": PropertyPath("wgig:outcome/wgig:due"),
            "delivered": PropertyPath("wgig:outcome/wgig:delivered"),
        },
    ),
    "wgig:Milestone": (
        "milestone",
        {
            "due": PropertyPath("wgig:due"),
            "delivered": PropertyPath("wgig:delivered"),
            "timeliness": PropertyPath("wgig:timeliness"),
            "late": PropertyPath("wgig:daysLate"),
            "basis": PropertyPath("wgig:deliveryBasis"),
            "by": PropertyPath("wgig:responsible"),
            "about": PropertyPath("wgig:about"),
            "agreed": PropertyPath("^wgig:outcome"),
        },
    ),
    "wgig:Category": (
        "category",
        {
            "scheme": PropertyPath("skos:inScheme"),
            "issues": PropertyPath("^wgig:category", "issue:"),
            "clustered": PropertyPath("^wgig:cluster", "issue:"),
            "papers": PropertyPath("^wgig:category", "paper:"),
            "treated": PropertyPath("wgig:treatedIn"),
        },
    ),
    "wgig:StakeholderGroup": ("group", {"members": PropertyPath("^wgig:stakeholderGroup/org:member")}),
    "wgig:Contribution": (
        "contribution",
        {
            "by": PropertyPath("wgig:contributor"),
            "speaker": PropertyPath("wgig:speaker"),
            "capacity": PropertyPath("wgig:capacity"),
            "about": PropertyPath("wgig:concerns"),
        },
    ),
    "foaf:Person": (
        "agent",
        {
            "bodies": PropertyPath("^org:member/org:organization"),
            "roles": PropertyPath("^org:member/org:role"),
            "groups": PropertyPath("^org:member/wgig:stakeholderGroup"),
            "countries": PropertyPath("^org:member/wgig:country"),
            "papers": PropertyPath("^wgig:drafter"),
            "spoke": PropertyPath("^wgig:speaker"),
            "sent": PropertyPath("^wgig:contributor"),
            "settled": PropertyPath("^wgig:settledBy"),
        },
    ),
    "org:Organization": (
        "body",
        {
            "members": PropertyPath("^org:organization/org:member"),
            "settled": PropertyPath("^wgig:settledBy"),
            "due": PropertyPath("^wgig:responsible"),
            "sent": PropertyPath("^wgig:contributor"),
        },
    ),
}


@dataclass(frozen=True)
class ResourceOverview:
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


def build_overview(store: Store, iri: str, types: Collection[str], base: str) -> ResourceOverview:
    """What matters most about a thing of these classes; nothing for kinds that have no sentences."""
    of_type = {expand_curie(name, base).value: what for name, what in OVERVIEW_PATHS_BY_CLASS.items()}
    kind, ways = next((of_type[one] for one in of_type if one in types), ("", {}))
    followed = {name: follow_property_path(store, iri, way, base) for name, way in ways.items()}
    cut = frozenset(name for name, (_, is_whole) in followed.items() if not is_whole)
    found = {
        name: sorted(those, key=lambda one: natural_sort_key(one.value))
        for name, (those, _) in followed.items()
    }
    return ResourceOverview(kind, found, cut)


def follow_property_path(store: Store, iri: str, way: PropertyPath, base: str) -> tuple[list[Any], bool]:
    """The ends of a path from a thing, each once: what has an IRI, and texts; and whether these are all."""
    nodes, is_whole = [ox.NamedNode(iri)], True
    for one in way.path.split("/"):
        ends = (end for node in nodes for end in follow_property(store, node, one, base))
        some = list(islice(ends, MAX_PATH_NODES + 1))
        is_whole &= len(some) <= MAX_PATH_NODES
        nodes = list(dict.fromkeys(some[:MAX_PATH_NODES]))
    begin = expand_curie(way.target_prefix, base).value if way.target_prefix else ""
    found = [
        one
        for one in nodes
        if isinstance(one, ox.Literal) or (isinstance(one, ox.NamedNode) and one.value.startswith(begin))
    ]
    return found[:MAX_PATH_TERMS], is_whole and len(found) <= MAX_PATH_TERMS


def follow_property(store: Store, node: Any, name: str, base: str) -> Iterator[Any]:
    """Where a property leads from a node; backwards where its name begins with `^`."""
    property_ = expand_curie(name.removeprefix("^"), base)
    if name.startswith("^"):
        quads = store.match(None, property_, node) if isinstance(node, ox.NamedNode) else ()
        return (quad.subject for quad in quads)
    quads = store.match(node, property_) if isinstance(node, ox.NamedNode | ox.BlankNode) else ()
    return (quad.object for quad in quads)
