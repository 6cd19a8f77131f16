"""The graph of one paper, as the Markdown writer asks for its parts."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any
from urllib.parse import unquote

import pyoxigraph as ox

from .values import ID, NAMES, XSD, iri

LAST_NUMBER = re.compile(r"(?<=[-/])\d+$")
NATIVE: dict[str, Callable[[str], object]] = {
    f"{XSD}integer": int,
    f"{XSD}date": date.fromisoformat,
    f"{XSD}boolean": {"true": True, "false": False}.get,
}


class Graph:
    """The triples of one paper by subject and property, in the order in which they come."""

    def __init__(self, triples: Iterable[ox.Triple]) -> None:
        """Sort the triples. Raises ValueError unless exactly one paper is in them."""
        self.said: dict[tuple[Any, ox.NamedNode], list[Any]] = defaultdict(list)
        for one in triples:
            self.said[one.subject, one.predicate].append(one.object)
        papers = self.with_value("rdf:type", iri("wgig:IssuePaper"))
        if len(papers) != 1:
            raise ValueError(f"A file in Markdown holds one issue paper, and here are {len(papers)}.")
        self.paper = papers[0]

    def all(self, node: Any, name: str) -> list[Any]:
        """The values of a property."""
        return self.said.get((node, iri(name)), [])

    def one(self, node: Any, name: str) -> str:
        """The text of the first value of a property, or an empty one."""
        return next((value.value for value in self.all(node, name)), "")

    def with_value(self, name: str, value: ox.NamedNode) -> list[Any]:
        """The subjects whose property has this value."""
        return [
            subject
            for (subject, property_), values in self.said.items()
            if property_ == iri(name) and value in values
        ]

    def parts(self, name: str) -> list[Any]:
        """The parts of the paper that a property leads to, by the numbers at their ends."""
        return sorted(self.all(self.paper, name), key=number)


def number(node: ox.NamedNode, name: str = "") -> int:
    """The number that an IRI ends with, 1 without one or where it belongs to the name that comes last."""
    found = None if name and node.value.endswith(name) else LAST_NUMBER.search(node.value)
    return int(found[0]) if found else 1


def short_name(node: Any, prefix: str) -> str:
    """What the form writes for a thing: its part after the namespace of the prefix, else the whole IRI."""
    return unquote(node.value.removeprefix(NAMES[prefix]))


def below_id(node: ox.NamedNode, folder: str = "") -> str:
    """The path of a thing below `id/` and a folder in it, else the whole IRI."""
    path = node.value.removeprefix(f"{ID}{folder}")
    return path if path == node.value else unquote(path)


def native(term: ox.NamedNode | ox.Literal) -> Any:
    """A value as YAML has it: number, day or truth; as text where that would spell it in another way."""
    kind = NATIVE.get(term.datatype.value) if isinstance(term, ox.Literal) else None
    try:
        value = kind(term.value) if kind else None
    except ValueError:
        return term.value
    return value if str(value).lower() == term.value else term.value
