"""The picture of a resource between those that link to it, on the left, and those that it links to."""

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..pages.rendering import find_href, truncate_to_letters
from ..pages.svg import BOX_GAP_PX, BOX_HEIGHT_PX, BOX_WIDTH_PX, BoxItem, Picture, PictureBox
from ..rdf.labels import label_or_words
from ..rdf.namespaces import expand_curie, kind_of_iri

CITATION_KIND = "citation"  # of records of citations, beside which the citing text is a neighbor itself
MAX_NEIGHBORS, MAX_LINK_LABEL_LETTERS = 7, 20  # neighbors on a side, and letters of a label beside a line
NEIGHBOR_GAP_PX = 200  # between two columns, with room for the labels of the lines
# Properties that almost every resource has.
UNINFORMATIVE_PROPERTIES = frozenset(
    expand_curie(name).value
    for name in (
        "rdf:type",
        "dcterms:type",
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
    incoming = [link for link in list_neighbors(left) if kind_of_iri(link.iri, base) != CITATION_KIND]
    sides = [incoming, list_neighbors(right)]
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


def drop_arrow(label: ox.Literal) -> ox.Literal:
    """The label of an incoming link without its arrow, as the sides of the picture show the direction."""
    return ox.Literal(label.value.lstrip("←→ "), language=label.language)


def list_neighbors(groups: Sequence[Any]) -> list[Neighbor]:
    """The resources in property groups, each once: the first of each group, then the second, and so on."""
    neighbors_by_group = [
        [
            Neighbor(value.term.value, drop_arrow(group.label))
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
