"""What the graph knows about a thing: its statements, its parts, what points to it, the labels of it all."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyoxigraph as ox

from .labels import labels
from .lookup import BATCH, Row, Term, rows, values
from .store import Store

PARTS = 250
INCOMING = 500


@dataclass(frozen=True)
class Statement:
    """One triple and the IRIs of the graphs it stands in (none: the unnamed graph)."""

    subject: ox.NamedNode
    predicate: ox.NamedNode
    object: Term
    graphs: tuple[str, ...]

    @property
    def triple(self) -> ox.Triple:
        """The statement without its graphs."""
        return ox.Triple(self.subject, self.predicate, self.object)


@dataclass(frozen=True)
class Description:
    """A thing as the graph knows it.

    `parts` holds the statements of nodes below the thing's IRI that are linked with it, by IRI; `incoming`
    those that point to it. Where `cut` is not empty, its sentences say what was left out.
    """

    iri: str
    statements: list[Statement]
    parts: dict[str, list[Statement]]
    incoming: list[Statement]
    cut: list[str] = field(default_factory=list)
    labels: dict[str, ox.Literal] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Statement]:
        """Every statement: of the thing, of its parts, of what points to it."""
        yield from self.statements
        for part in self.parts.values():
            yield from part
        yield from self.incoming


def describe(store: Store, iri: str) -> Description | None:
    """The description of a thing, or None when no statement is about it and none points to it."""
    own = about(store, [iri])
    incoming, total = pointing(store, iri)
    if not own and not incoming:
        return None
    parts, parts_left_out = below(store, iri, [*own, *incoming])
    cut = []
    if total > len(incoming):
        cut.append(f"Of {total} statements that point here, {len(incoming)} are shown.")
    if parts_left_out:
        cut.append(f"Only the first {PARTS} parts are shown.")
    description = Description(iri, own, parts, incoming, cut)
    description.labels.update(labels(store, named(description)))
    return description


def known(store: Store, iri: str) -> bool:
    """Whether any statement is about the IRI or points to it."""
    patterns = f"{{ {anywhere(f'<{iri}> ?p ?o')} }} UNION {{ {anywhere(f'?s ?p <{iri}>')} }}"
    return bool(rows(store, f"SELECT * {{ {patterns} }} LIMIT 1", union=False))


def about(store: Store, iris: list[str]) -> list[Statement]:
    """All statements with one of the IRIs as subject."""
    found: list[Row] = []
    for start in range(0, len(iris), BATCH):
        wanted = values(iris[start : start + BATCH])
        found += rows(store, f"SELECT * {{ VALUES ?s {{ {wanted} }} {anywhere('?s ?p ?o')} }}", union=False)
    return statements(found)


def pointing(store: Store, iri: str) -> tuple[list[Statement], int]:
    """The statements whose object is the IRI, at most INCOMING of them, and how many there are in all."""
    pattern = f"{{ {anywhere(f'?s ?p <{iri}>')} FILTER isIRI(?s) }}"
    found = rows(store, f"SELECT * {pattern} LIMIT {INCOMING + 1}", union=False)
    if len(found) <= INCOMING:
        return statements({**row, "o": ox.NamedNode(iri)} for row in found), len(found)
    count = rows(store, f"SELECT (COUNT(*) AS ?n) {pattern}", union=False)[0]["n"].value
    return statements({**row, "o": ox.NamedNode(iri)} for row in found[:INCOMING]), int(count)


def below(store: Store, iri: str, linked: list[Statement]) -> tuple[dict[str, list[Statement]], bool]:
    """The nodes below the IRI that are `linked` with it or, in turn, by those; and whether some are missing.

    At most PARTS nodes are taken.
    """
    parts: dict[str, list[Statement]] = {}
    ends = [end for statement in linked for end in (statement.subject, statement.object)]
    while new := under(iri, ends) - parts.keys():
        room = PARTS - len(parts)
        chosen = sorted(new)[:room]
        parts |= {part: [] for part in chosen}
        found = about(store, chosen)
        for statement in found:
            parts[statement.subject.value].append(statement)
        if len(new) > room:
            return parts, True
        ends = [statement.object for statement in found]
    return parts, False


def under(iri: str, terms: Iterable[Term]) -> set[str]:
    """Which of the terms are IRIs below `iri`."""
    return {
        term.value for term in terms if isinstance(term, ox.NamedNode) and term.value.startswith(f"{iri}/")
    }


def anywhere(pattern: str) -> str:
    """A group that matches the pattern in the unnamed graph and in each named one, bound to `?g`."""
    return f"{{ {pattern} }} UNION {{ GRAPH ?g {{ {pattern} }} }}"


def statements(found: Iterable[Row]) -> list[Statement]:
    """Statements from rows of `?s ?p ?o ?g`, each triple once, in a stable order."""
    graphs: dict[tuple[Any, Any, Any], set[str]] = {}
    for row in found:
        where = graphs.setdefault((row["s"], row["p"], row["o"]), set())
        if "g" in row:
            where.add(row["g"].value)
    return [
        Statement(subject, predicate, value, tuple(sorted(where)))
        for (subject, predicate, value), where in sorted(graphs.items(), key=lambda item: str(item[0]))
    ]


def named(description: Description) -> set[str]:
    """Every IRI that the description shows: nodes, properties, graphs and datatypes."""
    iris = {description.iri}
    for statement in description:
        iris |= {statement.subject.value, statement.predicate.value, *statement.graphs}
        if isinstance(statement.object, ox.NamedNode):
            iris.add(statement.object.value)
    return iris


def graphs_by_use(description: Description) -> list[str]:
    """The graphs in which the thing's own statements stand, the one that holds most of them first."""
    uses = Counter(graph for statement in description.statements for graph in statement.graphs)
    return [graph for graph, _ in uses.most_common()]
