"""The HTML page of a resource: links in both directions by property, and the sections of a paper.

Incoming links are labeled by the inverse property (owl:inverseOf) if the ontology has one. An inferred
statement is left out if a statement that is not inferred links the same two resources, in either direction. A
paper is shown section by section, with the findings of its check. /doc/…?inverse= is a page of the resources
that link to a resource by a property.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import pyoxigraph as ox
from wgig_client.namespaces import EXTERNAL_NAMESPACES, namespaces_by_prefix

from ..http.bodies import get_query_parameters, parameter_values
from ..http.language import current_language, label_languages
from ..i18n import RTL_LANGUAGES, gettext_noop
from ..pages.dependencies import RequestContext
from ..pages.names import foreign_class_label, foreign_property_label
from ..rdf.labels import LABEL_PROPERTIES, best_text, label_or_words
from ..rdf.namespaces import (
    DCTERMS_DESCRIPTION,
    DCTERMS_SOURCE,
    DCTERMS_TITLE,
    EARL_RESULT,
    RDF_TYPE,
    RDF_TYPE_IRI,
    RDFS_NAMESPACE,
    SKOS_NAMESPACE,
    WGIG_ISSUE_PAPER,
    expand_curie,
    kind_of_iri,
    shorten_iri,
    split_namespace,
)
from ..rdf.shipped import example_paper_texts, shipped_triples
from ..shacl.outcomes import OUTCOME_UNSEEN, WGIG_BREAKS, list_section_outcomes
from ..shacl.rules import SHAPES_NAMESPACE, rules_by_code, section_headings
from ..sparql.examples import find_examples_of_resource
from ..store.graph_dates import find_graph_date
from ..store.history import MAX_LISTED_VERSIONS, find_erased_digests, list_graph_versions
from ..store.labels import find_labels
from ..store.store import Store
from ..store.version_cache import cache_for_version
from ..store.view import ResultTerm
from ..text import natural_sort_key
from .added_papers import mark_added_papers
from .contents import (
    DocumentPart,
    build_contents,
    find_adjacent_in_series,
    find_adjacent_paragraphs,
    find_nearest_document,
    iter_parts,
)
from .description import PARTS_CUT_MESSAGE, ResourceDescription, Statement, graphs_by_use, stated_types
from .neighborhood import build_neighborhood
from .overview import ResourceOverview, build_overviews, group_records
from .plain_json import INVERSE_PAGE_RESOURCES
from .property_path import KnownValues
from .representation import address_with_parameters, render_site_page
from .source_names import name_sources
from .text_links import find_text_pages

DESCRIPTION_PROPERTIES = (
    f"{SKOS_NAMESPACE}definition",
    DCTERMS_DESCRIPTION.value,
    f"{RDFS_NAMESPACE}comment",
)
HEADER_PROPERTIES = (RDF_TYPE_IRI, DCTERMS_SOURCE.value, *DESCRIPTION_PROPERTIES)
# Properties whose values are for programs; only the formats of the resource have them.
MACHINE_PROPERTIES = frozenset(
    expand_curie(curie).value
    for curie in (
        "dcterms:identifier",
        "skos:inScheme",
        "skos:topConceptOf",
        "skosxl:altLabel",
        "skosxl:prefLabel",
        "wgig:order",
    )
)
# The page that shows all resources of a kind, and its title.
LIST_PAGES = {
    "agreement": ("/agreements", gettext_noop("All agreements")),
    "meeting": ("/timeline", gettext_noop("Timeline")),
    "session": ("/timeline", gettext_noop("Timeline")),
}
MACHINE_RECORD_KINDS = frozenset({"assertion", "identifier", "graph", "shape"})  # of records for programs
OWL_INVERSE_OF = expand_curie("owl:inverseOf")


class PropertyValue(NamedTuple):
    """The shown term of a statement, and the graphs that contain the statement, without the main graph."""

    term: ResultTerm
    graphs: tuple[str, ...]

    @property
    def iri(self) -> str:
        """The term if it is an IRI, else an empty string."""
        return self.term.value if isinstance(self.term, ox.NamedNode) else ""


class PropertyGroup(NamedTuple):
    """The values of a property; values may have been left out, `total` is their full number.

    `label` is that of the inverse property for incoming links.
    """

    iri: str
    label: ox.Literal
    values: list[PropertyValue]
    total: int

    @property
    def graphs(self) -> tuple[str, ...]:
        """The graphs that contain all the statements, or none if the values differ in their graphs."""
        if len(self.values) == 1:
            return self.values[0].graphs
        distinct_graphs = {value.graphs for value in self.values}
        return distinct_graphs.pop() if len(distinct_graphs) == 1 else ()


@dataclass(frozen=True)
class ResourceView:
    """The content of the page of a resource.

    `graph` is the main graph, which contains most of the statements. `kinds` are the classes that say what
    the resource is, `types` all its classes. `facts` are the outgoing statements, without those of the header
    and those for programs. `parts` are by IRI. `implied_count` counts the inferred statements left out
    because a statement that is not inferred links the same two resources. `machine_links` are the incoming
    links from records that programs make or read.
    """

    description: ResourceDescription
    title: ox.Literal
    graph: str
    kinds: list[PropertyValue]
    types: list[PropertyValue]
    texts: list[PropertyValue]
    facts: list[PropertyGroup]
    parts: list[tuple[str, list[PropertyGroup]]]
    incoming: list[PropertyGroup]
    machine_links: list[PropertyGroup]
    sources: list[PropertyValue]
    implied_count: int


def build_resource_view(store: Store, description: ResourceDescription, base: str) -> ResourceView:
    """The content of the page of a resource."""
    inferred_graph = f"{base}graph/inferred"
    main_graph = next((graph for graph in graphs_by_use(description) if graph != inferred_graph), "")
    title = label_or_words(description.labels, description.iri)
    shown, implied_count = drop_implied_statements(description, inferred_graph)
    inverse_labels = inverse_property_labels(store, label_languages())

    def find_property_label(iri: str) -> ox.Literal:
        return description.labels.get(iri) or foreign_property_label(iri)

    def find_incoming_label(iri: str) -> ox.Literal:
        label = find_property_label(iri)
        arrow = "→" if label.language in RTL_LANGUAGES else "←"
        return inverse_labels.get(iri) or ox.Literal(f"{arrow} {label.value}", language=label.language)

    def group_statements(statements: list[Statement]) -> list[PropertyGroup]:
        return group_by_property(
            [(statement, statement.object) for statement in statements],
            description,
            main_graph,
            find_property_label,
        )

    def list_values(*properties: str) -> list[PropertyValue]:
        statements = [statement for statement in shown.statements if statement.predicate.value in properties]
        return [value for group in group_statements(statements) for value in group.values]

    incoming, machine_links = (
        group_by_property(pairs, description, main_graph, find_incoming_label)
        for pairs in split_incoming_pairs(shown.incoming, base)
    )
    if description.cut_notices:
        incoming = [
            group._replace(total=description.incoming_counts.get(group.iri, group.total))
            for group in incoming
        ]
    types = sorted(list_values(RDF_TYPE_IRI), key=lambda value: inferred_graph in value.graphs)
    return ResourceView(
        description,
        title,
        main_graph,
        kinds=choose_kinds(types, base),
        types=types,
        texts=list_values(*DESCRIPTION_PROPERTIES),
        facts=group_statements(list_fact_statements(shown.statements, title, base)),
        parts=[
            (part, group_statements(statements))
            for part, statements in sorted(shown.parts.items(), key=lambda item: natural_sort_key(item[0]))
        ],
        incoming=incoming,
        machine_links=machine_links,
        sources=list_values(DCTERMS_SOURCE.value),
        implied_count=implied_count,
    )


@cache_for_version(12)
def inverse_property_labels(store: Store, language_ranges: tuple[str, ...]) -> dict[str, ox.Literal]:
    """The label of the inverse property of each property that has one, by IRI of the property.

    Labels are in the languages of `language_ranges` if there are such labels. The result is cached until the
    store changes.
    """
    pairs = [(quad.subject, quad.object) for quad in store.match(None, OWL_INVERSE_OF)]
    inverses = {
        property_.value: inverse.value
        for pair in pairs
        for property_, inverse in (pair, pair[::-1])
        if isinstance(property_, ox.NamedNode) and isinstance(inverse, ox.NamedNode)
    }
    labels = find_labels(store, inverses.values(), language_ranges)
    return {property_: labels[inverse] for property_, inverse in inverses.items() if inverse in labels}


def split_incoming_pairs(
    incoming: Iterable[Statement], base: str
) -> tuple[list[tuple[Statement, ResultTerm]], list[tuple[Statement, ResultTerm]]]:
    """The incoming statements with their subjects: those of other resources, and of machine records."""
    pairs: tuple[list[tuple[Statement, ResultTerm]], list[tuple[Statement, ResultTerm]]] = ([], [])
    for statement in incoming:
        pairs[is_machine_record(statement.subject, base)].append((statement, statement.subject))
    return pairs


def is_machine_record(term: ResultTerm, base: str) -> bool:
    """Whether a term is a record that programs make or read, such as a result of a check."""
    return isinstance(term, ox.NamedNode) and kind_of_iri(term.value, base) in MACHINE_RECORD_KINDS


def list_fact_statements(statements: Iterable[Statement], title: ox.Literal, base: str) -> list[Statement]:
    """Those of the statements about a resource that the page shows outside its header."""
    return [
        statement
        for statement in statements
        if not is_in_header(statement, title) and not is_for_programs(statement, base)
    ]


def is_in_header(statement: Statement, title: ox.Literal) -> bool:
    """Whether the page shows the statement in its header instead of among the facts."""
    if statement.predicate.value in HEADER_PROPERTIES:
        return True
    return statement.predicate.value in LABEL_PROPERTIES and statement.object == title


def choose_kinds(types: Sequence[PropertyValue], base: str) -> list[PropertyValue]:
    """The classes that say what a resource is: those stated in its main graph, of the ontology if possible.

    Inferred ones, such as superclasses, and classes of other vocabularies are for programs.
    """
    ontology = expand_curie("wgig:", base).value
    own_types = [type_ for type_ in types if type_.iri.startswith(ontology)]
    stated_types = [type_ for type_ in own_types if not type_.graphs]
    return stated_types or own_types or [type_ for type_ in types if foreign_class_label(type_.iri)]


def find_foreign_class_labels(types: Iterable[PropertyValue]) -> dict[str, ox.Literal]:
    """The labels of the classes of other vocabularies, by IRI."""
    return {type_.iri: label for type_ in types if (label := foreign_class_label(type_.iri))}


def is_for_programs(statement: Statement, base: str) -> bool:
    """Whether only the formats of a resource have the statement, not its page.

    A statement that is only inferred, with a property of a vocabulary on which the ontology is built, says
    the same as one with a property of the ontology.
    """
    property_, inferred_graphs = statement.predicate.value, (f"{base}graph/inferred",)
    is_of_vocabulary = split_namespace(property_)[0] in EXTERNAL_NAMESPACES.values()
    return (is_of_vocabulary and statement.graphs == inferred_graphs) or property_ in MACHINE_PROPERTIES


def drop_repeated_facts(
    facts: Iterable[PropertyGroup], overviews: Iterable[ResourceOverview]
) -> list[PropertyGroup]:
    """The facts without those that an overview shows."""
    shown_properties = {property_ for overview in overviews for property_ in overview.shown_properties}
    return [group for group in facts if group.iri not in shown_properties]


def drop_linked_resources(
    incoming: Sequence[PropertyGroup],
    overviews: Iterable[ResourceOverview],
    disagreements: Iterable[str],
    parts: Iterable[DocumentPart],
) -> list[PropertyGroup]:
    """The incoming links without those from resources in an overview or in the table of contents.

    That a resource names this one as its source is left out, too, if it has another link to it.
    """
    linked_iris = {*disagreements, *(part.iri for part in parts)}
    linked_iris.update(*(overview.linked_iris for overview in overviews))
    linking_iris = {
        value.iri for group in incoming if group.iri != DCTERMS_SOURCE.value for value in group.values
    }
    groups = []
    for group in incoming:
        omitted_iris = linked_iris | linking_iris if group.iri == DCTERMS_SOURCE.value else linked_iris
        values = [value for value in group.values if value.iri not in omitted_iris]
        total = group.total - len(group.values) + len(values)
        if total:
            groups.append(group._replace(values=values, total=total))
    return groups


def drop_implied_statements(
    description: ResourceDescription, inferred_graph: str
) -> tuple[ResourceDescription, int]:
    """The description without implied statements, and the number of these.

    An inferred statement is implied if one that is not inferred links its subject and object, in either
    direction. `inferred_graph` is the IRI of the graph of inferred statements.
    """
    inferred = {statement for statement in description if statement.graphs == (inferred_graph,)}
    if not inferred:
        return description, 0
    linked: set[tuple[ResultTerm, ResultTerm]] = {
        (statement.subject, statement.object)
        for statement in description
        if statement.graphs != (inferred_graph,)
    }
    implied = {
        statement
        for statement in inferred
        if not linked.isdisjoint(
            ((statement.subject, statement.object), (statement.object, statement.subject))
        )
    }

    def keep_shown(statements: Iterable[Statement]) -> list[Statement]:
        return [
            statement
            for statement in statements
            if statement.graphs != (inferred_graph,) or statement not in implied
        ]

    shown = replace(
        description,
        statements=keep_shown(description.statements),
        parts={part: keep_shown(statements) for part, statements in description.parts.items()},
        incoming=keep_shown(description.incoming),
    )
    return shown, len(implied)


def group_by_property(
    statement_terms: list[tuple[Statement, ResultTerm]],
    description: ResourceDescription,
    main_graph: str,
    find_property_label: Callable[[str], ox.Literal],
) -> list[PropertyGroup]:
    """Statements by property, sorted by label.

    `statement_terms` are pairs of a statement and its term that the page shows: its object or its subject.
    """
    values_by_property: dict[str, list[PropertyValue]] = {}
    for statement, term in statement_terms:
        value = PropertyValue(term, tuple(graph for graph in statement.graphs if graph != main_graph))
        values_by_property.setdefault(statement.predicate.value, []).append(value)

    def sort_key(value: PropertyValue) -> tuple[object, ...]:
        text = str(value.term) if isinstance(value.term, ox.Triple) else value.term.value
        return natural_sort_key(description.labels[text].value if text in description.labels else text)

    groups = [
        PropertyGroup(
            iri,
            find_property_label(iri),
            # The key of a long text takes 0.1 ms.
            sorted(values, key=sort_key) if len(values) > 1 else values,
            len(values),
        )
        for iri, values in values_by_property.items()
    ]
    return sorted(groups, key=lambda group: group.label.value.casefold())


# The properties of each section of the template for papers; section 0 is about the paper itself.
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
    """A finding about a section: the code of the rule, its severity, and the message."""

    code: str
    severity: str
    message: str


@dataclass(frozen=True)
class PaperSection:
    """A section of a paper: its number, state, values, parts (IRI and values), and findings.

    The state is `passed`, `missing`, `faulty`, `waived` or `untested`, or `unseen` in all sections.
    """

    number: int
    state: str
    groups: Sequence[PropertyGroup]
    parts: Sequence[tuple[str, Sequence[PropertyGroup]]]
    findings: Sequence[SectionFinding]


def build_paper_sections(store: Store, view: ResourceView, base: str) -> list[PaperSection]:
    """The sections of a paper; empty for other resources, and for a paper without results of a check."""
    namespaces = namespaces_by_prefix(base)
    iri = view.description.iri
    assertion = ox.NamedNode(namespaces["assertion"] + iri.removeprefix(namespaces["paper"]))
    checked = [(quad.predicate, quad.object) for quad in store.match(assertion)]
    if not iri.startswith(namespaces["paper"]) or EARL_RESULT not in (property_ for property_, _ in checked):
        return []
    outcomes, findings = list_section_outcomes(checked), find_section_findings(checked)
    parts = dict(view.parts)
    group_by_iri = {group.iri: group for group in view.facts}
    sections = []
    for number, curies in enumerate(SECTION_PROPERTIES):
        property_iris = [expand_curie(curie, base).value for curie in curies]
        groups = [group_by_iri[property_] for property_ in property_iris if property_ in group_by_iri]
        value_iris = [
            value.term.value
            for group in groups
            for value in group.values
            if isinstance(value.term, ox.NamedNode)
        ]
        section_parts = [(part, parts[part]) for part in value_iris if part in parts]
        plain_groups = [
            group for group in groups if not any(has_group_value(group, part) for part, _ in section_parts)
        ]
        sections.append(
            PaperSection(number, outcomes[number], plain_groups, section_parts, findings.get(number, ()))
        )
    return sections


def find_example_text(iri: str, types: Collection[str]) -> str:
    """The Markdown text of an example paper that is not in the store; empty for other resources.

    `types` are the stated classes of the resource.
    """
    return "" if WGIG_ISSUE_PAPER.value in types else example_paper_texts().get(iri, "")


def find_example_title(iri: str, language_ranges: tuple[str, ...]) -> ox.Literal:
    """The title of an example paper, in the best of these languages."""
    triples = shipped_triples("data/examples/*.ttl")
    titles = [
        triple.object
        for triple in triples
        if triple.subject == ox.NamedNode(iri) and triple.predicate == DCTERMS_TITLE
    ]
    return best_text(titles, language_ranges)


def drop_repeated_groups(sections: list[PaperSection], facts: Sequence[PropertyGroup]) -> list[PaperSection]:
    """The sections; those of a paper whose text was not seen without what the title and overviews say.

    `facts` are the facts that no overview shows.
    """
    if not sections or sections[0].state != OUTCOME_UNSEEN:
        return sections
    return [
        replace(
            section,
            groups=[group for group in section.groups if group in facts and group.iri != DCTERMS_TITLE.value],
        )
        for section in sections
    ]


def has_group_value(group: PropertyGroup, iri: str) -> bool:
    """Whether an IRI is one of the values of the group."""
    return any(isinstance(value.term, ox.NamedNode) and value.term.value == iri for value in group.values)


def find_section_findings(statements: Iterable[tuple[ox.NamedNode, Any]]) -> dict[int, list[SectionFinding]]:
    """The findings about each section, sorted, from pairs of property and value of an assertion.

    Messages are in the language of the request. Rules of another version of the package are left out.
    """
    codes = {
        value.value.removeprefix(SHAPES_NAMESPACE)
        for property_, value in statements
        if property_ == WGIG_BREAKS
    }
    findings: dict[int, list[SectionFinding]] = {}
    for code in sorted(codes & rules_by_code().keys()):
        rule = rules_by_code()[code]
        findings.setdefault(rule.section, []).append(
            SectionFinding(code, rule.severity, rule.message_in(current_language()))
        )
    return findings


def find_disagreements(incoming: Iterable[PropertyGroup], base: str) -> list[str]:
    """The IRIs of the disagreements between sources about a resource, from its incoming links."""
    iris = (value.iri for group in incoming for value in group.values)
    return [*dict.fromkeys(iri for iri in iris if kind_of_iri(iri, base) == "disagreement")]


def find_paragraph_number(iri: str, base: str, known_values: KnownValues) -> str:
    """The number of a paragraph; empty for other resources. `known_values` has the values of the resource."""
    values = known_values[iri]
    if expand_curie("wgig:Paragraph", base) not in values.get(RDF_TYPE, ()):
        return ""
    return best_text(values.get(expand_curie("wgig:number", base), ())).value


def list_quotations(overviews: Iterable[ResourceOverview]) -> list[Any]:
    """What the records about a paragraph quote from it, each text once."""
    records = (
        record
        for overview in overviews
        if overview.kind == "paragraph"
        for record in overview.records_by_name["judgments"]
    )
    return [*dict.fromkeys(text for record in records for text in record.terms_by_name["quotation"])]


def find_page_sources(
    store: Store,
    view: ResourceView,
    overviews: Iterable[ResourceOverview],
    base: str,
    language_ranges: tuple[str, ...],
) -> dict[str, Any]:
    """The other sources of the records in overviews, and the names of all sources, for the template."""
    sources = [value.term for value in view.sources]
    record_sources = [
        term
        for overview in overviews
        for records in overview.records_by_name.values()
        for record in records
        for term in record.terms_by_name.get("sources", ())
    ]
    other_sources = [term for term in dict.fromkeys(record_sources) if term not in sources]
    names = name_sources(store, [*sources, *other_sources], base, language_ranges)
    return {"other_sources": other_sources, "source_names": names}


def find_page_history(context: RequestContext, view: ResourceView) -> dict[str, Any]:
    """The versions and the date of the main graph of a page, for the template."""
    store = context.store
    versions = list_graph_versions(context.history, store, view.graph) if view.graph else []
    versions = versions[-MAX_LISTED_VERSIONS:]
    return {
        "versions": versions,
        "date": find_graph_date(context.history, store, view.graph, context.base),
        "erased": find_erased_digests(context.history, store, versions),
    }


def drop_parts(description: ResourceDescription) -> ResourceDescription:
    """The description without the parts of the resource, for a page that has a table of contents instead."""
    notices = [notice for notice in description.cut_notices if notice.sentence != PARTS_CUT_MESSAGE]
    return replace(description, parts={}, cut_notices=notices)


def find_page_labels(
    store: Store, view: ResourceView, iris: set[str], language_ranges: tuple[str, ...], base: str
) -> dict[str, ox.Literal]:
    """The labels by IRI that the page of a resource needs, also those of `iris`, and titles of web pages."""
    description = view.description
    missing_labels = find_labels(store, iris - description.labels.keys(), language_ranges)
    fact_terms = (value.term for group in view.facts for value in group.values)
    page_names = name_sources(store, fact_terms, base, language_ranges)
    labels = {iri: name.title for iri, name in page_names.items() if not name.detail}
    labels |= find_foreign_class_labels(view.types) | description.labels | missing_labels
    return labels | mark_added_papers(
        store,
        {iri: label for iri, label in labels.items() if iri != description.iri},
        base,
        description.known_values,
    )


def render_resource_page(
    context: RequestContext,
    description: ResourceDescription,
    language_ranges: tuple[str, ...],
    markup: object,
) -> bytes:
    """The page of a resource. Labels are in the languages of `language_ranges` if there are such labels.

    `markup` is the resource as schema.org JSON-LD, for search engines.
    """
    store, base, iri = context.store, context.base, description.iri
    is_document = iri.startswith(namespaces_by_prefix(base)["doc"])
    contents = build_contents(store, iri, base, language_ranges) if is_document else []
    adjacent = (find_adjacent_paragraphs if is_document else find_adjacent_in_series)(store, iri, base)
    if contents:
        description = drop_parts(description)
    known_values, types = description.known_values, stated_types(description.statements)
    if example_text := find_example_text(iri, types):
        description.labels[iri] = find_example_title(iri, language_ranges)
    view = build_resource_view(store, description, base)
    overviews = build_overviews(store, iri, types, base, known_values)
    parts = [*iter_parts(contents)]
    document = find_nearest_document(store, iri, base, known_values)
    shown_iris = {*filter(None, (*adjacent, document, *(part.kind for part in parts)))}
    shown_iris.update((part.iri for part in parts), *(overview.iris for overview in overviews))
    labels = find_page_labels(store, view, shown_iris, language_ranges, base)
    facts = drop_repeated_facts(view.facts, overviews)
    sections = build_paper_sections(store, view, base)
    section_properties = {group.iri for section in sections for group in section.groups}
    disagreements = find_disagreements(view.incoming, base)
    return render_site_page(
        context,
        "doc.html",
        page=replace(
            view,
            facts=[group for group in facts if group.iri not in section_properties],
            incoming=drop_linked_resources(view.incoming, overviews, disagreements, parts),
        ),
        overviews=overviews,
        disagreements=disagreements,
        group_records=group_records,
        contents=contents,
        has_paragraphs=any(part.is_paragraph for part in parts),
        adjacent=adjacent,
        list_page=LIST_PAGES.get(kind_of_iri(iri, base)),
        examples=find_examples_of_resource(shorten_iri(iri, base)),
        sections=drop_repeated_groups(sections, facts),
        example_text=example_text,
        headings=section_headings(),
        neighborhood=build_neighborhood(view.title.value, view.incoming, view.facts, labels, base),
        **find_page_history(context, view),
        **find_page_sources(store, view, overviews, base, language_ranges),
        text_pages=find_text_pages(store, iri, document, base, current_language()) if document else [],
        document=document,
        paragraph_number=find_paragraph_number(iri, base, known_values),
        quotations=list_quotations(overviews),
        labels=labels,
        markup=markup,
    )


def render_inverse_page(
    context: RequestContext, description: ResourceDescription, page_json: Mapping[str, Any]
) -> bytes:
    """A page of the resources that point to the described one by a property.

    `page_json` is the same page in the form of `build_resource_json`.
    """
    ((name, inverse),) = page_json["inverse"].items()
    number = int((parameter_values(get_query_parameters(context.request), "page") or ["1"])[0])
    iris = [item["id"] for item in inverse["items"]]
    store = context.store
    return render_site_page(
        context,
        "inverse.html",
        iri=description.iri,
        title=label_or_words(description.labels, description.iri),
        name=name,
        inverse=inverse,
        resources=iris,
        labels=find_labels(store, iris, label_languages()),
        number=number,
        page_addresses={
            rel: address_with_parameters(context.request, [("inverse", name), ("page", str(number + step))])
            for rel, step in (("prev", -1), ("next", 1))
            if rel in inverse["links"]
        },
        first_position=(number - 1) * INVERSE_PAGE_RESOURCES + 1,
        last_page=-(-inverse["total"] // INVERSE_PAGE_RESOURCES),
    )
