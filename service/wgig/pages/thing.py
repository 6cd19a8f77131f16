"""The description of a thing, grouped for a reader."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pyoxigraph as ox

from ..labels import LABELS, labels, natural
from ..lookup import Term
from ..namespaces import OUTSIDE
from ..remembering import for_version
from ..speaking import FROM_RIGHT, ranges
from ..store import Store
from ..things import Description, Statement, graphs_by_use
from . import words
from .naming import name_of

TYPE = f"{OUTSIDE['rdf']}type"
SOURCE = f"{OUTSIDE['dcterms']}source"
DESCRIPTIONS = (
    f"{OUTSIDE['skos']}definition",
    f"{OUTSIDE['dcterms']}description",
    f"{OUTSIDE['rdfs']}comment",
)
INVERSE = ox.NamedNode(f"{OUTSIDE['owl']}inverseOf")


@dataclass(frozen=True)
class Value:
    """What stands at the other end of a statement, and the graphs that say so, but for the page's own."""

    term: Term
    graphs: tuple[str, ...]


@dataclass(frozen=True)
class Group:
    """Values of one property, of which there are `total`; `label` reads from the thing to the values."""

    iri: str
    label: ox.Literal
    values: list[Value]
    total: int

    @property
    def graphs(self) -> tuple[str, ...]:
        """The graphs of every value, or nothing when the values differ in them."""
        different = {value.graphs for value in self.values}
        return different.pop() if len(different) == 1 else ()


@dataclass(frozen=True)
class Page:
    """A thing's page: what it is called, what it is, where it stands, and its links both ways.

    `implied` counts the inferred statements left out because a fact that is shown links the same two things.
    """

    description: Description
    title: ox.Literal
    graph: str
    types: list[Value]
    texts: list[Value]
    facts: list[Group]
    parts: list[tuple[str, list[Group]]]
    incoming: list[Group]
    sources: list[Value]
    implied: int


def page(store: Store, description: Description, inferred: str) -> Page:
    """The page of a thing. `inferred` is the IRI of the graph of what follows from the facts."""
    home = next((graph for graph in graphs_by_use(description) if graph != inferred), "")
    title = description.labels.get(description.iri, ox.Literal(words(description.iri)))
    shown = without_implied(list(description), inferred)
    inverse = inverses(store, store.version, ranges())

    def name(iri: str) -> ox.Literal:
        return description.labels.get(iri) or name_of(iri)

    def back(iri: str) -> ox.Literal:
        called = name(iri)
        arrow = "→" if called.language in FROM_RIGHT else "←"
        return inverse.get(iri) or ox.Literal(f"{arrow} {called.value}", language=called.language)

    def groups(statements: list[Statement]) -> list[Group]:
        return grouped([(one, one.object) for one in statements if one in shown], description, home, name)

    def picked(*properties: str) -> list[Value]:
        chosen = [one for one in description.statements if one.predicate.value in properties]
        return [value for group in groups(chosen) for value in group.values]

    back_to: list[tuple[Statement, Term]] = [
        (one, one.subject) for one in description.incoming if one in shown
    ]
    incoming = grouped(back_to, description, home, back)
    if description.cut:
        incoming = [replace(one, total=description.towards.get(one.iri, one.total)) for one in incoming]
    return Page(
        description,
        title,
        home,
        types=sorted(picked(TYPE), key=lambda value: inferred in value.graphs),
        texts=picked(*DESCRIPTIONS),
        facts=groups([one for one in description.statements if not in_header(one, title)]),
        parts=[
            (part, groups(statements))
            for part, statements in sorted(description.parts.items(), key=lambda item: natural(item[0]))
        ],
        incoming=incoming,
        sources=picked(SOURCE),
        implied=len(set(description)) - len(shown),
    )


@for_version(12)
def inverses(store: Store, version: int, liked: tuple[str, ...]) -> dict[str, ox.Literal]:
    """What each property that has an inverse is called from the other end, in a version of the store.

    Labels are by the language ranges that a reader likes.
    """
    del version  # which makes the cache forget
    pairs = [(one.subject, one.object) for one in store.match(None, INVERSE)]
    other = {
        one.value: end.value
        for pair in pairs
        for one, end in (pair, pair[::-1])
        if isinstance(one, ox.NamedNode) and isinstance(end, ox.NamedNode)
    }
    called = labels(store, other.values(), liked)
    return {one: called[end] for one, end in other.items() if end in called}


def in_header(statement: Statement, title: ox.Literal) -> bool:
    """Whether the page shows the statement elsewhere than among the facts."""
    if statement.predicate.value in (TYPE, SOURCE, *DESCRIPTIONS):
        return True
    return statement.predicate.value in LABELS and statement.object == title


def without_implied(statements: list[Statement], inferred: str) -> set[Statement]:
    """The statements but for those inferred ones whose two ends a fact links already, in either direction."""
    facts = {one for one in statements if one.graphs != (inferred,)}
    linked = {(one.subject, one.object) for one in facts} | {(one.object, one.subject) for one in facts}
    return facts | {one for one in statements if (one.subject, one.object) not in linked}


def grouped(
    ends: list[tuple[Statement, Term]],
    description: Description,
    home: str,
    label: Callable[[str], ox.Literal],
) -> list[Group]:
    """Statements with the end of each that is to be shown, by property and by what a reader calls them."""
    found: dict[str, list[Value]] = {}
    for one, end in ends:
        value = Value(end, tuple(graph for graph in one.graphs if graph != home))
        found.setdefault(one.predicate.value, []).append(value)

    def order(value: Value) -> tuple[object, ...]:
        text = str(value.term) if isinstance(value.term, ox.Triple) else value.term.value
        return natural(description.labels[text].value if text in description.labels else text)

    groups = [Group(iri, label(iri), sorted(values, key=order), len(values)) for iri, values in found.items()]
    return sorted(groups, key=lambda group: group.label.value.casefold())
