"""The graph of one paper, as the Markdown writer asks for its parts."""

import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from typing import Any
from urllib.parse import unquote

import pyoxigraph as ox

from ...rdf.literals import build_value_literal, literal_value
from ...rdf.namespaces import DEFAULT_NAMESPACES, ID_NAMESPACE, expand_curie

LAST_NUMBER_PATTERN = re.compile(r"(?<=[-/])\d+$")


class PaperGraph:
    """The triples of one paper by subject and property, in the order in which they come."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Sort the triples. Raises ValueError unless exactly one paper is in them."""
        self.values_by_property: dict[tuple[Any, ox.NamedNode], list[Any]] = defaultdict(list)
        for one in triples:
            self.values_by_property[one.subject, one.predicate].append(one.object)
        papers = self.subjects_with("rdf:type", expand_curie("wgig:IssuePaper"))
        if len(papers) != 1:
            raise ValueError(f"A file in Markdown holds one issue paper, and here are {len(papers)}.")
        self.paper = papers[0]

    def values(self, node: Any, name: str) -> list[Any]:
        """The values of a property."""
        return self.values_by_property.get((node, expand_curie(name)), [])

    def first_text(self, node: Any, name: str) -> str:
        """The text of the first value of a property, or an empty one."""
        return next((value.value for value in self.values(node, name)), "")

    def subjects_with(self, name: str, value: ox.NamedNode) -> list[Any]:
        """The subjects whose property has this value."""
        return [
            subject
            for (subject, property_), values in self.values_by_property.items()
            if property_ == expand_curie(name) and value in values
        ]

    def parts(self, name: str) -> list[Any]:
        """The parts of the paper that a property leads to, by the numbers at their ends."""
        return sorted(self.values(self.paper, name), key=trailing_number)


def trailing_number(node: ox.NamedNode, name: str = "") -> int:
    """The number that an IRI ends with, 1 without one or where it belongs to the name that comes last."""
    found = None if name and node.value.endswith(name) else LAST_NUMBER_PATTERN.search(node.value)
    return int(found[0]) if found else 1


def prefixed_short_name(node: Any, prefix: str) -> str:
    """What the form writes for a thing: its part after the namespace of the prefix, else the whole IRI."""
    return unquote(node.value.removeprefix(DEFAULT_NAMESPACES[prefix]))


def resource_path(node: ox.NamedNode, folder: str = "") -> str:
    """The path of a thing below `id/` and a folder in it, else the whole IRI."""
    path = node.value.removeprefix(f"{ID_NAMESPACE}{folder}")
    return path if path == node.value else unquote(path)


def yaml_value(term: ox.NamedNode | ox.Literal) -> Any:
    """A value as YAML has it: number, day or truth; as text where that would spell it in another way."""
    value = literal_value(term) if isinstance(term, ox.Literal) else None
    is_plain = type(value) in (int, date, bool) and build_value_literal(value) == term
    return value if is_plain else term.value
