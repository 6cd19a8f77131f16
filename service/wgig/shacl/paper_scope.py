"""The scope of a paper: what the statements in the graph of a paper may be about.

A token for papers must not change what other graphs state. So the graph of a paper may describe only

- the graph, the paper, its parts (IRIs below that of the paper) and blank nodes, without the classes,
  properties and values from which rules and queries of lists take statements about other resources;
- agents that it names and their memberships, by properties that identify them, if no other graph describes
  them. Statements of another graph may be repeated, and the paper may be a source of their description, as
  the Markdown reader states of each.

`check_paper_scope` needs only the paper, `check_actor_statements` also the store.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple, NoReturn

import pyoxigraph as ox
from wgig_client.literals import term_text
from wgig_client.namespaces import BASE_IRI

from ..problems import Problem
from ..rdf.namespaces import (
    DCTERMS_SOURCE,
    ID_NAMESPACE,
    LOCAL_NAME_PATTERN,
    RDF_TYPE,
    WGIG_NAMESPACE,
    expand_curie,
)
from ..rdf.shipped import shipped_ontology
from ..store.view import StoreView
from .documents import Document
from .results import Term

ACTOR_IRI_PREFIXES = (f"{ID_NAMESPACE}agent/", f"{ID_NAMESPACE}membership/")
ACTOR_IRI_PATTERN = re.compile(
    f"{re.escape(ID_NAMESPACE)}(?:agent|membership)/(?:{LOCAL_NAME_PATTERN.pattern})"
)


def expand_names(prefix: str, names: str) -> frozenset[str]:
    """The IRIs of local names, separated by spaces, in the namespace of a prefix."""
    return frozenset(expand_curie(f"{prefix}:{name}").value for name in names.split())


PAPER_CLASSES = expand_names(
    "wgig",
    "Assessment AssessmentPaper Document Forum IssuePaper Mechanism Paper Paragraph Section Swot Waiver",
)
AGENT_CLASSES = (
    expand_names("foaf", "Agent Group Organization Person")
    | expand_names("org", "FormalOrganization Membership Organization OrganizationalUnit")
    | expand_names("prov", "Agent Organization Person")
    | expand_names("schema", "Organization Person")
)
# Other classes of these namespaces are those of issues, concepts, citations, meetings, test results, datasets
# and schemas.
RESERVED_CLASS_NAMESPACES = tuple(
    expand_curie(f"{prefix}:").value
    for prefix in ("wgig", "cito", "dcat", "earl", "foaf", "org", "owl", "rdfs", "sd", "sh", "skos", "void")
)
# Properties of these namespaces state the meaning of terms, test results, shapes and statistics.
RESERVED_PROPERTY_NAMESPACES = tuple(
    expand_curie(f"{prefix}:").value for prefix in ("earl", "owl", "sd", "sh", "void")
)
# They put a resource into a scheme, or let rules and lists state something of others: bearsOn relates
# categories, and respondsTo the paragraphs of two documents.
RESERVED_PROPERTIES = (
    expand_names("rdfs", "domain range subClassOf subPropertyOf")
    | expand_names(
        "skos", "broader broaderTransitive hasTopConcept inScheme member memberList narrower topConceptOf"
    )
    | expand_names("cito", "hasCitedEntity hasCitingEntity")
    | expand_names("wgig", "bearsOn respondsTo")
    # Results of checks.
    | expand_names(
        "wgig",
        "breaks partFaulty partMissing partUntested partWaived partsAsked partsMet profileFailed",
    )
)
UNRESERVED_PROPERTIES = expand_names("owl", "versionInfo")
# Statements with these properties are about their object, if it is an agent or membership.
MEMBER_PROPERTIES = expand_names("org", "hasMember hasMembership headOf holds member") | expand_names(
    "foaf", "member"
)
CRITERION_IRI = expand_curie("wgig:criterion").value
# The bodies and instruments that govern are mechanisms or agents.
MECHANISM_IRI_PREFIXES = (f"{ID_NAMESPACE}mechanism/", f"{ID_NAMESPACE}agent/")
DOCUMENT_IRI_PREFIXES = (f"{ID_NAMESPACE}document/issue-papers", f"{ID_NAMESPACE}document/assessment-papers")
# The prefixes of the values of these properties, other than parts of the paper. From other values, rules and
# lists would take statements about their resources: what an issue is measured against, what is known about a
# milestone, who is a member or chair, which paragraphs a document has.
VALUE_IRI_PREFIXES: dict[str, tuple[str, ...]] = {
    expand_curie("wgig:issue").value: (f"{ID_NAMESPACE}issue/",),
    CRITERION_IRI: (f"{ID_NAMESPACE}principle/",),
    **dict.fromkeys(expand_names("wgig", "about judges"), MECHANISM_IRI_PREFIXES),
    expand_curie("org:role").value: (f"{ID_NAMESPACE}role/member",),
    **dict.fromkeys(
        expand_names("wgig", "partOf") | expand_names("dcterms", "isPartOf"), DOCUMENT_IRI_PREFIXES
    ),
    **dict.fromkeys(MEMBER_PROPERTIES, ACTOR_IRI_PREFIXES),
}
IDENTIFYING_PROPERTIES = (
    expand_names("dcterms", "identifier source")
    | expand_names("foaf", "familyName givenName homepage name nick page title")
    | expand_names("org", "hasMembership identifier member memberOf organization role")
    | expand_names("rdfs", "label seeAlso")
    | expand_names("schema", "alternateName endDate name startDate url")
    | expand_names("skos", "altLabel prefLabel")
    | expand_names(
        "wgig", "appointed country countryBasis illustrative postTitle stakeholderGroup stakeholderGroupBasis"
    )
    | {RDF_TYPE.value}
)


class ActorStatement(NamedTuple):
    """A statement of a paper about an agent or membership.

    `line` is the line in the request, None if it is unknown. `fault` is the reason to refuse the statement
    unless another graph contains it, or empty.
    """

    subject: Term
    predicate: ox.NamedNode
    object: Term
    line: int | None
    fault: str


def check_paper_scope(document: Document, paper: ox.NamedNode, graph: str) -> tuple[ActorStatement, ...]:
    """Check each statement of a paper without the store. Raises Problem 422, with the line.

    Returns the statements about agents and memberships, for `check_actor_statements`.
    """
    scope = PaperScope(document, paper, graph)
    return tuple(scope.iter_actor_statements())


class PaperScope:
    """The check of the statements of one paper."""

    def __init__(self, document: Document, paper: ox.NamedNode, graph: str) -> None:
        """Find the agents and memberships that the paper names."""
        self.document, self.paper = document, paper
        # The shipped papers describe their graphs below the default base.
        name = paper.value.removeprefix(f"{ID_NAMESPACE}paper/")
        self.own_iris = {paper.value, graph, f"{BASE_IRI}graph/paper/{name}"}
        self.named_actors = self.find_named_actors()

    def is_own(self, node: Term) -> bool:
        """Whether a node is the graph, the paper, a part of it, or a blank node."""
        if not isinstance(node, ox.NamedNode):
            return True
        prefix, iri = f"{self.paper.value}/", node.value
        return iri in self.own_iris or (
            iri.startswith(prefix) and {"", ".", ".."}.isdisjoint(iri.removeprefix(prefix).split("/"))
        )

    def find_named_actors(self) -> set[Term]:
        """The agents that the paper or a part names, their memberships, and the agents that these name."""
        named = {
            triple.object
            for subject, numbers in self.document.numbers_by_subject.items()
            if self.is_own(subject)
            for triple in (self.document.triples[number] for number in numbers)
            if is_actor(triple.object)
        }
        pending = list(named)
        while pending:
            actor = pending.pop()
            members = (
                self.document.triples[number].subject
                for number in self.document.numbers_by_object.get(actor, ())
                if self.document.triples[number].predicate.value in MEMBER_PROPERTIES
            )
            for node in (*self.document.find_object_nodes(actor), *members):
                if is_actor(node) and node not in named:
                    named.add(node)
                    pending.append(node)
        return named

    def iter_actor_statements(self) -> Iterator[ActorStatement]:
        """The statements about agents and memberships. Raises Problem 422 for a statement out of scope."""
        for number, triple in enumerate(self.document.triples):
            subject, predicate, object_ = triple.subject, triple.predicate, triple.object
            if is_actor(subject):
                if subject not in self.named_actors:
                    self.refuse(number, f"would describe {subject}, which the paper does not name")
                fault = self.find_actor_fault(subject, predicate, object_)
                yield ActorStatement(subject, predicate, object_, self.line(number), fault)
                continue
            if not self.is_own(subject):
                self.refuse(
                    number,
                    f"would describe {subject}, which is not a part of the paper, an agent or a membership",
                )
            if reason := self.find_own_fault(predicate, object_):
                self.refuse(number, reason)
            if predicate.value in MEMBER_PROPERTIES and is_actor(object_):
                yield ActorStatement(subject, predicate, object_, self.line(number), "")

    def find_own_fault(self, predicate: ox.NamedNode, object_: Term) -> str:
        """Why the paper or a part must not be described by this property and value; empty if it may."""
        if predicate == RDF_TYPE:
            is_reserved = isinstance(object_, ox.NamedNode) and object_.value.startswith(
                RESERVED_CLASS_NAMESPACES
            )
            is_allowed = isinstance(object_, ox.NamedNode) and object_.value in PAPER_CLASSES | AGENT_CLASSES
            return f"would have a part of the class {object_}" if is_reserved and not is_allowed else ""
        iri = predicate.value
        is_reserved = iri.startswith(RESERVED_PROPERTY_NAMESPACES) or iri in RESERVED_PROPERTIES
        if is_reserved and iri not in UNRESERVED_PROPERTIES:
            return f"would state {predicate}, which changes the meaning of other statements"
        if fault := self.find_value_fault(predicate, object_):
            return fault
        if iri in foreign_properties():
            return f"would state {predicate}, which does not describe papers and their parts"
        if iri in inverse_properties() and not self.is_own(object_):
            return f"would state {predicate}, which describes {object_}"
        return ""

    def find_value_fault(self, predicate: ox.NamedNode, object_: Term) -> str:
        """Why the property must not have this value; empty if it may."""
        prefixes = VALUE_IRI_PREFIXES.get(predicate.value)
        is_allowed = prefixes is None or term_text(object_).startswith(prefixes)
        if not is_allowed and predicate.value != CRITERION_IRI:
            is_allowed = self.is_own(object_)
        return "" if is_allowed else f"would state {predicate} {object_}, which describes something else"

    def find_actor_fault(self, subject: Term, predicate: ox.NamedNode, object_: Term) -> str:
        """Why an agent or membership must not be described so; empty if it may."""
        is_class = isinstance(object_, ox.NamedNode) and object_.value in AGENT_CLASSES
        if predicate.value not in IDENTIFYING_PROPERTIES or (predicate == RDF_TYPE and not is_class):
            return f"would state {predicate} {object_} of {subject}, which does not identify it"
        return self.find_value_fault(predicate, object_)

    def line(self, number: int) -> int | None:
        """The line of the predicate of a triple in the request, if it is known."""
        positions = self.document.triple_positions
        if not positions or positions[number].predicate < 0:
            return None
        return self.document.text_lines.locate(positions[number].predicate).line

    def refuse(self, number: int, reason: str) -> NoReturn:
        """Raise Problem 422 for a triple."""
        raise paper_scope_problem(self.paper.value, reason, self.line(number))


def is_actor(node: Term) -> bool:
    """Whether a node has the IRI of an agent or membership."""
    return isinstance(node, ox.NamedNode) and ACTOR_IRI_PATTERN.fullmatch(node.value) is not None


def paper_scope_problem(paper: str, reason: str, line: int | None) -> Problem:
    """The 422 for a statement out of scope."""
    return Problem(
        422,
        f"{f'Line {line}: ' if line else ''}The graph is for the paper <{paper}>, but {reason}. "
        "Remove this statement.",
        line=line,
    )


@cache
def foreign_properties() -> frozenset[str]:
    """The properties of the ontology whose domain includes neither papers nor their parts."""
    return frozenset(
        property_
        for property_, domains in ontology_iri_values("rdfs:domain").items()
        if property_.startswith(WGIG_NAMESPACE) and domains.isdisjoint(paper_domains())
    )


@cache
def paper_domains() -> frozenset[str]:
    """The classes of papers and their parts, and the classes of the ontology above them (wgig:Appraisal).

    Classes of other vocabularies, such as prov:Entity, are left out: they include everything else, too.
    """
    superclasses = ontology_iri_values("rdfs:subClassOf")
    classes, pending = set(PAPER_CLASSES), list(PAPER_CLASSES)
    while pending:
        above = {iri for iri in superclasses.get(pending.pop(), ()) if iri.startswith(WGIG_NAMESPACE)}
        pending += above - classes
        classes |= above
    return frozenset(classes)


def ontology_iri_values(curie: str) -> dict[str, set[str]]:
    """The IRIs that are values of a property in the ontology, by the IRI of the term that has them."""
    values: dict[str, set[str]] = {}
    for triple in shipped_ontology():
        if triple.predicate == expand_curie(curie) and isinstance(triple.object, ox.NamedNode):
            values.setdefault(term_text(triple.subject), set()).add(triple.object.value)
    return values


@cache
def inverse_properties() -> frozenset[str]:
    """The properties of the ontology that are the inverse of a primary one, and so describe their object."""
    return frozenset(
        triple.object.value
        for triple in shipped_ontology()
        if triple.predicate == expand_curie("owl:inverseOf") and isinstance(triple.object, ox.NamedNode)
    )


def check_actor_statements(
    store: StoreView, statements: Sequence[ActorStatement], paper: str, graphs: frozenset[str]
) -> None:
    """Raise Problem 422 if a statement is about an agent or membership that another graph describes.

    A statement that another graph contains may be repeated, and the paper may be a source of the description.
    `graphs` are those that do not count: that of the paper, and those that the service computes.
    """
    for subject, predicate, object_, line, fault in statements:
        if is_stated_elsewhere(store, subject, predicate, object_, graphs):
            continue
        if fault:
            raise paper_scope_problem(paper, fault, line)
        if predicate == DCTERMS_SOURCE and object_ == ox.NamedNode(paper):
            continue
        described = (subject, object_) if predicate.value in MEMBER_PROPERTIES else (subject,)
        for node in filter(is_actor, described):
            if is_described_elsewhere(store, node, graphs):
                raise paper_scope_problem(
                    paper, f"would add to the description of {node}, which is in another graph", line
                )


def is_described_elsewhere(store: StoreView, node: Term, graphs: frozenset[str]) -> bool:
    """Whether a graph other than these has a statement about the node."""
    assert isinstance(node, ox.NamedNode)
    return any(graph_iri(quad) not in graphs for quad in store.match(node))


def is_stated_elsewhere(
    store: StoreView, subject: Term, predicate: ox.NamedNode, object_: Term, graphs: frozenset[str]
) -> bool:
    """Whether a graph other than these has this statement."""
    if not isinstance(subject, ox.NamedNode):
        return False
    return any(
        quad.object == object_ and graph_iri(quad) not in graphs for quad in store.match(subject, predicate)
    )


def graph_iri(quad: ox.Quad) -> str:
    """The IRI of the graph of a quad; empty for the unnamed graph."""
    return quad.graph_name.value if isinstance(quad.graph_name, ox.NamedNode) else ""
