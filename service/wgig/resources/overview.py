"""The overview at the top of a resource page: the most important facts, and a picture of the neighborhood.

The facts are the values of property paths that are set for each class of resource. The template gist.html
makes sentences of them. The picture shows resources that link to this one on the left, and those that it
links to on the right.
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

MAX_NEIGHBORS, MAX_LINK_LABEL_LETTERS = 7, 20  # neighbors on a side, and letters of a label beside a line
NEIGHBOR_GAP_PX = 200  # between two columns, with room for the labels of the lines
# Properties that almost every resource has.
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
    """A linked resource, and the label of the link."""

    iri: str
    label: ox.Literal


class NeighborhoodView(NamedTuple):
    """A picture of a resource, the neighbors on its left and right, and the number of neighbors left out."""

    picture: Picture
    left: list[Neighbor]
    right: list[Neighbor]
    hidden_count: int


def build_neighborhood(
    title: str, left: Sequence[Any], right: Sequence[Any], labels: Mapping[str, ox.Literal], base: str
) -> NeighborhoodView:
    """The neighborhood of a resource; `left` are property groups of incoming, `right` of outgoing links."""
    sides = [list_neighbors(left), list_neighbors(right)]
    shown = [neighbors[:MAX_NEIGHBORS] for neighbors in sides]
    picture = Picture()
    rows = max(map(len, shown), default=0)
    center_top = 1 + max(0, rows - 1) * (BOX_HEIGHT_PX + BOX_GAP_PX) / 2
    center_x = 1 + (BOX_WIDTH_PX + NEIGHBOR_GAP_PX if shown[0] else 0)
    (center,) = picture.add_column(center_x, [(title, None, "self")], center_top)  # without a link
    for is_right, neighbors in enumerate(shown):
        items: list[BoxItem] = [
            (label_or_words(labels, neighbor.iri).value, find_href(neighbor.iri, base), "")
            for neighbor in neighbors
        ]
        top = 1 + (rows - len(neighbors)) * (BOX_HEIGHT_PX + BOX_GAP_PX) / 2
        x = center_x + BOX_WIDTH_PX + NEIGHBOR_GAP_PX if is_right else 1
        boxes = picture.add_column(x, items, top)
        for box, neighbor in zip(boxes, neighbors, strict=True):
            ends = (center, box) if is_right else (box, center)
            draw_neighbor_link(picture, *ends, neighbor.label.value)
    return NeighborhoodView(picture, shown[0], shown[1], sum(map(len, sides)) - sum(map(len, shown)))


def draw_neighbor_link(picture: Picture, start: PictureBox, end: PictureBox, label: str) -> None:
    """Draw the link between two boxes, with its label beside the outer one."""
    outer_box = end if start.kind == "self" else start
    picture.add_line(start, end, label, truncate_to_letters(label, MAX_LINK_LABEL_LETTERS), outer_box)


def list_neighbors(groups: Sequence[Any]) -> list[Neighbor]:
    """The resources in property groups, each once: the first of each group, then the second, and so on."""
    neighbors_by_group = [
        [
            Neighbor(value.term.value, group.label)
            for value in group.values
            if isinstance(value.term, ox.NamedNode)
        ]
        for group in groups
        if group.iri not in UNINFORMATIVE_PROPERTIES
    ]
    interleaved = (neighbor for row in zip_longest(*neighbors_by_group) for neighbor in row if neighbor)
    neighbors_by_iri: dict[str, Neighbor] = {}
    for neighbor in interleaved:
        neighbors_by_iri.setdefault(neighbor.iri, neighbor)
    return [*neighbors_by_iri.values()]


MAX_PATH_TERMS = 200  # terms at the end of a path
MAX_PATH_NODES = 1000  # nodes after each step of a path


class PropertyPath(NamedTuple):
    """A property path, such as `^wgig:issue/wgig:category`; `^` means the inverse property.

    It leads only to IRIs that begin with the namespace `target_prefix`, such as `paper:`, unless it is empty.
    """

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
# By class: the macro of gist.html for its sentences, and the paths to the values that they use, by name.
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
    """The values for the sentences about a resource: lists of terms by name.

    `kind` is the macro of gist.html that makes the sentences. `incomplete` has the names of the lists from
    which terms were left out.
    """

    kind: str = ""
    terms_by_name: Mapping[str, list[Any]] = field(default_factory=dict)
    incomplete: frozenset[str] = frozenset()

    @property
    def iris(self) -> set[str]:
        """The IRIs among all terms."""
        return {
            term.value
            for terms in self.terms_by_name.values()
            for term in terms
            if isinstance(term, ox.NamedNode)
        }


def build_overview(store: Store, iri: str, types: Collection[str], base: str) -> ResourceOverview:
    """The overview of a resource of these classes; empty if none of them is in OVERVIEW_PATHS_BY_CLASS."""
    paths_by_type = {expand_curie(name, base).value: entry for name, entry in OVERVIEW_PATHS_BY_CLASS.items()}
    kind, paths = next((entry for type_, entry in paths_by_type.items() if type_ in types), ("", {}))
    results = {name: follow_property_path(store, iri, path, base) for name, path in paths.items()}
    incomplete = frozenset(name for name, (_, is_complete) in results.items() if not is_complete)
    terms_by_name = {
        name: sorted(terms, key=lambda term: natural_sort_key(term.value))
        for name, (terms, _) in results.items()
    }
    return ResourceOverview(kind, terms_by_name, incomplete)


def follow_property_path(store: Store, iri: str, path: PropertyPath, base: str) -> tuple[list[Any], bool]:
    """The IRIs and literals at the end of a path from a resource, each once, and whether none is left out."""
    nodes, is_complete = [ox.NamedNode(iri)], True
    for step in path.path.split("/"):
        ends = (end for node in nodes for end in follow_property(store, node, step, base))
        first_ends = list(islice(ends, MAX_PATH_NODES + 1))
        is_complete &= len(first_ends) <= MAX_PATH_NODES
        nodes = list(dict.fromkeys(first_ends[:MAX_PATH_NODES]))
    prefix = expand_curie(path.target_prefix, base).value if path.target_prefix else ""
    terms = [
        node
        for node in nodes
        if isinstance(node, ox.Literal) or (isinstance(node, ox.NamedNode) and node.value.startswith(prefix))
    ]
    return terms[:MAX_PATH_TERMS], is_complete and len(terms) <= MAX_PATH_TERMS


def follow_property(store: Store, node: Any, name: str, base: str) -> Iterator[Any]:
    """The objects of a property of a node, or its subjects if the CURIE `name` begins with `^`."""
    property_ = expand_curie(name.removeprefix("^"), base)
    if name.startswith("^"):
        quads = store.match(None, property_, node) if isinstance(node, ox.NamedNode) else ()
        return (quad.subject for quad in quads)
    quads = store.match(node, property_) if isinstance(node, ox.NamedNode | ox.BlankNode) else ()
    return (quad.object for quad in quads)
