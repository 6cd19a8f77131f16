"""The HTML page of a resource: links in both directions by property, and the sections of a paper.

Inverse links are named by owl:inverseOf where the ontology has it. Inferred statements are left out where a
fact links the same two resources already, in either direction. A paper is shown section by section, with the
findings of the check beside. What links to a resource by one property has pages of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pyoxigraph as ox

from ..http.bodies import get_query_parameters, parameter_values
from ..http.language import current_language, label_languages
from ..i18n import RTL_LANGUAGES
from ..pages.dependencies import RequestContext
from ..pages.names import foreign_property_label
from ..rdf.labels import LABEL_PROPERTIES, label_or_words
from ..rdf.namespaces import (
    DCTERMS_DESCRIPTION,
    DCTERMS_HAS_PART,
    DCTERMS_SOURCE,
    EARL_RESULT,
    RDF_TYPE_IRI,
    RDFS_NAMESPACE,
    SH_NAMESPACE,
    SKOS_NAMESPACE,
    expand_curie,
    namespaces_by_prefix,
    shorten_iri,
)
from ..shacl.rules import rules_by_code, section_headings
from ..sparql.examples import find_examples_of_resource
from ..store.history import MAX_LISTED_VERSIONS, list_graph_versions
from ..store.projections import cache_for_version
from ..store.store import Store
from ..store.view import ResultTerm
from ..text import natural_sort_key
from .description import ResourceDescription, Statement, graphs_by_use, stated_types
from .labels import find_labels
from .overview import build_neighborhood, build_overview
from .plain_json import INVERSE_PAGE_THINGS
from .representation import address_with_parameters, render_site_page

DESCRIPTION_PROPERTIES = (
    f"{SKOS_NAMESPACE}definition",
    DCTERMS_DESCRIPTION.value,
    f"{RDFS_NAMESPACE}comment",
)
HEADER_PROPERTIES = (RDF_TYPE_IRI, DCTERMS_SOURCE.value, *DESCRIPTION_PROPERTIES)
OWL_INVERSE_OF = expand_curie("owl:inverseOf")


@dataclass(frozen=True)
class PropertyValue:
    """What stands at the other end of a statement, and the graphs that say so, but for the page's own."""

    term: ResultTerm
    graphs: tuple[str, ...]


@dataclass(frozen=True)
class PropertyGroup:
    """Values of one property, of which there are `total`; `label` reads from the thing to the values."""

    iri: str
    label: ox.Literal
    values: list[PropertyValue]
    total: int

    @property
    def graphs(self) -> tuple[str, ...]:
        """The graphs of every value, or nothing when the values differ in them."""
        different = {value.graphs for value in self.values}
        return different.pop() if len(different) == 1 else ()


@dataclass(frozen=True)
class ResourceView:
    """A thing's page: what it is called, what it is, where it stands, and its links both ways.

    `implied_count` counts the inferred statements left out because a fact that is shown links the same two
    things.
    """

    description: ResourceDescription
    title: ox.Literal
    graph: str
    types: list[PropertyValue]
    texts: list[PropertyValue]
    facts: list[PropertyGroup]
    parts: list[tuple[str, list[PropertyGroup]]]
    incoming: list[PropertyGroup]
    sources: list[PropertyValue]
    implied_count: int


def build_resource_view(store: Store, description: ResourceDescription, inferred: str) -> ResourceView:
    """The page of a thing. `inferred` is the IRI of the graph of what follows from the facts."""
    home = next((graph for graph in graphs_by_use(description) if graph != inferred), "")
    title = label_or_words(description.labels, description.iri)
    shown = drop_implied_statements(list(description), inferred)
    inverse = inverse_property_labels(store, store.version, label_languages())

    def name(iri: str) -> ox.Literal:
        return description.labels.get(iri) or foreign_property_label(iri)

    def back(iri: str) -> ox.Literal:
        called = name(iri)
        arrow = "→" if called.language in RTL_LANGUAGES else "←"
        return inverse.get(iri) or ox.Literal(f"{arrow} {called.value}", language=called.language)

    def groups(statements: list[Statement]) -> list[PropertyGroup]:
        return group_by_property(
            [(one, one.object) for one in statements if one in shown], description, home, name
        )

    def picked(*properties: str) -> list[PropertyValue]:
        chosen = [one for one in description.statements if one.predicate.value in properties]
        return [value for group in groups(chosen) for value in group.values]

    back_to: list[tuple[Statement, ResultTerm]] = [
        (one, one.subject) for one in description.incoming if one in shown
    ]
    incoming = group_by_property(back_to, description, home, back)
    if description.cut_notices:
        incoming = [
            replace(one, total=description.incoming_counts.get(one.iri, one.total)) for one in incoming
        ]
    return ResourceView(
        description,
        title,
        home,
        types=sorted(picked(RDF_TYPE_IRI), key=lambda value: inferred in value.graphs),
        texts=picked(*DESCRIPTION_PROPERTIES),
        facts=groups([one for one in description.statements if not is_in_header(one, title)]),
        parts=[
            (part, groups(statements))
            for part, statements in sorted(
                description.parts.items(), key=lambda item: natural_sort_key(item[0])
            )
        ],
        incoming=incoming,
        sources=picked(DCTERMS_SOURCE.value),
        implied_count=len(set(description)) - len(shown),
    )


@cache_for_version(12)
def inverse_property_labels(store: Store, version: int, liked: tuple[str, ...]) -> dict[str, ox.Literal]:
    """What each property that has an inverse is called from the other end, in a version of the store.

    Labels are by the language ranges that a reader likes.
    """
    del version  # which makes the cache forget
    pairs = [(one.subject, one.object) for one in store.match(None, OWL_INVERSE_OF)]
    other = {
        one.value: end.value
        for pair in pairs
        for one, end in (pair, pair[::-1])
        if isinstance(one, ox.NamedNode) and isinstance(end, ox.NamedNode)
    }
    called = find_labels(store, other.values(), liked)
    return {one: called[end] for one, end in other.items() if end in called}


def is_in_header(statement: Statement, title: ox.Literal) -> bool:
    """Whether the page shows the statement elsewhere than among the facts."""
    if statement.predicate.value in HEADER_PROPERTIES:
        return True
    return statement.predicate.value in LABEL_PROPERTIES and statement.object == title


def drop_implied_statements(statements: list[Statement], inferred: str) -> set[Statement]:
    """The statements but for those inferred ones whose two ends a fact links already, in either direction."""
    facts = {one for one in statements if one.graphs != (inferred,)}
    linked = {(one.subject, one.object) for one in facts} | {(one.object, one.subject) for one in facts}
    return facts | {one for one in statements if (one.subject, one.object) not in linked}


def group_by_property(
    ends: list[tuple[Statement, ResultTerm]],
    description: ResourceDescription,
    home: str,
    label: Callable[[str], ox.Literal],
) -> list[PropertyGroup]:
    """Statements with the end of each that is to be shown, by property and by what a reader calls them."""
    found: dict[str, list[PropertyValue]] = {}
    for one, end in ends:
        value = PropertyValue(end, tuple(graph for graph in one.graphs if graph != home))
        found.setdefault(one.predicate.value, []).append(value)

    def order(value: PropertyValue) -> tuple[object, ...]:
        text = str(value.term) if isinstance(value.term, ox.Triple) else value.term.value
        return natural_sort_key(description.labels[text].value if text in description.labels else text)

    groups = [
        PropertyGroup(iri, label(iri), sorted(values, key=order), len(values))
        for iri, values in found.items()
    ]
    return sorted(groups, key=lambda group: group.label.value.casefold())


# The properties that each section of the template is made of; 0 is the paper itself.
SECTION_PROPERTIES = (
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


class SectionFinding(NamedTuple):
    """What is wrong with a section: the code of the rule, how grave it is, and what to do."""

    code: str
    severity: str
    message: str


@dataclass(frozen=True)
class PaperSection:
    """A section: its number, how it stands, what it says itself and in parts of its own, and the findings.

    It stands `passed`, `missing`, `faulty`, `waived` or `untested`.
    """

    number: int
    state: str
    groups: Sequence[PropertyGroup]
    parts: Sequence[tuple[str, Sequence[PropertyGroup]]]
    findings: Sequence[SectionFinding]


def build_paper_sections(store: Store, page: ResourceView, base: str) -> list[PaperSection]:
    """The sections of a paper; none where nothing is known of how it stands by the template."""
    known = namespaces_by_prefix(base)
    iri = page.description.iri
    whole = known["assertion"] + iri.removeprefix(known["paper"])
    if not iri.startswith(known["paper"]) or not any(store.match(ox.NamedNode(whole), EARL_RESULT)):
        return []
    parts = dict(page.parts)
    by_property = {one.iri: one for one in page.facts}
    found = []
    for number, names in enumerate(SECTION_PROPERTIES):
        iris = [expand_curie(name, base).value for name in names]
        groups = [by_property[one] for one in iris if one in by_property]
        ends = [
            value.term.value for one in groups for value in one.values if isinstance(value.term, ox.NamedNode)
        ]
        own = [(one, parts[one]) for one in ends if one in parts]
        plain = [one for one in groups if not any(has_group_value(one, part) for part, _ in own)]
        state, findings = read_section_state(store, f"{whole}/{number}", known)
        found.append(PaperSection(number, state, plain, own, findings))
    return found


def has_group_value(group: PropertyGroup, iri: str) -> bool:
    """Whether one of the values is this."""
    return any(isinstance(one.term, ox.NamedNode) and one.term.value == iri for one in group.values)


def read_section_state(
    store: Store, assertion: str, known: dict[str, str]
) -> tuple[str, list[SectionFinding]]:
    """How a section stands, and what was found in it."""
    node = ox.NamedNode(assertion)
    states = (object_text(quad) for quad in store.match(node, EARL_RESULT))
    state = next(states, "").removeprefix(known["test-result"]) or "untested"
    findings = [
        read_section_finding(store, quad.object)
        for quad in store.match(node, DCTERMS_HAS_PART)
        if isinstance(quad.object, ox.NamedNode)
    ]
    return state, sorted(findings)


def read_section_finding(store: Store, node: ox.NamedNode) -> SectionFinding:
    """What was found, by its node."""
    said = {quad.predicate.value: object_text(quad) for quad in store.match(node)}
    code, severity = (
        said.get(SH_NAMESPACE + name, "").partition("#")[2] for name in ("sourceShape", "resultSeverity")
    )
    rule = rules_by_code().get(code)
    return SectionFinding(
        code,
        severity,
        rule.message_in(current_language()) if rule else said.get(f"{SH_NAMESPACE}resultMessage", ""),
    )


def object_text(quad: ox.Quad) -> str:
    """The IRI or text at the end of a statement."""
    return quad.object.value if isinstance(quad.object, ox.NamedNode | ox.Literal) else ""


def render_resource_page(
    context: RequestContext, description: ResourceDescription, ranges: tuple[str, ...], markup: object
) -> bytes:
    """The page of a thing, in the languages of these ranges, with what it tells search engines."""
    store, base = context.store, context.base
    view = build_resource_view(store, description, f"{base}graph/inferred")
    what = build_overview(store, description.iri, stated_types(description.statements), base)
    named = description.labels | find_labels(store, what.iris - description.labels.keys(), ranges)
    in_sections = build_paper_sections(store, view, base)
    there = {group.iri for one in in_sections for group in one.groups}
    return render_site_page(
        context,
        "doc.html",
        page=replace(view, facts=[one for one in view.facts if one.iri not in there]),
        gist=what,
        examples=find_examples_of_resource(shorten_iri(description.iri, base)),
        sections=in_sections,
        headings=section_headings(),
        around=build_neighborhood(view.title.value, view.incoming, view.facts, named, base),
        versions=list_graph_versions(context.history, context.store, view.graph)[-MAX_LISTED_VERSIONS:]
        if view.graph
        else [],
        labels=named,
        markup=markup,
    )


def render_inverse_page(
    context: RequestContext, description: ResourceDescription, said: Mapping[str, Any]
) -> bytes:
    """A page of what points to a thing by a property, of which that is said as JSON."""
    ((name, found),) = said["inverse"].items()
    number = int((parameter_values(get_query_parameters(context.request), "page") or ["1"])[0])
    things = [one["id"] for one in found["items"]]
    store = context.store
    return render_site_page(
        context,
        "inverse.html",
        iri=description.iri,
        title=label_or_words(description.labels, description.iri),
        name=name,
        found=found,
        things=things,
        labels=find_labels(store, things, label_languages()),
        number=number,
        turns={
            rel: address_with_parameters(context.request, [("inverse", name), ("page", str(number + step))])
            for rel, step in (("prev", -1), ("next", 1))
            if rel in found["links"]
        },
        first=(number - 1) * INVERSE_PAGE_THINGS + 1,
        last=-(-found["total"] // INVERSE_PAGE_THINGS),
    )
