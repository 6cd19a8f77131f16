"""The HTML page of a resource: links in both directions by property, and the sections of a paper.

Inverse links are named by owl:inverseOf where the ontology has it. Inferred statements are left out where a
fact links the same two resources already, in either direction. A paper is shown section by section, with the
findings of the check beside. What links to a resource by one property has pages of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pyoxigraph as ox
from fastapi import Request
from pyoxigraph import Literal

from ..http.bodies import parameters, values
from ..http.language import FROM_RIGHT, language, ranges
from ..pages.names import name_of
from ..pages.rendering import words
from ..rdf.namespaces import OUTSIDE, namespaces, short
from ..shacl.rules import headings, rules
from ..sparql.examples import of_thing
from ..store.history import versions
from ..store.projections import for_version
from ..store.store import Store
from ..store.view import Term
from ..text import natural
from .description import Description, Statement, graphs_by_use, types_of
from .labels import LABELS, labels
from .overview import around, gist
from .plain_json import SIZE
from .representation import show, turned

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


SH, EARL = OUTSIDE["sh"], OUTSIDE["earl"]
RESULT, PART = ox.NamedNode(f"{EARL}result"), ox.NamedNode(f"{OUTSIDE['dcterms']}hasPart")
# The properties that each section of the template is made of; 0 is the paper itself.
PROPERTIES = (
    (
        "dcterms:title",
        "schema:inLanguage",
        "wgig:drafter",
        "wgig:posted",
        "bibo:numPages",
        "schema:creativeWorkStatus",
    ),
    ("wgig:issue", "wgig:issueDescription"),
    ("wgig:category",),
    ("wgig:swot",),
    ("wgig:mainActor", "wgig:otherActor"),
    ("wgig:forum",),
    ("wgig:mechanism",),
    ("wgig:assessment",),
    ("wgig:additionalComments",),
)


class Finding(NamedTuple):
    """What is wrong with a section: the code of the rule, how grave it is, and what to do."""

    code: str
    severity: str
    message: str


@dataclass(frozen=True)
class Section:
    """A section: its number, how it stands, what it says itself and in parts of its own, and the findings.

    It stands `passed`, `missing`, `faulty`, `waived` or `untested`.
    """

    number: int
    state: str
    groups: Sequence[Group]
    parts: Sequence[tuple[str, Sequence[Group]]]
    findings: Sequence[Finding]


def sections(store: Store, page: Page, base: str) -> list[Section]:
    """The sections of a paper; none where nothing is known of how it stands by the template."""
    known = namespaces(base)
    iri = page.description.iri
    whole = known["assertion"] + iri.removeprefix(known["paper"])
    if not iri.startswith(known["paper"]) or not any(store.match(ox.NamedNode(whole), RESULT)):
        return []
    parts = dict(page.parts)
    by_property = {one.iri: one for one in page.facts}
    found = []
    for number, names in enumerate(PROPERTIES):
        iris = [full(name, known) for name in names]
        groups = [by_property[one] for one in iris if one in by_property]
        ends = [
            value.term.value for one in groups for value in one.values if isinstance(value.term, ox.NamedNode)
        ]
        own = [(one, parts[one]) for one in ends if one in parts]
        plain = [one for one in groups if not any(leads_to(one, part) for part, _ in own)]
        state, findings = standing(store, f"{whole}/{number}", known)
        found.append(Section(number, state, plain, own, findings))
    return found


def full(name: str, known: dict[str, str]) -> str:
    """The IRI that is given as prefix and local name."""
    prefix, _, local = name.partition(":")
    return known[prefix] + local


def leads_to(group: Group, iri: str) -> bool:
    """Whether one of the values is this."""
    return any(isinstance(one.term, ox.NamedNode) and one.term.value == iri for one in group.values)


def standing(store: Store, assertion: str, known: dict[str, str]) -> tuple[str, list[Finding]]:
    """How a section stands, and what was found in it."""
    node = ox.NamedNode(assertion)
    states = (end(quad) for quad in store.match(node, RESULT))
    state = next(states, "").removeprefix(known["test-result"]) or "untested"
    findings = [
        finding(store, quad.object)
        for quad in store.match(node, PART)
        if isinstance(quad.object, ox.NamedNode)
    ]
    return state, sorted(findings)


def finding(store: Store, node: ox.NamedNode) -> Finding:
    """What was found, by its node."""
    said = {quad.predicate.value: end(quad) for quad in store.match(node)}
    code, severity = (said.get(SH + name, "").partition("#")[2] for name in ("sourceShape", "resultSeverity"))
    rule = rules().get(code)
    return Finding(code, severity, rule.says(language()) if rule else said.get(f"{SH}resultMessage", ""))


def end(quad: ox.Quad) -> str:
    """The IRI or text at the end of a statement."""
    return quad.object.value if isinstance(quad.object, ox.NamedNode | ox.Literal) else ""


VERSIONS = 20  # of a graph that a page lists


def thing_sheet(request: Request, description: Description, ranges: tuple[str, ...], markup: object) -> bytes:
    """The page of a thing, in the languages of these ranges, with what it tells search engines."""
    store, base = request.app.state.store, request.app.state.settings.base
    view = page(store, description, f"{base}graph/inferred")
    what = gist(store, description.iri, types_of(description.statements), base)
    named = description.labels | labels(store, what.iris - description.labels.keys(), ranges)
    in_sections = sections(store, view, base)
    there = {group.iri for one in in_sections for group in one.groups}
    return show(
        request,
        "doc.html",
        page=replace(view, facts=[one for one in view.facts if one.iri not in there]),
        gist=what,
        examples=of_thing(short(description.iri, base)),
        sections=in_sections,
        headings=headings(),
        around=around(view.title.value, view.incoming, view.facts, named, base),
        versions=versions(request, view.graph)[-VERSIONS:] if view.graph else [],
        labels=named,
        markup=markup,
    )


def inverse_sheet(request: Request, description: Description, said: Mapping[str, Any]) -> bytes:
    """A page of what points to a thing by a property, of which that is said as JSON."""
    ((name, found),) = said["inverse"].items()
    number = int((values(parameters(request), "page") or ["1"])[0])
    things = [one["id"] for one in found["items"]]
    store: Store = request.app.state.store
    return show(
        request,
        "inverse.html",
        iri=description.iri,
        title=description.labels.get(description.iri) or Literal(words(description.iri)),
        name=name,
        found=found,
        things=things,
        labels=labels(store, things, ranges()),
        number=number,
        turns={
            rel: turned(request, [("inverse", name), ("page", str(number + step))])
            for rel, step in (("prev", -1), ("next", 1))
            if rel in found["links"]
        },
        first=(number - 1) * SIZE + 1,
        last=-(-found["total"] // SIZE),
    )
